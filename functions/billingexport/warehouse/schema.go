package warehouse

import "google.golang.org/api/bigquery/v2"

// types of columns.
const (
	text   = "STRING"
	moment = "TIMESTAMP"
	count  = "INTEGER"
	amount = "BIGNUMERIC" // costs, DECIMAL(38,18): NUMERIC has nine digits behind the point
	number = "NUMERIC"    // quantities and prices, DECIMAL(38,9): exactly what NUMERIC holds
)

// columns of every table, in the order of focus.Row. All may be null for BigQuery: what must not be is checked before a file is written, and a
// column that is required could never be added.
var columns = []struct{ name, kind string }{
	{"BilledCost", amount},
	{"BillingAccountId", text},
	{"BillingAccountName", text},
	{"BillingAccountType", text},
	{"BillingCurrency", text},
	{"BillingPeriodEnd", moment},
	{"BillingPeriodStart", moment},
	{"ChargeCategory", text},
	{"ChargeClass", text},
	{"ChargeDescription", text},
	{"ChargeFrequency", text},
	{"ChargePeriodEnd", moment},
	{"ChargePeriodStart", moment},
	{"ConsumedQuantity", number},
	{"ConsumedUnit", text},
	{"ContractedCost", amount},
	{"ContractedUnitPrice", number},
	{"EffectiveCost", amount},
	{"InvoiceId", text},
	{"InvoiceIssuerName", text},
	{"ListCost", amount},
	{"ListUnitPrice", number},
	{"PricingCategory", text},
	{"PricingQuantity", number},
	{"PricingUnit", text},
	{"ProviderName", text},
	{"PublisherName", text},
	{"RegionId", text},
	{"RegionName", text},
	{"ServiceCategory", text},
	{"ServiceName", text},
	{"ServiceSubcategory", text},
	{"SkuId", text},
	{"SkuMeter", text},
	{"SkuPriceDetails", text},
	{"SkuPriceId", text},
	{"SubAccountId", text},
	{"SubAccountName", text},
	{"SubAccountType", text},
	{"Tags", text},

	{"x_BillableUsageTimestamp", text},
	{"x_CommitQuantity", number},
	{"x_CustomerSegment", text},
	{"x_Extra", text},
	{"x_OrganizationStatus", text},
	{"x_ProductFamily", text},
	{"x_ServiceId", text},
	{"x_SourceObject", text},
	{"x_SourceRow", count},
	{"x_SubscriptionId", text},
}

// schema is ours, for a table that is made.
func schema() *bigquery.TableSchema {
	s := &bigquery.TableSchema{}
	for _, c := range columns {
		s.Fields = append(s.Fields, &bigquery.TableFieldSchema{Name: c.name, Type: c.kind, Mode: "NULLABLE"})
	}
	return s
}
