package localbus

import (
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
)

// TestWritersShareACommit holds the commit back until many wait for it.
func TestWritersShareACommit(t *testing.T) {
	const writers = 64
	f, err := openFile(filepath.Join(t.TempDir(), "bus"), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := f.transactions(t)
	f.commit.Lock()
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			if err := f.update(func(*bbolt.Tx) error { return nil }, nil); err != nil {
				t.Error(err)
			}
		})
	}
	for f.waiting() < writers {
		runtime.Gosched()
	}
	f.commit.Unlock()
	all.Wait()
	if n := f.transactions(t) - before; n != 1 {
		t.Errorf("%d writers needed %d commits", writers, n)
	}
	if err := f.close(); err != nil {
		t.Error(err)
	}
}

func (f *file) waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.pending)
}

func (f *file) transactions(t *testing.T) (id int) {
	if err := f.view(func(tx *bbolt.Tx) error { id = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return id
}
