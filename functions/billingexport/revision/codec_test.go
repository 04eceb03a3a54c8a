package revision

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

var (
	at     = time.Date(2026, time.November, 6, 6, 0, 0, 0, time.UTC)
	digest = strings.Repeat("ab", 32)
)

func sumOf(text string) blob.Sum { return blob.SumOf([]byte(text)) }

func file(name string, amount string) File {
	return File{Name: name, Lens: Provider, Format: Parquet, Sum: sumOf(name), Rows: 2, Billed: []Money{{"USD", decimal.RequireFromString(amount)}}, First: at, Last: at}
}

func somePart(org string) Part {
	folder := PartFolder(hub.Period{Year: 2026, Month: 10}, org, digest)
	return Part{V: 1, Month: "2026-10", Org: org, OrgName: "Société " + org, Digest: digest, Accounts: []Account{{Lens: Provider}},
		Raw:   []Raw{{Kind: UsageFile, Name: RawName(hub.Period{Year: 2026, Month: 10}, org, UsageFile, digest), Sum: sumOf("raw"), Unit: hub.Milliseconds}},
		Files: []File{file(folder+FocusFile(Provider, Parquet), "12.345678901234567891")}, Bill: file(folder+BillFile, "0"),
		Verdicts: []bill.Verdict{{Code: bill.Match, Text: "7 agree.", Count: 7}}}
}

func someManifest() Manifest {
	d := Draft{Month: "2026-10", Run: "20261106T060000.000000Z", Made: at, Closed: at.Add(-time.Hour), Parts: []Part{somePart("b"), somePart("a")}}
	return d.Manifest(3, 1)
}

// refused must not be taken for a document: each differs from a good one in one thing.
func TestStrict(t *testing.T) {
	good, err := Encode(someManifest())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeManifest(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"a member that we do not know", `"v":1,`, `"v":1,"w":2,`},
		{"a member twice", `"v":1,`, `"v":1,"v":1,`},
		{"another case", `"month"`, `"Month"`},
		{"another order", `"v":1,"month":"2026-10","revision":3`, `"month":"2026-10","v":1,"revision":3`},
		{"white space", `"v":1,`, `"v": 1,`},
		{"something behind it", `}]}`, `}]} {}`},
		{"cut short", `}`, ``},
		{"a later version", `{"v":1,"month":"2026-10","revision"`, `{"v":2,"month":"2026-10","revision"`},
		{"no month", `"month":"2026-10","revision"`, `"month":"2026-13","revision"`},
		{"no revision", `"revision":3`, `"revision":0`},
		{"a state that there is not", `"published"`, `"final"`},
		{"it starts from itself", `"since":1`, `"since":3`},
		{"a digest that is none", digest, strings.ToUpper(digest)},
		{"the order of parts", `"org":"a"`, `"org":"c"`},
		{"a part of another month", `{"v":1,"month":"2026-10","org":"a"`, `{"v":1,"month":"2026-09","org":"a"`},
		{"an amount in other words", `"12.345678901234567891"`, `"12.3456789012345678910"`},
		{"an amount of hostile size", `"12.345678901234567891"`, `"1e999999999"`},
		{"a name that climbs", `"name":"parts/`, `"name":"../parts/`},
		{"a time that is not UTC", `"made":"2026-11-06T06:00:00Z"`, `"made":"2026-11-06T06:00:00+01:00"`},
		{"a checksum", `"crc32c":"`, `"crc32c":"x`},
	} {
		bad := strings.Replace(string(good), c.old, c.new, 1)
		if bad == string(good) {
			t.Errorf("%s: changes nothing", c.name)
		}
		if _, err := DecodeManifest([]byte(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := DecodeCurrent(bytes.Repeat([]byte(" "), MaxCurrent+1)); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// What Decode would refuse is not written.
func TestEncodeRefuses(t *testing.T) {
	m := someManifest()
	m.Revision = 0
	if _, err := Encode(m); !fault.Is(err, fault.Bug) {
		t.Error(err)
	}
	if _, err := Encode(Part{V: 1, Month: "2026-10", Org: "a"}); !fault.Is(err, fault.Bug) { // without a digest and a reason
		t.Error(err)
	}
}

func fuzz[D document](f *testing.F, good D, decode func([]byte) (D, error)) {
	data, err := Encode(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{}`))
	f.Add(bytes.Replace(data, []byte(`"v":1`), []byte(`"v":1e0`), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decode(data)
		if err != nil {
			return
		}
		again, err := Encode(d)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is read and written as %q, %v", data, again, err)
		}
	})
}

func FuzzManifest(f *testing.F) { fuzz(f, someManifest(), DecodeManifest) }

func FuzzPart(f *testing.F) { fuzz(f, somePart("a"), DecodePart) }

func FuzzFetched(f *testing.F) {
	fuzz(f, Fetched{V: 1, Month: "2026-10", Org: "a", Run: "20261106T060000.000000Z", At: at, Raw: somePart("a").Raw,
		Requests: []Request{{At: at, Kind: UsageFile, Result: "ok", Bytes: 3}}}, DecodeFetched)
}

func FuzzCurrent(f *testing.F) {
	fuzz(f, Current{V: 1, Month: "2026-10", Revision: 1, Manifest: "focus/month=2026-10/rev=0001/manifest.json", ManifestSHA256: digest}, DecodeCurrent)
}

func TestNumberOf(t *testing.T) {
	p := hub.Period{Year: 2026, Month: 10}
	if n, err := NumberOf(p, Folder(p, 12)+ManifestFile); n != 12 || err != nil {
		t.Error(n, err)
	}
	for _, name := range []string{"focus/month=2026-10/current.json", "focus/month=2026-10/rev=12/manifest.json", "focus/month=2026-10/rev=0000/x", "focus/month=2026-10/rev=-001/x", ""} {
		if n, err := NumberOf(p, name); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %d, %v", name, n, err)
		}
	}
}
