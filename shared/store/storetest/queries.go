package storetest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/store"
)

var queries = []subtest{
	{"query by state in order of the id, in pages", func(s *suite) {
		for _, id := range []string{"d", "a", "é", "c", "B", "b"} {
			s.create(withState(id, "open"))
		}
		s.create(withState("aa", "opened"))
		s.create(withState("bb", "ope"))
		s.create(withState("cc", ""))
		s.find(store.Query{State: "open"}, "B", "a", "b", "c", "d", "é")
		s.find(store.Query{State: "open", Limit: 2}, "B", "a")
		s.find(store.Query{State: "open", Limit: 3, AfterID: "a"}, "b", "c", "d")
		s.find(store.Query{State: "open", AfterID: "bzz"}, "c", "d", "é") // an id that is not there
		s.find(store.Query{State: "open", AfterID: "é"})
		s.find(store.Query{State: "closed"})
	}},
	{"query follows a change of state", func(s *suite) {
		v := s.create(withState("a", "open"))
		s.find(store.Query{State: "open"}, "a")
		v = s.commit(store.Replace(withState("a", "closed"), v))[0]
		s.find(store.Query{State: "open"})
		s.find(store.Query{State: "closed"}, "a")
		v = s.commit(store.Replace(withState("a", ""), v))[0]
		s.find(store.Query{State: "closed"})
		v = s.commit(store.Replace(withState("a", "open"), v))[0]
		s.find(store.Query{State: "open"}, "a")
		s.commit(store.Delete(key("a"), v))
		s.find(store.Query{State: "open"})
	}},
	{"query by due time in its order", func(s *suite) {
		for id, due := range map[string]time.Time{
			"late": at(30), "now": at(20), "early": at(10), "old": time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC),
			"never": {}, "soon": at(20).Add(time.Microsecond), "nowtoo": at(20),
		} {
			s.create(withDue(id, due))
		}
		s.find(store.Query{DueBy: at(20)}, "old", "early", "now", "nowtoo")
		s.find(store.Query{DueBy: at(20), Limit: 2}, "old", "early")
		s.find(store.Query{DueBy: at(60)}, "old", "early", "now", "nowtoo", "soon", "late")
		s.find(store.Query{DueBy: at(20).In(time.FixedZone("east", 3600))}, "old", "early", "now", "nowtoo")
		s.find(store.Query{DueBy: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)})
	}},
	{"query by due time follows a change", func(s *suite) {
		v := s.create(withDue("a", at(10)))
		s.find(store.Query{DueBy: at(10)}, "a")
		v = s.commit(store.Replace(withDue("a", at(20)), v))[0]
		s.find(store.Query{DueBy: at(10)})
		s.find(store.Query{DueBy: at(20)}, "a")
		v = s.commit(store.Replace(withDue("a", time.Time{}), v))[0]
		s.find(store.Query{DueBy: at(60)})
		v = s.commit(store.Replace(withDue("a", at(5)), v))[0]
		s.find(store.Query{DueBy: at(60)}, "a")
		s.commit(store.Delete(key("a"), v))
		s.find(store.Query{DueBy: at(60)})
	}},
	{"query of all in order of the id, in pages", func(s *suite) {
		var want []string
		for i := range 25 {
			id := fmt.Sprintf("%02d", (i*7)%25)
			s.create(withState(id, []string{"", "open"}[i%2]))
			want = append(want, fmt.Sprintf("%02d", i))
		}
		s.find(store.Query{}, want...)
		s.find(store.Query{Limit: 10}, want[:10]...)
		s.find(store.Query{Limit: 10, AfterID: want[9]}, want[10:20]...)
		s.find(store.Query{Limit: 10, AfterID: want[19]}, want[20:]...)
	}},
	{"query gives whole documents", func(s *suite) {
		d := withState("a", "open")
		d.Due, d.Expire = at(1), at(2)
		v := s.create(d)
		for _, q := range []store.Query{{}, {State: "open"}, {DueBy: at(1)}} {
			got := s.find(q, "a")[0]
			s.same(got, d)
			if got.Version != v || !got.Updated.Equal(s.get("a").Updated) {
				s.Errorf("query gives version %q of %v, want %q", got.Version, got.Updated, v)
			}
		}
	}},
	{"query sees every commit that returned before", func(s *suite) {
		var want []string
		for i := range 20 {
			id := fmt.Sprintf("%02d", i)
			d := withState(id, "open")
			d.Due = at(i)
			s.create(d)
			want = append(want, id)
			s.find(store.Query{State: "open"}, want...)
			s.find(store.Query{DueBy: at(i)}, want...)
			s.find(store.Query{}, want...)
		}
	}},
	{"an empty collection has no documents", func(s *suite) {
		s.find(store.Query{})
		s.find(store.Query{State: "open"})
		s.find(store.Query{DueBy: at(1)})
	}},
}

func withState(id, state string) store.Doc {
	d := doc(id, id)
	d.State = state
	return d
}

func withDue(id string, due time.Time) store.Doc {
	d := doc(id, id)
	d.Due = due
	return d
}

// same checks the fields that the caller sets.
func (s *suite) same(got, want store.Doc) {
	s.Helper()
	if got.Key != want.Key || got.State != want.State || !bytes.Equal(got.Data, want.Data) {
		s.Errorf("got %s in state %q with %.80q, want %s in state %q with %.80q", got.Key, got.State, got.Data, want.Key, want.State, want.Data)
	}
	if got.Due != want.Due || got.Expire != want.Expire { // not Equal: the zone and the monotonic part must be gone too
		s.Errorf("%s: got due %v, expire %v, want %v, %v", got.Key, got.Due, got.Expire, want.Due, want.Expire)
	}
}
