package storetest

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Memory is a store.DB in a map: no goroutine, no I/O, no time but that of now and of a failing read-back's pauses, so that it lives in a
// synctest bubble and is light enough for a hundred thousand scenarios.
//
// The hooks stand where a real store fails. Set them before the first use; they are called without a lock held and may use the Memory.
type Memory struct {
	Before func(ctx context.Context, writes []store.Write) error // an error: the commit was not applied
	After  func(ctx context.Context, writes []store.Write) error // an error: the commit was applied, its acknowledgement is lost
	OnGet  func(key store.Key) error                             // an error: the document cannot be read, nor read back

	now  func() time.Time
	mu   sync.Mutex
	last uint64 // the latest commit
	docs map[store.Key]stamped
}

type stamped struct {
	doc   store.Doc
	write string // id of the write
}

// NewMemory returns an empty store whose clock is now.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, docs: make(map[store.Key]stamped)}
}

// Get implements store.DB.
func (m *Memory) Get(ctx context.Context, key store.Key) (store.Doc, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Doc{}, err
	}
	found, ok, err := m.read(ctx, key)
	switch {
	case err != nil:
		return store.Doc{}, err
	case !ok:
		return store.Doc{}, store.Missing(key)
	}
	return clone(found.doc), nil
}

func (m *Memory) read(ctx context.Context, key store.Key) (stamped, bool, error) {
	if err := ctx.Err(); err != nil {
		return stamped{}, false, fault.Wrap(fault.Transient, err, "get")
	}
	if m.OnGet != nil {
		if err := m.OnGet(key); err != nil {
			return stamped{}, false, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.docs[key]
	return found, ok, nil
}

// Commit implements store.DB.
func (m *Memory) Commit(ctx context.Context, writes ...store.Write) ([]store.Version, error) {
	return store.Commit(ctx, writes, m.apply, m.stamped)
}

func (m *Memory) apply(ctx context.Context, id string, writes []store.Write) ([]store.Version, error) {
	if m.Before != nil {
		if err := m.Before(ctx, writes); err != nil {
			return nil, err
		}
	}
	versions, err := m.write(id, writes)
	if err == nil && m.After != nil {
		err = m.After(ctx, writes)
	}
	return versions, err
}

func (m *Memory) write(id string, writes []store.Write) ([]store.Version, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range writes {
		if found, ok := m.docs[w.Doc.Key]; ok != (w.Op != store.OpCreate) || found.doc.Version != w.At {
			return nil, fault.Unsent(fault.New(fault.Conflict, "%s of %s: not as expected", w.Op, w.Doc.Key))
		}
	}
	m.last++
	versions := make([]store.Version, len(writes))
	for i, w := range writes {
		versions[i] = m.put(id, w)
	}
	return versions, nil
}

func (m *Memory) put(id string, w store.Write) store.Version {
	if w.Op == store.OpDelete {
		delete(m.docs, w.Doc.Key)
		return ""
	}
	doc := clone(w.Doc)
	doc.Due, doc.Expire = store.Time(doc.Due), store.Time(doc.Expire)
	doc.Version, doc.Updated = store.Version(strconv.FormatUint(m.last, 10)), store.Time(m.now())
	m.docs[doc.Key] = stamped{doc, id}
	return doc.Version
}

func (m *Memory) stamped(ctx context.Context, id string, keys []store.Key) (map[store.Key]store.Version, error) {
	mine := make(map[store.Key]store.Version)
	for _, key := range keys {
		found, ok, err := m.read(ctx, key)
		if err != nil {
			return nil, err
		}
		if ok && found.write == id {
			mine[key] = found.doc.Version
		}
	}
	return mine, nil
}

// Query implements store.DB.
func (m *Memory) Query(ctx context.Context, q store.Query) ([]store.Doc, error) {
	if err := store.CheckQuery(q); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Transient, err, "query")
	}
	docs := m.matching(q)
	slices.SortFunc(docs, func(a, b store.Doc) int {
		if !q.DueBy.IsZero() && !a.Due.Equal(b.Due) {
			return a.Due.Compare(b.Due)
		}
		return cmp.Compare(a.ID, b.ID)
	})
	docs = docs[:min(len(docs), q.Limit)]
	for i := range docs {
		docs[i] = clone(docs[i])
	}
	return docs, nil
}

func (m *Memory) matching(q store.Query) []store.Doc {
	m.mu.Lock()
	defer m.mu.Unlock()
	var docs []store.Doc
	for key, found := range m.docs {
		if key.Collection == q.Collection && key.ID > q.AfterID && selects(q, found.doc) {
			docs = append(docs, found.doc)
		}
	}
	return docs
}

func selects(q store.Query, d store.Doc) bool {
	switch {
	case q.State != "":
		return d.State == q.State
	case !q.DueBy.IsZero():
		return !d.Due.IsZero() && !d.Due.After(q.DueBy)
	}
	return true
}

// clone keeps callers and the map from sharing bytes.
func clone(d store.Doc) store.Doc {
	d.Data = bytes.Clone(d.Data)
	return d
}
