package localbus

import (
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
)

// TestWritersShareACommit holds a commit back until many wait for it: they need one more.
func TestWritersShareACommit(t *testing.T) {
	const writers = 64
	f, err := openFile(filepath.Join(t.TempDir(), "bus"), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := f.transactions(t)
	var all sync.WaitGroup
	begun, release := make(chan bool), make(chan bool)
	all.Go(func() {
		if err := f.update(func(*bbolt.Tx) error { close(begun); <-release; return nil }, nil); err != nil {
			t.Error(err)
		}
	})
	<-begun
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
	close(release)
	all.Wait()
	if n := f.transactions(t) - before; n != 2 {
		t.Errorf("one writer and then %d needed %d commits", writers, n)
	}
	if f.committing || len(f.pending) > 0 {
		t.Error("the file waits for somebody")
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
