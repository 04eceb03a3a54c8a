package focus

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Rule is one thing that FOCUS asks of a column. Rules of FOCUS 1.2's own list have their name there (BilledCost-C-005), those that hold for
// many columns the name of the attribute (NumericFormat), and those of this export begin with Own.
type Rule struct {
	Name   string
	Column string
	Says   string
}

// rule is a Rule and how a row breaks it. Rules over a whole data set remember what they saw.
type rule struct {
	name   string
	column int
	says   string
	broken func(*Row) bool
	memory *memory // of a rule over a whole data set
}

// Names of the rules that hold for many columns.
const (
	notNull       = "NotNull"
	allowedValues = "AllowedValues"
	numericFormat = "NumericFormat"
	timeFormat    = "DateTimeFormat"
	stringFormat  = "StringHandling"
	nullHandling  = "NullHandling"
	pairsFormat   = "KeyValueFormat"
	currencyRule  = "CurrencyFormat"
)

// says are the sentences of those rules.
var says = map[string]string{
	notNull:       "must not be null",
	allowedValues: "must be one of the allowed values",
	numericFormat: "must be a decimal that DECIMAL(38, 18) holds if it is a cost, DECIMAL(38, 9) if it is a price or a quantity; as text without plus sign, commas, units",
	timeFormat:    "must be whole seconds in UTC; as text YYYY-MM-DDTHH:mm:ssZ",
	stringFormat:  "must be valid Unicode",
	nullHandling:  "must be null where there is no value, not a word or blanks that stand for it",
	pairsFormat:   "must be one flat JSON object without a key twice",
	currencyRule:  "must be a national currency of ISO 4217",
}

// rules returns all rules, those that remember with an empty memory.
func rules(limit int) []rule {
	var all []rule
	for i := range columns {
		all = append(all, columns[i].rules(i)...)
	}
	all = slices.Concat(all, nullRules(), amountRules(), meaningRules(), periodRules(), setRules(limit))
	slices.SortStableFunc(all, func(a, b rule) int { return a.column - b.column })
	return all
}

// rules of one column by itself.
func (c *Column) rules(place int) (all []rule) {
	add := func(name string, broken func(*Row) bool) {
		all = append(all, rule{name: name, column: place, says: says[name], broken: broken})
	}
	if !c.Nullable && c.Kind != Decimal { // Row cannot hold a cost that is null
		add(notNull, c.Null)
	}
	switch c.Kind {
	case Decimal:
		add(numericFormat, func(r *Row) bool { d, ok := c.Number(r); return ok && !fits(d, c.Scale) })
	case Time:
		add(timeFormat, func(r *Row) bool { return !c.Null(r) && !isMoment(*c.field(r).(*time.Time)) })
	case Pairs:
		add(pairsFormat, c.remembers(func(s string) bool { return isObject(s, anyKey) }))
	case Integer:
		add(numericFormat, func(r *Row) bool { return *c.field(r).(*int64) < 0 })
	case Text:
		for _, f := range c.textForms() {
			add(f.name, func(r *Row) bool { s := *c.field(r).(*string); return s != "" && !f.holds(s) })
		}
	}
	return all
}

// textForm is a rule on a text by itself.
type textForm struct {
	name  string
	holds func(string) bool
}

// textForms of a Text column. A column with allowed values needs no other.
func (c *Column) textForms() []textForm {
	switch {
	case c.Values != nil:
		return []textForm{{allowedValues, func(s string) bool { return slices.Contains(c.Values, s) }}}
	case c.Name == columns[billingCurrency].Name:
		return []textForm{{currencyRule, IsCurrency}}
	case c.Named:
		return []textForm{{stringFormat, isString}}
	}
	return []textForm{{stringFormat, isString}, {nullHandling, func(s string) bool { return !isPlaceholder(s) }}}
}

// Bounds of what is remembered of one column's texts.
const (
	maxKnown     = 1 << 10
	maxKnownText = 256 // bytes; longer ones are looked at every time
)

// remembers asks only once about texts that come again and again, and never about null.
func (c *Column) remembers(holds func(string) bool) (broken func(*Row) bool) {
	known := map[string]bool{}
	return func(r *Row) bool {
		s := *c.field(r).(*string)
		switch {
		case s == "" || known[s]:
			return false
		case !holds(s):
			return true
		case len(known) == maxKnown:
			clear(known)
		}
		if len(s) <= maxKnownText {
			known[strings.Clone(s)] = true
		}
		return false
	}
}

