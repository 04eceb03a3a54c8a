package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/store"
)

// Query implements store.DB.
func (db *DB) Query(ctx context.Context, q store.Query) (docs []store.Doc, err error) {
	if err := store.CheckQuery(q); err != nil {
		return nil, err
	}
	err = db.view(ctx, "query", func(tx *bbolt.Tx) error {
		c, ok := openCollection(tx, q.Collection)
		if !ok {
			return nil
		}
		docs, err = c.load(q.Collection, c.find(q))
		return err
	})
	return docs, err
}

func (c collection) find(q store.Query) (ids []string) {
	switch {
	case q.State != "":
		return scan(c.state, statePrefix(q.State), q.AfterID, q.Limit)
	case !q.DueBy.IsZero():
		return until(c.due, q.DueBy, q.Limit)
	}
	return scan(c.docs, nil, q.AfterID, q.Limit)
}

func (c collection) load(name string, ids []string) ([]store.Doc, error) {
	docs := make([]store.Doc, len(ids))
	for i, id := range ids {
		r, _, err := c.get(id)
		if err != nil {
			return nil, err
		}
		docs[i] = r.doc(store.Key{Collection: name, ID: id})
	}
	return docs, nil
}
