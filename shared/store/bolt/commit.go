package bolt

import (
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// maxGroup bounds the commits of one transaction, and so how long the first of them waits for the last.
const maxGroup = 1000

// commit is one commit on its way to disk, and then its outcome.
type commit struct {
	id     string
	writes []store.Write

	done     bool // guarded by DB.writing, as are the rest
	versions []store.Version
	err      error
}

// enqueue waits for the turn to write. Whoever gets it first writes for all that wait by then; the others find their commit done. Unlike
// bbolt's Batch this never waits for company: a lone commit costs one sync and no delay.
func (db *DB) enqueue(c *commit) ([]store.Version, error) {
	db.mu.Lock()
	db.waiting = append(db.waiting, c)
	db.mu.Unlock()

	db.writing.Lock()
	defer db.writing.Unlock()
	for !c.done {
		db.write(db.next())
	}
	return c.versions, c.err
}

// next takes a group off the queue, in the order of arrival.
func (db *DB) next() []*commit {
	db.mu.Lock()
	defer db.mu.Unlock()
	n := min(len(db.waiting), maxGroup)
	group := db.waiting[:n:n]
	if db.waiting = db.waiting[n:]; len(db.waiting) == 0 {
		db.waiting = nil
	}
	return group
}

// write puts a group into one transaction. When the transaction itself fails so does every commit that thought it had succeeded; one that
// conflicted may have seen a write of the group that is not on disk, so its conflict is not certain either.
func (db *DB) write(group []*commit) {
	err := db.file.Update(func(tx *bbolt.Tx) error {
		for _, c := range group {
			if err := c.apply(tx, store.Time(db.now())); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range group {
		c.done = true
		if err != nil {
			c.versions, c.err = nil, classify(err, "commit")
		}
	}
}

// apply does the writes if all preconditions hold, and nothing if not. It returns only errors of the file; the commit's own are in c.err.
func (c *commit) apply(tx *bbolt.Tx, now time.Time) error {
	plan, err := c.plan(tx)
	if err != nil {
		c.err = fault.Unsent(err)
		return nil
	}
	number, err := nextNumber(tx)
	if err != nil {
		return err
	}
	c.versions = make([]store.Version, len(plan))
	for i, step := range plan {
		if c.versions[i], err = step.do(tx, c.id, number, now); err != nil {
			return err
		}
	}
	return nil
}

// step is a write and what it replaces.
type step struct {
	store.Write
	old    record
	exists bool
}

// plan checks every precondition before anything is written, because the transaction also carries the commits of others.
func (c *commit) plan(tx *bbolt.Tx) ([]step, error) {
	plan := make([]step, len(c.writes))
	for i, w := range c.writes {
		plan[i].Write = w
		if known, ok := openCollection(tx, w.Doc.Collection); ok {
			var err error
			if plan[i].old, plan[i].exists, err = known.get(w.Doc.ID); err != nil {
				return nil, err
			}
		}
		if !plan[i].holds() {
			return nil, fault.New(fault.Conflict, "%s of %s: not as expected", w.Op, w.Doc.Key)
		}
	}
	return plan, nil
}

func (s step) holds() bool {
	if s.Op == store.OpCreate {
		return !s.exists
	}
	return s.exists && s.old.version() == s.At
}

func (s step) do(tx *bbolt.Tx, id string, number uint64, now time.Time) (store.Version, error) {
	c, err := makeCollection(tx, s.Doc.Collection)
	if err != nil {
		return "", err
	}
	if s.exists {
		if err := c.unindex(s.Doc.ID, s.old); err != nil {
			return "", err
		}
	}
	if s.Op == store.OpDelete {
		return "", c.docs.Delete([]byte(s.Doc.ID))
	}
	r := newRecord(s.Doc, id, number, now)
	return r.version(), c.put(s.Doc.ID, r)
}
