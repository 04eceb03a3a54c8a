package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/hub"
)

var (
	october = hub.Period{Year: 2026, Month: time.October}
	asOfDay = time.Date(2026, time.November, 6, 6, 30, 0, 0, time.FixedZone("CET", 3600))
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// charge is a line: so much of a sku at a price. A sku's name tells its service and datacenter: vmc/host@eu.
func charge(currency, sku, price, quantity string) bill.Line {
	service, rest, _ := strings.Cut(sku, "/")
	_, where, _ := strings.Cut(rest, "@")
	return bill.Line{
		Org: "org-1", OrgName: "Northwind", ServiceID: service + "-id", Service: service, Subscription: "sub-" + service, Sku: rest,
		Datacenter: where, Currency: currency, Price: dec(price), Usage: dec(quantity), Billable: dec(quantity), Cost: dec(price).Mul(dec(quantity)),
	}
}

func euros(sku, price, quantity string) bill.Line { return charge("EUR", sku, price, quantity) }

func months(bills map[int][]bill.Line) (past []Month) {
	for n := -14; n < 3; n++ {
		if lines, ok := bills[n]; ok {
			past = append(past, Month{Month: october.Add(n), Lines: lines})
		}
	}
	return past
}

// cases are the pages of the golden files.
func cases() map[string]Page {
	all := map[string]Page{
		"ordinary": ordinary(), "empty": {}, "one": one(), "many": many(5000), "currencies": threeCurrencies(), "hostile": hostile(),
	}
	all["empty"] = Page{Org: "org-1", State: revision.Preliminary, Lens: revision.Provider, Verdicts: []bill.Verdict{{Code: bill.NoService, Text: "No service."}}}
	for name, p := range all {
		p.Month, p.AsOf, p.Revision = october, asOfDay, 3
		all[name] = p
	}
	return all
}

// ordinary has months before with a gap, a restatement, notes, and everything that can change.
func ordinary() Page {
	now := []bill.Line{
		euros("vmc/host@eu", "8.368", "744"), euros("vmc/ip@eu", "0.0047", "1333"), euros("vmc/egress@us", "0.091", "5120.25"), euros("log/ingest@us", "0.412", "100"),
		euros("log/new@us", "2", "11"), euros("log/refund@us", "-3", "1"),
	}
	september := []bill.Line{
		euros("vmc/host@eu", "8.368", "720"), euros("vmc/ip@eu", "0.0047", "1333"), euros("vmc/egress@us", "0.095", "6000"), euros("log/ingest@us", "0.389", "120"),
		euros("cost/gone@us", "5.5", "2"),
	}
	return Page{
		Org: "8b1c7d7e-54f5-4f1c-9a59-3f0a0b6f2c11", OrgName: "Northwind Traders", Lens: revision.Provider, State: revision.Published,
		Lines:  now,
		Before: months(map[int][]bill.Line{-4: {euros("vmc/host@eu", "8", "700")}, -3: {euros("vmc/refund@eu", "-8", "70")}, -1: september}),
		Since:  append([]bill.Line{euros("vmc/host@eu", "8.368", "743.5")}, now[1:]...), SinceRevision: 2,
		Notes: []bill.Note{
			{Code: bill.NotePrice, Of: "log, ingest@us", Text: "A unit is EUR 0.412; in September 2026 it was EUR 0.389.", Currency: "EUR"},
			{Code: "LATER", Text: "A note that this page does not know."},
		},
		Verdicts: []bill.Verdict{
			{Code: bill.Match, Text: "6 keys agree.", Count: 6}, {Code: bill.WithinTolerance, Of: "vmc", Text: "0.0000001 apart."},
			{Code: bill.Duplicates, Of: "usage.csv", Text: "1200 rows stand there more than once.", Count: 1200},
		},
		Files: []revision.File{{
			Name: "focus.provider.parquet", Rows: 1234, Sum: blob.Sum{SHA256: strings.Repeat("0123456789abcdef", 4), Bytes: 56789},
			Billed: []revision.Money{{Currency: "EUR", Amount: sum(now)}},
		}},
	}
}

// one line, to the tenant, and something grave whose text holds the hub's price.
func one() Page {
	return Page{
		Org: "org-1", OrgName: "Northwind", Lens: revision.Tenant, Issuer: "Contoso Cloud", State: revision.Unreconciled,
		Lines: []bill.Line{euros("vmc/host@eu", "9.2048", "744")}, Before: months(map[int][]bill.Line{-1: {euros("vmc/host@eu", "9.2048", "744")}}),
		Verdicts: []bill.Verdict{
			{Code: bill.ExtraColumns, Of: "usage.csv", Text: "Columns: Color."},
			{Code: bill.Mismatch, Grave: true, Of: "vmc, host@eu", Text: "The file says EUR 6225.792 (744 at 8.368), the report EUR 6300."},
		},
	}
}

// many lines, more than any table shows, of many services in many datacenters.
func many(n int) Page {
	p := Page{Org: "org-1", OrgName: "Northwind", Lens: revision.Provider, State: revision.Published, SinceRevision: 1}
	var before []bill.Line
	for i := range n {
		sku := fmt.Sprintf("service %02d/sku-%04d@dc-%02d", i%30, i, i%17)
		p.Lines = append(p.Lines, euros(sku, fmt.Sprintf("0.%09d", i+1), fmt.Sprint(1000+i)))
		before = append(before, euros(sku, fmt.Sprintf("0.%09d", i+1+i%2), fmt.Sprint(1000+i%2000)))
	}
	p.Before, p.Since = months(map[int][]bill.Line{-1: before}), before
	for i := range 50 {
		p.Notes = append(p.Notes, bill.Note{Code: bill.NoteNewSku, Of: fmt.Sprint("sku ", i), Text: "It is new."})
		p.Verdicts = append(p.Verdicts, bill.Verdict{Code: bill.Mismatch, Of: fmt.Sprint("key ", i), Text: "They differ."})
	}
	return p
}

// threeCurrencies and one that nobody states, with credits, the largest and the smallest amounts there can be.
func threeCurrencies() Page {
	return Page{
		Org: "org-1", OrgName: "Northwind", Lens: revision.Provider, State: revision.Published,
		Lines: []bill.Line{
			euros("vmc/host@eu", "0.000000001", "0.000000001"), charge("USD", "vmc/host@us", "99999999999.999999999", "999999999.999999999"),
			charge("JPY", "vmc/host@jp", "120", "31"), charge("JPY", "vmc/credit@jp", "-500", "31"), charge("", "log/ingest@us", "1", "2"),
		},
		Before: months(map[int][]bill.Line{
			-1: {charge("USD", "vmc/host@us", "1", "0.01"), charge("CHF", "vmc/host@ch", "2", "3")},
			-2: {charge("JPY", "vmc/host@jp", "110", "30")},
			-3: {},
		}),
	}
}

// Texts that try to be more than text.
const (
	script   = `</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>"'` + "`"
	turned   = "\u05e9\u05dc\u05d5\u05dd\u202eevil\u202c \u0639\u0627\u0644\u0645"
	controls = "a\x00b\x01c\r\nd\u2028e\ufffef\xffg"
)

func hostile() Page {
	l := bill.Line{
		Org: script, OrgName: turned, ServiceID: controls, Service: script, Subscription: turned, Sku: strings.Repeat("ж", 5000),
		SkuDescription: controls, Datacenter: script, Currency: script, Price: dec("1.5"), Billable: dec("2"), Usage: dec("2"), Cost: dec("3"),
	}
	before := l
	before.SkuDescription, before.Price, before.Cost = turned, dec("1"), dec("2")
	return Page{
		Org: script, OrgName: turned + controls, Lens: revision.Tenant, Issuer: script, State: script, Lines: []bill.Line{l},
		Before: months(map[int][]bill.Line{-1: {before}}), Since: []bill.Line{before}, SinceRevision: 1,
		Notes:    []bill.Note{{Code: script, Of: script, Text: turned + script}},
		Verdicts: []bill.Verdict{{Code: script, Grave: true, Of: controls, Text: script}},
		Files:    []revision.File{{Name: script, Sum: blob.Sum{SHA256: script}, Billed: []revision.Money{{Currency: controls, Amount: dec("1.005")}}}},
	}
}

// statement of four tenants: one that fell, one with a grave verdict, one without cost, one that was not there in the month before.
func statement() Statement {
	euro := func(service, before, now string) Cost { return Cost{service, "EUR", dec(before), dec(now)} }
	return Statement{
		Month: october, Lens: revision.Provider, Revision: 3, Since: 2, State: revision.Unreconciled, AsOf: asOfDay,
		Tenants: []Tenant{
			{Org: "org-1", OrgName: "Northwind", Compared: true, Costs: []Cost{euro("vmc", "1500.5", "1200.25"), euro("log", "10", "10.0000001")}, Notes: make([]bill.Note, 2)},
			{Org: "org-2", OrgName: "adatum", Compared: true, Costs: []Cost{euro("vmc", "100", "101"), {"vmc", "USD", dec("7"), dec("9")}},
				Verdicts: []bill.Verdict{{Code: bill.ExtraColumns}, {Code: bill.Mismatch, Grave: true, Text: "3 against 4."}}},
			{Org: "org-3", Compared: true, Verdicts: []bill.Verdict{{Code: bill.NoService}}},
			{Org: "../org 4?#", OrgName: "=Tailspin <b>", Costs: []Cost{euro("vmc", "0", "4000")}, Notes: make([]bill.Note, 1)},
		},
	}
}
