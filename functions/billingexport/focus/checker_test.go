package focus

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func d(s string) decimal.Decimal      { return decimal.RequireFromString(s) }
func nd(s string) decimal.NullDecimal { return decimal.NewNullDecimal(d(s)) }

var (
	october  = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

// good is a row as this export writes it, without anything that may be null for no reason.
func good() Row {
	return Row{
		BilledCost: d("0.123456789"), EffectiveCost: d("0.123456789"), ContractedCost: d("0.123456789"), ListCost: d("0.123456789"),
		ContractedUnitPrice: nd("0.041152263"), ListUnitPrice: nd("0.041152263"), PricingQuantity: nd("3"), PricingUnit: "Units", PricingCategory: "Standard",
		ConsumedQuantity: nd("5"), ConsumedUnit: "Units",
		BillingAccountId: "master", BillingAccountName: "Société Générale 株式会社 🙂", BillingAccountType: "Master Organization", BillingCurrency: "USD",
		SubAccountId: "tenant", SubAccountName: "N/A", SubAccountType: "Tenant Organization",
		BillingPeriodStart: october, BillingPeriodEnd: november, ChargePeriodStart: october.AddDate(0, 0, 2), ChargePeriodEnd: october.AddDate(0, 0, 3),
		ChargeCategory: usage, ChargeFrequency: usageBased, ChargeDescription: "Hosts",
		ProviderName: "VMware", PublisherName: "VMware", InvoiceIssuerName: "VMware",
		RegionId: "us-west-2", RegionName: "us-west-2",
		ServiceCategory: "Compute", ServiceSubcategory: "Virtual Machines", ServiceName: "VMware Cloud on AWS",
		SkuId: "XREF-1", SkuMeter: "Hosts", SkuPriceId: "SKU-1", SkuPriceDetails: `{"x_ProductFamily":"VMC","CoreCount":36}`,
		XBillableUsageTimestamp: "1538352000", XCommitQuantity: nd("2"), XCustomerSegment: "n/a", XOrganizationStatus: "ACTIVE", XProductFamily: "VMC",
		XServiceId: "svc", XSourceObject: "raw/usage.csv", XSourceRow: 2, XSubscriptionId: "sub",
	}
}

// taxed is a tax: it has no price, quantity or SKU.
func taxed() Row {
	r := good()
	r.ChargeCategory = tax
	r.ContractedUnitPrice, r.ListUnitPrice, r.PricingQuantity, r.ConsumedQuantity = decimal.NullDecimal{}, decimal.NullDecimal{}, decimal.NullDecimal{}, decimal.NullDecimal{}
	r.PricingUnit, r.ConsumedUnit, r.PricingCategory, r.SkuId, r.SkuMeter, r.SkuPriceId, r.SkuPriceDetails = "", "", "", "", "", "", ""
	return r
}

// bought is a purchase that runs for a year.
func bought() Row {
	r := good()
	r.ChargeCategory, r.ChargeFrequency = purchase, "One-Time"
	r.ConsumedQuantity, r.ConsumedUnit = decimal.NullDecimal{}, ""
	r.ChargePeriodEnd = r.ChargePeriodStart.AddDate(1, 0, 0)
	return r
}

// corrected takes back what was charged in another month.
func corrected() Row {
	r := good()
	r.ChargeClass = correction
	return r
}

// but is a row with a change.
func but(r Row, change func(*Row)) Row {
	change(&r)
	return r
}

// example is a data set that breaks one rule, or none.
type example struct {
	name         string
	rule, column string
	rows         []Row
}

// goodExamples break nothing, whatever the official validator says.
func goodExamples() []example {
	none := decimal.NullDecimal{}
	one := func(name string, r Row) example { return example{name: name, rows: []Row{r}} }
	return []example{
		one("usage", good()), one("tax", taxed()), one("purchase", bought()), one("correction", corrected()),
		// EffectiveCost-C-005 of the official model wants 0 of every purchase.
		one("purchase that covers nothing later", but(bought(), func(r *Row) { r.EffectiveCost = r.BilledCost })),
		one("purchase that covers later charges", but(bought(), func(r *Row) { r.EffectiveCost = decimal.Zero })),
		// ConsumedQuantity-C-006 of the official model demands it of corrections.
		one("correction without consumption", but(corrected(), func(r *Row) { r.ConsumedQuantity, r.ConsumedUnit = none, "" })),
		one("correction of the cost alone", but(corrected(), func(r *Row) {
			r.BilledCost, r.ContractedUnitPrice, r.ListUnitPrice, r.PricingQuantity, r.PricingUnit = d("-7"), none, none, none, ""
			r.SkuId, r.SkuMeter, r.SkuPriceId, r.SkuPriceDetails, r.PricingCategory = "", "", "", "", ""
		})),
		one("correction whose product is another", but(corrected(), func(r *Row) { r.ListCost, r.ContractedCost = d("1"), d("2") })),
		one("correction of an earlier month", but(corrected(), func(r *Row) { r.ChargePeriodStart, r.ChargePeriodEnd = october.AddDate(0, -1, 0), october })),
		one("third party's invoice", but(good(), func(r *Row) { r.InvoiceIssuerName, r.BilledCost = "Reseller", decimal.Zero })),
		one("tenant's lens", but(good(), func(r *Row) {
			r.ProviderName, r.InvoiceIssuerName, r.SubAccountId, r.SubAccountName, r.SubAccountType = "We", "We", "", "", ""
			r.ContractedUnitPrice, r.ContractedCost = nd("0.05"), d("0.15")
		})),
		one("no region", but(good(), func(r *Row) { r.RegionId, r.RegionName = "", "" })),
		one("no meter, no details", but(good(), func(r *Row) { r.SkuMeter, r.SkuPriceDetails = "", "" })),
		one("nothing of our own", but(good(), func(r *Row) {
			r.XBillableUsageTimestamp, r.XCommitQuantity, r.XCustomerSegment, r.XOrganizationStatus, r.XProductFamily = "", none, "", "", ""
			r.XServiceId, r.XSourceObject, r.XSourceRow, r.XSubscriptionId = "", "", 0, ""
		})),
		one("38 digits", but(good(), func(r *Row) {
			r.ContractedUnitPrice, r.PricingQuantity, r.ContractedCost = nd("1"), nd("99999999999999999999.999999999"), d("99999999999999999999.999999999")
			r.ListUnitPrice, r.ListCost = nd("0"), decimal.New(0, math.MinInt32)
			r.BilledCost = d("-99999999999999999999.999999999999999999")
			r.ConsumedQuantity = nd("99999999999999999999999999999.999999999")
		})),
		one("zeros behind", but(good(), func(r *Row) { r.BilledCost, r.XCommitQuantity = d("1.2500000000000000000000000"), nd("1e3") })),
		one("summary of a whole month", but(good(), func(r *Row) { r.ChargePeriodStart, r.ChargePeriodEnd = october, november })),
		one("leap February", but(good(), func(r *Row) {
			r.BillingPeriodStart, r.BillingPeriodEnd = time.Date(2028, 2, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC)
			r.ChargePeriodStart, r.ChargePeriodEnd = r.BillingPeriodStart.AddDate(0, 0, 28), r.BillingPeriodEnd
		})),
		one("tags", but(good(), func(r *Row) { r.Tags, r.XExtra = ` {"a":null,"b":true,"c":1e9,"d":"\"","":""} `, `{}` })),
		{name: "two services, SKUs, currencies", rows: []Row{good(), but(good(), func(r *Row) {
			r.ServiceName, r.ServiceCategory, r.ServiceSubcategory = "Log Intelligence", "Management and Governance", "Observability"
			r.SkuId, r.SkuPriceId, r.BillingCurrency = "XREF-2", "SKU-2", "EUR"
		}), but(good(), func(r *Row) { r.SkuPriceId = "SKU-3" })}},
		{name: "invoices in two currencies", rows: []Row{
			but(good(), func(r *Row) { r.InvoiceId = "1" }), but(good(), func(r *Row) { r.InvoiceId, r.BillingCurrency = "2", "EUR" }),
			but(good(), func(r *Row) {
				r.InvoiceId, r.BillingCurrency, r.InvoiceIssuerName, r.ProviderName = "1", "EUR", "Other", "Other"
			}),
		}},
	}
}

// badExamples break one rule each, and nothing else.
func badExamples() []example {
	none := decimal.NullDecimal{}
	one := func(rule, column, name string, r Row) example { return example{name, rule, column, []Row{r}} }
	of := func(rule, name string, r Row) example {
		column, _, _ := strings.Cut(rule, "-")
		return one(rule, column, name, r)
	}
	zone := time.FixedZone("", 3600)
	return append(columnExamples(),
		one(numericFormat, "BilledCost", "39 digits", but(good(), func(r *Row) { r.BilledCost = d("100000000000000000000") })),
		one(numericFormat, "BilledCost", "of any size", but(good(), func(r *Row) { r.BilledCost = decimal.New(1, math.MaxInt32) })),
		one(numericFormat, "BilledCost", "of any smallness", but(good(), func(r *Row) { r.BilledCost = decimal.New(7, math.MinInt32) })),
		one(numericFormat, "ListUnitPrice", "too large to multiply", but(good(), func(r *Row) { r.ListUnitPrice = decimal.NewNullDecimal(decimal.New(3, math.MaxInt32)) })),
		one(numericFormat, "PricingQuantity", "a tenth digit", but(good(), func(r *Row) { r.PricingQuantity = nd("3.0000000001") })),
		one(timeFormat, "ChargePeriodStart", "not UTC", but(good(), func(r *Row) { r.ChargePeriodStart = r.ChargePeriodStart.In(zone) })),
		one(timeFormat, "ChargePeriodEnd", "beyond four digits of a year", but(bought(), func(r *Row) { r.ChargePeriodEnd = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) })),
		one(pairsFormat, "Tags", "nested", but(good(), func(r *Row) { r.Tags = `{"a":{"b":1}}` })),
		one(pairsFormat, "Tags", "a list inside", but(good(), func(r *Row) { r.Tags = `{"a":[]}` })),
		one(pairsFormat, "Tags", "a key twice", but(good(), func(r *Row) { r.Tags = `{"a":1,"\u0061":2}` })),
		one(pairsFormat, "Tags", "cut short", but(good(), func(r *Row) { r.Tags = `{"a":1` })),
		one(pairsFormat, "Tags", "two objects", but(good(), func(r *Row) { r.Tags = `{}{}` })),
		one(pairsFormat, "SkuPriceDetails", "no Unicode", but(good(), func(r *Row) { r.SkuPriceDetails = "{\"x_a\":\"\xff\"}" })),
		one(currencyRule, "BillingCurrency", "small letters", but(good(), func(r *Row) { r.BillingCurrency = "usd" })),
		one(currencyRule, "BillingCurrency", "gold", but(good(), func(r *Row) { r.BillingCurrency = "XAU" })),
		one(nullHandling, "SkuMeter", "blanks", but(good(), func(r *Row) { r.SkuMeter = "  " })),

		of("BilledCost-C-005", "a reseller between provider and us", but(good(), func(r *Row) { r.InvoiceIssuerName = "Reseller" })),
		of("BilledCost-C-005", "negative", but(good(), func(r *Row) { r.InvoiceIssuerName, r.BilledCost = "Reseller", d("-0.000000000000000001") })),
		of("ChargeFrequency-C-004", "bought by use", but(bought(), func(r *Row) { r.ChargeFrequency = usageBased })),
		of("ChargePeriodEnd-C-004", "no length", but(good(), func(r *Row) { r.ChargePeriodEnd = r.ChargePeriodStart })),
		of("ChargePeriodEnd-C-004", "backwards", but(good(), func(r *Row) { r.ChargePeriodEnd = r.ChargePeriodStart.AddDate(0, 0, -1) })),
		one("OwnBillingMonth", "BillingPeriodEnd", "no length", but(good(), func(r *Row) { r.BillingPeriodEnd = r.BillingPeriodStart })),
		one("OwnBillingMonth", "BillingPeriodEnd", "inclusive end", but(good(), func(r *Row) { r.BillingPeriodEnd = r.BillingPeriodEnd.Add(-time.Second) })),
		one("OwnBillingMonth", "BillingPeriodEnd", "two months", but(good(), func(r *Row) { r.BillingPeriodStart = october.AddDate(0, -1, 0) })),
		one("OwnBillingMonth", "BillingPeriodEnd", "from the second", but(good(), func(r *Row) {
			r.BillingPeriodStart, r.BillingPeriodEnd = october.AddDate(0, 0, 1), november.AddDate(0, 0, 1)
		})),
		one("OwnChargeWithinBilling", "ChargePeriodStart", "the day before", but(good(), func(r *Row) { r.ChargePeriodStart = october.AddDate(0, 0, -1) })),
		one("OwnChargeWithinBilling", "ChargePeriodStart", "into the next", but(good(), func(r *Row) { r.ChargePeriodEnd = november.Add(time.Second) })),

		of("ConsumedQuantity-C-004", "a purchase that consumes", but(bought(), func(r *Row) { r.ConsumedQuantity, r.ConsumedUnit = nd("1"), "Units" })),
		of("ConsumedQuantity-C-006", "usage of nothing", but(good(), func(r *Row) { r.ConsumedQuantity, r.ConsumedUnit = none, "" })),
		of("ConsumedUnit-C-005", "unit alone", but(bought(), func(r *Row) { r.ConsumedUnit = "Units" })),
		of("ConsumedUnit-C-006", "quantity alone", but(good(), func(r *Row) { r.ConsumedUnit = "" })),
		of("PricingUnit-C-005", "unit alone", but(taxed(), func(r *Row) { r.PricingUnit = "Units" })),
		of("PricingUnit-C-006", "quantity alone", but(good(), func(r *Row) { r.PricingUnit = "" })),

		of("ContractedUnitPrice-C-005", "of a tax", but(taxed(), func(r *Row) { r.ContractedUnitPrice = nd("1") })),
		of("ContractedUnitPrice-C-006", "none", but(good(), func(r *Row) { r.ContractedUnitPrice = none })),
		of("ContractedUnitPrice-C-009", "negative", but(good(), func(r *Row) { r.ContractedUnitPrice, r.ContractedCost = nd("-1"), d("-3") })),
		of("ContractedUnitPrice-C-011", "last digit", but(good(), func(r *Row) { r.ContractedCost = d("0.123456789000000001") })),
		of("ContractedUnitPrice-C-011", "rounded to cents", but(bought(), func(r *Row) { r.ContractedCost = d("0.12") })),
		of("ListUnitPrice-C-004", "of a tax", but(taxed(), func(r *Row) { r.ListUnitPrice = nd("1") })),
		of("ListUnitPrice-C-005", "none", but(bought(), func(r *Row) { r.ListUnitPrice = none })),
		of("ListUnitPrice-C-008", "negative", but(corrected(), func(r *Row) { r.ListUnitPrice = nd("-1") })),
		of("ListUnitPrice-C-010", "last digit", but(good(), func(r *Row) { r.ListCost = d("0.123456788999999999") })),
		of("ListUnitPrice-C-010", "0.1 x 3 as a binary number", but(good(), func(r *Row) { r.ListUnitPrice, r.ListCost = nd("0.1"), d("0.300000000000000044") })),
		of("PricingQuantity-C-004", "of a tax", but(taxed(), func(r *Row) { r.PricingQuantity, r.PricingUnit = nd("1"), "Units" })),
		of("PricingQuantity-C-005", "none", but(good(), func(r *Row) { r.PricingQuantity, r.PricingUnit = none, "" })),
		of("PricingCategory-C-003", "of a tax", but(taxed(), func(r *Row) { r.PricingCategory = "Other" })),
		of("PricingCategory-C-004", "none", but(bought(), func(r *Row) { r.PricingCategory = "" })),

		of("SkuId-C-004", "of a tax", but(taxed(), func(r *Row) { r.SkuId = "XREF-1" })),
		of("SkuId-C-005", "none", but(good(), func(r *Row) { r.SkuId, r.SkuMeter = "", "" })),
		of("SkuPriceId-C-004", "of a tax", but(taxed(), func(r *Row) { r.SkuPriceId = "SKU-1" })),
		of("SkuPriceId-C-005", "none", but(bought(), func(r *Row) { r.SkuPriceId, r.SkuPriceDetails = "", "" })),
		of("SkuMeter-C-004", "meter of nothing", but(taxed(), func(r *Row) { r.SkuMeter = "Hosts" })),
		of("SkuPriceDetails-C-004", "details of nothing", but(taxed(), func(r *Row) { r.SkuPriceDetails = `{"x_A":1}` })),
		of("SkuPriceDetails-C-017", "key of nobody", but(good(), func(r *Row) { r.SkuPriceDetails = `{"ProductFamily":"VMC"}` })),
		of("RegionName-C-004", "name alone", but(good(), func(r *Row) { r.RegionId = "" })),
		of("RegionName-C-005", "id alone", but(good(), func(r *Row) { r.RegionName = "" })),
		of("SubAccountName-C-004", "name alone", but(good(), func(r *Row) { r.SubAccountId, r.SubAccountType = "", "" })),
		of("SubAccountName-C-005", "no name", but(good(), func(r *Row) { r.SubAccountName = "" })),
		of("SubAccountType-C-004", "type alone", but(good(), func(r *Row) { r.SubAccountId, r.SubAccountName = "", "" })),
		of("SubAccountType-C-005", "no type", but(good(), func(r *Row) { r.SubAccountType = "" })),
		of("ServiceSubcategory-C-004", "of another category", but(good(), func(r *Row) { r.ServiceSubcategory = "Observability" })),

		example{"two SkuIds", "SkuPriceId-C-008", "SkuPriceId", []Row{good(), but(good(), func(r *Row) { r.SkuId = "XREF-2" })}},
		example{"category changes", "ServiceName-C-005", "ServiceName", []Row{good(), but(good(), func(r *Row) {
			r.ServiceCategory, r.ServiceSubcategory = "Other", "Other (Other)"
		})}},
		example{"subcategory changes", "ServiceName-C-008", "ServiceName", []Row{good(), but(good(), func(r *Row) { r.ServiceSubcategory = "Containers" })}},
		example{"invoice in two currencies", "BillingCurrency-C-005", "BillingCurrency", []Row{
			but(good(), func(r *Row) { r.InvoiceId = "1" }), but(good(), func(r *Row) { r.InvoiceId, r.BillingCurrency = "1", "EUR" }),
		}},
	)
}

