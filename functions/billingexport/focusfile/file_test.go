package focusfile_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
)

var formats = []revision.Format{revision.Parquet, revision.CSV, revision.JSONL}

var october = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// full has a value in every column, the largest and the oddest.
func full() focus.Row {
	cost := decimal.RequireFromString("-12345678901234567890.123456789012345678")
	quantity := decimal.NewNullDecimal(decimal.RequireFromString("12345678901234567890123456789.000000001"))
	return focus.Row{
		BilledCost: cost, BillingAccountId: "a", BillingAccountName: " padded ", BillingAccountType: "t", BillingCurrency: "EUR",
		BillingPeriodEnd: october.AddDate(0, 1, 0), BillingPeriodStart: october, ChargeCategory: "Usage", ChargeClass: "Correction",
		ChargeDescription: "quotes \" commas , two\nlines <b>&amp;", ChargeFrequency: "Usage-Based", ChargePeriodEnd: october.AddDate(0, 0, 1),
		ChargePeriodStart: october, ConsumedQuantity: quantity, ConsumedUnit: "Units", ContractedCost: cost.Neg(), ContractedUnitPrice: quantity,
		EffectiveCost: decimal.New(1, -18), InvoiceId: "=1+1", InvoiceIssuerName: "Société Générale 株式会社", ListCost: decimal.Decimal{},
		ListUnitPrice: quantity, PricingCategory: "Standard", PricingQuantity: quantity, PricingUnit: "Units", ProviderName: "VMware",
		PublisherName: "VMware", RegionId: "null", RegionName: "\\", ServiceCategory: "Other", ServiceName: "s", ServiceSubcategory: "Other (Other)",
		SkuId: "1", SkuMeter: "2", SkuPriceDetails: `{"x_A":"\""}`, SkuPriceId: "3", SubAccountId: "4", SubAccountName: "5", SubAccountType: "6",
		Tags: `{"OrganizationTag":"é"}`, XBillableUsageTimestamp: "1790000000000", XCommitQuantity: quantity, XCustomerSegment: "c",
		XExtra: `{"x_E":"1"}`, XOrganizationStatus: "ACTIVE", XProductFamily: "f", XServiceId: "i", XSourceObject: "raw/x.csv", XSourceRow: 1 << 60,
		XSubscriptionId: "u",
	}
}

// bare has nothing but what must not be null.
func bare() focus.Row {
	f := full()
	return focus.Row{
		BillingAccountId: f.BillingAccountId, BillingAccountType: "t", BillingCurrency: "USD", BillingPeriodEnd: f.BillingPeriodEnd,
		BillingPeriodStart: f.BillingPeriodStart, ChargeCategory: "Tax", ChargeFrequency: "One-Time", ChargePeriodEnd: f.ChargePeriodEnd,
		ChargePeriodStart: f.ChargePeriodStart, InvoiceIssuerName: "i", ProviderName: "p", PublisherName: "q", ServiceCategory: "Other",
		ServiceName: "s", ServiceSubcategory: "Other (Other)",
	}
}

