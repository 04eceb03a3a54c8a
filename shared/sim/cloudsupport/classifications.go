package cloudsupport

import (
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// retired is how long the id of a classification that is no longer listed still opens cases.
const retired = 183 * 24 * time.Hour

// seedCatalogue fills a new desk.
func (s *Server) seedCatalogue() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.state.classes) > 0 {
		return nil
	}
	tx := s.begin(s.opts.Now())
	for _, name := range catalogue {
		tx.change.Classes = append(tx.change.Classes, classRecord{ID: tx.classID(), Name: name})
	}
	return tx.commit()
}

func (tx *tx) classID() string { return "100" + strings.ToUpper(letters(tx.next("class"), 30)) }

// usableClass is the classification that a new case names.
func (tx *tx) usableClass(id string) (classRecord, *rest.Failure) {
	c := tx.state.class(id)
	if c == nil || !c.Expires.IsZero() && !tx.at.Before(c.Expires) {
		return classRecord{}, rest.Invalid("case.classification.id", "The classification is not valid. Search for a current one.")
	}
	return *c, nil
}

func (s *Server) searchClasses(tx *tx, rq *request) (any, error) {
	q, f := parseQuery(rq.Query.Get("query"), classFields)
	if f != nil {
		return nil, about("query", f)
	}
	l, err := s.listing(rq, "", rq.Query.Get("query"))
	if err != nil {
		return nil, err
	}
	all := tx.state.sortedClasses()
	list, next := rest.Page(l, len(all), func(i int) (string, wireClass, bool) {
		c := all[i]
		return c.Name + "\x00" + c.ID, wireClass{c.ID, c.Name}, q.matches(c)
	})
	return struct {
		Classes []wireClass `json:"caseClassifications,omitempty"`
		Next    string      `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}

// Retire does to a listed classification what Google may do at any time: "hide" takes it off the list, its id is good for another six
// months; "expire" ends its id at once; "rotate" expires it and lists the same name under a new id, which is returned.
func (s *Server) Retire(displayName, do string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	for _, c := range tx.state.sortedClasses() {
		if c.Name == displayName {
			id, err = tx.retire(c, do)
			if err != nil {
				return "", err
			}
			return id, tx.commit()
		}
	}
	return "", rest.NotFound()
}

func (tx *tx) retire(c classRecord, do string) (string, error) {
	c.Hidden, c.Expires = true, tx.at
	fresh := ""
	switch do {
	case "hide":
		c.Expires = tx.at.Add(retired)
	case "expire":
	case "rotate":
		fresh = tx.classID()
		tx.change.Classes = append(tx.change.Classes, classRecord{ID: fresh, Name: c.Name})
	default:
		return "", rest.Invalid("do", "It must be hide, expire or rotate.")
	}
	tx.change.Classes = append(tx.change.Classes, c)
	return fresh, nil
}
