package localbus

import (
	"errors"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// file is the bolt file with a group commit: while one writer commits, those who come wait, and the first of them then commits for all. So many
// concurrent writers share one sync of the disk, a single one waits for nobody, and who was committed for does not wait for the next commit.
type file struct {
	db *bbolt.DB

	mu         sync.Mutex
	committing bool
	pending    []*write
}

// write is one all-or-nothing part of a commit. do checks before it writes: an error that somebody classified refuses this part alone,
// any other undoes the whole commit. after runs once the commit is durable, before the next commit begins.
type write struct {
	do    func(*bbolt.Tx) error
	after func()
	turn  chan bool // has room for one: true when its writer is to commit, false when somebody has
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
	w := &write{do: do, after: after, turn: make(chan bool, 1), err: fault.New(fault.Transient, "the bus did not commit")}
	if f.enter(w) || <-w.turn {
		f.flush()
	}
	return w.err
}

// enter reports whether the writer is to commit at once.
func (f *file) enter(w *write) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = append(f.pending, w)
	first := !f.committing
	f.committing = true
	return first
}

// flush commits what all have asked for who have come by now.
func (f *file) flush() {
	f.mu.Lock()
	group := f.pending
	f.pending = nil
	f.mu.Unlock()
	defer f.next(group)
	err := f.db.Update(func(tx *bbolt.Tx) error { return apply(tx, group) })
	for _, w := range group {
		w.finish(err)
	}
}

// next lets go those who were committed for, and hands on to the first who came in the meantime.
func (f *file) next(group []*write) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range group {
		w.turn <- false
	}
	f.committing = len(f.pending) > 0
	if f.committing {
		f.pending[0].turn <- true
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
