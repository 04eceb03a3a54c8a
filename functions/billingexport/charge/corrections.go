package charge

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// Corrections are the rows that make of what was charged since what is charged now, in a lens: one for every identity whose quantities are not
// the same, with the difference, so that the sums of the rows before and of these are those of now. A line that is gone is taken back, a line
// that is new is charged; names that changed are no correction. Both are charged to the same account: if that changed, everything is taken back
// from the one (now is nil) and charged to the other (since is nil). Rows are ordered by identity.
func Corrections(o Options, lens revision.Lens, since, now []bill.Line, source string) []focus.Row {
	i := slices.IndexFunc(o.Lenses, func(a Account) bool { return a.Lens == lens })
	if i < 0 {
		return nil
	}
	names := newSkus(nil)
	all := map[string]*change{}
	for _, l := range since {
		names.note(l.Sku, l.CrossReference)
		changeOf(all, l).take(l, l.Usage.Neg(), l.Commit.Neg(), l.Billable.Neg())
	}
	for _, l := range now {
		names.note(l.Sku, l.CrossReference)
		c := changeOf(all, l)
		c.take(l, l.Usage, l.Commit, l.Billable)
	}
	names.known = names.two
	var rows []focus.Row
	for _, c := range ordered(all) {
		if !c.usage.IsZero() || !c.commit.IsZero() || !c.billable.IsZero() {
			rows = append(rows, c.row(o, o.Lenses[i], names, source))
		}
	}
	return rows
}

// change is how the lines of one identity differ.
type change struct {
	id                      string
	line                    bill.Line // the last one, whose names are those of now
	usage, commit, billable decimal.Decimal
}

func changeOf(all map[string]*change, l bill.Line) *change {
	id := l.Identity()
	c, ok := all[id]
	if !ok {
		c = &change{id: id}
		all[id] = c
	}
	return c
}

func (c *change) take(l bill.Line, usage, commit, billable decimal.Decimal) {
	c.line = l
	c.usage, c.commit, c.billable = c.usage.Add(usage), c.commit.Add(commit), c.billable.Add(billable)
}

func ordered(all map[string]*change) []*change {
	list := make([]*change, 0, len(all))
	for _, c := range all {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *change) int { return cmp.Compare(a.id, b.id) })
	return list
}

func (c *change) row(o Options, a Account, names *skus, source string) focus.Row {
	r := commonRow(o, c.line, a, names)
	r.ChargeClass, r.XSourceObject = correction, source
	r.ChargePeriodStart, r.ChargePeriodEnd = o.Month.Start(), o.Month.End()
	r.ConsumedQuantity, r.PricingQuantity = decimal.NewNullDecimal(c.usage), decimal.NewNullDecimal(c.billable)
	r.XCommitQuantity = decimal.NewNullDecimal(c.commit)
	r.BilledCost = r.ContractedUnitPrice.Decimal.Mul(c.billable)
	r.ContractedCost, r.EffectiveCost = r.BilledCost, r.BilledCost
	r.ListCost = r.ListUnitPrice.Decimal.Mul(c.billable)
	return *r
}
