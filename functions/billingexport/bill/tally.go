package bill

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// tally is a month as Notes looks at it.
type tally struct {
	past     Past
	services map[serviceKey]decimal.Decimal // costs
	skus     map[skuKey]sku
	used     map[string]bool   // services with usage
	names    map[string]string // of services, for people
}

type serviceKey struct{ service, currency string }

type skuKey struct{ service, sku, currency string }

// sku is what all lines of a sku come to.
type sku struct {
	name   string
	cost   decimal.Decimal
	prices []priced
}

// priced is what was billed at a price.
type priced struct{ price, billable decimal.Decimal }

func tallied(p Past) tally {
	t := tally{p, map[serviceKey]decimal.Decimal{}, map[skuKey]sku{}, map[string]bool{}, map[string]string{}}
	for _, l := range p.Lines {
		t.add(l)
	}
	return t
}

func (t tally) month() string { return t.past.Month.Start().Format("January 2006") }

func (t tally) add(l Line) {
	service := cmp.Or(l.ServiceID, l.Service) // a service's name may change
	inService, inSku := serviceKey{service, l.Currency}, skuKey{service, l.Sku, l.Currency}
	t.names[service] = l.Service
	t.services[inService] = t.services[inService].Add(l.Cost)
	t.skus[inSku] = t.skus[inSku].with(l)
	if !l.Usage.IsZero() {
		t.used[service] = true
	}
}

func (s sku) with(l Line) sku {
	s.name = l.Service + ", " + l.Sku
	s.cost = s.cost.Add(l.Cost)
	if i := s.at(l.Price); i >= 0 {
		s.prices[i].billable = s.prices[i].billable.Add(l.Billable)
		return s
	}
	s.prices = append(s.prices, priced{l.Price, l.Billable})
	return s
}

// mostBilled returns the price at which most was billed, of those that other does not have; the lowest of several.
func (s sku) mostBilled(other sku) (price decimal.Decimal, ok bool) {
	var best priced
	for _, p := range s.prices {
		switch {
		case other.has(p.price):
		case !ok, p.above(best):
			best, ok = p, true
		}
	}
	return best.price, ok
}

func (p priced) above(q priced) bool {
	return cmp.Or(p.billable.Cmp(q.billable), q.price.Cmp(p.price)) > 0
}

func (s sku) has(price decimal.Decimal) bool { return s.at(price) >= 0 }

func (s sku) at(price decimal.Decimal) int {
	return slices.IndexFunc(s.prices, func(p priced) bool { return p.price.Equal(price) })
}

// others says that there are more prices than the one that is told.
func (s sku) others() string {
	if len(s.prices) < 2 {
		return ""
	}
	return " The sku has other prices beside it in this month."
}