func null(place int, r *Row) bool { return columns[place].Null(r) }

// must makes a rule that holds where it applies.
func must(name string, column int, says string, applies, holds func(*Row) bool) rule {
	return rule{name: name, column: column, says: says, broken: func(r *Row) bool { return applies(r) && !holds(r) }}
}

func isNull(place int) func(*Row) bool  { return func(r *Row) bool { return null(place, r) } }
func isGiven(place int) func(*Row) bool { return func(r *Row) bool { return !null(place, r) } }

func isTax(r *Row) bool { return r.ChargeCategory == tax }

// isPriced: what was used or bought and is no correction has a price, a quantity and a SKU.
func isPriced(r *Row) bool {
	return (r.ChargeCategory == usage || r.ChargeCategory == purchase) && r.ChargeClass != correction
}

// nullRules say when a column is null.
func nullRules() []rule {
	var all []rule
	for _, w := range []struct {
		column, with int
		name, unless string // null when with is null; not null when with is given, "" if it may be
	}{
		{consumedUnit, consumedQuantity, "ConsumedUnit-C-005", "ConsumedUnit-C-006"},
		{pricingUnit, pricingQuantity, "PricingUnit-C-005", "PricingUnit-C-006"},
		{regionName, regionID, "RegionName-C-004", "RegionName-C-005"},
		{skuMeter, skuID, "SkuMeter-C-004", ""}, // C-005 says SHOULD
		{skuPriceDetails, skuPriceID, "SkuPriceDetails-C-004", ""},
		{subAccountName, subAccountID, "SubAccountName-C-004", "SubAccountName-C-005"},
		{subAccountType, subAccountID, "SubAccountType-C-004", "SubAccountType-C-005"},
	} {
		other := columns[w.with].Name
		all = append(all, must(w.name, w.column, "must be null when "+other+" is", isNull(w.with), isNull(w.column)))
		if w.unless != "" {
			all = append(all, must(w.unless, w.column, "must not be null when "+other+" is not", isGiven(w.with), isGiven(w.column)))
		}
	}
	for _, p := range []struct {
		column         int
		taxed, charged string
	}{
		{contractedUnitPrice, "ContractedUnitPrice-C-005", "ContractedUnitPrice-C-006"},
		{listUnitPrice, "ListUnitPrice-C-004", "ListUnitPrice-C-005"},
		{pricingCategory, "PricingCategory-C-003", "PricingCategory-C-004"},
		{pricingQuantity, "PricingQuantity-C-004", "PricingQuantity-C-005"},
		{skuID, "SkuId-C-004", "SkuId-C-005"},
		{skuPriceID, "SkuPriceId-C-004", "SkuPriceId-C-005"},
	} {
		all = append(all,
			must(p.taxed, p.column, "must be null when the charge is a tax", isTax, isNull(p.column)),
			must(p.charged, p.column, "must not be null when the charge is usage or a purchase and no correction", isPriced, isGiven(p.column)))
	}
	return append(all, consumptionRules()...)
}

// consumptionRules: the official model has the condition of C-006 the wrong way round, and asks of corrections what FOCUS asks of all others.
// Both leave out unused commitments, a column that this export does not have.
func consumptionRules() []rule {
	isUsage := func(r *Row) bool { return r.ChargeCategory == usage }
	return []rule{
		must("ConsumedQuantity-C-004", consumedQuantity, "must be null when the charge is not usage",
			func(r *Row) bool { return r.ChargeCategory != "" && !isUsage(r) }, isNull(consumedQuantity)),
		must("ConsumedQuantity-C-006", consumedQuantity, "must not be null when the charge is usage and no correction",
			func(r *Row) bool { return isUsage(r) && r.ChargeClass != correction }, isGiven(consumedQuantity)),
	}
}

// amountRules: prices, quantities and costs among each other, exact to the last digit.
func amountRules() []rule {
	return []rule{
		notNegative("ContractedUnitPrice-C-009", contractedUnitPrice),
		notNegative("ListUnitPrice-C-008", listUnitPrice),
		product("ContractedUnitPrice-C-011", contractedUnitPrice, contractedCost),
		product("ListUnitPrice-C-010", listUnitPrice, listCost),
	}
}

func notNegative(name string, price int) rule {
	return rule{name: name, column: price, says: "must not be negative", broken: func(r *Row) bool {
		d, ok := columns[price].Number(r)
		return ok && d.IsNegative()
	}}
}

