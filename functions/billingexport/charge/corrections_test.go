package charge_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/charge"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

func lineOf(subscription, price, usage, commit, billable string) bill.Line {
	l := bill.Line{Org: org, OrgName: "Coke", ServiceID: "s", Service: "Cost Insight", Subscription: subscription, Sku: "A", CrossReference: "X",
		Currency: "USD", Price: amount(price), Rows: 1, Usage: amount(usage), Commit: amount(commit), Billable: amount(billable)}
	l.Cost = l.Price.Mul(l.Billable)
	return l
}

func TestCorrections(t *testing.T) {
	base := lineOf("a", "2", "5", "1", "4")
	renamed := base
	renamed.OrgName, renamed.Service, renamed.SkuDescription, renamed.Tag = "New", "New", "New", "New"
	euro := base
	euro.Currency = "EUR"
	half := lineOf("a", "2", "2", "1", "1")
	half.OrgName = "New"
	other := lineOf("a", "2", "3", "0", "3")
	for _, tt := range []struct {
		name       string
		since, now []bill.Line
		want       []string // subscription, currency, unit price, consumed, commit, priced, cost
	}{
		{"nothing", nil, nil, nil},
		{"equal", []bill.Line{base}, []bill.Line{base}, nil},
		{"a changed name only", []bill.Line{base}, []bill.Line{renamed}, nil},
		{"one line that is two now, under two names", []bill.Line{base}, []bill.Line{half, other}, nil},
		{"new", nil, []bill.Line{base}, []string{"a USD 2.3 5 1 4 9.2"}},
		{"gone", []bill.Line{base}, nil, []string{"a USD 2.3 -5 -1 -4 -9.2"}},
		{"more", []bill.Line{base}, []bill.Line{lineOf("a", "2", "6.000000001", "1", "5.000000001")}, []string{"a USD 2.3 1.000000001 0 1.000000001 2.3000000023"}},
		{"usage only", []bill.Line{base}, []bill.Line{lineOf("a", "2", "6", "2", "4")}, []string{"a USD 2.3 1 1 0 0"}},
		{"another price", []bill.Line{base}, []bill.Line{lineOf("a", "3", "5", "1", "4")}, []string{"a USD 2.3 -5 -1 -4 -9.2", "a USD 3.45 5 1 4 13.8"}},
		{"another currency", []bill.Line{base}, []bill.Line{euro}, []string{"a EUR 2.3 5 1 4 9.2", "a USD 2.3 -5 -1 -4 -9.2"}},
	} {
		var got []string
		rows := charge.Corrections(options(), revision.Tenant, tt.since, tt.now, "bill.json")
		for _, r := range rows {
			got = append(got, fmt.Sprintf("%s %s %s %s %s %s %s", r.XSubscriptionId, r.BillingCurrency, r.ContractedUnitPrice.Decimal, r.ConsumedQuantity.Decimal,
				r.XCommitQuantity.Decimal, r.PricingQuantity.Decimal, r.BilledCost))
			if r.ChargeClass != "Correction" || r.ChargePeriodStart != options().Month.Start() || r.ChargePeriodEnd != options().Month.End() ||
				r.XSourceObject != "bill.json" || !r.BilledCost.Equal(r.EffectiveCost) || !r.ListCost.Equal(r.ListUnitPrice.Decimal.Mul(r.PricingQuantity.Decimal)) {
				t.Errorf("%s: %+v", tt.name, r)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q", tt.name, got)
		}
		clean(t, tt.name, rows)
	}
	if rows := charge.Corrections(charge.Options{}, revision.Tenant, nil, []bill.Line{base}, ""); rows != nil {
		t.Errorf("in a lens that is not charged: %v", rows)
	}
	two := base
	two.CrossReference = "Y"
	for _, r := range charge.Corrections(options(), revision.Provider, []bill.Line{base}, []bill.Line{two}, "") {
		if r.SkuPriceId != "A" || r.SkuId != "A" {
			t.Errorf("%s has the id %s", r.SkuPriceId, r.SkuId)
		}
	}
}

// Whatever changes, the sums before and of the corrections are those of now: per identity and currency, in every lens.
func TestCorrectionsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	lines := func() (all []bill.Line) {
		for range random.IntN(30) {
			number := func() string { return decimal.New(random.Int64N(2e12)-1e12, -9).String() }
			l := lineOf(fmt.Sprint(random.IntN(4)), fmt.Sprint(random.IntN(3)), number(), number(), number())
			l.OrgName = fmt.Sprint(random.IntN(2))
			l.Currency = []string{"USD", "EUR"}[random.IntN(2)]
			all = append(all, l)
		}
		return all
	}
	o := options()
	for range 300 {
		since, now := lines(), lines()
		for _, a := range o.Lenses {
			sums := map[string]decimal.Decimal{}
			add := func(all []bill.Line, sign int64) {
				for _, l := range all {
					_, cost := charge.Price(a, l)
					key := l.Subscription + " " + l.Currency + " " + l.Price.String()
					sums[key] = sums[key].Add(cost.Mul(decimal.NewFromInt(sign)))
					sums[key+" usage"] = sums[key+" usage"].Add(l.Usage.Mul(decimal.NewFromInt(sign)))
				}
			}
			add(since, 1)
			add(now, -1)
			for _, r := range charge.Corrections(o, a.Lens, since, now, "x") {
				key := r.XSubscriptionId + " " + r.BillingCurrency + " " + r.ListUnitPrice.Decimal.String()
				sums[key] = sums[key].Add(r.BilledCost)
				sums[key+" usage"] = sums[key+" usage"].Add(r.ConsumedQuantity.Decimal)
			}
			for key, rest := range sums {
				if !rest.IsZero() {
					t.Fatalf("%s: %s is left of %s", a.Lens, rest, key)
				}
			}
		}
	}
}

func TestPrice(t *testing.T) {
	l := lineOf("a", "0.123456789", "0", "0", "3")
	for _, tt := range []struct {
		account    charge.Account
		unit, cost string
	}{
		{charge.Account{Lens: revision.Provider, Markup: amount("2")}, "0.123456789", "0.370370367"},
		{charge.Account{Lens: revision.Tenant, Markup: amount("1.15")}, "0.141975307", "0.425925921"},
		{charge.Account{Lens: revision.Tenant}, "0.123456789", "0.370370367"},
	} {
		if unit, cost := charge.Price(tt.account, l); !unit.Equal(amount(tt.unit)) || !cost.Equal(amount(tt.cost)) {
			t.Errorf("%+v: %s, %s", tt.account, unit, cost)
		}
	}
}
