package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/report"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/hub"
)

var october = hub.Period{Year: 2026, Month: time.October}

// sold is what the tenant of the pages buys: a sku, its price in thousandths, and how much of it.
var sold = []struct {
	service, sku, description, datacenter string
	price, quantity                       int64
}{
	{"VMware Cloud on AWS", "VMC-I3-HOST-EU", "i3.metal host, on demand", "eu-central-1", 8368, 2976},
	{"VMware Cloud on AWS", "VMC-I3-HOST-US", "i3.metal host, on demand", "us-west-2", 7641, 1488},
	{"VMware Cloud on AWS", "VMC-EGRESS-EU", "Data transfer out, GB", "eu-central-1", 91, 41220},
	{"VMware Cloud on AWS", "VMC-IP-EU", "Elastic IP, hour", "eu-central-1", 5, 8928},
	{"Log Intelligence", "LINT-INGEST", "Log ingestion, GB", "us-west-2", 412, 5310},
	{"Log Intelligence", "LINT-KEEP", "Log retention, GB and month", "us-west-2", 24, 61200},
	{"Cost Insight", "CI-BASE", "Cost Insight, base", "us-west-2", 1250000, 1},
	{"AppDefense", "APPD-SOCKET", "AppDefense, socket and hour", "ap-southeast-2", 33, 14880},
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// lines of a month; n is how far back it is, so that months differ.
func lines(n int64) (all []bill.Line) {
	for i, s := range sold {
		if n > 0 && s.sku == "APPD-SOCKET" {
			continue
		}
		price, quantity := decimal.New(s.price, -3), decimal.New(s.quantity*100-s.quantity*n*(3-int64(i%5)), -2)
		if s.sku == "LINT-INGEST" && n > 0 {
			price = dec("0.389")
		}
		all = append(all, bill.Line{
			Org: "8b1c7d7e-54f5-4f1c-9a59-3f0a0b6f2c11", OrgName: "Northwind Traders", ServiceID: s.service, Service: s.service,
			Subscription: fmt.Sprintf("5f0e-%04d", i), Sku: s.sku, SkuDescription: s.description, Datacenter: s.datacenter,
			Currency: "EUR", Price: price, Billable: quantity, Usage: quantity, Cost: price.Mul(quantity), Rows: 31,
		})
	}
	return all
}

func before() (all []report.Month) {
	for n := int64(12); n > 0; n-- {
		if n == 7 || n == 8 {
			continue // not exported
		}
		all = append(all, report.Month{Month: october.Add(-int(n)), Lines: lines(n)})
	}
	return all
}

// page is what finance gets of an ordinary tenant.
func page() report.Page {
	now := lines(0)
	since := lines(0)
	since[2].Billable = since[2].Billable.Sub(dec("312.5"))
	since[2].Cost = since[2].Price.Mul(since[2].Billable)
	past := before()
	return report.Page{
		Month: october, Org: now[0].Org, OrgName: now[0].OrgName, Lens: revision.Provider, Revision: 3, State: revision.Published,
		AsOf: time.Date(2026, 11, 6, 6, 0, 0, 0, time.FixedZone("", 3600)), Lines: now, Before: past, Since: since, SinceRevision: 2,
		Notes: bill.Notes(now, past),
		Verdicts: []bill.Verdict{
			{Code: bill.Match, Text: "38 keys agree.", Count: 38},
			{Code: bill.UnknownService, Of: "AppDefense", Text: "The service AppDefense has no category of its own.", Count: 31},
		},
		Files: []revision.File{{
			Name: "focus.provider.parquet", Lens: revision.Provider, Format: revision.Parquet, Rows: 248,
			Sum:    blob.Sum{SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Bytes: 48211},
			Billed: []revision.Money{{Currency: "EUR", Amount: cost(now)}},
		}},
	}
}

func cost(lines []bill.Line) (sum decimal.Decimal) {
	for _, l := range lines {
		sum = sum.Add(l.Cost)
	}
	return sum
}

// crowd is a statement over many tenants.
func crowd(t testing.TB, tenants int) report.Statement {
	t.Helper()
	s := report.Statement{Month: october, Lens: revision.Provider, Revision: 3, State: revision.Unreconciled, AsOf: page().AsOf, Since: 2}
	for i := range tenants {
		now, past := lines(int64(i%5)), lines(int64(i%5)+1)
		one := report.Tenant{
			Org: fmt.Sprintf("8b1c7d7e-54f5-4f1c-9a59-%012d", i), OrgName: fmt.Sprintf("Tenant %02d of the provider", i+1),
			Costs: report.Costs(now[:1+i%len(now)], past[:1+i%len(past)]), Compared: i%6 != 5,
		}
		if i == 3 {
			one.Verdicts = []bill.Verdict{{Code: bill.Mismatch, Grave: true, Of: "VMC-I3-HOST-EU", Text: "The file says 2976, the report 2980."}}
		}
		if i == 4 {
			one.Costs, one.Verdicts = nil, []bill.Verdict{{Code: bill.NoService}}
		}
		s.Tenants = append(s.Tenants, one)
	}
	return s
}

// odd is a page with everything that is hard to set: endless names, names written from right to left, amounts as large and as small as they
// come, credits, a currency that nobody states, and more lines than a table has room for.
func odd() report.Page {
	p := page()
	p.OrgName = "דוגמה לשם ארוך מאוד " + strings.Repeat("Donaudampfschifffahrtsgesellschaft", 4)
	p.State, p.Verdicts = revision.Unreconciled, []bill.Verdict{{Code: bill.Mismatch, Grave: true, Of: strings.Repeat("key/", 60), Text: strings.Repeat("unbroken", 80)}}
	p.Lines[0].Service, p.Lines[1].Sku = strings.Repeat("x", 300), strings.Repeat("ש", 200)
	for i := range 80 {
		l := p.Lines[i%8]
		l.Sku, l.Currency = fmt.Sprint("SKU-", i), []string{"EUR", ""}[i%2]
		l.Price, l.Billable = dec("99999999999.999999999"), decimal.New(int64(i)*1e9+1, -9)
		if i%7 == 0 {
			l.Price = dec("-0.000000001")
		}
		l.Cost = l.Price.Mul(l.Billable)
		p.Lines = append(p.Lines, l)
	}
	return p
}
