package storetest

import (
	"bytes"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/store"
)

var roundTrips = []subtest{
	{"times come back in UTC with microseconds", func(s *suite) {
		east := time.FixedZone("east", 5*3600+1800)
		for _, t := range []struct{ in, out time.Time }{
			{time.Time{}, time.Time{}},
			{time.Date(2026, 3, 1, 12, 0, 0, 123456789, east), time.Date(2026, 3, 1, 6, 30, 0, 123456000, time.UTC)},
			{time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)},
			{time.Unix(0, 0), time.Unix(0, 0).UTC()},
			{time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)},
			{time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)},
		} {
			v := s.create(store.Doc{Key: key("a"), Due: t.in, Expire: t.in})
			s.same(s.get("a"), store.Doc{Key: key("a"), Due: t.out, Expire: t.out})
			s.commit(store.Delete(key("a"), v))
		}
	}},
	{"due and expire are apart", func(s *suite) {
		due, expire := withDue("a", at(1)), doc("b", "b")
		expire.Expire = at(2)
		s.commit(store.Create(due), store.Create(expire))
		s.same(s.get("a"), due)
		s.same(s.get("b"), expire)
	}},
	{"data and state come back as they were", func(s *suite) {
		for _, data := range []string{"", "null", `{"a":1.50,"b":"ünï\u0000 \U0001F600"}`, "\x00", "\xff\xfe", "a\x80", strings.Repeat("é", 1000)} {
			d := store.Doc{Key: key("a"), Data: []byte(data), State: "ünï \U0001F600"}
			v := s.create(d)
			s.same(s.get("a"), d)
			s.find(store.Query{State: d.State}, "a")
			s.commit(store.Delete(key("a"), v))
		}
	}},
	{"the longest state", func(s *suite) {
		long := strings.Repeat("x", store.MaxState)
		s.create(withState("a", long))
		s.create(withState("b", long[1:]))
		s.create(withState("c", "a\x00b"))
		s.create(withState("\x03d", "a\x00\x01"))
		s.create(withState("e", "a"))
		s.find(store.Query{State: long}, "a")
		s.find(store.Query{State: "a"}, "e")
		s.find(store.Query{State: "a\x00b"}, "c")
	}},
	{"data up to the limit", func(s *suite) {
		text := store.Doc{Key: key("a"), Data: bytes.Repeat([]byte("é"), store.MaxData/2), State: "open"}
		binary := store.Doc{Key: key("b"), Data: bytes.Repeat([]byte{0xff}, store.MaxData), State: "open"}
		s.commit(store.Create(text), store.Create(binary))
		s.same(s.get("a"), text)
		s.same(s.get("b"), binary)
		s.find(store.Query{State: "open"}, "a", "b")
	}},
	{"data is not shared with the caller", func(s *suite) {
		d := doc("a", "mine")
		v := s.create(d)
		d.Data[2] = 'X'
		s.get("a").Data[2] = 'Y'
		s.find(store.Query{}, "a")[0].Data[2] = 'Z'
		s.holds(doc("a", "mine"), v)
	}},
	{"updated is the store's clock and does not go back", func(s *suite) {
		v := s.create(store.Doc{Key: key("a"), Updated: at(1), Version: "mine"})
		first := s.get("a")
		if first.Version != v || first.Updated.Equal(at(1)) || first.Updated.IsZero() || first.Updated != store.Time(first.Updated) {
			s.Fatalf("the first write is at version %q, updated %v", first.Version, first.Updated)
		}
		s.commit(store.Replace(doc("a", "second"), v))
		if second := s.get("a"); second.Updated.Before(first.Updated) {
			s.Errorf("updated goes back from %v to %v", first.Updated, second.Updated)
		}
	}},
}
