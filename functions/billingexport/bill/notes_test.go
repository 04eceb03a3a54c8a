package bill

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/shared/hub"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// used is a line of service S: so much at a price.
func used(sku, price, quantity string) Line {
	return Line{
		ServiceID: "s", Service: "S", Sku: sku, Currency: "EUR",
		Price: dec(price), Usage: dec(quantity), Billable: dec(quantity), Cost: dec(price).Mul(dec(quantity)),
	}
}

// trail is months up to September 2026, one for each bill.
func trail(bills ...[]Line) (past []Past) {
	last := hub.Period{Year: 2026, Month: time.September}
	for i, lines := range bills {
		past = append(past, Past{last.Add(i + 1 - len(bills)), lines})
	}
	return past
}

// costing is months in which service S cost so much.
func costing(costs ...string) []Past {
	var bills [][]Line
	for _, c := range costs {
		bills = append(bills, []Line{used("a", "1", c)})
	}
	return trail(bills...)
}

func one(l ...Line) []Line { return l }

func changedLine(l Line, change func(*Line)) Line {
	change(&l)
	return l
}

// Every note has a case that just triggers it and one beside it that just does not.
func TestNotes(t *testing.T) {
	idle := changedLine(used("a", "2", "0"), func(l *Line) { l.Commit = dec("5") })
	dollars := changedLine(used("a", "1", "1"), func(l *Line) { l.Currency = "USD" })
	other := changedLine(used("b", "1", "7"), func(l *Line) { l.ServiceID, l.Service = "o", "Other" })
	for _, c := range []struct {
		name   string
		now    []Line
		before []Past
		want   []string
	}{
		{"nothing ever", nil, nil, []string{"ZERO_USAGE  0 0"}},
		{"lines but no usage, as the month before", one(idle), trail(one(idle)), []string{"ZERO_USAGE  0 0"}},
		{"the least usage is usage", one(used("a", "2", "0.000000001")), trail(one(idle)), nil},
		{"usage that is all within the commitment is usage", one(changedLine(idle, func(l *Line) { l.Usage = dec("1") })), trail(one(idle)), nil},

		{"usage stopped", one(idle), trail(one(used("a", "2", "3"))), []string{"STOPPED S EUR 6 0"}},
		{"the last of it", one(used("a", "2", "0.1")), trail(one(used("a", "2", "3"))), nil},
		{"it stopped long ago", one(idle, other), trail(one(used("a", "2", "3"), other), one(idle, other)), nil},
		{"one service of two stopped, its sku is not told again", one(other), trail(one(used("a", "2", "3"), other)), []string{"STOPPED S EUR 6 0"}},
		{"renamed services go on", one(changedLine(used("a", "2", "3"), func(l *Line) { l.Service = "New S" })), trail(one(used("a", "2", "3"))), nil},

		// median 100, deviations 4 2 0 2 4: the median deviation is 2, five of it 10, and a tenth of the median 10.
		{"moved by more than five deviations and a tenth", one(used("a", "1", "110.01")), costing("96", "98", "100", "102", "104"), []string{"COST_MOVED S EUR 100 110.01"}},
		{"moved by just that", one(used("a", "1", "110")), costing("96", "98", "100", "102", "104"), nil},
		{"moved down", one(used("a", "1", "89.99")), costing("96", "98", "100", "102", "104"), []string{"COST_MOVED S EUR 100 89.99"}},
		{"moved down by just that", one(used("a", "1", "90")), costing("96", "98", "100", "102", "104"), nil},
		{"no deviation, but less than a tenth", one(used("a", "1", "109.99")), costing("100", "100", "100", "100"), nil},
		{"five deviations are more than a tenth", one(used("a", "1", "115.01")), costing("94", "97", "100", "103", "106"), []string{"COST_MOVED S EUR 100 115.01"}},
		{"just five deviations", one(used("a", "1", "115")), costing("94", "97", "100", "103", "106"), nil},
		{"no deviation, and more than a tenth", one(used("a", "1", "110.01")), costing("100", "100", "100", "100"), []string{"COST_MOVED S EUR 100 110.01"}},
		{"no deviation, and just a tenth", one(used("a", "1", "110")), costing("100", "100", "100", "100"), nil},
		{"what stopped has not moved as well", one(used("a", "1", "0")), costing("100", "100", "100", "100"), []string{"STOPPED S EUR 100 0"}},
		{"more than a tenth, but within five deviations", one(used("a", "1", "119")), costing("96", "96", "100", "104", "104"), nil},
		{"an even number of months", one(used("a", "1", "110.01")), costing("98", "99.5", "100.5", "102"), []string{"COST_MOVED S EUR 100 110.01"}},
		{"four months are enough", one(used("a", "1", "200")), costing("100", "100", "100", "100"), []string{"COST_MOVED S EUR 100 200"}},
		{"three are not", one(used("a", "1", "200")), costing("100", "100", "100"), nil},
		{"credits move too", one(used("a", "1", "-100")), costing("100", "100", "100", "100"), []string{"COST_MOVED S EUR 100 -100"}},

		{"the price changed", one(used("a", "1.000000001", "3")), trail(one(used("a", "1", "3"))), []string{"PRICE_CHANGE S, a EUR 1 1.000000001"}},
		{"written otherwise it is the same price", one(used("a", "1.00", "4")), trail(one(used("a", "1", "3"))), nil},
		{"a pause does not hide it", one(used("a", "2", "3"), other), trail(one(used("a", "1", "3")), one(other)), []string{"PRICE_CHANGE S, a EUR 1 2"}},
		{"back at the price of last month", one(used("a", "1", "3")), trail(one(used("a", "2", "3")), one(used("a", "1", "3"))), nil},
		{"of two at which as much is billed the lower one", one(used("a", "3", "1"), used("a", "2", "1")), trail(one(used("a", "1", "3"))), []string{"PRICE_CHANGE S, a EUR 1 2"}},
		{"one of its prices is gone", one(used("a", "1", "3")), trail(one(used("a", "1", "3"), used("a", "2", "3"))), nil},
		{"a price beside the old one", one(used("a", "1", "3"), used("a", "2", "1")), trail(one(used("a", "1", "3"))), []string{"PRICE_CHANGE S, a EUR 1 2"}},
		{"of several the one that most is billed at", one(used("a", "3", "1"), used("a", "2", "1"), used("a", "4", "9")), trail(one(used("a", "1", "3"))), []string{"PRICE_CHANGE S, a EUR 1 4"}},

		{"a new sku", one(used("a", "1", "3"), used("n", "2", "2")), trail(one(used("a", "1", "3"))), []string{"NEW_SKU S, n EUR 0 4"}},
		{"known from an earlier month", one(used("a", "1", "3"), used("n", "2", "2")), trail(one(used("n", "2", "1")), one(used("a", "1", "3"))), nil},
		{"nothing to compare with", one(used("a", "1", "3")), nil, nil},
		{"in another currency it is another", one(used("a", "1", "3"), dollars), trail(one(used("a", "1", "3"))), []string{"NEW_SKU S, a USD 0 1"}},

		{"a sku is gone", one(used("a", "1", "3")), trail(one(used("a", "1", "3"), used("g", "1", "9"))), []string{"VANISHED_SKU S, g EUR 9 0"}},
		{"it is there without usage", one(used("a", "1", "3"), used("g", "1", "0")), trail(one(used("a", "1", "3"), used("g", "1", "9"))), nil},
		{"it was gone before", one(used("a", "1", "3")), trail(one(used("a", "1", "3"), used("g", "1", "9")), one(used("a", "1", "3"))), nil},

		{"the largest first", one(used("a", "1", "3"), used("m", "1", "4"), used("n", "1", "5")), trail(one(used("a", "1", "3"), used("g", "1", "1"), used("h", "1", "2"))),
			[]string{"NEW_SKU S, n EUR 0 5", "NEW_SKU S, m EUR 0 4", "VANISHED_SKU S, h EUR 2 0", "VANISHED_SKU S, g EUR 1 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := brief(Notes(c.now, c.before)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func brief(notes []Note) (all []string) {
	for _, n := range notes {
		s := string(n.Code) + " " + n.Of
		if n.Currency != "" {
			s += " " + n.Currency
		}
		all = append(all, fmt.Sprintf("%s %s %s", s, n.Before, n.Now))
	}
	for i := range all {
		if notes[i].Text == "" {
			all[i] += ": no text"
		}
	}
	return all
}

func TestNotesInWords(t *testing.T) {
	bills := costing("1000", "1010", "990", "1000", "1000")
	last := bills[4].Lines
	last = append(last, used("g", "12.5", "100"))
	bills[4].Lines = last
	for _, c := range []struct {
		now  []Line
		want string
	}{
		{one(used("a", "1", "1234.567"), used("g", "12.5", "0")), "It cost EUR 1,234.57. The median of the 5 months before is EUR 1,000.00, and they lie 10.00 around it (median deviation)."},
		{one(used("a", "1", "1000"), used("g", "12.625", "1")), "A unit is EUR 12.625; in September 2026 it was EUR 12.5."},
		{one(used("a", "1", "1000"), used("g", "12.5", "1"), used("g", "13", "1")), "A unit is EUR 13; in September 2026 it was EUR 12.5. The sku has other prices beside it in this month."},
		{one(used("a", "1", "1000"), used("g", "12.5", "1"), used("n", "0.001", "1")), "It is new: none of the months since May 2026 has it. It cost EUR < 0.01."},
		{one(used("a", "1", "1000")), "It is gone: in September 2026 it cost EUR 1,250.00."},
		{nil, "It was used in September 2026, for EUR 2,250.00, and was not used in this month."},
	} {
		notes := Notes(c.now, bills)
		if len(notes) != 1 || notes[0].Text != c.want {
			t.Errorf("got %+v, want the one text %q", notes, c.want)
		}
	}
	if notes := Notes(nil, nil); len(notes) != 1 || notes[0].Text == "" {
		t.Errorf("of nothing: %+v", notes)
	}
}

// The order of lines is no information, and what is given stays as it was.
func TestNotesDoNotDependOnOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	any := func() (lines []Line) {
		for range 12 {
			sku := string(rune('a' + random.IntN(6)))
			lines = append(lines, used(sku, fmt.Sprint(1+random.IntN(3)), fmt.Sprint(random.IntN(4))))
		}
		return lines
	}
	shuffle := func(lines []Line) []Line {
		lines = slices.Clone(lines)
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		return lines
	}
	told := 0
	for range 200 {
		now, before := any(), trail(any(), any(), any(), any(), any())
		want := Notes(now, before)
		again := slices.Clone(before)
		for i := range again {
			again[i].Lines = shuffle(again[i].Lines)
		}
		if got := Notes(shuffle(now), again); !slices.EqualFunc(got, want, same) {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
		told += len(want)
	}
	if told < 200 {
		t.Errorf("only %d notes: the bills have too little in them", told)
	}
}

func same(a, b Note) bool {
	return a.Code == b.Code && a.Of == b.Of && a.Text == b.Text && a.Currency == b.Currency && a.Before.Equal(b.Before) && a.Now.Equal(b.Now)
}
