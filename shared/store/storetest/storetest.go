// Package storetest is the contract of store.DB as a test: every sentence of package store's comment has a subtest here, and every
// implementation passes all of them. It also holds the implementation for tests, Memory, and Counted, which counts operations.
//
// Failures are injected, not imagined: Subject.Inject makes the next commit fail before it is applied, or after, where only the
// acknowledgement is lost; for Firestore that happens on the wire, for bolt and Memory at a seam.
package storetest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Subject is an empty store under test.
type Subject struct {
	DB     store.DB
	Inject func(Fault) // arms a fault for the next commit
}

// Test runs the suite. It opens a store for each subtest, which open closes with t.Cleanup.
func Test(t *testing.T, open func(t *testing.T) Subject) {
	for _, group := range [...][]subtest{basics, atomicity, acknowledgements, contention, queries, limits, roundTrips} {
		for _, s := range group {
			t.Run(s.name, func(t *testing.T) { s.run(&suite{t, open(t)}) })
		}
	}
}

type subtest struct {
	name string
	run  func(*suite)
}

// suite is one subtest on a store of its own. Its methods say what the test does with the store, and end it when that fails.
type suite struct {
	*testing.T
	Subject
}

func key(id string) store.Key { return store.Key{Collection: "things", ID: id} }

func doc(id, text string) store.Doc {
	return store.Doc{Key: key(id), Data: fmt.Appendf(nil, `{"text":%q}`, text)}
}

func (s *suite) commit(writes ...store.Write) []store.Version {
	s.Helper()
	versions, err := s.DB.Commit(s.Context(), writes...)
	if err != nil {
		s.Fatalf("Commit: %v", err)
	}
	if len(versions) != len(writes) {
		s.Fatalf("Commit of %d writes gives %d versions", len(writes), len(versions))
	}
	return versions
}

func (s *suite) create(d store.Doc) store.Version {
	s.Helper()
	return s.commit(store.Create(d))[0]
}

// refuse commits what must fail with an error of the kind.
func (s *suite) refuse(want fault.Kind, writes ...store.Write) {
	s.Helper()
	versions, err := s.DB.Commit(s.Context(), writes...)
	s.wantKind(err, want)
	if versions != nil {
		s.Errorf("Commit gives versions %v with an error", versions)
	}
}

func (s *suite) wantKind(err error, want fault.Kind) {
	s.Helper()
	if !fault.Is(err, want) {
		s.Fatalf("error is of kind %q, want %q: %v", fault.Of(err), want, err)
	}
}

func (s *suite) get(id string) store.Doc {
	s.Helper()
	d, err := s.DB.Get(s.Context(), key(id))
	if err != nil {
		s.Fatalf("Get: %v", err)
	}
	return d
}

// holds checks that the document is there with the data and version.
func (s *suite) holds(want store.Doc, v store.Version) {
	s.Helper()
	got := s.get(want.ID)
	if !bytes.Equal(got.Data, want.Data) || got.Key != want.Key {
		s.Fatalf("%s holds %.80q, want %.80q", got.Key, got.Data, want.Data)
	}
	if got.Version != v {
		s.Fatalf("%s is at version %q, want %q", got.Key, got.Version, v)
	}
}

func (s *suite) missing(id string) {
	s.Helper()
	_, err := s.DB.Get(s.Context(), key(id))
	s.wantKind(err, fault.Missing)
}

// find runs a query over the things and checks which it finds, in order.
func (s *suite) find(q store.Query, want ...string) []store.Doc {
	s.Helper()
	q.Collection = "things"
	if q.Limit == 0 {
		q.Limit = store.MaxQuery
	}
	docs, err := s.DB.Query(s.Context(), q)
	if err != nil {
		s.Fatalf("Query: %v", err)
	}
	got := make([]string, len(docs))
	for i, d := range docs {
		got[i] = d.ID
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Fatalf("query %+v finds %v, want %v", q, got, want)
	}
	return docs
}

func at(second int) time.Time { return time.Date(2026, 3, 1, 12, 0, second, 0, time.UTC) }
