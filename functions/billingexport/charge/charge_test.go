package charge_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/charge"
	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/blobtest"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	org    = "11111111-2222-3333-4444-555555555555"
	master = "99999999-8888-7777-6666-555555555555"
	folder = "parts/month=2026-10/org=" + org + "/digest/"
	raw    = "raw/month=2026-10/org=" + org + "/usage.csv/sum.csv"
)

var columns = []string{
	"Org Id", "Org Name", "Org Status", "Tag", "Service Id", "Service Name", "Subscription Id", "Sku Name", "Sku Description", "Datacenter",
	"Billable Usage Timestamp", "Price (USD)", "Usage Qty", "Commit Qty", "Billable Qty", "Product Family", "Customer Segment", "Cross Reference Sku",
}

// cells are those of an ordinary row, of 2 October 2026, 12:00.
func cells(change ...string) []string {
	row := []string{
		org, "Coke, Inc", "ACTIVE", "blue", "svc-1", "VMware Cloud on AWS", "sub-1", "SKU-A", "i3.metal host", "us-west-2",
		"1790942400000", "2.5", "3", "1", "2", "Hosts", "MSP", "CROSS-A",
	}
	for i := 0; i < len(change); i += 2 {
		at := slices.IndexFunc(columns, func(c string) bool { return strings.HasPrefix(c, change[i]) })
		row[at] = change[i+1]
	}
	return row
}

func file(rows ...[]string) string { return fileOf(columns, rows...) }

func fileOf(header []string, rows ...[]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(header)
	w.WriteAll(rows)
	return b.String()
}

func options() charge.Options {
	return charge.Options{
		Month: hub.Period{Year: 2026, Month: 10}, Org: org, OrgName: "Coke", Master: master,
		Lenses: []charge.Account{
			{Lens: revision.Provider},
			{Lens: revision.Tenant, Issuer: "Acme", Markup: decimal.RequireFromString("1.15")},
		},
		Formats: []revision.Format{revision.Parquet, revision.CSV, revision.JSONL},
	}
}

// bench is a bucket with a usage file in it.
type bench struct {
	testing.TB
	bucket *blobtest.Memory
	o      charge.Options
	stated charge.Stated
}

func newBench(t testing.TB) *bench {
	return &bench{TB: t, bucket: blobtest.NewMemory(), o: options()}
}

var fetched = revision.Fetched{Raw: []revision.Raw{{Kind: revision.UsageFile, Name: raw}}}

