package storetest

import (
	"fmt"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

var atomicity = []subtest{
	{"a commit of several writes does all", func(s *suite) {
		a, b := s.create(doc("a", "old")), s.create(doc("b", "old"))
		v := s.commit(store.Replace(doc("a", "new"), a), store.Delete(key("b"), b), store.Create(doc("c", "new")))
		if v[1] != "" {
			s.Errorf("a delete gives version %q", v[1])
		}
		s.holds(doc("a", "new"), v[0])
		s.missing("b")
		s.holds(doc("c", "new"), v[2])
	}},
	{"a commit with one failing precondition does nothing", func(s *suite) {
		a, b := s.create(doc("a", "old")), s.create(doc("b", "old"))
		good := []store.Write{store.Replace(doc("a", "new"), a), store.Delete(key("b"), b), store.Create(doc("c", "new"))}
		for _, bad := range []store.Write{
			store.Create(doc("x", "taken")), store.Replace(doc("x", "stale"), a+"0"), store.Delete(key("x"), a+"0"),
			store.Replace(doc("y", "missing"), a), store.Delete(key("y"), a),
		} {
			s.refuseAnywhere(good, bad)
		}
		s.holds(doc("a", "old"), a)
		s.holds(doc("b", "old"), b)
		s.find(store.Query{}, "a", "b", "x")
	}},
	{"a commit that fails before it is applied does nothing", func(s *suite) {
		for _, code := range Codes {
			id := string(code)
			a, b := s.create(doc(id+"a", "old")), s.create(doc(id+"b", "old"))
			s.Inject(Fault{Code: code})
			writes := []store.Write{store.Replace(doc(id+"a", "new"), a), store.Delete(key(id+"b"), b), store.Create(doc(id+"c", "new"))}
			s.refuse(fault.Of(code.Err()), writes...)
			s.holds(doc(id+"a", "old"), a)
			s.holds(doc(id+"b", "old"), b)
			s.missing(id + "c")
			s.commit(writes...) // and the same again succeeds
		}
	}},
	{"the largest commit", func(s *suite) {
		writes := make([]store.Write, store.MaxWrites)
		for i := range writes {
			writes[i] = store.Create(doc(fmt.Sprintf("%03d", i), "one of many"))
		}
		versions := s.commit(writes...)
		for i := range writes {
			writes[i] = store.Delete(writes[i].Doc.Key, versions[i])
		}
		s.commit(writes...)
		s.find(store.Query{})
	}},
}

// refuseAnywhere commits the good writes with the bad one at each place among them.
func (s *suite) refuseAnywhere(good []store.Write, bad store.Write) {
	s.Helper()
	if _, err := s.DB.Get(s.Context(), key("x")); fault.Is(err, fault.Missing) {
		s.create(doc("x", "taken"))
	}
	for i := range len(good) + 1 {
		writes := append(append(append([]store.Write{}, good[:i]...), bad), good[i:]...)
		s.refuse(fault.Conflict, writes...)
	}
}
