package report

import (
	"cmp"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// changes is a table of what differs between two bills of one currency, and why. Its rows and what is folded add up to its total, exactly.
type changes struct {
	Currency string
	Was, Is  string // heads of the columns
	Rows     []changeRow
	Rest     *changeRow // nil: everything is shown
	Count    int        // skus that are folded into Rest
	Same     int        // skus that did not change
	Total    changeRow
}

// changeCell is one of a row. It has a name of its own, for where there is no room for columns.
type changeCell struct {
	Label  string
	Strong bool
	Money  money
}

// Nothing reports whether the cell says nothing.
func (c changeCell) Nothing() bool { return c.Money.Text == dash }

// Cells of a row, in the order of the columns.
func (c changes) Cells(r changeRow) []changeCell {
	return []changeCell{
		{c.Was, false, r.Before}, {c.Is, false, r.Now}, {"Change", true, r.Diff},
		{"by usage", false, r.Usage}, {"by price", false, r.Price}, {"new or gone", false, r.Wholly},
	}
}

// RestText is the name of what is folded.
func (c changes) RestText() string { return "The other " + counted(c.Count, "sku") + " that changed" }

// SameText counts what did not change.
func (c changes) SameText() string {
	return cmp.Or(counted(c.Same, "sku"), "no sku") + " without any change"
}

// changeRow is a row. Usage, Price and Whole are empty where they are nothing.
type changeRow struct {
	Sku, Service, Where, Why                string
	Before, Now, Diff, Usage, Price, Wholly money
}

func changesOf(currency, was, is string, before, now []bill.Line) changes {
	c := changes{Currency: currencyName(currency), Was: was, Is: is}
	var rest, all effect
	for _, e := range effects(before, now) {
		all = all.plus(e)
		switch {
		case e.same():
			c.Same++
		case len(c.Rows) < mostLines:
			c.Rows = append(c.Rows, e.row(currency))
		default:
			rest = rest.plus(e)
			c.Count++
		}
	}
	if c.Total = all.row(currency); c.Count > 0 {
		r := rest.row(currency)
		c.Rest = &r
	}
	return c
}

// None reports whether nothing differs.
func (c changes) None() bool { return len(c.Rows) == 0 && c.Count == 0 }

// same reports whether nothing differs. Effects that cancel each other are a difference.
func (e effect) same() bool {
	return e.Why == "unchanged" && e.diff().IsZero()
}

func (e effect) plus(f effect) effect {
	return effect{
		Before: e.Before.Add(f.Before), Now: e.Now.Add(f.Now),
		Usage: e.Usage.Add(f.Usage), Price: e.Price.Add(f.Price), Whole: e.Whole.Add(f.Whole),
	}
}

func (e effect) row(currency string) changeRow {
	signed := func(d decimal.Decimal) money {
		m := amount(currency, d)
		if m.Text = bill.Change(d); d.IsZero() {
			m.Text = dash
		}
		return m
	}
	return changeRow{
		Sku: e.Sku, Service: e.Service, Where: e.Where, Why: e.Why,
		Before: amount(currency, e.Before), Now: amount(currency, e.Now), Diff: signed(e.diff()),
		Usage: signed(e.Usage), Price: signed(e.Price), Wholly: signed(e.Whole),
	}
}
