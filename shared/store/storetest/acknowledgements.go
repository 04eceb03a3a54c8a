package storetest

import (
	"context"
	"fmt"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

var acknowledgements = []subtest{
	{"a lost acknowledgement is recognised as the own write", func(s *suite) {
		recognised := 0
		for _, code := range Codes {
			for _, kind := range []string{"create", "replace", "several"} {
				if s.recognises(code, kind+string(code), s.writes(kind, kind+string(code))) {
					recognised++
				}
			}
		}
		s.Logf("%d/9 lost acknowledgements recognised as own writes", recognised)
		if recognised != 9 {
			s.Fail()
		}
	}},
	{"a lost acknowledgement is recognised when the first looks fail too", func(s *suite) {
		for _, code := range Codes {
			s.Inject(Fault{Code: code, Applied: true, Reads: 2})
			s.holds(doc(string(code), "new"), s.create(doc(string(code), "new")))
		}
	}},
	{"when nothing can be read back the outcome is open", func(s *suite) {
		for _, applied := range []bool{true, false} {
			for _, code := range Codes {
				s.Inject(Fault{Code: code, Applied: applied, Reads: 4})
				s.refuse(fault.Transient, store.Create(doc(fmt.Sprint(applied, code), "new")))
			}
		}
	}},
	{"somebody else's write is not recognised as own", func(s *suite) {
		for _, code := range Codes {
			d := doc(string(code), "same")
			var theirs store.Version
			s.Inject(Fault{Code: code, Then: func() { theirs = s.create(d) }})
			s.refuse(fault.Of(code.Err()), store.Create(d))
			s.holds(d, theirs)

			mine := theirs
			s.Inject(Fault{Code: code, Then: func() { theirs = s.commit(store.Replace(d, mine))[0] }})
			s.refuse(fault.Of(code.Err()), store.Replace(d, mine))
			s.holds(d, theirs)
		}
	}},
	{"an own write that somebody has overwritten is not called a conflict", func(s *suite) {
		for _, code := range []Code{Unavailable, DeadlineExceeded} {
			id := string(code)
			s.Inject(Fault{Code: code, Applied: true, Then: func() { s.commit(store.Replace(doc(id, "theirs"), s.get(id).Version)) }})
			s.refuse(fault.Transient, store.Create(doc(id, "mine")))
		}
	}},
	{"one surviving document of a commit is enough", func(s *suite) {
		for _, code := range Codes {
			a, b := string(code)+"a", string(code)+"b"
			var theirs store.Version
			s.Inject(Fault{Code: code, Applied: true, Then: func() {
				theirs = s.commit(store.Replace(doc(a, "theirs"), s.get(a).Version))[0]
			}})
			v := s.commit(store.Create(doc(a, "mine")), store.Create(doc(b, "mine")))
			s.holds(doc(a, "theirs"), theirs)
			s.refuse(fault.Conflict, store.Replace(doc(a, "mine"), v[0]))
			s.holds(doc(b, "mine"), v[1])
			s.commit(store.Replace(doc(b, "next"), v[1]))
		}
	}},
	{"a lost acknowledgement of deletes alone leaves the outcome open", func(s *suite) {
		for _, code := range Codes {
			v := s.create(doc("a", "old"))
			s.Inject(Fault{Code: code, Applied: true})
			s.refuse(fault.Transient, store.Delete(key("a"), v))
			s.missing("a")
		}
	}},
	{"a context that ends during a commit is transient", func(s *suite) {
		for _, applied := range []bool{true, false} {
			for _, code := range Codes {
				ctx, cancel := context.WithCancel(s.Context())
				s.Inject(Fault{Code: code, Applied: applied, Then: cancel})
				_, err := s.DB.Commit(ctx, store.Create(doc(fmt.Sprint(applied, code), "new")))
				s.wantKind(err, fault.Transient)
				if fault.IsUnsent(err) {
					s.Errorf("applied %v: the error claims that nothing was written", applied)
				}
			}
		}
	}},
}

// writes prepares a commit of a kind on documents whose ids begin with id. Its first write keeps a document named id.
func (s *suite) writes(kind, id string) []store.Write {
	s.Helper()
	switch kind {
	case "create":
		return []store.Write{store.Create(doc(id, "new"))}
	case "replace":
		return []store.Write{store.Replace(doc(id, "new"), s.create(doc(id, "old")))}
	}
	v := s.commit(store.Create(doc(id, "old")), store.Create(doc(id+"-gone", "old")))
	return []store.Write{store.Replace(doc(id, "new"), v[0]), store.Delete(key(id+"-gone"), v[1]), store.Create(doc(id+"-new", "new"))}
}

// recognises commits with a lost acknowledgement and uses the versions that come back.
func (s *suite) recognises(code Code, id string, writes []store.Write) bool {
	s.Helper()
	s.Inject(Fault{Code: code, Applied: true})
	versions, err := s.DB.Commit(s.Context(), writes...)
	if err != nil {
		s.Logf("%s lost to %s: %v", id, code, err)
		return false
	}
	for i, w := range writes {
		if w.Op == store.OpDelete {
			s.missing(w.Doc.ID)
			continue
		}
		s.holds(w.Doc, versions[i])
		s.commit(store.Replace(doc(w.Doc.ID, "next"), versions[i]))
	}
	return true
}
