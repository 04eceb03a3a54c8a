package revision

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

func with(p Part, verdicts ...bill.Verdict) Part {
	p.Verdicts = append(slices.Clone(p.Verdicts), verdicts...)
	return p
}

func digested(p Part, digest string) Part {
	p.Digest = digest
	return p
}

var denied = bill.Verdict{Code: bill.Denied, Grave: true, Text: "Refused."}

func TestDecide(t *testing.T) {
	a, b := somePart("a"), somePart("b")
	closed := at.Add(-time.Hour)
	draft := func(parts ...Part) Draft {
		return Draft{Month: "2026-10", Run: "r", Made: at, Closed: closed, Parts: parts}
	}
	early := func(parts ...Part) Draft {
		return Draft{Month: "2026-10", Run: "r", Made: at, Closed: at.Add(1), Parts: parts}
	}
	newest := func(d Draft, rev, since int) *Manifest { m := d.Manifest(rev, since); return &m }
	for _, c := range []struct {
		name   string
		now    Draft
		newest *Manifest
		state  State
		isNew  bool
		since  int
		reason string
	}{
		{"nobody is known", draft(), nil, Published, false, 0, "no tenant is known"},
		{"the first", draft(a, b), nil, Published, true, 0, "first revision"},
		{"the same", draft(b, a), newest(draft(a, b), 1, 0), Published, false, 1, "nothing has changed since revision 1"},
		{"other usage", draft(digested(a, strings.Repeat("cd", 32)), b), newest(draft(a, b), 1, 0), Published, true, 1, "1 tenant with other usage"},
		{"a tenant is new", draft(a, b), newest(draft(a), 4, 2), Published, true, 4, "1 tenant new"},
		{"a tenant is gone", draft(a), newest(draft(a, b), 4, 2), Published, true, 4, "1 tenant gone"},
		{"a verdict is new", draft(a, with(b, denied)), newest(draft(a, b), 4, 2), Unreconciled, true, 4, "1 tenant with other verdicts only"},
		{"it was unreconciled", draft(a, b), newest(draft(a, with(b, denied)), 5, 4), Published, true, 4, "1 tenant with other verdicts only"},
		{"and never published", draft(a, b), newest(draft(a, with(b, denied)), 1, 0), Published, true, 0, "1 tenant with other verdicts only"},
		{"it is unreconciled still", draft(a, with(b, denied)), newest(draft(a, with(b, denied)), 5, 4), Unreconciled, false, 4, "nothing has changed"},
		{"not closed yet", early(a, with(b, denied)), nil, Preliminary, true, 0, "first revision"},
		{"closed now", draft(a, b), newest(early(a, b), 1, 0), Published, true, 0, "revision 1 was preliminary, and now it is published"},
		{"the clock was set back", early(a, b), newest(draft(a, b), 1, 0), Preliminary, false, 1, "which is published"},
	} {
		got := Decide(c.now, c.newest)
		if got.New != c.isNew || got.Since != c.since || !strings.Contains(got.Reason, c.reason) || c.now.State() != c.state {
			t.Errorf("%s: %+v, %s", c.name, got, c.now.State())
		}
	}
}

// Content is of what parts say, in whatever order, and of nothing else.
func TestContent(t *testing.T) {
	a, b := somePart("a"), somePart("b")
	want := Content([]Part{a, b})
	named := a
	named.OrgName, named.Files = "another", nil // the digest stands for them
	for name, same := range map[string][]Part{"order": {b, a}, "what the digest stands for": {named, b}} {
		if Content(same) != want {
			t.Error(name)
		}
	}
	for name, other := range map[string][]Part{"fewer": {a}, "another digest": {digested(a, strings.Repeat("cd", 32)), b}, "a verdict": {with(a, denied), b}} {
		if Content(other) == want {
			t.Error(name)
		}
	}
}

func TestTotals(t *testing.T) {
	a, b := somePart("a"), somePart("b")
	csv := a.Files[0]
	csv.Format = CSV // the same rows
	tenant := file("x", "1.5")
	tenant.Lens = Tenant
	tenant.Billed = append(tenant.Billed, Money{"EUR", decimal.RequireFromString("-0.000000000000000001")})
	a.Files = append(a.Files, csv, tenant)
	got := Totals([]Part{a, b})
	want := []string{"provider USD 24.691357802469135782", "tenant EUR -0.000000000000000001", "tenant USD 1.5"}
	if len(got) != len(want) {
		t.Fatal(got)
	}
	for i, w := range want {
		if s := string(got[i].Lens) + " " + got[i].Currency + " " + got[i].Amount.String(); s != w {
			t.Errorf("%s, want %s", s, w)
		}
	}
	if l := Lenses([]Part{a, b}); !slices.Equal(l, []Lens{Provider, Tenant}) {
		t.Error(l)
	}
}
