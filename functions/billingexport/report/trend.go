package report

import (
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// mostMonths is how many months before are in the trend.
const mostMonths = 12

// trend is a chart over the months and the table of the same.
type trend struct {
	ID, Title, Desc string
	Currency        string
	Width           int    // of the drawing
	Zero            string // where it is, from the top
	High, Low       string // Low: only below zero
	Months          []column
}

// column is a month of a trend. One without data is a gap, not a zero.
type column struct {
	Month       hub.Period
	Short, Year string // Year: where it begins
	Left        string // its left edge
	Gap, This   bool
	Credit      bool
	Top, Height string
	Cost        money
	Change      *change // nil: the month before is a gap, or before the trend
	cost        decimal.Decimal
}

// known are the months before that a page looks at, by month.
func (p Page) known() map[hub.Period][]bill.Line {
	months := map[hub.Period][]bill.Line{}
	for _, m := range p.Before {
		if m.Month.Start().Before(p.Month.Start()) && !m.Month.Start().Before(p.Month.Add(-mostMonths).Start()) {
			months[m.Month] = append([]bill.Line{}, m.Lines...)
		}
	}
	return months
}

// trend of a currency; nil if there is no month before.
func (p Page) trend(currency, id string) *trend {
	months := p.known()
	if len(months) == 0 {
		return nil
	}
	first := p.Month
	for m := range months {
		if m.Start().Before(first.Start()) {
			first = m
		}
	}
	months[p.Month] = append([]bill.Line{}, p.Lines...)
	t := &trend{ID: id, Currency: currencyName(currency), Title: "Cost by month, " + currencyName(currency)}
	for m := first; !m.Start().After(p.Month.Start()); m = m.Add(1) {
		lines, ok := months[m]
		t.add(column{Month: m, Gap: !ok, This: m == p.Month, cost: sum(of(currency, lines))}, currency)
	}
	t.draw(currency)
	return t
}

// add puts a month after those that are there.
func (t *trend) add(c column, currency string) {
	n := len(t.Months)
	c.Left = decimal.New(int64(n*slot*10+room), -1).String()
	c.Short = c.Month.Start().Format("Jan")
	if n == 0 || c.Month.Month == 1 {
		c.Year = strconv.Itoa(c.Month.Year)
	}
	c.Cost, c.Credit = amount(currency, c.cost), c.cost.IsNegative()
	if n > 0 && !c.Gap && !t.Months[n-1].Gap {
		d := changed(currency, t.Months[n-1].cost, c.cost)
		c.Change = &d
	}
	t.Months = append(t.Months, c)
}

// draw places the columns.
func (t *trend) draw(currency string) {
	var costs []decimal.Decimal
	for _, c := range t.Months {
		costs = append(costs, c.cost)
	}
	s := newScale(trendHeight, costs...)
	top := func(d decimal.Decimal) decimal.Decimal { return s.size.Sub(s.at(d)) }
	zero := top(decimal.Zero)
	for i := range t.Months {
		c := &t.Months[i]
		c.Top, c.Height = decimal.Min(zero, top(c.cost)).String(), top(c.cost).Sub(zero).Abs().String()
	}
	t.Width, t.Zero = len(t.Months)*slot, zero.String()
	t.High = moneyText(currency, s.high)
	if s.low.IsNegative() {
		t.Low = moneyText(currency, s.low)
	}
	t.Desc = fmt.Sprintf("A column for each of %d months, between %s and %s. The table below has the figures.", len(t.Months), moneyText(currency, s.low), t.High)
}
