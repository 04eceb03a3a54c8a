package charge

import (
	"cmp"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// Values of columns that are the same in every row.
const (
	vmware       = "VMware"
	masterType   = "Provider Organization"
	tenantType   = "Tenant Organization"
	units        = "Units"
	usage        = "Usage"
	usageBased   = "Usage-Based"
	standard     = "Standard"
	correction   = "Correction"
	organization = "OrganizationTag"
)

// unitPrice is a unit's price in a lens: the hub's, in lens tenant times the markup and rounded half away from zero to the nine decimals that a
// price has. So a cost is still exactly price times quantity.
func unitPrice(a Account, hub decimal.Decimal) decimal.Decimal {
	if a.Lens != revision.Tenant || a.Markup.IsZero() {
		return hub
	}
	return hub.Mul(a.Markup).Round(scale)
}

// Price is what a line costs in a lens: a unit, and all of it.
func Price(a Account, l bill.Line) (unit, cost decimal.Decimal) {
	unit = unitPrice(a, l.Price)
	return unit, unit.Mul(l.Billable)
}

// focusRow is what all charges of a line have in common in a lens.
func (b *book) focusRow(l bill.Line, status string, a Account) *focus.Row {
	r := commonRow(b.o, l, a, b.skus)
	r.XOrganizationStatus, r.XSourceObject = status, b.source
	return r
}

func commonRow(o Options, l bill.Line, a Account, s *skus) *focus.Row {
	c := categoryOf(l.Service)
	unit := unitPrice(a, l.Price)
	r := &focus.Row{
		BillingCurrency: l.Currency, BillingPeriodStart: o.Month.Start(), BillingPeriodEnd: o.Month.End(),
		ChargeCategory: usage, ChargeDescription: description(l), ChargeFrequency: usageBased,
		ConsumedUnit: units, PricingUnit: units, PricingCategory: standard,
		ContractedUnitPrice: decimal.NewNullDecimal(unit), ListUnitPrice: decimal.NewNullDecimal(l.Price),
		RegionId: l.Datacenter, RegionName: l.Datacenter,
		ServiceCategory: c.name, ServiceSubcategory: c.sub, ServiceName: l.Service,
		SkuMeter: l.SkuDescription, SkuPriceDetails: details(l), Tags: tags(l),
		XCustomerSegment: l.Segment, XProductFamily: l.Family, XServiceId: l.ServiceID, XSubscriptionId: l.Subscription,
	}
	r.SkuPriceId, r.SkuId = s.ids(l.Sku, l.CrossReference)
	setAccounts(r, o, l, a)
	return r
}

// setAccounts says who charges whom. Provider and issuer are the same in both lenses: FOCUS allows a cost only then.
func setAccounts(r *focus.Row, o Options, l bill.Line, a Account) {
	r.PublisherName = vmware
	name := cmp.Or(l.OrgName, l.Org)
	if a.Lens == revision.Tenant {
		r.ProviderName, r.InvoiceIssuerName = a.Issuer, a.Issuer
		r.BillingAccountId, r.BillingAccountName, r.BillingAccountType = l.Org, name, tenantType
		return
	}
	r.ProviderName, r.InvoiceIssuerName = vmware, vmware
	r.BillingAccountId, r.BillingAccountType = o.Master, masterType
	r.SubAccountId, r.SubAccountName, r.SubAccountType = l.Org, name, tenantType
}

func description(l bill.Line) string {
	if l.SkuDescription == "" {
		return l.Service
	}
	return l.Service + ": " + l.SkuDescription
}

func tags(l bill.Line) string {
	if l.Tag == "" {
		return ""
	}
	return object(map[string]string{organization: l.Tag})
}

func details(l bill.Line) string {
	d := map[string]string{}
	if l.Family != "" {
		d["x_ProductFamily"] = l.Family
	}
	if l.Segment != "" {
		d["x_CustomerSegment"] = l.Segment
	}
	if len(d) == 0 {
		return ""
	}
	return object(d)
}
