package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Statement is a revision of a month over all tenants, seen through one lens.
type Statement struct {
	Month    hub.Period
	Lens     revision.Lens
	Issuer   string
	Revision int
	Since    int // the published revision before; 0: none
	State    revision.State
	AsOf     time.Time
	Tenants  []Tenant
}

// Tenant is one of a Statement. It is small, so that the lines of all tenants need never be in memory at once.
type Tenant struct {
	Org, OrgName string
	Costs        []Cost // see Costs
	Compared     bool   // the month before was exported, so that no cost in it means zero
	Verdicts     []bill.Verdict
	Notes        []bill.Note
}

// Cost is what a service comes to in a currency, now and in the month before.
type Cost struct {
	Service, Currency string
	Before, Now       decimal.Decimal
}

// Costs sums lines priced for a lens, ordered by currency and service.
func Costs(now, before []bill.Line) []Cost {
	type key struct{ service, currency string }
	sums := map[key]Cost{}
	add := func(lines []bill.Line, to func(*Cost, decimal.Decimal)) {
		for _, l := range lines {
			c := sums[key{l.Service, l.Currency}]
			c.Service, c.Currency = l.Service, l.Currency
			to(&c, l.Cost)
			sums[key{l.Service, l.Currency}] = c
		}
	}
	add(now, func(c *Cost, d decimal.Decimal) { c.Now = c.Now.Add(d) })
	add(before, func(c *Cost, d decimal.Decimal) { c.Before = c.Before.Add(d) })
	all := make([]Cost, 0, len(sums))
	for _, c := range sums {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Cost) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Service, b.Service))
	})
	return all
}