// columnExamples break each rule of each column by itself.
func columnExamples() (all []example) {
	for i := range columns {
		c := &columns[i]
		for _, r := range c.rules(i) {
			row := prepared(i)
			spoil(c, r.name, &row)
			all = append(all, example{"spoilt", r.name, c.Name, []Row{row}})
		}
	}
	return all
}

// prepared is a row in which the column has no bearing on others.
func prepared(place int) Row {
	r := good()
	switch place {
	case providerName, invoiceIssuerName:
		r.BilledCost = decimal.Zero
	case chargeCategory:
		r.ConsumedQuantity, r.ConsumedUnit = decimal.NullDecimal{}, ""
	}
	return r
}

// spoil makes a column of a row break a rule.
func spoil(c *Column, rule string, r *Row) {
	texts := map[string]string{
		notNull: "", allowedValues: "Imaginary", stringFormat: "Soci\xe9t\xe9", nullHandling: "Not Applicable", pairsFormat: "a=b", currencyRule: "Credits",
	}
	switch f := c.Field(r).(type) {
	case *string:
		*f = texts[rule]
	case *time.Time:
		*f = map[string]time.Time{notNull: {}, timeFormat: f.In(time.FixedZone("", -7*3600))}[rule]
	case *decimal.Decimal:
		*f = d("0.1234567890000000001")
	case *decimal.NullDecimal:
		*f = nd("0.0000000001")
	case *int64:
		*f = -1
	}
}

