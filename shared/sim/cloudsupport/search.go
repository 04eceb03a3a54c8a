package cloudsupport

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

func (s *Server) listCases(tx *tx, rq *request) (any, error) {
	parent, f := s.parent(rq.param)
	if f != nil {
		return nil, f
	}
	q, f := parseQuery(rq.Query.Get("filter"), caseFilter)
	if f != nil {
		return nil, about("filter", f)
	}
	l, err := s.listing(rq, parent, rq.Query.Get("filter"))
	if err != nil {
		return nil, err
	}
	return s.casePage(l, tx.state.cases, func(d *dossier) (caseRecord, bool) {
		return d.caseRecord, d.Parent == parent && q.matches(d.caseRecord)
	}), nil
}

// searchCases asks the index, which lags: it knows a case and its comments as they were some time ago, and answers with that.
func (s *Server) searchCases(tx *tx, rq *request) (any, error) {
	parent, f := s.parent(rq.param)
	if f != nil {
		return nil, f
	}
	q, f := parseQuery(rq.Query.Get("query"), caseQuery)
	if f != nil {
		return nil, about("query", f)
	}
	l, err := s.listing(rq, parent, rq.Query.Get("query"))
	if err != nil {
		return nil, err
	}
	horizon := tx.at.Add(-rq.Lag)
	return s.casePage(l, tx.state.candidates(q), func(d *dossier) (caseRecord, bool) {
		seen, ok := d.indexed(horizon)
		return seen.caseRecord, ok && s.under(parent, d.Parent) && q.matches(seen)
	}), nil
}

// candidates narrows a search down by one word that every match must hold.
func (s *state) candidates(q *query) []*dossier {
	if w := words(q.word()); len(w) > 0 {
		return s.words[w[0]]
	}
	return s.cases
}

func (s *Server) casePage(l rest.Listing, all []*dossier, see func(*dossier) (caseRecord, bool)) any {
	list, next := rest.Page(l, len(all), func(i int) (string, wireCase, bool) {
		d := all[len(all)-1-i]
		key := rest.NewestFirst(d.seq)
		if l.Sent(key) {
			return key, wireCase{}, false
		}
		c, ok := see(d)
		return key, c.wire(), ok
	})
	return struct {
		Cases []wireCase `json:"cases,omitempty"`
		Next  string     `json:"nextPageToken,omitempty"`
	}{list, next}
}

// indexedCase is what the index holds of a case.
type indexedCase struct {
	caseRecord
	comments []commentRecord
}

// indexed is the case as it was at the horizon; false if it was not there yet.
func (d *dossier) indexed(horizon time.Time) (indexedCase, bool) {
	n := 0
	for n < len(d.comments) && !d.comments[n].Created.After(horizon) {
		n++
	}
	if !d.Updated.After(horizon) {
		return indexedCase{d.caseRecord, d.comments[:n]}, true
	}
	for _, c := range slices.Backward(d.past) {
		if !c.Updated.After(horizon) {
			return indexedCase{c, d.comments[:n]}, true
		}
	}
	return indexedCase{}, false
}

func (c caseRecord) match(t term) bool {
	switch t.field {
	case "state":
		return (t.value == stateClosed) == (c.State == stateClosed)
	case "priority":
		return t.value == c.Priority
	case "creator.email":
		return t.value == c.Creator.Email
	case "update_time":
		return c.Updated.After(t.time)
	}
	return false
}

func (c indexedCase) match(t term) bool {
	if t.field != "" {
		return c.caseRecord.match(t)
	}
	phrase := words(t.value)
	if holds(c.Title, phrase) || holds(c.Description, phrase) {
		return true
	}
	return slices.ContainsFunc(c.comments, func(r commentRecord) bool { return holds(r.Body, phrase) })
}

// words cuts a text as an index does: into runs of letters and digits, in lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// holds reports whether the words of a phrase stand side by side in a text.
func holds(text string, phrase []string) bool {
	in := words(text)
	for i := 0; len(phrase) > 0 && i+len(phrase) <= len(in); i++ {
		if slices.Equal(in[i:i+len(phrase)], phrase) {
			return true
		}
	}
	return false
}

func (r subscriptionRecord) match(t term) bool {
	if t.field == "state" {
		return t.value == r.State
	}
	return t.value == r.Topic
}

func (c classRecord) match(t term) bool {
	if t.field == "id" {
		return t.value == c.ID
	}
	return wildcard(t.value, c.Name)
}

// wildcard matches a text against a pattern in which every * stands for anything. Letters must be of the same case.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(text, p)
		if !ok || i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return ok && strings.HasSuffix(text, parts[len(parts)-1])
}
