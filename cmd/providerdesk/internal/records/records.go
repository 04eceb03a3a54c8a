// Package records is the operator's view of the effect ledger: the same questions and decisions, asked of the store directly or of a
// running "up" over HTTP.
//
// The HTTP side is these addresses, JSON both ways:
//
//	GET  /api/ledger?state=&after=&limit=   {"records": [...]}, ordered by id; the page after an id
//	GET  /api/ledger/{id}                   one record; a prefix of the id will do if no other record has it
//	POST /api/ledger/{id}/decision          {"verdict": "approve|veto|adopt", "who": "...", "note": "...", "object": "..."}
//	POST /api/cases/release                 {"who": "...", "incident": "..." or "desk": "..." or "all": true}, see [Releaser]
//
// A failure is application/problem+json, with the sentence that the operator reads in "detail". Whoever mounts the handler puts a guard in
// front of it: it has none of its own.
package records

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Book is where records are read and decided on. *ledger.Ledger is one, Remote another.
type Book interface {
	Get(ctx context.Context, id string) (ledger.Record, error)
	List(ctx context.Context, s ledger.State, afterID string, limit int) ([]ledger.Record, error)
	Decide(ctx context.Context, id string, d ledger.Decision) (ledger.Record, error)
}

var _ Book = (*ledger.Ledger)(nil)

// Divided is a book that several ledgers on one store carry out, each its own kinds of effects. Any of them can read all records.
type Divided struct {
	Book
	Of func(kind string) Book // the one that carries out a kind
}

// Decide has the decision carried out where the effect can be.
func (d Divided) Decide(ctx context.Context, id string, w ledger.Decision) (ledger.Record, error) {
	r, err := d.Get(ctx, id)
	if err != nil {
		return r, err
	}
	return d.Of(r.Kind).Decide(ctx, id, w)
}

// idLength is the length of a whole id, a SHA-256 in hexadecimal digits.
const idLength = 64

// Find returns the record with the id, or the only one whose id begins with it.
func Find(ctx context.Context, b Book, id string) (ledger.Record, error) {
	switch {
	case id == "" || len(id) > idLength || strings.Trim(id, "0123456789abcdef") != "":
		return ledger.Record{}, fault.New(fault.Invalid, "an id is 64 digits 0-9a-f, or as many of its first ones as it takes to be the only one")
	case len(id) == idLength:
		r, err := b.Get(ctx, id)
		if fault.Is(err, fault.Missing) {
			return r, unknown(id)
		}
		return r, err
	}
	found, err := b.List(ctx, "", before(id), 2)
	if err != nil {
		return ledger.Record{}, err
	}
	found = slices.DeleteFunc(found, func(r ledger.Record) bool { return !strings.HasPrefix(r.ID, id) })
	switch len(found) {
	case 0:
		return ledger.Record{}, unknown(id)
	case 1:
		return found[0], nil
	}
	return ledger.Record{}, fault.New(fault.Invalid, "several records begin with %s: give more of the id", id)
}

func unknown(id string) error { return fault.New(fault.Missing, "no record has the id %s", id) }

// before returns a text that sorts after every id below those that begin with prefix, and before these; "" when there are none below.
func before(prefix string) string {
	p := strings.TrimRight(prefix, "0")
	if p == "" {
		return ""
	}
	last := len(p) - 1
	return p[:last] + string(p[last]-1) + "~"
}

// Want says which records to select.
type Want struct {
	State ledger.State // empty: all
	Kind  string       // empty: all
	Limit int
}

// pageSize is how many records are read at a time.
const pageSize = 200

// Select returns at most w.Limit records, in the order in which they were made, and whether there are more.
func Select(ctx context.Context, b Book, w Want) (list []ledger.Record, more bool, err error) {
	for after := ""; ; {
		page, err := b.List(ctx, w.State, after, pageSize)
		if err != nil {
			return nil, false, err
		}
		for _, r := range page {
			if w.Kind != "" && r.Kind != w.Kind {
				continue
			}
			if len(list) == w.Limit {
				return byAge(list), true, nil
			}
			list = append(list, r)
		}
		if len(page) < pageSize {
			return byAge(list), false, nil
		}
		after = page[len(page)-1].ID
	}
}

func byAge(list []ledger.Record) []ledger.Record {
	slices.SortStableFunc(list, func(a, b ledger.Record) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// ParseState reads a state in any case; "" is all states.
func ParseState(s string) (ledger.State, error) {
	state := ledger.State(strings.ToUpper(s))
	if s == "" || slices.Contains(ledger.States[:], state) {
		return state, nil
	}
	return "", fault.New(fault.Invalid, "there is no state %q: it is one of %s", s, stateNames())
}

func stateNames() string {
	names := make([]string, len(ledger.States))
	for i, s := range ledger.States {
		names[i] = strings.ToLower(string(s))
	}
	return strings.Join(names, ", ")
}
