// Package bolt is a store.DB in one file, for everything on one machine with nothing else installed.
//
// Each collection is a bucket with four in it:
//
//	docs    id                      -> the document, see record
//	state   length of state, it, id -> nothing
//	due     microseconds, id        -> nothing
//	expire  microseconds, id        -> nothing
//
// The last three are indexes, kept in the transaction that writes the document. A version is the number of the commit.
//
// A commit is on disk when it returns. Commits that come while another one is written to disk go into the next transaction together, so a
// thousand concurrent callers share a few syncs; each of them is still all or nothing, and hears of its own conflict only.
//
// One process holds the file at a time. Expired documents stay until Sweep.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// DB is a store in a file.
type DB struct {
	file *bbolt.DB
	now  func() time.Time

	mu      sync.Mutex // guards waiting
	waiting []*commit
	writing sync.Mutex // held by the caller who writes for all that wait

	// Where tests make a commit fail, before and after it is applied, and a read.
	before, after func(context.Context, []store.Write) error
	onGet         func(store.Key) error
}

// Option changes how Open works.
type Option func(*options)

type options struct {
	now  func() time.Time
	lock time.Duration
}

// Now sets the clock of Doc.Updated, by default time.Now.
func Now(now func() time.Time) Option { return func(o *options) { o.now = now } }

// LockTimeout sets how long Open waits for another process to let go of the file, by default 2 s: as long as a restart may overlap.
func LockTimeout(d time.Duration) Option { return func(o *options) { o.lock = d } }

// Open opens the file at path and makes it, and its directory, if need be.
func Open(path string, opts ...Option) (*DB, error) {
	o := options{now: time.Now, lock: 2 * time.Second}
	for _, opt := range opts {
		opt(&o)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.Wrap(fault.Denied, err, "open store")
	}
	file, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: o.lock, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fault.Wrap(fault.Conflict, fmt.Errorf("another process holds %s", filepath.Dir(path)), "open store")
	case err != nil:
		return nil, fault.Wrap(fault.Denied, fmt.Errorf("%s: %w", path, err), "open store")
	}
	return &DB{file: file, now: o.now}, nil
}

// Close waits for what is going on and lets go of the file.
func (db *DB) Close() error { return fault.Wrap(fault.Transient, db.file.Close(), "close store") }

// Get implements store.DB.
func (db *DB) Get(ctx context.Context, key store.Key) (store.Doc, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Doc{}, err
	}
	var r record
	var found bool
	err := db.view(ctx, "get", func(tx *bbolt.Tx) (err error) {
		r, found, err = db.read(tx, key)
		return err
	})
	switch {
	case err != nil:
		return store.Doc{}, err
	case !found:
		return store.Doc{}, store.Missing(key)
	}
	return r.doc(key), nil
}

// read returns the record of a document, whose data is its own.
func (db *DB) read(tx *bbolt.Tx, key store.Key) (record, bool, error) {
	if db.onGet != nil {
		if err := db.onGet(key); err != nil {
			return record{}, false, err
		}
	}
	c, ok := openCollection(tx, key.Collection)
	if !ok {
		return record{}, false, nil
	}
	return c.get(key.ID)
}

// view runs a read transaction. What it fails with is Transient unless f said otherwise.
func (db *DB) view(ctx context.Context, doing string, f func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Transient, err, doing)
	}
	return classify(db.file.View(f), doing)
}

// classify takes an error of the file for Transient: a disk that is full, a file that was closed.
func classify(err error, doing string) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fault.Wrap(fault.Transient, err, doing)
}

// Commit implements store.DB.
func (db *DB) Commit(ctx context.Context, writes ...store.Write) ([]store.Version, error) {
	return store.Commit(ctx, writes, db.apply, db.stamped)
}

func (db *DB) apply(ctx context.Context, id string, writes []store.Write) ([]store.Version, error) {
	if db.before != nil {
		if err := db.before(ctx, writes); err != nil {
			return nil, err
		}
	}
	versions, err := db.enqueue(&commit{id: id, writes: writes})
	if err == nil && db.after != nil {
		err = db.after(ctx, writes)
	}
	return versions, err
}

// stamped syncs first: what a failed sync has left in the page cache is not yet durable.
func (db *DB) stamped(ctx context.Context, id string, keys []store.Key) (map[store.Key]store.Version, error) {
	if err := db.file.Sync(); err != nil {
		return nil, fault.Wrap(fault.Transient, err, "sync")
	}
	mine := make(map[store.Key]store.Version)
	err := db.view(ctx, "read back", func(tx *bbolt.Tx) error {
		for _, key := range keys {
			r, ok, err := db.read(tx, key)
			if err != nil {
				return err
			}
			if ok && r.Write == id {
				mine[key] = r.version()
			}
		}
		return nil
	})
	return mine, err
}
