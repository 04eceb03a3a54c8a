package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// mostGroups is how many services or datacenters a table has; what is beyond is one row.
const mostGroups = 12

// groups is a table by service or datacenter.
type groups struct {
	Of, Currency string
	Compared     bool // with the month before
	Rows         []group
}

// Wide reports whether a phone has no room for the columns beside each other.
func (g groups) Wide() bool {
	return slices.ContainsFunc(g.Rows, func(r group) bool { return r.Cost.Long() || r.Change != nil && r.Change.Long() })
}

// group is a row.
type group struct {
	Name   string
	Cost   money
	Share  string
	Change *change // nil: nothing to compare with
	Bar    bar
}

// grouped sums lines of a currency by a name, largest first. before is nil if there is no month to compare with.
func grouped(head, currency string, now, before []bill.Line, by func(bill.Line) string) groups {
	sums, was := sumBy(now, by), sumBy(before, by)
	for n := range was {
		sums[n] = sums[n].Add(decimal.Zero)
	}
	names := slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(sums[b].Abs().Cmp(sums[a].Abs()), cmp.Compare(a, b))
	})
	names = fold(names, sums, was)
	whole, scale := sum(now), scaleOf(names, sums)
	t := groups{head, currencyName(currency), before != nil, nil}
	for _, n := range names {
		g := group{Name: n, Cost: amount(currency, sums[n]), Share: share(sums[n], whole), Bar: scale.bar(sums[n])}
		if before != nil {
			c := changed(currency, was[n], sums[n])
			g.Change = &c
		}
		t.Rows = append(t.Rows, g)
	}
	return t
}

// theRest is the name of what does not fit a table. No name from outside begins so.
const theRest = "\x00all others together"

// fold makes one name of those that are beyond the table.
func fold(names []string, sums ...map[string]decimal.Decimal) []string {
	if len(names) <= mostGroups {
		return names
	}
	for _, s := range sums {
		for _, n := range names[mostGroups-1:] {
			s[theRest] = s[theRest].Add(s[n])
		}
	}
	return append(names[:mostGroups-1:mostGroups-1], theRest)
}

func sumBy(lines []bill.Line, by func(bill.Line) string) map[string]decimal.Decimal {
	sums := map[string]decimal.Decimal{}
	for _, l := range lines {
		sums[by(l)] = sums[by(l)].Add(l.Cost)
	}
	return sums
}

func sum(lines []bill.Line) (all decimal.Decimal) {
	for _, l := range lines {
		all = all.Add(l.Cost)
	}
	return all
}

// of returns the lines of a currency; nil only of nil.
func of(currency string, lines []bill.Line) []bill.Line {
	if lines == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(lines), func(l bill.Line) bool { return l.Currency != currency })
}

func service(l bill.Line) string { return cmp.Or(l.Service, l.ServiceID, "no service stated") }

func datacenter(l bill.Line) string { return cmp.Or(l.Datacenter, "no datacenter stated") }
