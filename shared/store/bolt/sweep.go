package bolt

import (
	"context"
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// sweepGroup bounds the documents that one transaction of Sweep deletes, because commits wait for it.
const sweepGroup = 200

// Sweep deletes the documents that have expired by now and returns how many there were.
func (db *DB) Sweep(ctx context.Context, now time.Time) (swept int, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return swept, fault.Wrap(fault.Transient, err, "sweep")
		}
		n, err := db.sweepSome(now)
		swept += n
		if err != nil || n < sweepGroup {
			return swept, err
		}
	}
}

func (db *DB) sweepSome(now time.Time) (n int, err error) {
	db.writing.Lock()
	defer db.writing.Unlock()
	err = db.file.Update(func(tx *bbolt.Tx) error {
		n = 0
		for _, name := range names(tx) {
			c, _ := openCollection(tx, name)
			deleted, err := c.sweep(now, sweepGroup-n)
			if err != nil {
				return err
			}
			n += deleted
		}
		return nil
	})
	if err != nil {
		return 0, classify(err, "sweep")
	}
	return n, nil
}

func (c collection) sweep(now time.Time, limit int) (int, error) {
	ids := until(c.expire, now, limit)
	for _, id := range ids {
		r, _, err := c.get(id)
		if err != nil {
			return 0, err
		}
		if err := c.unindex(id, r); err != nil {
			return 0, err
		}
		if err := c.docs.Delete([]byte(id)); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
