package storetest

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

var limits = []subtest{
	{"writes outside the limits are invalid", func(s *suite) {
		v := s.create(doc("there", "old"))
		for name, writes := range invalidWrites(v) {
			if _, err := s.DB.Commit(s.Context(), writes...); !fault.Is(err, fault.Invalid) {
				s.Errorf("%s: error is of kind %q, want %q: %v", name, fault.Of(err), fault.Invalid, err)
			}
		}
		s.find(store.Query{}, "there")
		s.holds(doc("there", "old"), v)
	}},
	{"keys outside the limits are invalid", func(s *suite) {
		for _, k := range invalidKeys {
			_, err := s.DB.Get(s.Context(), k)
			if !fault.Is(err, fault.Invalid) {
				s.Errorf("Get of %.40q: error is of kind %q, want %q", k, fault.Of(err), fault.Invalid)
			}
			_, err = s.DB.Commit(s.Context(), store.Create(store.Doc{Key: k}))
			if !fault.Is(err, fault.Invalid) {
				s.Errorf("Create of %.40q: error is of kind %q, want %q", k, fault.Of(err), fault.Invalid)
			}
		}
	}},
	{"queries outside the limits are invalid", func(s *suite) {
		for name, q := range invalidQueries {
			if _, err := s.DB.Query(s.Context(), q); !fault.Is(err, fault.Invalid) {
				s.Errorf("%s: error is of kind %q, want %q", name, fault.Of(err), fault.Invalid)
			}
		}
	}},
	{"keys at the limits", func(s *suite) {
		for _, id := range []string{strings.Repeat("x", 256), strings.Repeat("é", 128), "...", "__x", "a b", "%2F", "ünï-\U0001F600", "a\x00b", `"`} {
			k := store.Key{Collection: "with_underscore", ID: id}
			v := s.create(store.Doc{Key: k, Data: []byte("1"), State: "open", Due: at(1)})
			d, err := s.DB.Get(s.Context(), k)
			if err != nil || d.Key != k || d.Version != v {
				s.Errorf("Get of %q = %q at %q, %v", k, d.Key, d.Version, err)
			}
			for _, q := range []store.Query{{}, {State: "open"}, {DueBy: at(1)}} {
				q.Collection, q.Limit = k.Collection, 1
				docs, err := s.DB.Query(s.Context(), q)
				if err != nil || len(docs) != 1 || docs[0].Key != k {
					s.Errorf("query does not give back %q: %v", k, err)
				}
			}
			s.commit(store.Delete(k, v))
		}
	}},
}

// invalidWrites has a commit for each line of store.Check.
func invalidWrites(v store.Version) map[string][]store.Write {
	create := func(d store.Doc) []store.Write { return []store.Write{store.Create(d)} }
	return map[string][]store.Write{
		"no write":                 {},
		"too many writes":          many(store.MaxWrites+1, 1),
		"too much data in all":     many(store.MaxCommit/store.MaxData+1, store.MaxData),
		"a document twice":         {store.Create(doc("a", "1")), store.Create(doc("a", "2"))},
		"too much data":            create(store.Doc{Key: key("a"), Data: make([]byte, store.MaxData+1)}),
		"state too long":           create(store.Doc{Key: key("a"), State: strings.Repeat("x", store.MaxState+1)}),
		"state not UTF-8":          create(store.Doc{Key: key("a"), State: "\xff"}),
		"due too late":             create(store.Doc{Key: key("a"), Due: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}),
		"expire too early":         create(store.Doc{Key: key("a"), Expire: time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC)}),
		"create at a version":      {{Op: store.OpCreate, Doc: doc("a", "1"), At: v}},
		"replace without version":  {store.Replace(doc("there", "1"), "")},
		"delete without version":   {store.Delete(key("there"), "")},
		"no operation":             {{Doc: doc("there", "1"), At: v}},
		"unknown operation":        {{Op: "upsert", Doc: doc("there", "1"), At: v}},
		"invalid among valid ones": {store.Create(doc("a", "1")), store.Replace(doc("there", "1"), v), store.Delete(key("."), v)},
	}
}

func many(n, size int) []store.Write {
	data := bytes.Repeat([]byte("1"), size)
	writes := make([]store.Write, n)
	for i := range writes {
		writes[i] = store.Create(store.Doc{Key: key(fmt.Sprint(i)), Data: data})
	}
	return writes
}

var invalidKeys = []store.Key{
	{},
	{Collection: "things"},
	{ID: "a"},
	{Collection: "Things", ID: "a"},
	{Collection: "th/ings", ID: "a"},
	{Collection: "things1", ID: "a"},
	{Collection: "_things", ID: "a"},
	key("."),
	key(".."),
	key("a/b"),
	key("____"),
	key("__a__"),
	key("\xff"),
	key(strings.Repeat("x", 257)),
}

var invalidQueries = map[string]store.Query{
	"no limit":               {Collection: "things"},
	"negative limit":         {Collection: "things", Limit: -1},
	"limit too large":        {Collection: "things", Limit: store.MaxQuery + 1},
	"state and due":          {Collection: "things", Limit: 1, State: "open", DueBy: at(1)},
	"due after an id":        {Collection: "things", Limit: 1, DueBy: at(1), AfterID: "a"},
	"state too long":         {Collection: "things", Limit: 1, State: strings.Repeat("x", store.MaxState+1)},
	"state not UTF-8":        {Collection: "things", Limit: 1, State: "\xff"},
	"due out of range":       {Collection: "things", Limit: 1, DueBy: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	"after an invalid id":    {Collection: "things", Limit: 1, AfterID: "a/b"},
	"no collection":          {Limit: 1},
	"not a collection":       {Collection: "a/b", Limit: 1},
	"not one, after a valid": {Collection: "a/b", Limit: 1, AfterID: "a"},
}
