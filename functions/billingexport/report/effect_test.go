package report

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// bounded reads a number as a bill may have it, 0 for anything else.
func bounded(s string) decimal.Decimal {
	d, err := decimal.NewFromString(s)
	if err != nil || len(s) > 40 || d.Exponent() < -18 || d.Exponent() > 20 {
		return decimal.Zero
	}
	return d
}

func TestEffects(t *testing.T) {
	for _, c := range []struct {
		name                string
		before, now         []bill.Line
		usage, price, whole string
		why                 string
	}{
		{"nothing", []bill.Line{euros("s/a", "2", "3")}, []bill.Line{euros("s/a", "2", "3")}, "0", "0", "0", "unchanged"},
		{"usage", []bill.Line{euros("s/a", "2", "3")}, []bill.Line{euros("s/a", "2", "5")}, "4", "0", "0", "usage up"},
		{"price", []bill.Line{euros("s/a", "2", "3")}, []bill.Line{euros("s/a", "1.5", "3")}, "0", "-1.5", "0", "price down"},
		{"both: the price is felt on what is used now", []bill.Line{euros("s/a", "2", "3")}, []bill.Line{euros("s/a", "2.5", "4")}, "2", "2", "0", "usage up, price up"},
		{"both, and the cost stays", []bill.Line{euros("s/a", "2", "3")}, []bill.Line{euros("s/a", "3", "2")}, "-2", "2", "0", "usage down, price up"},
		{"new", nil, []bill.Line{euros("s/a", "2", "3")}, "0", "0", "6", "new"},
		{"new and free", nil, []bill.Line{euros("s/a", "0", "3")}, "0", "0", "0", "new"},
		{"gone", []bill.Line{euros("s/a", "2", "3")}, nil, "0", "0", "-6", "gone"},
		{"a credit grows", []bill.Line{euros("s/a", "-2", "3")}, []bill.Line{euros("s/a", "-2", "4")}, "-2", "0", "0", "usage up"},
		{"two prices, one of them moved", []bill.Line{euros("s/a", "2", "30"), euros("s/a", "3", "1")}, []bill.Line{euros("s/a", "2", "30"), euros("s/a", "4", "1")},
			"0", "1", "0", "prices or their mix changed"},
		{"two prices, usage at the first", []bill.Line{euros("s/a", "2", "30"), euros("s/a", "3", "1")}, []bill.Line{euros("s/a", "2", "31"), euros("s/a", "3", "1")},
			"2", "0", "0", "usage up"},
		{"the price changed within the month", []bill.Line{euros("s/a", "1", "100")}, []bill.Line{euros("s/a", "1", "60"), euros("s/a", "1.2", "40")},
			"0", "8", "0", "prices or their mix changed"},
	} {
		all := effects(c.before, c.now)
		if len(all) != 1 {
			t.Errorf("%s: %d effects", c.name, len(all))
			continue
		}
		if e := all[0]; !e.Usage.Equal(dec(c.usage)) || !e.Price.Equal(dec(c.price)) || !e.Whole.Equal(dec(c.whole)) || e.Why != c.why {
			t.Errorf("%s: got usage %s, price %s, whole %s, %q", c.name, e.Usage, e.Price, e.Whole, e.Why)
		}
	}
}

// Effects add up, each by itself and all together, to the last digit, as rational numbers see it.
func TestEffectsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	some := func() (lines []bill.Line) {
		for range random.IntN(60) {
			lines = append(lines, euros(fmt.Sprintf("s%d/a%d@d%d", random.IntN(3), random.IntN(8), random.IntN(2)),
				decimal.New(random.Int64N(1e12), -9).String(), decimal.New(random.Int64N(1e15)-1e13, -9).String()))
		}
		return lines
	}
	for range 500 {
		before, now := some(), some()
		sum := new(big.Rat)
		for _, e := range effects(before, now) {
			parts := new(big.Rat).Add(e.Usage.Rat(), e.Price.Rat())
			parts.Add(parts, e.Whole.Rat())
			if want := new(big.Rat).Sub(e.Now.Rat(), e.Before.Rat()); parts.Cmp(want) != 0 {
				t.Fatalf("%s: the parts are %s of %s", e.Sku, parts, want)
			}
			sum.Add(sum, parts)
		}
		if want := new(big.Rat).Sub(exactly(now), exactly(before)); sum.Cmp(want) != 0 {
			t.Fatalf("all together are %s of %s", sum, want)
		}
		checkTable(t, before, now)
	}
}

// exactly is what lines come to, from price and quantity.
func exactly(lines []bill.Line) *big.Rat {
	sum := new(big.Rat)
	for _, l := range lines {
		sum.Add(sum, new(big.Rat).Mul(l.Price.Rat(), l.Billable.Rat()))
	}
	return sum
}

// checkTable adds up the rows of the table, what is folded among them.
func checkTable(t *testing.T, before, now []bill.Line) {
	t.Helper()
	c := changesOf("EUR", "", "", before, now)
	rows := c.Rows
	if c.Rest != nil {
		rows = append(rows, *c.Rest)
	}
	for _, column := range []func(changeRow) money{
		func(r changeRow) money { return r.Diff }, func(r changeRow) money { return r.Usage }, func(r changeRow) money { return r.Price }, func(r changeRow) money { return r.Wholly },
	} {
		var sum decimal.Decimal
		for _, r := range rows {
			sum = sum.Add(dec(column(r).Value))
		}
		if want := column(c.Total).Value; !sum.Equal(dec(want)) {
			t.Fatalf("the rows of a column add up to %s, its total is %s", sum, want)
		}
	}
	if len(rows) > mostLines+1 || len(c.Rows)+c.Count+c.Same != len(effects(before, now)) {
		t.Fatalf("%d rows, %d folded, %d the same", len(c.Rows), c.Count, c.Same)
	}
}