// product says that price times quantity is the cost. Numbers of a wrong form are left to NumericFormat: they may be too large to multiply.
func product(name string, price, cost int) rule {
	says := "times " + columns[pricingQuantity].Name + " must be " + columns[cost].Name + " exactly, unless the charge is a correction"
	return rule{name: name, column: price, says: says, broken: func(r *Row) bool {
		if r.ChargeClass == correction {
			return false
		}
		p, ok1 := sound(price, r)
		q, ok2 := sound(pricingQuantity, r)
		c, ok3 := sound(cost, r)
		return ok1 && ok2 && ok3 && !p.Mul(q).Equal(c)
	}}
}

// sound returns a number of the right form.
func sound(place int, r *Row) (decimal.Decimal, bool) {
	d, ok := columns[place].Number(r)
	if !ok || !fits(d, columns[place].Scale) {
		return d, false
	}
	if d.IsZero() {
		return decimal.Zero, true // whatever its exponent
	}
	return d, true
}

// meaningRules: the rest of what one row says.
//
// EffectiveCost-C-005 is not among them. FOCUS wants an EffectiveCost of 0 of a purchase that covers later charges; the official model wants
// it of every purchase, against FOCUS's own examples. Which purchases cover later charges no column of this export says.
func meaningRules() []rule {
	parent, known := parents(), serviceCategories()
	return []rule{
		must("BilledCost-C-005", billedCost, "must be 0 when somebody else than the provider issues the invoice",
			func(r *Row) bool {
				return r.ProviderName != r.InvoiceIssuerName && r.ProviderName != "" && r.InvoiceIssuerName != ""
			},
			func(r *Row) bool { return r.BilledCost.IsZero() }),
		must("ChargeFrequency-C-004", chargeFrequency, "must not be usage-based when the charge is a purchase",
			func(r *Row) bool { return r.ChargeCategory == purchase },
			func(r *Row) bool { return r.ChargeFrequency != usageBased }),
		must("ServiceSubcategory-C-004", serviceSubcategory, "must belong to "+columns[serviceCategory].Name,
			func(r *Row) bool {
				return slices.Contains(known, r.ServiceCategory) && parent[r.ServiceSubcategory] != ""
			},
			func(r *Row) bool { return parent[r.ServiceSubcategory] == r.ServiceCategory }),
		{name: "SkuPriceDetails-C-017", column: skuPriceDetails, says: "must have keys that FOCUS defines or that begin with x_",
			broken: columns[skuPriceDetails].remembers(hasSkuProperties)},
	}
}

// hasSkuProperties leaves what is no object at all to KeyValueFormat.
func hasSkuProperties(s string) bool {
	return !isObject(s, anyKey) || isObject(s, func(key string) bool {
		return strings.HasPrefix(key, "x_") || slices.Contains(skuProperties, key)
	})
}

// periodRules: ends are exclusive, so a period without length is none.
func periodRules() []rule {
	given := func(places ...int) func(*Row) bool {
		return func(r *Row) bool {
			return !slices.ContainsFunc(places, func(p int) bool { return null(p, r) })
		}
	}
	return []rule{
		must("ChargePeriodEnd-C-004", chargePeriodEnd, "must be after the charge period's start", given(chargePeriodStart, chargePeriodEnd),
			func(r *Row) bool { return r.ChargePeriodStart.Before(r.ChargePeriodEnd) }),
		must("OwnBillingMonth", billingPeriodEnd, "must end the month that the billing period's start begins", given(billingPeriodStart, billingPeriodEnd), isMonth),
		must("OwnChargeWithinBilling", chargePeriodStart, "must be, as the charge period's end, within the billing period when the charge is usage and no correction",
			func(r *Row) bool {
				return r.ChargeCategory == usage && r.ChargeClass != correction && given(billingPeriodStart, billingPeriodEnd, chargePeriodStart, chargePeriodEnd)(r) &&
					r.BillingPeriodStart.Before(r.BillingPeriodEnd)
			},
			func(r *Row) bool {
				return !r.ChargePeriodStart.Before(r.BillingPeriodStart) && !r.ChargePeriodEnd.After(r.BillingPeriodEnd)
			}),
	}
}

func isMonth(r *Row) bool {
	start := r.BillingPeriodStart.UTC()
	first := time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, time.UTC)
	return start.Equal(first) && r.BillingPeriodEnd.Equal(first.AddDate(0, 1, 0))
}
