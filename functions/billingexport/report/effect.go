package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// effect is why the cost of a sku in a datacenter differs between two bills of one currency. Usage, Price and Whole add up to Now - Before,
// exactly: no division is in it.
type effect struct {
	Sku, Service, Where string
	Before, Now         decimal.Decimal
	Usage               decimal.Decimal // what the difference in quantity comes to at the price of before
	Price               decimal.Decimal // what the difference in price comes to at the quantity of now
	Whole               decimal.Decimal // all of it, of a sku that only one of the bills has
	Why                 string
}

type effectKey struct{ service, sku, where string }

// side is what one bill has of a sku.
type side struct {
	lines    []bill.Line
	quantity decimal.Decimal
	cost     decimal.Decimal
}

// effects compares bills of one currency. What did not change is in it too. The largest differences come first.
func effects(before, now []bill.Line) []effect {
	was, is := sides(before), sides(now)
	keys := maps.Clone(is)
	maps.Copy(keys, was)
	all := make([]effect, 0, len(keys))
	for k := range keys {
		all = append(all, compare(k, was[k], is[k]))
	}
	slices.SortFunc(all, func(a, b effect) int {
		return cmp.Or(b.diff().Abs().Cmp(a.diff().Abs()), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Sku, b.Sku), cmp.Compare(a.Where, b.Where))
	})
	return all
}

func sides(lines []bill.Line) map[effectKey]side {
	all := map[effectKey]side{}
	for _, l := range lines {
		k := effectKey{cmp.Or(l.ServiceID, l.Service), l.Sku, l.Datacenter}
		s := all[k]
		s.lines, s.quantity, s.cost = append(s.lines, l), s.quantity.Add(l.Billable), s.cost.Add(l.Cost)
		all[k] = s
	}
	return all
}

func compare(k effectKey, was, is side) effect {
	example := slices.Concat(is.lines, was.lines)[0]
	e := effect{Sku: skuName(k.sku, example.SkuDescription), Service: service(example), Where: datacenter(example), Before: was.cost, Now: is.cost}
	switch {
	case was.lines == nil:
		e.Whole, e.Why = e.diff(), "new"
	case is.lines == nil:
		e.Whole, e.Why = e.diff(), "gone"
	default:
		e.Usage = is.quantity.Sub(was.quantity).Mul(was.price())
		e.Price = e.diff().Sub(e.Usage)
		e.Why = why(e, was, is)
	}
	return e
}

func (e effect) diff() decimal.Decimal { return e.Now.Sub(e.Before) }

// price is that of the most quantity, the lowest of several. A bill that has more than one makes the price effect one of price and mix.
func (s side) price() decimal.Decimal {
	best := slices.MaxFunc(s.lines, func(a, b bill.Line) int {
		return cmp.Or(a.Billable.Cmp(b.Billable), b.Price.Cmp(a.Price))
	})
	return best.Price
}

func (s side) mixed() bool {
	return slices.ContainsFunc(s.lines, func(l bill.Line) bool { return !l.Price.Equal(s.lines[0].Price) })
}

// why says it in words.
func why(e effect, was, is side) string {
	usage, price := direction("usage", is.quantity.Cmp(was.quantity)), direction("price", is.price().Cmp(was.price()))
	if was.mixed() || is.mixed() {
		price = ""
		if !e.Price.IsZero() {
			price = "prices or their mix changed"
		}
	}
	switch {
	case usage != "" && price != "":
		return usage + ", " + price
	case usage+price == "":
		return "unchanged"
	}
	return usage + price
}

func direction(of string, cmp int) string {
	switch cmp {
	case 1:
		return of + " up"
	case -1:
		return of + " down"
	}
	return ""
}