// failure says how a checker of these rules finds an example other than it is; "" if it does not.
func failure(rules []rule, e example) string {
	c := newChecker(rules)
	for _, r := range e.rows {
		c.Add(r)
	}
	var got []string
	for _, f := range c.Findings() {
		got = append(got, fmt.Sprint(f.Column, " ", f.Name, " in ", f.Rows))
	}
	want := []string(nil)
	if e.rule != "" {
		want = []string{fmt.Sprint(e.column, " ", e.rule, " in ", []int{len(e.rows)})} // the last row breaks it
	}
	if slices.Equal(got, want) {
		return ""
	}
	return fmt.Sprintf("%s: found %q, want %q", e.name, got, want)
}

func all() []rule { return rules(maxMemory) }

func TestGoodRows(t *testing.T) {
	for _, e := range goodExamples() {
		if f := failure(all(), e); f != "" {
			t.Error(f)
		}
	}
}

func TestBadRows(t *testing.T) {
	for _, e := range badExamples() {
		if f := failure(all(), e); f != "" {
			t.Error(f)
		}
	}
}

func TestEveryRuleHasARowThatBreaksIt(t *testing.T) {
	for _, r := range Rules() {
		if !slices.ContainsFunc(badExamples(), func(e example) bool { return e.rule == r.Name && e.column == r.Column }) {
			t.Errorf("no row breaks %s of %s", r.Name, r.Column)
		}
	}
}

