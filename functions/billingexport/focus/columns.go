package focus

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Kind is what the values of a column are.
type Kind string

// The kinds. A Decimal's field is a decimal.Decimal, or a decimal.NullDecimal if it may be null; a Text's and a Pairs' is a string.
const (
	Decimal Kind = "Decimal"
	Text    Kind = "String"
	Time    Kind = "Date/Time"
	Pairs   Kind = "JSON" // a flat object, FOCUS's key-value format
	Integer Kind = "Integer"
)

// Level is how much FOCUS wants a column.
type Level string

// The levels. Own columns are none of FOCUS: their names begin with x_.
const (
	Mandatory   Level = "Mandatory"
	Conditional Level = "Conditional"
	Recommended Level = "Recommended"
	Own         Level = "Own"
)

// Scales of the decimals, all of precision 38: a cost is the product of a price and a quantity, with no digit lost.
const (
	Precision     = 38
	CostScale     = 18
	QuantityScale = 9 // and of prices
)

// Column is one column of a file.
type Column struct {
	Name     string
	Kind     Kind
	Level    Level
	Nullable bool
	Scale    int32    // of a Decimal: digits behind the point
	Values   []string // those that are allowed; nil: any
	Named    bool     // its values are names that people chose: "N/A" is one of them, not a null

	field func(*Row) any
}

// Columns are those of Row, in its order: FOCUS's, then our own.
func Columns() []Column { return slices.Clone(columns[:]) }

