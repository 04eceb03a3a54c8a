package bolt

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// collection is the buckets of a collection in a transaction.
type collection struct {
	docs, state, due, expire *bbolt.Bucket
}

// collections is the bucket of all collections; its sequence numbers the commits.
var collections = []byte("collections")

func openCollection(tx *bbolt.Tx, name string) (collection, bool) {
	root := tx.Bucket(collections)
	if root == nil {
		return collection{}, false
	}
	b := root.Bucket([]byte(name))
	if b == nil {
		return collection{}, false
	}
	return collection{b.Bucket([]byte("docs")), b.Bucket([]byte("state")), b.Bucket([]byte("due")), b.Bucket([]byte("expire"))}, true
}

func makeCollection(tx *bbolt.Tx, name string) (collection, error) {
	if c, ok := openCollection(tx, name); ok {
		return c, nil
	}
	root, err := tx.CreateBucketIfNotExists(collections)
	if err != nil {
		return collection{}, err
	}
	b, err := root.CreateBucket([]byte(name))
	if err != nil {
		return collection{}, err
	}
	for _, part := range [...]string{"docs", "state", "due", "expire"} {
		if _, err := b.CreateBucket([]byte(part)); err != nil {
			return collection{}, err
		}
	}
	c, _ := openCollection(tx, name)
	return c, nil
}

// names returns the names of all collections.
func names(tx *bbolt.Tx) (all []string) {
	root := tx.Bucket(collections)
	if root == nil {
		return nil
	}
	c := root.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		all = append(all, string(k))
	}
	return all
}

func nextNumber(tx *bbolt.Tx) (uint64, error) {
	root, err := tx.CreateBucketIfNotExists(collections)
	if err != nil {
		return 0, err
	}
	return root.NextSequence()
}

func (c collection) get(id string) (record, bool, error) {
	b := c.docs.Get([]byte(id))
	if b == nil {
		return record{}, false, nil
	}
	r, err := decode(b)
	return r, err == nil, err
}

func (c collection) put(id string, r record) error {
	b, err := r.encode()
	if err != nil {
		return err
	}
	if err := c.docs.Put([]byte(id), b); err != nil {
		return err
	}
	return c.eachIndex(id, r, func(b *bbolt.Bucket, key []byte) error { return b.Put(key, nil) })
}

func (c collection) unindex(id string, r record) error {
	return c.eachIndex(id, r, (*bbolt.Bucket).Delete)
}

// eachIndex calls f for every index entry of a document.
func (c collection) eachIndex(id string, r record, f func(*bbolt.Bucket, []byte) error) error {
	if r.State != "" {
		if err := f(c.state, append(statePrefix(r.State), id...)); err != nil {
			return err
		}
	}
	if !r.Due.IsZero() {
		if err := f(c.due, append(timePrefix(r.Due), id...)); err != nil {
			return err
		}
	}
	if !r.Expire.IsZero() {
		return f(c.expire, append(timePrefix(r.Expire), id...))
	}
	return nil
}

// statePrefix begins with the length of the state, so that no state's entries lie among those of another.
func statePrefix(state string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(state))), state...)
}

// timeSize is the length of a timePrefix.
const timeSize = 8

// timePrefix orders bytes as times, those before 1970 too.
func timePrefix(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())^1<<63)
}

// scan returns the ids of up to limit entries with the prefix, from the one after the id on.
func scan(b *bbolt.Bucket, prefix []byte, after string, limit int) (ids []string) {
	c := b.Cursor()
	from := append(bytes.Clone(prefix), after...)
	k, _ := c.Seek(from)
	if after != "" && bytes.Equal(k, from) {
		k, _ = c.Next()
	}
	for ; k != nil && bytes.HasPrefix(k, prefix) && len(ids) < limit; k, _ = c.Next() {
		ids = append(ids, string(k[len(prefix):]))
	}
	return ids
}

// until returns the ids of up to limit entries with a time at or before t, in its order.
func until(b *bbolt.Bucket, t time.Time, limit int) (ids []string) {
	last, c := timePrefix(t), b.Cursor()
	for k, _ := c.First(); k != nil && bytes.Compare(k[:timeSize], last) <= 0 && len(ids) < limit; k, _ = c.Next() {
		ids = append(ids, string(k[timeSize:]))
	}
	return ids
}
