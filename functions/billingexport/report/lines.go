package report

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// mostLines is how many lines a table shows; what is beyond is one row.
const mostLines = 15

// lines are the largest of a currency.
type lines struct {
	Currency string
	Rows     []line
	Rest     int // lines that are not shown
	Other    money
	Total    money
}

// RestText is the name of what is not shown.
func (l lines) RestText() string { return "The other " + counted(l.Rest, "line") }

// line is a row.
type line struct {
	Sku, Service, Where, Subscription string
	Quantity, Price                   money // exact
	Cost                              money
}

// largest orders by what a line weighs, a credit as much as a charge.
func largest(currency string, all []bill.Line) lines {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b bill.Line) int {
		return cmp.Or(b.Cost.Abs().Cmp(a.Cost.Abs()), cmp.Compare(a.Sku, b.Sku), cmp.Compare(a.Subscription, b.Subscription))
	})
	shown := all[:min(len(all), mostLines)]
	t := lines{Currency: currencyName(currency), Rest: len(all) - len(shown), Total: precise(currency, sum(all)), Other: precise(currency, sum(all[len(shown):]))}
	for _, l := range shown {
		t.Rows = append(t.Rows, lineOf(currency, l))
	}
	return t
}

func lineOf(currency string, l bill.Line) line {
	return line{
		Sku: skuName(l.Sku, l.SkuDescription), Service: service(l), Where: datacenter(l), Subscription: l.Subscription,
		Quantity: exact(bill.Exact(l.Billable), l.Billable), Price: exact(unitPrice(l.Price), l.Price), Cost: precise(currency, l.Cost),
	}
}

// skuName is what people call a sku by: its description where it has one, and its name.
func skuName(sku, description string) string {
	if description == "" || description == sku {
		return cmp.Or(sku, "no sku stated")
	}
	return clean(description, longestName/2) + " (" + clean(sku, longestName/2-3) + ")"
}

// exact is a number whose text has all its digits.
func exact(text string, d decimal.Decimal) money {
	return money{Text: text, Value: d.String(), Title: d.String()}
}

// unitPrice is exact, with two decimals at least.
func unitPrice(d decimal.Decimal) string {
	if d.Equal(d.Round(2)) && !d.IsZero() {
		return bill.Amount(d)
	}
	return bill.Exact(d)
}
