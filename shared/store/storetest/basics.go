package storetest

import (
	"context"
	"fmt"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

var basics = []subtest{
	{"get gives the document as last committed", func(s *suite) {
		for i := range 20 {
			id := fmt.Sprint(i)
			v := s.create(doc(id, "first"))
			s.holds(doc(id, "first"), v)
			v = s.commit(store.Replace(doc(id, "second"), v))[0]
			s.holds(doc(id, "second"), v)
			s.commit(store.Delete(key(id), v))
			s.missing(id)
		}
	}},
	{"missing", func(s *suite) {
		gone := s.create(doc("b", "deleted"))
		s.commit(store.Delete(key("b"), gone))
		for _, id := range []string{"a", "b"} {
			s.missing(id)
			s.refuse(fault.Conflict, store.Replace(doc(id, "new"), gone))
			s.refuse(fault.Conflict, store.Delete(key(id), gone))
			s.missing(id)
		}
	}},
	{"the second create conflicts and the first stays", func(s *suite) {
		v := s.create(doc("a", "first"))
		s.refuse(fault.Conflict, store.Create(doc("a", "second")))
		s.holds(doc("a", "first"), v)
	}},
	{"a create of the same content is still the second", func(s *suite) {
		v := s.create(doc("a", "same"))
		s.refuse(fault.Conflict, store.Create(doc("a", "same")))
		s.holds(doc("a", "same"), v)
	}},
	{"a replace at a stale version conflicts", func(s *suite) {
		stale := s.create(doc("a", "first"))
		v := s.commit(store.Replace(doc("a", "second"), stale))[0]
		s.refuse(fault.Conflict, store.Replace(doc("a", "third"), stale))
		s.holds(doc("a", "second"), v)
	}},
	{"a delete at a stale version conflicts", func(s *suite) {
		stale := s.create(doc("a", "first"))
		v := s.commit(store.Replace(doc("a", "second"), stale))[0]
		s.refuse(fault.Conflict, store.Delete(key("a"), stale))
		s.holds(doc("a", "second"), v)
	}},
	{"a version that never was conflicts", func(s *suite) {
		v := s.create(doc("a", "first"))
		for _, never := range []store.Version{"never", "-1", "0", v + "0"} {
			s.refuse(fault.Conflict, store.Replace(doc("a", "second"), never))
			s.refuse(fault.Conflict, store.Delete(key("a"), never))
		}
		s.holds(doc("a", "first"), v)
	}},
	{"the version changes with every write", func(s *suite) {
		d := doc("a", "same")
		v := s.create(d)
		seen := map[store.Version]bool{v: true}
		for range 50 {
			if v = s.commit(store.Replace(d, v))[0]; seen[v] {
				s.Fatalf("version %q comes twice", v)
			}
			seen[v] = true
		}
		s.commit(store.Delete(d.Key, v))
		if v = s.create(d); seen[v] {
			s.Fatalf("version %q comes again after a delete", v)
		}
	}},
	{"documents of other collections are apart", func(s *suite) {
		other := store.Doc{Key: store.Key{Collection: "others", ID: "a"}, Data: []byte("1")}
		s.create(other)
		s.missing("a")
		s.find(store.Query{})
		s.create(doc("a", "here"))
		s.find(store.Query{}, "a")
	}},
	{"a cancelled context is transient and writes nothing", func(s *suite) {
		v := s.create(doc("a", "first"))
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		_, err := s.DB.Get(ctx, key("a"))
		s.wantKind(err, fault.Transient)
		_, err = s.DB.Query(ctx, store.Query{Collection: "things", Limit: 1})
		s.wantKind(err, fault.Transient)
		_, err = s.DB.Commit(ctx, store.Create(doc("b", "new")), store.Replace(doc("a", "second"), v))
		s.wantKind(err, fault.Transient)
		s.holds(doc("a", "first"), v)
		s.missing("b")
	}},
}