func write(t testing.TB, f revision.Format, rows ...focus.Row) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := focusfile.NewWriter(&b, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.WriteRow(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || w.Rows() != int64(len(rows)) {
		t.Fatalf("%d rows: %v", w.Rows(), err)
	}
	return b.Bytes()
}

func read(f revision.Format, data []byte) (rows []focus.Row, err error) {
	for r, err := range focusfile.Read(f, bytes.NewReader(data), int64(len(data))) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// unzipped is the lines of a file.
func unzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// zipped is a file of lines.
func zipped(t testing.TB, lines []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(lines); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// different names the columns in which two rows differ.
func different(a, b focus.Row) (names []string) {
	for _, c := range focus.Columns() {
		x, y := c.Field(&a), c.Field(&b)
		n, _ := c.Number(&a)
		m, _ := c.Number(&b)
		if c.Kind == focus.Decimal && c.Null(&a) == c.Null(&b) && n.Equal(m) {
			continue
		}
		if c.Kind == focus.Decimal || !reflect.DeepEqual(x, y) {
			names = append(names, fmt.Sprintf("%s: %v, want %v", c.Name, reflect.ValueOf(y).Elem(), reflect.ValueOf(x).Elem()))
		}
	}
	return names
}

func TestRowsComeBack(t *testing.T) {
	mixed := []focus.Row{full(), bare(), full(), full(), bare()}
	for i := range mixed {
		mixed[i].XSourceRow += int64(i)
	}
	for _, f := range formats {
		for name, rows := range map[string][]focus.Row{
			"none": nil, "full": {full()}, "bare": {bare()}, "bare rows": {bare(), bare(), bare()}, "null first": {bare(), full()}, "mixed": mixed,
		} {
			got, err := read(f, write(t, f, rows...))
			if err != nil || len(got) != len(rows) {
				t.Errorf("%s, %s: %d rows: %v", f, name, len(got), err)
				continue
			}
			for i := range rows {
				if d := different(rows[i], got[i]); d != nil {
					t.Errorf("%s, %s, row %d: %v", f, name, i, d)
				}
			}
		}
	}
}

// Every column null in some rows and not in others, over several row groups.
func TestManyRowsComeBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pool := make([]focus.Row, 300)
	for i := range pool {
		pool[i] = full()
		spare := bare()
		for _, c := range focus.Columns() {
			if s, ok := c.Field(&pool[i]).(*string); ok && random.IntN(2) == 0 {
				*s += fmt.Sprint(random.IntN(40))
			}
			if c.Nullable && random.IntN(3) == 0 {
				reflect.ValueOf(c.Field(&pool[i])).Elem().Set(reflect.ValueOf(c.Field(&spare)).Elem())
			}
		}
	}
	charges := make([]focusfile.Charge, 70_000)
	for i := range charges {
		c, err := focusfile.ChargeOf(&pool[random.IntN(len(pool))])
		if err != nil {
			t.Fatal(err)
		}
		c.SourceRow = int64(i)
		charges[i] = c
	}
	for _, f := range formats {
		if f != revision.Parquet {
			charges = charges[:5000] // lines have no groups
		}
		var b bytes.Buffer
		w, err := focusfile.NewWriter(&b, f)
		if err != nil {
			t.Fatal(err)
		}
		for rest := charges; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(5000))
			if err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		n := 0
		for r, err := range focusfile.Read(f, bytes.NewReader(b.Bytes()), int64(b.Len())) {
			if err != nil {
				t.Fatal(err)
			}
			want := *charges[n].Of
			want.XSourceRow = int64(n)
			if d := different(want, r); d != nil {
				t.Fatalf("%s, row %d: %v", f, n, d)
			}
			n++
		}
		if n != len(charges) {
			t.Errorf("%s: %d rows", f, n)
		}
	}
}

// What rows share is remembered from group to group as long as it is of use: groups of the same kinds, of few of them, of others, and of nulls
// where there were none, and none where there were.
func TestGroupsComeBack(t *testing.T) {
	pool := make([]focus.Row, 100)
	for i := range pool {
		pool[i] = full()
		pool[i].SkuId, pool[i].Tags = fmt.Sprint("sku", i), ""
		if i >= 50 {
			pool[i].SubAccountId, pool[i].Tags = "", "{}"
		}
	}
	const group = 1 << 16
	kindsOf := []func(i int) int{
		func(i int) int { return i % 50 }, func(i int) int { return i % 49 }, func(int) int { return 7 }, func(i int) int { return 50 + i%50 }, func(i int) int { return 50 + i%50 },
		func(i int) int { return i % 100 }, func(i int) int { return i % 50 },
	}
	var b bytes.Buffer
	w, err := focusfile.NewWriter(&b, revision.Parquet)
	if err != nil {
		t.Fatal(err)
	}
	charges := make([]focusfile.Charge, len(pool))
	for i := range pool {
		if charges[i], err = focusfile.ChargeOf(&pool[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range kindsOf {
		batch := make([]focusfile.Charge, group)
		for i := range batch {
			batch[i] = charges[kind(i)]
		}
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range focusfile.Read(revision.Parquet, bytes.NewReader(b.Bytes()), int64(b.Len())) {
		if err != nil {
			t.Fatal(err)
		}
		want := &pool[kindsOf[n/group](n%group)]
		if r.SkuId != want.SkuId || r.SubAccountId != want.SubAccountId || r.Tags != want.Tags || r.SubAccountName != want.SubAccountName {
			t.Fatalf("row %d: %q %q %q", n, r.SkuId, r.SubAccountId, r.Tags)
		}
		n++
	}
	if n != group*len(kindsOf) {
		t.Errorf("%d rows", n)
	}
}

// The same rows are the same bytes, today and after an update of a library: if a sum changes here, charge.Version must change with it.
func TestBytesStay(t *testing.T) {
	for f, want := range map[revision.Format]string{
		revision.Parquet: "7a4cf560ae8ab117af6c14c0f534d1fd0306094a8828eea14d7331e3c762f397",
		revision.CSV:     "74a05e3ce66da786ba289df39039af92b411e76937ad202720485069aa6ccbcc",
		revision.JSONL:   "0f631dd0509c9d423c09324ec23b5e2017aed35a7c991128022b2f862a2f150b",
	} {
		sum := sha256.Sum256(write(t, f, full(), bare(), full()))
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: %s", f, got)
		}
	}
}

func TestText(t *testing.T) {
	for f, want := range map[revision.Format]string{
		revision.CSV: "BilledCost,BillingAccountId,",
		revision.JSONL: `{"BilledCost":0,"BillingAccountId":"a","BillingAccountType":"t","BillingCurrency":"USD","BillingPeriodEnd":"2026-11-01T00:00:00Z",` +
			`"BillingPeriodStart":"2026-10-01T00:00:00Z","ChargeCategory":"Tax","ChargeFrequency":"One-Time","ChargePeriodEnd":"2026-10-02T00:00:00Z",` +
			`"ChargePeriodStart":"2026-10-01T00:00:00Z","ContractedCost":0,"EffectiveCost":0,"InvoiceIssuerName":"i","ListCost":0,"ProviderName":"p",` +
			`"PublisherName":"q","ServiceCategory":"Other","ServiceName":"s","ServiceSubcategory":"Other (Other)"}` + "\n",
	} {
		got := string(unzipped(t, write(t, f, bare())))
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s:\n%s", f, got)
		}
		if f == revision.CSV && !strings.HasSuffix(got, "\n0,a,,t,USD,2026-11-01T00:00:00Z,2026-10-01T00:00:00Z,Tax,,,One-Time,2026-10-02T00:00:00Z,2026-10-01T00:00:00Z,,,0,,0,,i,0,,,,,p,q,,,Other,s,Other (Other),,,,,,,,,,,,,,,,,,\n") {
			t.Errorf("%s", got)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*focus.Row){
		"a null that must not be":  func(r *focus.Row) { r.BillingCurrency = "" },
		"no time":                  func(r *focus.Row) { r.ChargePeriodStart = time.Time{} },
		"half a second":            func(r *focus.Row) { r.BillingPeriodEnd = r.BillingPeriodEnd.Add(time.Second / 2) },
		"a cost that is too fine":  func(r *focus.Row) { r.ListCost = decimal.New(1, -19) },
		"a cost that is too large": func(r *focus.Row) { r.ListCost = decimal.New(1, 20) },
		"a price that is too fine": func(r *focus.Row) { r.ListUnitPrice = decimal.NewNullDecimal(decimal.New(1, -10)) },
	} {
		for _, f := range formats {
			w, err := focusfile.NewWriter(io.Discard, f)
			if err != nil {
				t.Fatal(err)
			}
			r := full()
			spoil(&r)
			if err := w.WriteRow(r); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s, %s: %v", f, name, err)
			}
		}
	}
	if _, err := focusfile.NewWriter(io.Discard, "xlsx"); err == nil {
		t.Error("a format that is none")
	}
}

type broken struct{ after int }

func (b *broken) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		return 0, fault.New(fault.Throttled, "full")
	}
	return len(p), nil
}

func TestWriterSaysWhatFailed(t *testing.T) {
	for _, f := range formats {
		for after := range 5 {
			w, err := focusfile.NewWriter(&broken{after}, f)
			if err != nil {
				t.Fatal(err)
			}
			err = w.WriteRow(full())
			if err == nil {
				err = w.Close()
			}
			if err == nil {
				t.Errorf("%s: nobody noticed", f)
			}
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	line := func(f revision.Format, change func(string) string) []byte {
		return zipped(t, []byte(change(string(unzipped(t, write(t, f, full()))))))
	}
	replace := func(old, new string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatalf("no %q in %s", old, s)
			}
			return strings.Replace(s, old, new, 1)
		}
	}
	for _, tt := range []struct {
		name string
		f    revision.Format
		data []byte
	}{
		{"no file", revision.Parquet, nil},
		{"no file", revision.CSV, nil},
		{"no file", revision.JSONL, []byte("{}")},
		{"cut", revision.Parquet, write(t, revision.Parquet, full())[:2000]},
		{"cut", revision.CSV, write(t, revision.CSV, full())[:200]},
		{"cut", revision.JSONL, write(t, revision.JSONL, full())[:200]},
		{"another column", revision.CSV, line(revision.CSV, replace("BilledCost", "Cost"))},
		{"a column less", revision.CSV, line(revision.CSV, replace("BilledCost,", ""))},
		{"a short row", revision.CSV, line(revision.CSV, func(s string) string { return s + "1,2\n" })},
		{"a null", revision.CSV, line(revision.CSV, replace(",VMware", ","))},
		{"an exponent", revision.CSV, line(revision.CSV, replace("0.000000000000000001", "1e-18"))},
		{"a plus", revision.JSONL, line(revision.JSONL, replace(":0.000000000000000001", ":+0.000000000000000001"))},
		{"an exponent", revision.JSONL, line(revision.JSONL, replace("0.000000000000000001", "1E-18"))},
		{"a number as text", revision.JSONL, line(revision.JSONL, replace("0.000000000000000001", `"0.000000000000000001"`))},
		{"a text as number", revision.JSONL, line(revision.JSONL, replace(`"VMware"`, "1"))},
		{"too many digits", revision.JSONL, line(revision.JSONL, replace("0.000000000000000001", "0.0000000000000000001"))},
		{"another zone", revision.JSONL, line(revision.JSONL, replace("2026-11-01T00:00:00Z", "2026-11-01T00:00:00+00:00"))},
		{"a null", revision.JSONL, line(revision.JSONL, replace(`"ProviderName":"VMware",`, ""))},
		{"a null that is said", revision.JSONL, line(revision.JSONL, replace(`"VMware"`, "null"))},
		{"an empty text", revision.JSONL, line(revision.JSONL, replace(`"VMware"`, `""`))},
		{"another member", revision.JSONL, line(revision.JSONL, replace(`"ProviderName"`, `"Provider"`))},
		{"a member twice", revision.JSONL, line(revision.JSONL, replace(`"ProviderName":"VMware"`, `"ProviderName":"VMware","ProviderName":"VMware"`))},
		{"an array", revision.JSONL, line(revision.JSONL, func(s string) string { return "[" + s + "]" })},
		{"no format", "xlsx", nil},
	} {
		if rows, err := read(tt.f, tt.data); err == nil {
			t.Errorf("%s, %s: %d rows", tt.f, tt.name, len(rows))
		}
	}
}