// ColumnNamed finds a column.
func ColumnNamed(name string) (Column, bool) {
	i := slices.IndexFunc(columns[:], func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return columns[i], true
}

// Field points to the column's field of a row: a *string, *time.Time, *decimal.Decimal, *decimal.NullDecimal or *int64.
func (c *Column) Field(r *Row) any { return c.field(r) }

// Null reports whether the column is null in a row.
func (c *Column) Null(r *Row) bool {
	switch f := c.field(r).(type) {
	case *string:
		return *f == ""
	case *time.Time:
		return f.IsZero()
	case *decimal.NullDecimal:
		return !f.Valid
	case *int64:
		return *f == 0
	}
	return false // a decimal.Decimal
}

// Number returns the value of a Decimal column in a row; false if it is null.
func (c *Column) Number(r *Row) (decimal.Decimal, bool) {
	switch f := c.field(r).(type) {
	case *decimal.Decimal:
		return *f, true
	case *decimal.NullDecimal:
		return f.Decimal, f.Valid
	}
	return decimal.Decimal{}, false
}

// Places of the columns. The rules speak of columns by place, so that a name stands in one line only, that of the table: FOCUS 1.3 has other
// names for some (ProviderName).
const (
	billedCost = iota
	billingAccountID
	billingAccountName
	billingAccountType
	billingCurrency
	billingPeriodEnd
	billingPeriodStart
	chargeCategory
	chargeClass
	chargeDescription
	chargeFrequency
	chargePeriodEnd
	chargePeriodStart
	consumedQuantity
	consumedUnit
	contractedCost
	contractedUnitPrice
	effectiveCost
	invoiceID
	invoiceIssuerName
	listCost
	listUnitPrice
	pricingCategory
	pricingQuantity
	pricingUnit
	providerName
	publisherName
	regionID
	regionName
	serviceCategory
	serviceName
	serviceSubcategory
	skuID
	skuMeter
	skuPriceDetails
	skuPriceID
	subAccountID
	subAccountName
	subAccountType
	tags
	xBillableUsageTimestamp
	xCommitQuantity
	xCustomerSegment
	xExtra
	xOrganizationStatus
	xProductFamily
	xServiceID
	xSourceObject
	xSourceRow
	xSubscriptionID
	width
)

var columns = [width]Column{
	billedCost:          cost("BilledCost", func(r *Row) any { return &r.BilledCost }),
	billingAccountID:    text("BillingAccountId", Mandatory, func(r *Row) any { return &r.BillingAccountId }),
	billingAccountName:  chosen("BillingAccountName", Mandatory, func(r *Row) any { return &r.BillingAccountName }),
	billingAccountType:  text("BillingAccountType", Conditional, func(r *Row) any { return &r.BillingAccountType }),
	billingCurrency:     text("BillingCurrency", Mandatory, func(r *Row) any { return &r.BillingCurrency }),
	billingPeriodEnd:    moment("BillingPeriodEnd", func(r *Row) any { return &r.BillingPeriodEnd }),
	billingPeriodStart:  moment("BillingPeriodStart", func(r *Row) any { return &r.BillingPeriodStart }),
	chargeCategory:      text("ChargeCategory", Mandatory, func(r *Row) any { return &r.ChargeCategory }, usage, purchase, tax, "Credit", "Adjustment"),
	chargeClass:         maybe(text("ChargeClass", Mandatory, func(r *Row) any { return &r.ChargeClass }, correction)),
	chargeDescription:   maybe(text("ChargeDescription", Mandatory, func(r *Row) any { return &r.ChargeDescription })),
	chargeFrequency:     text("ChargeFrequency", Recommended, func(r *Row) any { return &r.ChargeFrequency }, "One-Time", "Recurring", usageBased),
	chargePeriodEnd:     moment("ChargePeriodEnd", func(r *Row) any { return &r.ChargePeriodEnd }),
	chargePeriodStart:   moment("ChargePeriodStart", func(r *Row) any { return &r.ChargePeriodStart }),
	consumedQuantity:    quantity("ConsumedQuantity", Conditional, func(r *Row) any { return &r.ConsumedQuantity }),
	consumedUnit:        maybe(text("ConsumedUnit", Conditional, func(r *Row) any { return &r.ConsumedUnit })),
	contractedCost:      cost("ContractedCost", func(r *Row) any { return &r.ContractedCost }),
	contractedUnitPrice: quantity("ContractedUnitPrice", Conditional, func(r *Row) any { return &r.ContractedUnitPrice }),
	effectiveCost:       cost("EffectiveCost", func(r *Row) any { return &r.EffectiveCost }),
	invoiceID:           maybe(text("InvoiceId", Recommended, func(r *Row) any { return &r.InvoiceId })),
	invoiceIssuerName:   text("InvoiceIssuerName", Mandatory, func(r *Row) any { return &r.InvoiceIssuerName }),
	listCost:            cost("ListCost", func(r *Row) any { return &r.ListCost }),
	listUnitPrice:       quantity("ListUnitPrice", Conditional, func(r *Row) any { return &r.ListUnitPrice }),
	pricingCategory:     maybe(text("PricingCategory", Conditional, func(r *Row) any { return &r.PricingCategory }, "Standard", "Dynamic", "Committed", "Other")),
	pricingQuantity:     quantity("PricingQuantity", Mandatory, func(r *Row) any { return &r.PricingQuantity }),
	pricingUnit:         maybe(text("PricingUnit", Mandatory, func(r *Row) any { return &r.PricingUnit })),
	providerName:        text("ProviderName", Mandatory, func(r *Row) any { return &r.ProviderName }),
	publisherName:       text("PublisherName", Mandatory, func(r *Row) any { return &r.PublisherName }),
	regionID:            maybe(text("RegionId", Conditional, func(r *Row) any { return &r.RegionId })),
	regionName:          maybe(text("RegionName", Conditional, func(r *Row) any { return &r.RegionName })),
	serviceCategory:     text("ServiceCategory", Mandatory, func(r *Row) any { return &r.ServiceCategory }, serviceCategories()...),
	serviceName:         text("ServiceName", Mandatory, func(r *Row) any { return &r.ServiceName }),
	serviceSubcategory:  text("ServiceSubcategory", Recommended, func(r *Row) any { return &r.ServiceSubcategory }, serviceSubcategories()...),
	skuID:               maybe(text("SkuId", Conditional, func(r *Row) any { return &r.SkuId })),
	skuMeter:            maybe(text("SkuMeter", Conditional, func(r *Row) any { return &r.SkuMeter })),
	skuPriceDetails:     pairs("SkuPriceDetails", Conditional, func(r *Row) any { return &r.SkuPriceDetails }),
	skuPriceID:          maybe(text("SkuPriceId", Conditional, func(r *Row) any { return &r.SkuPriceId })),
	subAccountID:        maybe(text("SubAccountId", Conditional, func(r *Row) any { return &r.SubAccountId })),
	subAccountName:      chosen("SubAccountName", Conditional, func(r *Row) any { return &r.SubAccountName }),
	subAccountType:      maybe(text("SubAccountType", Conditional, func(r *Row) any { return &r.SubAccountType })),
	tags:                pairs("Tags", Conditional, func(r *Row) any { return &r.Tags }),

	xBillableUsageTimestamp: chosen("x_BillableUsageTimestamp", Own, func(r *Row) any { return &r.XBillableUsageTimestamp }),
	xCommitQuantity:         quantity("x_CommitQuantity", Own, func(r *Row) any { return &r.XCommitQuantity }),
	xCustomerSegment:        chosen("x_CustomerSegment", Own, func(r *Row) any { return &r.XCustomerSegment }),
	xExtra:                  pairs("x_Extra", Own, func(r *Row) any { return &r.XExtra }),
	xOrganizationStatus:     chosen("x_OrganizationStatus", Own, func(r *Row) any { return &r.XOrganizationStatus }),
	xProductFamily:          chosen("x_ProductFamily", Own, func(r *Row) any { return &r.XProductFamily }),
	xServiceID:              chosen("x_ServiceId", Own, func(r *Row) any { return &r.XServiceId }),
	xSourceObject:           chosen("x_SourceObject", Own, func(r *Row) any { return &r.XSourceObject }),
	xSourceRow:              {Name: "x_SourceRow", Kind: Integer, Level: Own, Nullable: true, field: func(r *Row) any { return &r.XSourceRow }},
	xSubscriptionID:         chosen("x_SubscriptionId", Own, func(r *Row) any { return &r.XSubscriptionId }),
}

func cost(name string, field func(*Row) any) Column {
	return Column{Name: name, Kind: Decimal, Level: Mandatory, Scale: CostScale, field: field}
}

func quantity(name string, level Level, field func(*Row) any) Column {
	return Column{Name: name, Kind: Decimal, Level: level, Nullable: true, Scale: QuantityScale, field: field}
}

func moment(name string, field func(*Row) any) Column {
	return Column{Name: name, Kind: Time, Level: Mandatory, field: field}
}

func text(name string, level Level, field func(*Row) any, values ...string) Column {
	return Column{Name: name, Kind: Text, Level: level, Values: values, field: field}
}

func pairs(name string, level Level, field func(*Row) any) Column {
	return Column{Name: name, Kind: Pairs, Level: level, Nullable: true, field: field}
}

func maybe(c Column) Column {
	c.Nullable = true
	return c
}

// chosen is a text that people chose, or that is passed on as it stood.
func chosen(name string, level Level, field func(*Row) any) Column {
	c := maybe(text(name, level, field))
	c.Named = true
	return c
}
