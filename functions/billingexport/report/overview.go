package report

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// Overview writes the page over all tenants of a statement. It links to their pages as files beside it; see revision.OverviewFile.
func Overview(w io.Writer, s Statement) error { return render(w, "overview", s.view()) }

// overviewView is a Statement, ready to be set.
type overviewView struct {
	head
	Tenants   int
	Before    string
	Compared  bool
	Unread    bool   // that there is nothing says nothing: a verdict is grave
	Partial   string // whom the change leaves out
	Totals    []totalView
	Attention []tenantView
	Chapters  []tenantTable
	Without   []tenantView
}

// tenantTable is all tenants with a cost in one currency, the largest first.
type tenantTable struct {
	ID, Currency string
	Rows         []tenantView
	Total        money
}

// tenantView is a tenant in a list.
type tenantView struct {
	Org, Name, Link string
	State           string
	Findings        []string
	Notes           string
	Cost            money
	Change          *change
	Bar             bar
	cost            decimal.Decimal
}

func (s Statement) view() overviewView {
	v := overviewView{head: s.head(), Tenants: len(s.Tenants), Before: inWords(s.Month.Add(-1)), Compared: s.compared() > 0, Unread: s.grave() > 0, Partial: s.partial()}
	for i, currency := range s.currencies() {
		v.Totals = append(v.Totals, totalView{currencyName(currency), total(currency, s.sum(currency)), s.change(currency)})
		v.Chapters = append(v.Chapters, s.table("c"+strconv.Itoa(i), currency))
	}
	for _, t := range s.sorted() {
		if bill.Grave(t.Verdicts) {
			v.Attention = append(v.Attention, s.tenant(t))
		}
		if len(t.Costs) == 0 {
			v.Without = append(v.Without, s.tenant(t))
		}
	}
	return v
}

func (s Statement) head() head {
	return head{
		Month: inWords(s.Month), Machine: s.Month.String(), Lens: s.Lens, Issuer: s.Issuer, Revision: s.Revision,
		State: stateName(s.State), AsOf: asOf(s.AsOf), Disclaimer: disclaimer(s.Lens, s.Issuer),
		Banners: []banner{stateBanner(s.State, s.Month, s.grave() > 0)},
	}
}

// sorted are the tenants by name.
func (s Statement) sorted() []Tenant {
	return slices.SortedFunc(slices.Values(s.Tenants), func(a, b Tenant) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.name()), strings.ToLower(b.name())), cmp.Compare(a.Org, b.Org))
	})
}

func (t Tenant) name() string { return cmp.Or(t.OrgName, t.Org) }

// in is what a tenant's services come to in a currency; ok if there are any.
func (t Tenant) in(currency string) (now, before decimal.Decimal, ok bool) {
	for _, c := range t.Costs {
		if c.Currency == currency {
			now, before, ok = now.Add(c.Now), before.Add(c.Before), true
		}
	}
	return now, before, ok
}

// sum over all tenants.
func (s Statement) sum(currency string) (all decimal.Decimal) {
	for _, t := range s.Tenants {
		now, _, _ := t.in(currency)
		all = all.Add(now)
	}
	return all
}

// change since the month before, of the tenants of whom that is known: the cost of the others is no change. nil if there is none.
func (s Statement) change(currency string) *change {
	var now, before decimal.Decimal
	for _, t := range s.Tenants {
		if t.Compared {
			n, b, _ := t.in(currency)
			now, before = now.Add(n), before.Add(b)
		}
	}
	if s.compared() == 0 {
		return nil
	}
	c := changed(currency, before, now)
	return &c
}

func (s Statement) currencies() []string {
	var lines []bill.Line
	for _, t := range s.Tenants {
		for _, c := range t.Costs {
			if !slices.ContainsFunc(lines, func(l bill.Line) bool { return l.Currency == c.Currency }) {
				lines = append(lines, bill.Line{Currency: c.Currency})
			}
		}
	}
	return currencies(lines)
}

func (s Statement) compared() int {
	return s.count(func(t Tenant) bool { return t.Compared })
}

func (s Statement) grave() int {
	return s.count(func(t Tenant) bool { return bill.Grave(t.Verdicts) })
}

func (s Statement) count(is func(Tenant) bool) (n int) {
	for _, t := range s.Tenants {
		if is(t) {
			n++
		}
	}
	return n
}

// partial says whom a change of totals leaves out.
func (s Statement) partial() string {
	if n := s.compared(); n > 0 && n < len(s.Tenants) {
		return fmt.Sprintf("of the %d of %d tenants of whom that is known", n, len(s.Tenants))
	}
	return ""
}

func (s Statement) table(id, currency string) tenantTable {
	t := tenantTable{ID: id, Currency: currencyName(currency), Total: amount(currency, s.sum(currency))}
	for _, one := range s.sorted() {
		if now, before, ok := one.in(currency); ok {
			t.Rows = append(t.Rows, s.tenant(one).costing(currency, now, before, one.Compared))
		}
	}
	slices.SortStableFunc(t.Rows, func(a, b tenantView) int { return b.cost.Abs().Cmp(a.cost.Abs()) })
	var costs []decimal.Decimal
	for _, r := range t.Rows {
		costs = append(costs, r.cost)
	}
	for i, scale := 0, newScale(barWidth, costs...); i < len(t.Rows); i++ {
		t.Rows[i].Bar = scale.bar(t.Rows[i].cost)
	}
	return t
}

func (v tenantView) costing(currency string, now, before decimal.Decimal, compared bool) tenantView {
	v.Cost, v.cost = amount(currency, now), now
	if compared {
		c := changed(currency, before, now)
		v.Change = &c
	}
	return v
}

func (s Statement) tenant(t Tenant) tenantView {
	v := tenantView{Org: t.Org, Name: t.name(), Link: "./" + url.PathEscape(t.Org) + ".html", State: s.stateOf(t), Notes: counted(len(t.Notes), "note")}
	for _, f := range findings(t.Verdicts) {
		if m := meaning(f.Code); !slices.Contains(v.Findings, m) {
			v.Findings = append(v.Findings, m)
		}
	}
	return v
}

// stateOf is a tenant's own state: a month that is held back may be fine for all tenants but one.
func (s Statement) stateOf(t Tenant) string {
	switch {
	case bill.Grave(t.Verdicts):
		return stateName(revision.Unreconciled)
	case s.State == revision.Unreconciled:
		return "on hold"
	}
	return stateName(s.State)
}

// counted is "1 note", "2 notes", or nothing.
func counted(n int, what string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + what
	}
	return bill.Exact(decimal.NewFromInt(int64(n))) + " " + what + "s"
}