func (b *bench) charge(text string) charge.Charged {
	b.Helper()
	if _, err := blob.PutOnce(b.Context(), b.bucket, "text/csv", raw, []byte(text)); err != nil {
		b.Fatal(err)
	}
	c, err := charge.Charge(b.Context(), b.bucket, fetched, b.stated, folder, b.o)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func (b *bench) read(name string) []byte {
	b.Helper()
	data, _, err := blob.ReadAll(b.Context(), b.bucket, name, 1<<30)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func (b *bench) rows(f revision.File) (rows []focus.Row) {
	b.Helper()
	data := b.read(f.Name)
	for r, err := range focusfile.Read(f.Format, bytes.NewReader(data), int64(len(data))) {
		if err != nil {
			b.Fatalf("%s: %v", f.Name, err)
		}
		rows = append(rows, r)
	}
	if int64(len(rows)) != f.Rows || blob.SumOf(data) != f.Sum {
		b.Errorf("%s has %d rows, not %d, or another sum", f.Name, len(rows), f.Rows)
	}
	return rows
}

func (b *bench) quarantine(c charge.Charged) [][]string {
	b.Helper()
	if c.Quarantine == nil {
		return nil
	}
	all, err := csv.NewReader(bytes.NewReader(b.read(c.Quarantine.Name))).ReadAll()
	if err != nil || int64(len(all)-1) != c.Quarantine.Rows {
		b.Fatalf("quarantine of %d rows: %v", len(all)-1, err)
	}
	return all
}

// codes are the verdicts by name, grave ones with an exclamation mark, and their counts.
func codes(c charge.Charged) string {
	var all []string
	for _, v := range c.Verdicts {
		mark := ""
		if v.Grave {
			mark = "!"
		}
		all = append(all, fmt.Sprintf("%s%s %d", v.Code, mark, v.Count))
	}
	return strings.Join(all, ", ")
}

func amount(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// One row in both lenses, column by column, and in all formats.
func TestRow(t *testing.T) {
	b := newBench(t)
	c := b.charge(file(cells()))
	if got := codes(c); got != "" || c.Rows != 1 || c.Outside != 0 || c.Quarantine != nil || len(c.Files) != 6 {
		t.Fatalf("%q, %+v", got, c)
	}
	month := b.o.Month
	price, quantity := decimal.NewNullDecimal(amount("2.5")), decimal.NewNullDecimal(amount("2"))
	want := focus.Row{
		BilledCost: amount("5"), BillingAccountId: master, BillingAccountType: "Provider Organization", BillingCurrency: "USD",
		BillingPeriodStart: month.Start(), BillingPeriodEnd: month.End(), ChargeCategory: "Usage",
		ChargeDescription: "VMware Cloud on AWS: i3.metal host", ChargeFrequency: "Usage-Based", ChargePeriodStart: month.Start().AddDate(0, 0, 1),
		ChargePeriodEnd: month.Start().AddDate(0, 0, 2), ConsumedQuantity: decimal.NewNullDecimal(amount("3")), ConsumedUnit: "Units",
		ContractedCost: amount("5"), ContractedUnitPrice: price, EffectiveCost: amount("5"), InvoiceIssuerName: "VMware", ListCost: amount("5"),
		ListUnitPrice: price, PricingCategory: "Standard", PricingQuantity: quantity, PricingUnit: "Units", ProviderName: "VMware",
		PublisherName: "VMware", RegionId: "us-west-2", RegionName: "us-west-2", ServiceCategory: "Compute", ServiceName: "VMware Cloud on AWS",
		ServiceSubcategory: "Virtual Machines", SkuId: "CROSS-A", SkuMeter: "i3.metal host",
		SkuPriceDetails: `{"x_CustomerSegment":"MSP","x_ProductFamily":"Hosts"}`, SkuPriceId: "SKU-A", SubAccountId: org, SubAccountName: "Coke, Inc",
		SubAccountType: "Tenant Organization", Tags: `{"OrganizationTag":"blue"}`, XBillableUsageTimestamp: "1790942400000",
		XCommitQuantity: decimal.NewNullDecimal(amount("1")), XCustomerSegment: "MSP", XOrganizationStatus: "ACTIVE", XProductFamily: "Hosts",
		XServiceId: "svc-1", XSourceObject: raw, XSourceRow: 2, XSubscriptionId: "sub-1",
	}
	tenant := want
	tenant.BilledCost, tenant.ContractedCost, tenant.EffectiveCost = amount("5.75"), amount("5.75"), amount("5.75")
	tenant.ContractedUnitPrice = decimal.NewNullDecimal(amount("2.875"))
	tenant.ProviderName, tenant.InvoiceIssuerName = "Acme", "Acme"
	tenant.BillingAccountId, tenant.BillingAccountName, tenant.BillingAccountType = org, "Coke, Inc", "Tenant Organization"
	tenant.SubAccountId, tenant.SubAccountName, tenant.SubAccountType = "", "", ""
	for i, f := range c.Files {
		want, billed := want, "5"
		if f.Lens == revision.Tenant {
			want, billed = tenant, "5.75"
		}
		rows := b.rows(f)
		if d := different(want, rows[0]); d != nil {
			t.Errorf("%s: %v", f.Name, d)
		}
		if f.Name != folder+revision.FocusFile(b.o.Lenses[i/3].Lens, b.o.Formats[i%3]) || len(f.Billed) != 1 || f.Billed[0].Currency != "USD" ||
			!f.Billed[0].Amount.Equal(amount(billed)) || !f.First.Equal(want.ChargePeriodStart) || !f.Last.Equal(want.ChargePeriodStart) {
			t.Errorf("file %+v", f)
		}
		clean(t, f.Name, rows)
	}
	line := bill.Line{
		Org: org, OrgName: "Coke, Inc", Tag: "blue", ServiceID: "svc-1", Service: "VMware Cloud on AWS", Subscription: "sub-1", Sku: "SKU-A",
		CrossReference: "CROSS-A", SkuDescription: "i3.metal host", Datacenter: "us-west-2", Family: "Hosts", Segment: "MSP", Currency: "USD",
		Price: amount("2.5"), Rows: 1, Usage: amount("3"), Commit: amount("1"), Billable: amount("2"), Cost: amount("5"),
	}
	if len(c.Lines) != 1 || !equalLines(c.Lines[0], line) {
		t.Errorf("bill %+v", c.Lines)
	}
	lines, err := charge.ReadBill(t.Context(), b.bucket, c.Bill)
	if err != nil || len(lines) != 1 || !equalLines(lines[0], line) || c.Bill.Name != folder+revision.BillFile || c.Bill.Rows != 1 {
		t.Errorf("bill %+v of %+v: %v", lines, c.Bill, err)
	}
}

func equalLines(a, b bill.Line) bool {
	for _, p := range [][2]*decimal.Decimal{{&a.Price, &b.Price}, {&a.Usage, &b.Usage}, {&a.Commit, &b.Commit}, {&a.Billable, &b.Billable}, {&a.Cost, &b.Cost}} {
		if !p[0].Equal(*p[1]) {
			return false
		}
		*p[0], *p[1] = decimal.Decimal{}, decimal.Decimal{}
	}
	return reflect.DeepEqual(a, b)
}

// different names the columns in which two rows differ.
func different(want, got focus.Row) (names []string) {
	for _, c := range focus.Columns() {
		n, _ := c.Number(&want)
		m, _ := c.Number(&got)
		same := reflect.DeepEqual(c.Field(&want), c.Field(&got))
		if c.Kind == focus.Decimal {
			same = c.Null(&want) == c.Null(&got) && n.Equal(m)
		}
		if !same {
			names = append(names, fmt.Sprintf("%s is %v", c.Name, reflect.ValueOf(c.Field(&got)).Elem()))
		}
	}
	return names
}

// clean: our checker has nothing to say.
func clean(t testing.TB, name string, rows []focus.Row) {
	t.Helper()
	c := focus.New()
	for _, r := range rows {
		c.Add(r)
	}
	for _, f := range c.Findings() {
		t.Errorf("%s: %+v", name, f)
	}
}

func TestVerdicts(t *testing.T) {
	price := func(currency string) []string {
		header := slices.Clone(columns)
		header[11] = "Price (" + currency + ")"
		return header
	}
	without := func(i int) []string { return slices.Delete(slices.Clone(columns), i, i+1) }
	reorder := func(row []string) []string {
		row = slices.Clone(row)
		slices.Reverse(row)
		return row
	}
	in := func(pairs ...string) charge.Stated {
		s := charge.Stated{Currencies: map[string][]string{}}
		for i := 0; i < len(pairs); i += 2 {
			s.Currencies[pairs[i]] = strings.Fields(pairs[i+1])
		}
		return s
	}
	none := price("")
	whole := file(cells(), cells("Billable Qty", "7"))
	for _, tt := range []struct {
		name, text, configured string
		stated                 charge.Stated
		want                   string // verdicts
		charged, outside       int64
		quarantined            int
	}{
		{name: "nothing wrong", text: file(cells()), charged: 1},
		{name: "header only", text: file()},
		{name: "byte order mark, CRLF", text: "\xef\xbb\xbf" + strings.ReplaceAll(file(cells()), "\n", "\r\n"), charged: 1},
		{name: "other order", text: fileOf(reorder(columns), reorder(cells())), charged: 1},
		{name: "a column more", text: fileOf(append(slices.Clone(columns), "New"), append(cells(), "v")), want: "EXTRA_COLUMNS 0", charged: 1},
		{name: "a column less that nobody needs", text: fileOf(without(3), slices.Delete(cells(), 3, 4)), charged: 1},

		{name: "no header", text: "", want: "BAD_FILE! 0"},
		{name: "another file", text: "<html>", want: "BAD_FILE! 0"},
		{name: "a column missing", text: fileOf(without(0), cells()[1:]), want: "BAD_FILE! 0"},
		{name: "a column twice", text: fileOf(append(slices.Clone(columns), "Org Id"), append(cells(), org)), want: "BAD_FILE! 0"},
		{name: "cut in a row", text: whole[:len(whole)-20], want: "BAD_FILE! 1", charged: 1},
		{name: "cut in a quote", text: file(cells()) + `"` + org, want: "BAD_FILE! 1", charged: 1},

		{name: "a month before", text: file(cells("Billable", "1788350400000"), cells()), want: "OUTSIDE_PERIOD 1", charged: 1, outside: 1},
		{name: "only a month before", text: file(cells("Billable", "1788350400000")), want: "PERIOD_MISMATCH! 1", outside: 1},
		{name: "the first and last moment", text: file(cells("Billable", "2026-10-01"), cells("Billable", "2026-10-31T23:59:59.999999999Z")), charged: 2},
		{name: "just outside", text: file(cells("Billable", "2026-09-30T23:59:59Z"), cells("Billable", "2026-11-01T00:00:00Z")), want: "PERIOD_MISMATCH! 2", outside: 2},
		{name: "a bad row of another month", text: file(cells("Billable", "1788350400000", "Price", "x"), cells()), want: "OUTSIDE_PERIOD 1", charged: 1, outside: 1},

		{name: "a time of no known form", text: file(cells("Billable", "10/1/18")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "no organization", text: file(cells("Org Id", "")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "a price of money", text: file(cells("Price", "$1")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "a price of ten decimals", text: file(cells("Price", "0.1234567891")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "ten decimals of which one is zero", text: file(cells("Price", "0.1234567890")), charged: 1},
		{name: "a quantity of ten decimals", text: file(cells("Usage Qty", "0.1234567891")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "a commitment of ten decimals", text: file(cells("Commit Qty", "0.1234567891")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "a billable of 30 digits", text: file(cells("Billable Qty", "1e29")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "a cost of 39 digits", text: file(cells("Price", "1e11", "Usage Qty", "1e9", "Commit Qty", "0", "Billable Qty", "1e9")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "a cost that only the markup makes so long", text: file(cells("Price", "9e10", "Usage Qty", "1e9", "Commit Qty", "0", "Billable Qty", "1e9")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "not UTF-8", text: file(cells("Sku Desc", "\xff")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "no sku", text: file(cells("Sku Name", "", "Cross", "")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "no service", text: file(cells("Service Id", "", "Service Name", "")), want: "QUARANTINED! 1", quarantined: 1},
		{name: "another organization", text: file(cells("Org Id", master), cells()), want: "QUARANTINED! 1, FOREIGN! 1", charged: 1, quarantined: 1},

		{name: "nobody states a currency", text: fileOf(none, cells()), want: "QUARANTINED! 1, NO_CURRENCY! 1", quarantined: 1},
		{name: "what is no currency", text: fileOf(price("$"), cells()), want: "QUARANTINED! 1, NO_CURRENCY! 1", quarantined: 1},
		{name: "the report states it", text: fileOf(none, cells()), stated: in("CROSS-A", "EUR"), charged: 1},
		{name: "the report states it of all", text: fileOf(none, cells()), stated: in("CROSS-B", "EUR", "", "EUR"), charged: 1},
		{name: "the report states it of another", text: fileOf(none, cells()), stated: in("CROSS-B", "EUR", "", "EUR USD"), want: "QUARANTINED! 1, NO_CURRENCY! 1", quarantined: 1},
		{name: "the configuration states it", text: fileOf(none, cells()), configured: "EUR", charged: 1},
		{name: "all agree", text: file(cells()), stated: in("CROSS-A", "usd"), configured: "USD", charged: 1},
		{name: "header and report", text: file(cells()), stated: in("CROSS-A", "EUR"), want: "CURRENCY_CLASH! 1", charged: 1},
		{name: "header and configuration", text: file(cells()), configured: "EUR", charged: 1},
		{name: "report and configuration", text: fileOf(none, cells()), stated: in("CROSS-A", "USD"), configured: "EUR", charged: 1},
		{name: "the report and itself", text: fileOf(none, cells()), stated: in("CROSS-A", "USD EUR"), want: "QUARANTINED! 1, NO_CURRENCY! 1", quarantined: 1},
		{name: "the report and itself, configured", text: fileOf(none, cells()), stated: in("CROSS-A", "USD EUR"), configured: "USD", want: "CURRENCY_CLASH! 1", charged: 1},
		{name: "two, each stated", text: fileOf(none, cells(), cells("Cross", "CROSS-B", "Sku Name", "B")), stated: in("CROSS-A", "USD", "CROSS-B", "EUR", "", "EUR USD"), want: "TWO_CURRENCIES 0", charged: 2},

		{name: "a service that nobody knows", text: file(cells("Service Name", "Teapots"), cells("Service Name", "Teapots", "Usage Qty", "4", "Billable Qty", "3")), want: "UNKNOWN_SERVICE 2", charged: 2},
		{name: "two cross references of a sku", text: file(cells(), cells("Cross", "CROSS-B")), want: "TWO_SKUS 2", charged: 2},
		{name: "billable is not what is left", text: file(cells("Billable Qty", "3"), cells("Usage Qty", "1", "Commit Qty", "2", "Billable Qty", "0"), cells("Usage Qty", "1", "Commit Qty", "2", "Billable Qty", "1")), want: "ODD_BILLABLE 2", charged: 3},
		{name: "three times the same", text: file(cells(), cells(), cells("Usage Qty", "3.0")), want: "DUPLICATES 2", charged: 3},
		{name: "another status is another row", text: file(cells(), cells("Org Status", "SUSPENDED")), charged: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.stated, b.o.Currency = tt.stated, tt.configured
			c := b.charge(tt.text)
			if got := codes(c); got != tt.want || c.Rows != tt.charged || c.Outside != tt.outside {
				t.Errorf("%q, %d charged, %d outside: %+v", got, c.Rows, c.Outside, c.Verdicts)
			}
			if q := b.quarantine(c); max(len(q)-1, 0) != tt.quarantined {
				t.Errorf("quarantine %q", q)
			}
			for _, f := range c.Files {
				rows := b.rows(f)
				if int64(len(rows)) != tt.charged {
					t.Errorf("%s has %d rows", f.Name, len(rows))
				}
				clean(t, f.Name, rows)
			}
			if lines, err := charge.ReadBill(t.Context(), b.bucket, c.Bill); err != nil || len(lines) != len(c.Lines) {
				t.Errorf("%d lines of %d: %v", len(lines), len(c.Lines), err)
			}
			for _, v := range c.Verdicts {
				if v.Text == "" || strings.Contains(v.Text, "%!") {
					t.Errorf("verdict %+v", v)
				}
			}
		})
	}
}

// Amounts of two currencies are never added.
func TestTwoCurrenciesApart(t *testing.T) {
	b := newBench(t)
	header := slices.Clone(columns)
	header[11] = "Price ()"
	b.stated = charge.Stated{Currencies: map[string][]string{"CROSS-A": {"USD"}, "CROSS-B": {"EUR"}}}
	c := b.charge(fileOf(header, cells(), cells("Cross", "CROSS-B", "Sku Name", "SKU-B", "Price", "1")))
	if m := c.Files[0].Billed; len(m) != 2 || m[0].Currency != "EUR" || !m[0].Amount.Equal(amount("2")) || m[1].Currency != "USD" || !m[1].Amount.Equal(amount("5")) {
		t.Errorf("%+v", m)
	}
	if m := c.Bill.Billed; len(m) != 2 || !m[0].Amount.Equal(amount("2")) {
		t.Errorf("%+v", m)
	}
}

// The cells of a row in quarantine are there as they were, with its line and the reason.
func TestQuarantine(t *testing.T) {
	b := newBench(t)
	odd := cells("Price", " $1,5 ", "Tag", "=1+1", "Sku Desc", "a \"b\"\nc\td\xff")
	q := b.quarantine(b.charge(file(cells(), odd, cells())))
	if len(q) != 2 || !slices.Equal(q[0], append([]string{"x_Line", "x_Reason"}, columns...)) || !slices.Equal(q[1], append([]string{"3", "Price () cannot be read"}, odd...)) {
		t.Errorf("%q", q)
	}
}

// A sku name with two cross references stands for both, in the rows before the second was seen too.
func TestTwoSkus(t *testing.T) {
	b := newBench(t)
	c := b.charge(file(cells(), cells("Sku Name", "SKU-B"), cells("Cross", "CROSS-B"), cells("Sku Name", "")))
	var got []string
	for _, r := range b.rows(c.Files[0]) {
		got = append(got, r.SkuPriceId+" "+r.SkuId)
	}
	if want := []string{"SKU-A SKU-A", "SKU-B CROSS-A", "SKU-A SKU-A", "CROSS-A CROSS-A"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if c.Rows != 4 || len(c.Lines) != 4 || c.Verdicts[0].Of != "SKU-A" {
		t.Errorf("%+v", c)
	}
}

// A lone row at the first moment of the month is the month's, any other the day's; rows stay in the order of the file but for those that waited.
func TestPeriods(t *testing.T) {
	b := newBench(t)
	first := "1790812800000"
	c := b.charge(file(
		cells("Billable Usage", first),                          // waits until the third
		cells("Billable Usage", first, "Subscription", "alone"), // waits until the end
		cells(),                        //
		cells("Billable Usage", first), // not the first of its kind
		cells("Subscription", "late"),  // not at the first moment
		cells("Billable Usage", first, "Subscription", "alone2"), // waits until the end
		cells("Billable Usage", first, "Sku Name", "SKU-B"),      // another sku
		cells("Billable Usage", "1790812801", "Subscription", "second"),
	))
	var got []string
	for _, r := range b.rows(c.Files[0]) {
		got = append(got, fmt.Sprintf("%d %s %s", r.XSourceRow, r.ChargePeriodStart.Format("01-02"), r.ChargePeriodEnd.Format("01-02")))
	}
	want := []string{"2 10-01 10-02", "4 10-02 10-03", "5 10-01 10-02", "6 10-02 10-03", "9 10-01 10-02", "3 10-01 11-01", "7 10-01 11-01", "8 10-01 11-01"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestExtraColumns(t *testing.T) {
	b := newBench(t)
	header := append(slices.Clone(columns), "Zeta", "Alpha <1>")
	c := b.charge(fileOf(header, append(cells(), " z&", ""), append(cells("Usage Qty", "4", "Billable Qty", "3"), "", ""), append(cells(), "y", "a")))
	rows := b.rows(c.Files[0])
	if rows[0].XExtra != `{"x_Zeta":" z&"}` || rows[1].XExtra != "" || rows[2].XExtra != `{"x_Alpha <1>":"a","x_Zeta":"y"}` || c.Verdicts[0].Of != "x_Zeta, x_Alpha <1>" {
		t.Errorf("%q %q %q %+v", rows[0].XExtra, rows[1].XExtra, rows[2].XExtra, c.Verdicts)
	}
	clean(t, "extra", rows)
}

// Lines are ordered by identity, and a bill that is read is the one that was written.
func TestBill(t *testing.T) {
	b := newBench(t)
	c := b.charge(file(
		cells("Subscription", "b"), cells("Subscription", "a", "Org Name", "New name"), cells("Subscription", "a"), cells("Subscription", "a", "Price", "0.1"),
		cells("Subscription", "a", "Usage Qty", "0.5", "Commit Qty", "-0.000000001", "Billable Qty", "-4"),
	))
	var got []string
	for _, l := range c.Lines {
		got = append(got, fmt.Sprintf("%s %s %s %d %s %s %s %s", l.Subscription, l.OrgName, l.Price, l.Rows, l.Usage, l.Commit, l.Billable, l.Cost))
	}
	want := []string{"a Coke, Inc 0.1 1 3 1 2 0.2", "a Coke, Inc 2.5 2 3.5 0.999999999 -2 -5", "a New name 2.5 1 3 1 2 5", "b Coke, Inc 2.5 1 3 1 2 5"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	lines, err := charge.ReadBill(t.Context(), b.bucket, c.Bill)
	if err != nil || !slices.EqualFunc(lines, c.Lines, equalLines) {
		t.Errorf("%+v: %v", lines, err)
	}
	other := c.Bill
	other.SHA256 = strings.Repeat("0", 64)
	if _, err := charge.ReadBill(t.Context(), b.bucket, other); !fault.Is(err, fault.Invalid) {
		t.Errorf("another bill: %v", err)
	}
	other = c.Bill
	other.Rows--
	if _, err := charge.ReadBill(t.Context(), b.bucket, other); !fault.Is(err, fault.Invalid) {
		t.Errorf("a bill of a line less: %v", err)
	}
	if _, err := charge.ReadBill(t.Context(), b.bucket, revision.File{Name: "none"}); !fault.Is(err, fault.Missing) {
		t.Errorf("no bill: %v", err)
	}
}

// Charging twice finds everything there, byte for byte; without a usage file there is nothing to charge.
func TestAgainAndNothing(t *testing.T) {
	b := newBench(t)
	text := file(cells(), cells("Price", "x"), cells("Cross", "CROSS-B"))
	first := b.charge(text)
	second := b.charge(text)
	if !reflect.DeepEqual(first.Files, second.Files) || first.Bill.Sum != second.Bill.Sum || first.Quarantine.Sum != second.Quarantine.Sum {
		t.Errorf("%+v\n%+v", first, second)
	}
	objects, err := b.bucket.List(t.Context(), "", "", 100)
	if err != nil || len(objects) != 1+6+2 {
		t.Errorf("%d objects: %v", len(objects), err)
	}
	b = newBench(t)
	c, err := charge.Charge(t.Context(), b.bucket, revision.Fetched{}, charge.Stated{}, folder, b.o)
	if err != nil || len(c.Files) != 6 || c.Rows != 0 || codes(c) != "" || len(c.Lines) != 0 {
		t.Fatalf("%+v: %v", c, err)
	}
	for _, f := range c.Files {
		if len(b.rows(f)) != 0 || f.Billed != nil || !f.First.IsZero() || !f.Last.IsZero() {
			t.Errorf("%+v", f)
		}
	}
	if lines, err := charge.ReadBill(t.Context(), b.bucket, c.Bill); err != nil || len(lines) != 0 {
		t.Errorf("%+v: %v", lines, err)
	}
}

// More lines than a bill may have: the first are charged, the others are in quarantine.
func TestTooLarge(t *testing.T) {
	b := newBench(t)
	b.o.Lenses, b.o.Formats = b.o.Lenses[:1], b.o.Formats[:1]
	rows := make([][]string, charge.MaxLines+3)
	for i := range rows {
		rows[i] = cells("Subscription", fmt.Sprint(i))
	}
	c := b.charge(file(append(rows, cells("Subscription", "1"))...))
	if got := codes(c); got != "QUARANTINED! 3, TOO_LARGE! 3, DUPLICATES 1" || len(c.Lines) != charge.MaxLines || c.Rows != charge.MaxLines+1 {
		t.Errorf("%s, %d lines, %d rows", got, len(c.Lines), c.Rows)
	}
	if lines, err := charge.ReadBill(t.Context(), b.bucket, c.Bill); err != nil || len(lines) != len(c.Lines) {
		t.Errorf("%d lines: %v", len(lines), err)
	}
}

// Many keys have one verdict each only up to a bound.
func TestVerdictsAreFew(t *testing.T) {
	b := newBench(t)
	var rows [][]string
	for i := range 60 {
		rows = append(rows, cells("Service Name", strings.Repeat("é", 300)+fmt.Sprintf("%02d", i%51)))
	}
	c := b.charge(file(rows...))
	if len(c.Verdicts) != 51+1 || c.Verdicts[50].Of != "1 others" || len(c.Verdicts[0].Of) > 210 {
		t.Errorf("%d verdicts, %+v", len(c.Verdicts), c.Verdicts[50:])
	}
}

// failing is a bucket of which something fails.
type failing struct {
	*blobtest.Memory
	at   string
	skip int
}

func (f *failing) fail(at string) error {
	if at != f.at {
		return nil
	}
	if f.skip--; f.skip >= 0 {
		return nil
	}
	return fault.New(fault.Throttled, "no more of that")
}

func (f *failing) Open(ctx context.Context, name string) (blob.Reader, error) {
	if err := f.fail("open"); err != nil {
		return nil, err
	}
	r, err := f.Memory.Open(ctx, name)
	return &failingReader{r, f}, err
}

func (f *failing) Create(ctx context.Context, contentType string) (blob.Writer, error) {
	if err := f.fail("create"); err != nil {
		return nil, err
	}
	w, err := f.Memory.Create(ctx, contentType)
	return &failingWriter{w, f}, err
}

type failingReader struct {
	blob.Reader
	f *failing
}

func (r *failingReader) Read(p []byte) (int, error) {
	if err := r.f.fail("read"); err != nil {
		return 0, err
	}
	return r.Reader.Read(p[:min(len(p), 200)])
}

type failingWriter struct {
	blob.Writer
	f *failing
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if err := w.f.fail("write"); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}

func (w *failingWriter) Commit(ctx context.Context, name string, at blob.Generation) (blob.Object, error) {
	if err := w.f.fail("commit"); err != nil {
		return blob.Object{}, err
	}
	return w.Writer.Commit(ctx, name, at)
}

// Whatever of the bucket fails is an error and no verdict, and charging again works.
func TestBucketFails(t *testing.T) {
	text := file(cells(), cells("Price", "x"))
	for _, at := range []string{"open", "read", "create", "write", "commit"} {
		for skip := range 3 {
			memory := blobtest.NewMemory()
			if _, err := blob.PutOnce(t.Context(), memory, "text/csv", raw, []byte(text)); err != nil {
				t.Fatal(err)
			}
			o := options()
			o.Lenses, o.Formats = o.Lenses[:1], o.Formats[:1] // one goroutine only
			f := &failing{memory, at, skip}
			_, err := charge.Charge(t.Context(), f, fetched, charge.Stated{}, folder, o)
			if skipped := f.skip >= 0; skipped != (err == nil) || err != nil && !fault.Is(err, fault.Throttled) && !fault.Is(err, fault.Transient) {
				t.Errorf("%s %d: %v", at, skip, err)
			}
			if c, err := charge.Charge(t.Context(), memory, fetched, charge.Stated{}, folder, o); err != nil || c.Rows != 1 {
				t.Errorf("%s %d, again: %v", at, skip, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBench(t)
	if _, err := blob.PutOnce(t.Context(), b.bucket, "text/csv", raw, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if _, err := charge.Charge(ctx, b.bucket, fetched, charge.Stated{}, folder, b.o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(*charge.Options){
		"no organization": func(o *charge.Options) { o.Org = "" },
		"no month":        func(o *charge.Options) { o.Month = hub.Period{} },
		"no lens":         func(o *charge.Options) { o.Lenses[0].Lens = "x" },
		"no master":       func(o *charge.Options) { o.Master = "" },
		"no issuer":       func(o *charge.Options) { o.Lenses[1].Issuer = "" },
		"no format":       func(o *charge.Options) { o.Formats[0] = "xlsx" },
	} {
		o := options()
		spoil(&o)
		if _, err := charge.Charge(t.Context(), blobtest.NewMemory(), revision.Fetched{}, charge.Stated{}, folder, o); !fault.Is(err, fault.Bug) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var _ io.Reader = (*failingReader)(nil)