// A rule that is switched off or turned round is noticed by the rows above.
func TestMutantsAreKilled(t *testing.T) {
	mutants := map[string]func([]rule, int) []rule{
		"off": func(rs []rule, i int) []rule { return slices.Delete(rs, i, i+1) },
		"turned round": func(rs []rule, i int) []rule {
			holds := rs[i].broken
			rs[i].broken = func(r *Row) bool { return !holds(r) }
			return rs
		},
	}
	killed := 0
	for name, mutate := range mutants {
		for i, r := range Rules() {
			if !slices.ContainsFunc(examplesFor(r), func(e example) bool { return failure(mutate(all(), i), e) != "" }) {
				t.Errorf("nobody notices that %s of %s is %s", r.Name, r.Column, name)
				continue
			}
			killed++
		}
	}
	n := len(Rules())
	t.Logf("%d rules, %d good and %d bad data sets, %d of %d mutants killed", n, len(goodExamples()), len(badExamples()), killed, n*len(mutants))
}

// examplesFor are all of them, those that break the rule first: they kill soonest.
func examplesFor(r Rule) []example {
	examples := append(badExamples(), goodExamples()...)
	slices.SortStableFunc(examples, func(a, b example) int {
		breaks := func(e example) int {
			if e.rule == r.Name && e.column == r.Column {
				return 0
			}
			return 1
		}
		return breaks(a) - breaks(b)
	})
	return examples
}

