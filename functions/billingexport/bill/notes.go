package bill

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/shared/hub"
)

// NoteCode is a note's name.
type NoteCode string

// The notes, in the order in which they are told.
const (
	NoteZeroUsage   NoteCode = "ZERO_USAGE"   // the tenant used nothing, and nothing the month before
	NoteStopped     NoteCode = "STOPPED"      // a service that was used is not used any more
	NoteMoved       NoteCode = "COST_MOVED"   // a service's cost is far from what it was in the months before
	NotePrice       NoteCode = "PRICE_CHANGE" // a sku has a price that it did not have
	NoteNewSku      NoteCode = "NEW_SKU"      // a sku that none of the months before has
	NoteVanishedSku NoteCode = "VANISHED_SKU" // a sku that the month before has
)

// When a cost has moved: it is further from the median of the trailing months than movedMADs times their median absolute deviation, and
// further than movedShare of the median, and movedMonths of them have the service at least. The share keeps quiet the cents of a cost that is
// the same every month, whose deviation is nothing; five deviations are some 3.4 standard deviations of a cost that scatters normally.
const (
	movedMADs   = 5
	movedShare  = "0.10"
	movedMonths = 4
)

// Note is something that a person may want to look at, though it need not be wrong.
type Note struct {
	Code     NoteCode        `json:"code"`
	Of       string          `json:"of,omitempty"` // the service or sku it is about, readable
	Text     string          `json:"text"`         // a sentence for a person, with the figures
	Currency string          `json:"currency,omitempty"`
	Before   decimal.Decimal `json:"before"` // what it is compared with: a cost, of NotePrice a price
	Now      decimal.Decimal `json:"now"`
}

// Past is a month before.
type Past struct {
	Month hub.Period
	Lines []Line
}

// Notes compares a tenant's month with those before it, oldest first, priced for the same lens. It cannot know whether a tenant is active:
// of one that is not, NoteZeroUsage means nothing. Within a code the largest amounts come first.
func Notes(now []Line, before []Past) []Note {
	c := newComparison(now, before)
	var all []Note
	for _, find := range []func() []Note{c.zeroUsage, c.stopped, c.moved, c.prices, c.newSkus, c.vanishedSkus} {
		all = append(all, ordered(find())...)
	}
	return all
}

func ordered(notes []Note) []Note {
	slices.SortFunc(notes, func(a, b Note) int {
		return cmp.Or(
			b.Now.Sub(b.Before).Abs().Cmp(a.Now.Sub(a.Before).Abs()),
			cmp.Compare(a.Of, b.Of), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Text, b.Text),
		)
	})
	return notes
}

// comparison is a month beside those before it.
type comparison struct {
	now  tally
	past []tally // oldest first
	last *tally  // of past; nil: there is none
}

func newComparison(now []Line, before []Past) comparison {
	c := comparison{now: tallied(Past{Lines: now})}
	for _, p := range before {
		c.past = append(c.past, tallied(p))
	}
	if n := len(c.past); n > 0 {
		c.last = &c.past[n-1]
	}
	return c
}

// zeroUsage is silent about a month in which usage stopped: those notes say more.
func (c comparison) zeroUsage() []Note {
	if len(c.now.used) > 0 || c.last != nil && len(c.last.used) > 0 {
		return nil
	}
	return []Note{{Code: NoteZeroUsage, Text: "Nothing was used in this month. If the tenant is meant to be active, somebody should ask why."}}
}

func (c comparison) stopped() (notes []Note) {
	if c.last == nil {
		return nil
	}
	for k, cost := range c.last.services {
		if !c.hasStopped(k.service) {
			continue
		}
		notes = append(notes, Note{
			Code: NoteStopped, Of: c.last.names[k.service], Currency: k.currency, Before: cost, Now: c.now.services[k],
			Text: fmt.Sprintf("It was used in %s, for %s, and was not used in this month.", c.last.month(), Money(k.currency, cost)),
		})
	}
	return notes
}

func (c comparison) hasStopped(service string) bool {
	return c.last != nil && c.last.used[service] && !c.now.used[service]
}

