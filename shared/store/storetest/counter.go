package storetest

import (
	"context"
	"sync"

	"github.com/providerdesk/providerdesk/shared/store"
)

// Counts is what a store was asked to do, whether or not it succeeded.
type Counts struct {
	Reads   int // documents got, one for each Get
	Writes  int // documents written, in all commits
	Commits int
	Queries int
}

// Counter is a store.DB that counts the operations on another one.
type Counter struct {
	db     store.DB
	mu     sync.Mutex
	counts Counts
}

// Counted returns db with a counter on it.
func Counted(db store.DB) *Counter { return &Counter{db: db} }

// Counts returns the operations since the last Reset.
func (c *Counter) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// Reset starts again at zero.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = Counts{}
}

func (c *Counter) add(n Counts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Reads += n.Reads
	c.counts.Writes += n.Writes
	c.counts.Commits += n.Commits
	c.counts.Queries += n.Queries
}

// Get implements store.DB.
func (c *Counter) Get(ctx context.Context, key store.Key) (store.Doc, error) {
	c.add(Counts{Reads: 1})
	return c.db.Get(ctx, key)
}

// Commit implements store.DB.
func (c *Counter) Commit(ctx context.Context, writes ...store.Write) ([]store.Version, error) {
	c.add(Counts{Commits: 1, Writes: len(writes)})
	return c.db.Commit(ctx, writes...)
}

// Query implements store.DB.
func (c *Counter) Query(ctx context.Context, q store.Query) ([]store.Doc, error) {
	c.add(Counts{Queries: 1})
	return c.db.Query(ctx, q)
}
