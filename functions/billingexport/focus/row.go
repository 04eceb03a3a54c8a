// Package focus is FOCUS 1.2, the FinOps Open Cost and Usage Specification: its columns as far as an export of Cloud Provider Hub has them, a
// row, and a checker of its rules. It is pure; the files are package focusfile's.
package focus

import (
	"time"

	"github.com/shopspring/decimal"
)

// Row is one charge. An empty string, a zero time and an invalid NullDecimal are null. Field names are the columns' names.
type Row struct {
	BilledCost          decimal.Decimal // DECIMAL(38,18), as all costs
	BillingAccountId    string
	BillingAccountName  string
	BillingAccountType  string
	BillingCurrency     string
	BillingPeriodEnd    time.Time // exclusive
	BillingPeriodStart  time.Time
	ChargeCategory      string
	ChargeClass         string
	ChargeDescription   string
	ChargeFrequency     string
	ChargePeriodEnd     time.Time // exclusive
	ChargePeriodStart   time.Time
	ConsumedQuantity    decimal.NullDecimal // DECIMAL(38,9), as all quantities and prices
	ConsumedUnit        string
	ContractedCost      decimal.Decimal
	ContractedUnitPrice decimal.NullDecimal
	EffectiveCost       decimal.Decimal
	InvoiceId           string
	InvoiceIssuerName   string
	ListCost            decimal.Decimal
	ListUnitPrice       decimal.NullDecimal
	PricingCategory     string
	PricingQuantity     decimal.NullDecimal
	PricingUnit         string
	ProviderName        string
	PublisherName       string
	RegionId            string
	RegionName          string
	ServiceCategory     string
	ServiceName         string
	ServiceSubcategory  string
	SkuId               string
	SkuMeter            string
	SkuPriceDetails     string // a flat JSON object
	SkuPriceId          string
	SubAccountId        string
	SubAccountName      string
	SubAccountType      string
	Tags                string // a flat JSON object

	// Our own, after all of FOCUS.
	XBillableUsageTimestamp string              // x_BillableUsageTimestamp: as it stood there
	XCommitQuantity         decimal.NullDecimal // x_CommitQuantity
	XCustomerSegment        string              // x_CustomerSegment
	XExtra                  string              // x_Extra: columns that the guide does not have, a flat JSON object
	XOrganizationStatus     string              // x_OrganizationStatus
	XProductFamily          string              // x_ProductFamily
	XServiceId              string              // x_ServiceId
	XSourceObject           string              // x_SourceObject: name of the raw file
	XSourceRow              int64               // x_SourceRow: its line, from 1; 0 is null
	XSubscriptionId         string              // x_SubscriptionId
}