func TestRulesAreNamedOnce(t *testing.T) {
	seen := map[Rule]bool{}
	for _, r := range Rules() {
		k := Rule{Name: r.Name, Column: r.Column}
		if seen[k] || r.Says == "" {
			t.Errorf("%+v", r)
		}
		seen[k] = true
	}
}

func TestFindingsAreCountedAndBounded(t *testing.T) {
	c := New()
	for i := range 1000 {
		c.Add(but(good(), func(r *Row) {
			if i%2 == 1 {
				r.RegionName = ""
			}
		}))
	}
	found := c.Findings()
	if len(found) != 1 || found[0].Count != 500 || !slices.Equal(found[0].Rows, []int64{2, 4, 6, 8, 10}) || c.Rows() != 1000 {
		t.Errorf("found %+v in %d rows", found, c.Rows())
	}
	if found[0].Name != "RegionName-C-005" || found[0].Says == "" {
		t.Errorf("found %+v", found[0])
	}
}

// What does not fit into memory is said, and what does is still checked.
func TestMemoryIsBounded(t *testing.T) {
	c := newChecker(rules(20))
	c.Add(but(good(), func(r *Row) {
		r.SkuPriceId, r.SkuId, r.ServiceName, r.ServiceCategory, r.ServiceSubcategory = "p1", "s1", "a", "Other", "Other (Other)"
	}))
	c.Add(but(good(), func(r *Row) {
		r.SkuPriceId, r.SkuId, r.ServiceName, r.ServiceCategory, r.ServiceSubcategory = "p2", strings.Repeat("s", 17), "a", "Other", "Other (Other)"
	}))
	c.Add(but(good(), func(r *Row) {
		r.SkuPriceId, r.SkuId, r.ServiceName, r.ServiceCategory, r.ServiceSubcategory = "p1", "s2", "a", "Other", "Other (Other)"
	}))
	found := c.Findings()
	if len(found) != 1 || found[0].Name != "SkuPriceId-C-008" || found[0].Count != 1 || found[0].Unchecked != 1 {
		t.Errorf("found %+v", found)
	}
}

// A checker keeps nothing of the rows: their texts may lie in a buffer that is used again.
func TestMemoryIsItsOwn(t *testing.T) {
	buffer := []byte("SKU-1")
	c := New()
	c.Add(but(good(), func(r *Row) { r.SkuPriceId = unsafeText(buffer) }))
	copy(buffer, "SKU-2")
	c.Add(but(good(), func(r *Row) { r.SkuPriceId, r.SkuId = "SKU-1", "XREF-2" }))
	if found := c.Findings(); len(found) != 1 || found[0].Name != "SkuPriceId-C-008" {
		t.Errorf("found %+v", found)
	}
}

func BenchmarkChecker(b *testing.B) {
	c, r := New(), good()
	b.ReportAllocs()
	for i := range b.N {
		r.XSourceRow = int64(i + 2)
		c.Add(r)
	}
	if len(c.Findings()) > 0 {
		b.Fatal(c.Findings())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