func (c comparison) moved() (notes []Note) {
	for k, cost := range c.now.services {
		middle, spread, n := c.trail(k)
		if n < movedMonths || c.hasStopped(k.service) || !far(cost, middle, spread) {
			continue
		}
		notes = append(notes, Note{
			Code: NoteMoved, Of: c.now.names[k.service], Currency: k.currency, Before: middle, Now: cost,
			Text: fmt.Sprintf("It cost %s. The median of the %d months before is %s, and they lie %s around it (median deviation).",
				Money(k.currency, cost), n, Money(k.currency, middle), Amount(spread)),
		})
	}
	return notes
}

// trail is the median of what a service cost in the months that have it, and their median absolute deviation.
func (c comparison) trail(k serviceKey) (middle, spread decimal.Decimal, months int) {
	var costs []decimal.Decimal
	for _, p := range c.past {
		if cost, ok := p.services[k]; ok {
			costs = append(costs, cost)
		}
	}
	middle = median(costs)
	for i, cost := range costs {
		costs[i] = cost.Sub(middle).Abs()
	}
	return middle, median(costs), len(costs)
}

// far reports whether a cost has moved; see movedMADs.
func far(cost, middle, spread decimal.Decimal) bool {
	away := cost.Sub(middle).Abs()
	return away.GreaterThan(spread.Mul(decimal.NewFromInt(movedMADs))) &&
		away.GreaterThan(middle.Abs().Mul(decimal.RequireFromString(movedShare)))
}

// median orders the values. Of an even number it is the mean of the two in the middle; of none it is 0.
func median(values []decimal.Decimal) decimal.Decimal {
	n := len(values)
	if n == 0 {
		return decimal.Zero
	}
	slices.SortFunc(values, decimal.Decimal.Cmp)
	if n%2 == 1 {
		return values[n/2]
	}
	return values[n/2-1].Add(values[n/2]).Mul(decimal.New(5, -1))
}

// prices looks at the last month that has the sku: a sku that paused may come back at another price.
func (c comparison) prices() (notes []Note) {
	for k, s := range c.now.skus {
		was, month, ok := c.lastOf(k)
		if !ok {
			continue
		}
		price, ok := s.mostBilled(was)
		if !ok {
			continue
		}
		before, _ := was.mostBilled(sku{})
		notes = append(notes, Note{
			Code: NotePrice, Of: s.name, Currency: k.currency, Before: before, Now: price,
			Text: fmt.Sprintf("A unit is %s %s; in %s it was %[1]s %[4]s.%s", CurrencyName(k.currency), Exact(price), month, Exact(before), s.others()),
		})
	}
	return notes
}

func (c comparison) lastOf(k skuKey) (s sku, month string, ok bool) {
	for _, p := range slices.Backward(c.past) {
		if s, ok := p.skus[k]; ok {
			return s, p.month(), true
		}
	}
	return sku{}, "", false
}

func (c comparison) newSkus() (notes []Note) {
	if c.last == nil {
		return nil
	}
	for k, s := range c.now.skus {
		if _, _, known := c.lastOf(k); known {
			continue
		}
		notes = append(notes, Note{
			Code: NoteNewSku, Of: s.name, Currency: k.currency, Now: s.cost,
			Text: fmt.Sprintf("It is new: none of the months since %s has it. It cost %s.", c.past[0].month(), Money(k.currency, s.cost)),
		})
	}
	return notes
}

// vanishedSkus is silent about a service that stopped as a whole.
func (c comparison) vanishedSkus() (notes []Note) {
	if c.last == nil {
		return nil
	}
	for k, s := range c.last.skus {
		if _, there := c.now.skus[k]; there || c.hasStopped(k.service) {
			continue
		}
		notes = append(notes, Note{
			Code: NoteVanishedSku, Of: s.name, Currency: k.currency, Before: s.cost,
			Text: fmt.Sprintf("It is gone: in %s it cost %s.", c.last.month(), Money(k.currency, s.cost)),
		})
	}
	return notes
}
