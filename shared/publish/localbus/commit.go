package localbus

import (
	"errors"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// file is the bolt file with a group commit: whoever holds the commit lock commits what all who wait for it have asked for, so that many
// concurrent writers share one sync of the disk and a single one waits for nobody.
type file struct {
	db     *bbolt.DB
	commit sync.Mutex

	mu      sync.Mutex
	pending []*write
}

// write is one all-or-nothing part of a commit. do checks before it writes: an error that somebody classified refuses this part alone,
// any other undoes the whole commit. after runs once the commit is durable, before the next commit begins.
type write struct {
	do    func(*bbolt.Tx) error
	after func()
	taken bool
	err   error
}

func openFile(path string, topics []string) (*file, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fault.Wrap(fault.Transient, err, "open the bus's file, which one process at a time can have")
	}
	if err := db.Update(func(tx *bbolt.Tx) error { return layOut(tx, topics) }); err != nil {
		return nil, errors.Join(fault.Wrap(fault.Transient, err, "prepare the bus's file"), db.Close())
	}
	return &file{db: db}, nil
}

func (f *file) close() error {
	return fault.Wrap(fault.Transient, f.db.Close(), "close the bus's file")
}

func (f *file) update(do func(*bbolt.Tx) error, after func()) error {
	w := &write{do: do, after: after, err: fault.New(fault.Transient, "the bus did not commit")}
	f.mu.Lock()
	f.pending = append(f.pending, w)
	f.mu.Unlock()

	f.commit.Lock()
	defer f.commit.Unlock()
	if !w.taken {
		f.flush()
	}
	return w.err
}

func (f *file) flush() {
	f.mu.Lock()
	group := f.pending
	f.pending = nil
	f.mu.Unlock()
	for _, w := range group {
		w.taken = true
	}
	err := f.db.Update(func(tx *bbolt.Tx) error { return apply(tx, group) })
	for _, w := range group {
		w.finish(err)
	}
}

func apply(tx *bbolt.Tx, group []*write) error {
	for _, w := range group {
		w.err = w.do(tx)
		if fault.Is(w.err, fault.Bug) {
			return w.err
		}
	}
	return nil
}

func (w *write) finish(commit error) {
	switch {
	case commit != nil:
		w.err = fault.Wrap(fault.Transient, commit, "commit to the bus's file")
	case w.err == nil && w.after != nil:
		w.after()
	}
}

func (f *file) view(do func(*bbolt.Tx) error) error {
	err := f.db.View(do)
	if fault.Is(err, fault.Bug) {
		return fault.Wrap(fault.Transient, err, "read the bus's file")
	}
	return err
}
