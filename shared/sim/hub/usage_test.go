package hub

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func epoch(year int, m time.Month, day, hour int) string {
	return strconv.FormatInt(time.Date(year, m, day, hour, 0, 0, 0, time.UTC).Unix(), 10)
}

// october is the month before the test's clock, asked for as no reading of the guide can misunderstand.
var october = "startTime=" + epoch(2026, 10, 1, 12) + "&endTime=" + epoch(2026, 11, 1, 12)

var ratOne = big.NewRat(1, 1)

func rat(t *testing.T, v any) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(fmt.Sprint(v))
	if !ok {
		t.Fatalf("no number: %v", v)
	}
	return r
}

// sums of an organization: usage, commit and billable quantity by SKU, and the amount.
type sums struct {
	skus   map[string][3]*big.Rat
	amount *big.Rat
}

func newSums() sums { return sums{map[string][3]*big.Rat{}, new(big.Rat)} }

func (s sums) add(key string, usage, commit, billable, price *big.Rat) {
	k, ok := s.skus[key]
	if !ok {
		k = [3]*big.Rat{new(big.Rat), new(big.Rat), new(big.Rat)}
	}
	k[0].Add(k[0], usage)
	k[1].Add(k[1], commit)
	k[2].Add(k[2], billable)
	s.skus[key] = k
	s.amount.Add(s.amount, new(big.Rat).Mul(price, billable))
}

func (s sums) String() string {
	keys := map[string]string{}
	for k, v := range s.skus {
		if v[0].Sign()+v[1].Sign()+v[2].Sign() > 0 {
			keys[k] = v[0].String() + " " + v[1].String() + " " + v[2].String()
		}
	}
	return fmt.Sprint(keys, s.amount)
}

// fileSums reads a CSV by the names of its columns.
func fileSums(t *testing.T, body string) (all map[string]sums, rows int) {
	t.Helper()
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")))
	header, err := r.Read()
	check(t, err)
	at := map[string]int{}
	for i, h := range header {
		at[strings.Replace(h, "(USD)", "()", 1)] = i
	}
	all = map[string]sums{}
	for {
		line, err := r.Read()
		if err == io.EOF {
			return all, rows
		}
		check(t, err)
		rows++
		org := line[at["Org Id"]]
		if _, ok := all[org]; !ok {
			all[org] = newSums()
		}
		cell := func(name string) *big.Rat { return rat(t, line[at[name]]) }
		all[org].add(line[at["Cross Reference Sku"]], cell("Usage Qty"), cell("Commit Qty"), cell("Billable Qty"), cell("Price ()"))
	}
}

// reportSums reads the JSON, and holds its totals against each other.
func reportSums(t *testing.T, a answered) map[string]sums {
	t.Helper()
	all := map[string]sums{}
	for _, org := range a.array(t) {
		s, total := newSums(), new(big.Rat)
		for _, v := range org["services"].([]any) {
			service := v.(map[string]any)
			total.Add(total, rat(t, service["serviceBillableUsageAmount"]))
			for _, v := range service["subscriptions"].([]any) {
				data := v.(map[string]any)["skuData"].(map[string]any)
				for _, v := range data["skus"].([]any) {
					k := v.(map[string]any)
					s.add(k["crossReferenceSku"].(string), rat(t, k["totalUsageQuantity"]), rat(t, k["totalCommitQuantity"]), rat(t, k["totalBillableUsageQuantity"]), rat(t, k["unitPrice"]))
				}
			}
		}
		if total.Cmp(s.amount) != 0 || total.Cmp(rat(t, org["orgBillableUsageAmount"])) != 0 {
			t.Errorf("%v: services %s, skus %s, organization %v", org["orgId"], total.FloatString(13), s.amount.FloatString(13), org["orgBillableUsageAmount"])
		}
		all[org["orgId"].(string)] = s
	}
	return all
}

// The file and the report agree to the last digit, in detail and in summary, for a month that is over, one that is not, and a restated one.
func TestFileAgreesWithReport(t *testing.T) {
	w := newWorld(t, Options{Rows: 1001, Skus: 4, Tenants: 3})
	w.control("POST", "/restate", `{"orgId":"`+TenantCoke+`","month":"2026-09"}`)
	for _, query := range []string{october, "", "startTime=" + epoch(2026, 9, 1, 0), "startTime=" + epoch(2026, 5, 20, 0) + "&endTime=" + epoch(2026, 11, 2, 0)} {
		report := reportSums(t, w.must("GET", bills+Provider+"/usage-report?"+query, ""))
		for _, view := range []string{"true", "false"} {
			file, rows := fileSums(t, w.must("GET", bills+Provider+"/usage-report/file?detailView="+view+"&"+query, "").body)
			if len(file) != 5 || len(report) != 5 || rows == 0 {
				t.Fatalf("%s: %d rows of %d organizations, report of %d", query, rows, len(file), len(report))
			}
			for org, s := range file {
				if s.String() != report[org].String() || s.amount.Cmp(ratOne) < 0 {
					t.Errorf("%s, detailView %s, %s:\nfile   %s\nreport %s", query, view, org, s, report[org])
				}
			}
		}
	}
}

// The running month has what was used until now, a new organization what it used since it has its services.
func TestMonthToDate(t *testing.T) {
	w := newWorld(t, Options{Rows: 3600})
	_, early := fileSums(t, w.file("tenantId="+TenantCoke).body)
	w.clock.at = w.clock.at.Add(24 * time.Hour)
	_, later := fileSums(t, w.file("tenantId="+TenantCoke).body)
	if early < 3600*20/30 || later != early+3600/30 {
		t.Errorf("%d rows on the 22nd, %d on the 23rd", early, later)
	}
	id := w.must("POST", orgs+Provider+"/tenants", tenantJSON).object(t)["id"].(string)
	w.control("POST", "/services", `{"orgId":"`+id+`"}`)
	w.clock.at = w.clock.at.Add(48 * time.Hour)
	if n := w.rows("tenantId=" + id); n != 2*3600/30 {
		t.Errorf("%d rows in the first two days", n)
	}
	if n := w.rows(october + "&tenantId=" + id); n != 0 {
		t.Errorf("%d rows of before", n)
	}
}

func (w world) file(query string) answered {
	w.t.Helper()
	return w.must("GET", bills+Provider+"/usage-report/file?"+query, "")
}

func (w world) rows(query string) int {
	w.t.Helper()
	_, n := fileSums(w.t, w.file(query).body)
	return n
}

// A restatement changes a closed month, that one only, and only of one tenant.
func TestRestate(t *testing.T) {
	w := newWorld(t, Options{})
	coke := october + "&tenantId=" + TenantCoke
	before, lorem, november := w.file(coke).body, w.file(october+"&tenantId="+TenantLorem).body, w.file("tenantId="+TenantCoke).body
	if again := w.file(coke).body; again != before {
		t.Fatal("the same question has two answers")
	}
	w.control("POST", "/restate", `{"orgId":"`+TenantCoke+`","month":"2026-10"}`)
	after := w.file(coke).body
	if after == before || strings.Count(after, "\n") != strings.Count(before, "\n")+1 {
		t.Errorf("%d lines after %d", strings.Count(after, "\n"), strings.Count(before, "\n"))
	}
	if w.file(october+"&tenantId="+TenantLorem).body != lorem || w.file("tenantId="+TenantCoke).body != november {
		t.Error("another tenant or another month changed")
	}
	r := w.must("GET", bills+Provider+"/usage-report?"+coke, "").array(t)[0]
	if r["createTimestamp"] == r["updateTimestamp"] {
		t.Error("the report does not tell that it was updated")
	}
	w.control("POST", "/restate", `{"orgId":"`+TenantCoke+`","month":"2026-10"}`)
	if w.file(coke).body == after {
		t.Error("the second restatement changed nothing")
	}
	for _, body := range []string{`{"orgId":"` + TenantCoke + `","month":"2026-11"}`, `{"orgId":"` + TenantCoke + `","month":"2017-01"}`, `{"orgId":"` + TenantCoke + `","month":"x"}`, `{"orgId":"x","month":"2026-10"}`} {
		if a := w.raw("POST", "/restate", body); a.status < 400 {
			t.Errorf("%s: %d", body, a.status)
		}
	}
}

// Which months a request is about, by the reading.
func TestPeriod(t *testing.T) {
	september := func(h int) string { return "startTime=" + epoch(2026, 9, 13, h) }
	tests := []struct {
		what   string
		on     Switches
		query  string
		months string
	}{
		{"neither: the current month", Switches{}, "", "2026-11"},
		{"start only: up to the current month", Switches{}, september(0), "2026-09 2026-10"},
		{"the guide's example", Switches{}, september(0) + "&endTime=" + epoch(2026, 10, 1, 16), "2026-09"},
		{"the last second of a month", Switches{}, september(0) + "&endTime=" + epoch(2026, 9, 30, 23), ""},
		{"the same, nearest", Switches{Rounding: "nearest"}, september(0) + "&endTime=" + epoch(2026, 9, 30, 23), "2026-09"},
		{"late in the next month, floor", Switches{}, september(0) + "&endTime=" + epoch(2026, 10, 20, 0), "2026-09"},
		{"late in the next month, nearest", Switches{Rounding: "nearest"}, september(0) + "&endTime=" + epoch(2026, 10, 20, 0), "2026-09 2026-10"},
		{"early in the next month, nearest", Switches{Rounding: "nearest"}, september(0) + "&endTime=" + epoch(2026, 10, 3, 0), "2026-09"},
		{"noon of the first", Switches{}, october, "2026-10"},
		{"noon, nearest", Switches{Rounding: "nearest"}, october, "2026-10"},
		{"noon, far west", Switches{Zone: "UTC-12"}, october, "2026-10"},
		{"noon, far east, nearest", Switches{Zone: "UTC+14", Rounding: "nearest"}, october, "2026-10"},
		{"midnight, far west", Switches{Zone: "UTC-12"}, "startTime=" + epoch(2026, 10, 1, 0) + "&endTime=" + epoch(2026, 11, 1, 0), "2026-09"},
		{"milliseconds", Switches{}, "startTime=" + epoch(2026, 10, 1, 12) + "000&endTime=" + epoch(2026, 11, 1, 12) + "000", "2026-10"},
		{"microseconds", Switches{}, "startTime=" + epoch(2026, 10, 1, 12) + "000000&endTime=" + epoch(2026, 11, 1, 12) + "000000", "2026-10"},
		{"seconds taken for milliseconds", Switches{Unit: "chaos"}, october, ""},
		{"too long, and nobody says so", Switches{OutOfWindow: "empty"}, "startTime=" + epoch(2026, 1, 1, 12), ""},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			w := newWorld(t, Options{Switches: tt.on})
			report := reportSums(t, w.must("GET", bills+Provider+"/usage-report?tenantId="+TenantCoke+"&"+tt.query, ""))[TenantCoke]
			want := newSums()
			for _, m := range strings.Fields(tt.months) {
				begin, err := time.Parse("2006-01", m)
				check(t, err)
				check(t, w.SetSwitches(Switches{}))
				q := url.Values{"startTime": {strconv.FormatInt(begin.Unix(), 10)}, "endTime": {strconv.FormatInt(begin.AddDate(0, 1, 0).Unix(), 10)}}
				part := reportSums(t, w.must("GET", bills+Provider+"/usage-report?tenantId="+TenantCoke+"&"+q.Encode(), ""))[TenantCoke]
				for k, v := range part.skus {
					want.add(k, v[0], v[1], v[2], new(big.Rat))
				}
				want.amount.Add(want.amount, part.amount)
			}
			if report.String() != want.String() || (tt.months != "") != (want.amount.Sign() > 0) {
				t.Errorf("got  %s\nwant %s", report, want)
			}
		})
	}
}

func TestPeriodRefused(t *testing.T) {
	long := "startTime=" + epoch(2026, 1, 1, 12) + "&endTime=" + epoch(2026, 11, 1, 12)
	tests := []struct {
		what, path, query, field string
		on                       Switches
	}{
		{"end only", "usage-report", "endTime=" + epoch(2026, 10, 1, 0), "startTime", Switches{}},
		{"backwards", "usage-report", "startTime=" + epoch(2026, 10, 2, 0) + "&endTime=" + epoch(2026, 10, 1, 0), "endTime", Switches{}},
		{"more than six months", "usage-report", long, "startTime", Switches{}},
		{"older than six months", "usage-report", "startTime=" + epoch(2026, 4, 1, 12) + "&endTime=" + epoch(2026, 5, 1, 12), "startTime", Switches{}},
		{"before there was anything", "usage-report", "startTime=0&endTime=1", "startTime", Switches{}},
		{"a file of more, with the switch", "usage-report/file", long, "startTime", Switches{WindowOnFile: true}},
		{"no number", "usage-report", "startTime=2026-10-01", "startTime", Switches{}},
		{"negative", "usage-report/file", "startTime=-5", "startTime", Switches{}},
		{"beyond all units", "usage-report", "startTime=999999999999999999", "startTime", Switches{}},
		{"milliseconds for the report", "usage-report", "startTime=1790000000000", "startTime", Switches{Unit: "strict"}},
		{"seconds for the file", "usage-report/file", october, "startTime", Switches{Unit: "strict"}},
		{"microseconds for the file", "usage-report/file", "startTime=1790000000000000", "startTime", Switches{Unit: "strict"}},
		{"times for subscriptions", "subscriptions", october, "startTime", Switches{}},
	}
	for _, tt := range tests {
		w := newWorld(t, Options{Switches: tt.on})
		refused(t, tt.what, w.send("GET", bills+Provider+"/"+tt.path+"?"+tt.query, ""), 400, tt.field)
	}
	w := newWorld(t, Options{})
	if n := w.rows(long); n == 0 {
		t.Error("the file is not bound by the six months unless the switch says so")
	}
}

// Whose usage comes, by the parameters.
func TestScopeOfReport(t *testing.T) {
	w := newWorld(t, Options{})
	tests := []struct{ path, query, orgs string }{
		{"usage-report", "", TenantCoke + " " + TenantLorem},
		{"usage-report", "providerReport=false", TenantCoke + " " + TenantLorem},
		{"usage-report", "tenantId=" + TenantLorem, TenantLorem},
		{"usage-report", "providerReport=true", Provider},
		{"usage-report", "providerReport=true&tenantId=" + TenantLorem, Provider},
		{"subscriptions", "", Provider},
		{"subscriptions", "allTenants=true", TenantCoke + " " + TenantLorem},
		{"subscriptions", "tenantId=" + TenantCoke, TenantCoke},
		{"subscriptions", "providerReport=true&allTenants=true", Provider},
	}
	for _, tt := range tests {
		var got []string
		for _, o := range w.must("GET", bills+Provider+"/"+tt.path+"?"+tt.query, "").array(t) {
			got = append(got, o["orgId"].(string))
		}
		if strings.Join(got, " ") != tt.orgs {
			t.Errorf("%s?%s: %v, want %s", tt.path, tt.query, got, tt.orgs)
		}
	}
	w.control("POST", "/switches", `{"subscriptionsAllTenants":true}`)
	if n := len(w.must("GET", bills+Provider+"/subscriptions", "").array(t)); n != 2 {
		t.Errorf("%d organizations, want 2", n)
	}
	id := w.serviceID("logs")
	r := w.must("GET", bills+Provider+"/usage-report?tenantId="+TenantCoke+"&serviceIds="+id+",none", "").array(t)[0]["services"].([]any)
	if len(r) != 1 || r[0].(map[string]any)["serviceDefId"] != id {
		t.Errorf("services %v", r)
	}
	if a, b := w.rows(october+"&serviceIds="+id), w.rows(october); a == 0 || a >= b {
		t.Errorf("%d rows of one service, %d of all", a, b)
	}
}

// What the switches do to the file. The sums stay the same.
func TestFileReadings(t *testing.T) {
	w := newWorld(t, Options{})
	plain, n := fileSums(t, w.file(october).body)
	tests := []struct {
		on     Switches
		header string // beginning
		cell   string // somewhere
		sums   bool
	}{
		{Switches{}, `"Org Id","Org Name"`, `"` + strconv.FormatInt(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), 10) + `"`, true},
		{Switches{CSVPlain: true}, "Org Id,Org Name", "\n", true},
		{Switches{CSVMark: true}, "\ufeff\"Org Id\"", "", true},
		{Switches{CSVReordered: true}, `"Cross Reference Sku","Customer Segment"`, "", true},
		{Switches{CSVExtraColumn: true}, `"Org Id","Org Name","Org Status","Invoice Group","Tag"`, `"default"`, true},
		{Switches{PriceHeader: "(USD)"}, `"Org Id"`, `"Price (USD)"`, true},
		{Switches{CSVTime: "seconds"}, `"Org Id"`, `"` + epoch(2026, 10, 1, 0) + `"`, true},
		{Switches{CSVTime: "rfc3339"}, `"Org Id"`, `"2026-10-01T00:00:00Z"`, true},
		{Switches{CSVTime: "date"}, `"Org Id"`, `"2026-10-01 00:00:00"`, true},
		{Switches{CSVTime: "us"}, `"Org Id"`, `"10/1/26"`, true},
		{Switches{CSVHeaderOnly: true}, `"Org Id"`, "", false},
	}
	for _, tt := range tests {
		check(t, w.SetSwitches(tt.on))
		body := w.file(october).body
		got, rows := fileSums(t, body)
		if !strings.HasPrefix(body, tt.header) || !strings.Contains(body, tt.cell) {
			t.Errorf("%+v: %.200s", tt.on, body)
		}
		if tt.sums && (fmt.Sprint(got) != fmt.Sprint(plain) || rows != n) || !tt.sums && rows != 0 {
			t.Errorf("%+v: %d rows, other sums", tt.on, rows)
		}
	}
	check(t, w.SetSwitches(Switches{DetailViewInverted: true}))
	if summary, detail := w.rows(october+"&detailView=false"), w.rows(october+"&detailView=true"); summary >= detail || detail != n {
		t.Errorf("inverted: %d rows of summary, %d of detail", summary, detail)
	}
	for reading, want := range map[string]string{"file": `attachment; filename="usage-report-2026-10.csv"`, "chaos": `attachment; filename="../x.csv"`, "none": ""} {
		check(t, w.SetSwitches(Switches{ContentDisposition: reading}))
		if got := w.file(october).header.Get("Content-Disposition"); got != want {
			t.Errorf("%s: %s", reading, got)
		}
	}
}

func TestReportReadings(t *testing.T) {
	w := newWorld(t, Options{Skus: 4, Switches: Switches{TruncateSkus: true}})
	data := func() (map[string]any, string) {
		o := w.must("GET", bills+Provider+"/usage-report?"+october, "").array(t)[0]
		s := o["services"].([]any)[0].(map[string]any)["subscriptions"].([]any)[0].(map[string]any)
		return s["skuData"].(map[string]any), o["orgBillableUsageAmount"].(json.Number).String()
	}
	d, exact := data()
	if n := len(d["skus"].([]any)); n != 2 || d["pageSize"] != json.Number("4") {
		t.Errorf("%d skus of %v", n, d["pageSize"])
	}
	check(t, w.SetSwitches(Switches{JSONNumbers: "float64"}))
	d, float := data()
	f, err := strconv.ParseFloat(exact, 64)
	check(t, err)
	if len(d["skus"].([]any)) != 4 || float != strconv.FormatFloat(f, 'f', -1, 64) || len(float) >= len(exact) {
		t.Errorf("%s of %s", float, exact)
	}
}

// A file of many rows needs no more memory than one of a few.
func TestLargeFile(t *testing.T) {
	const rows = 200_000
	w := newWorld(t, Options{Rows: rows})
	r, err := http.NewRequest("GET", "http://hub.test"+bills+Provider+"/usage-report/file?tenantId="+TenantCoke+"&"+october, nil)
	check(t, err)
	r.Header.Set("csp-auth-token", w.access(Provider, ProviderBillingUser))
	res, err := w.Transport().RoundTrip(r)
	check(t, err)
	defer res.Body.Close()
	buf, lines, most := make([]byte, 64<<10), 0, uint64(0)
	var mem runtime.MemStats
	for i := 0; ; i++ {
		n, err := res.Body.Read(buf)
		lines += strings.Count(string(buf[:n]), "\n")
		if i%500 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&mem)
			most = max(most, mem.HeapAlloc)
		}
		if err == io.EOF {
			break
		}
		check(t, err)
	}
	if lines != rows+1 || most > 8<<20 {
		t.Errorf("%d lines, %d MiB at most", lines, most>>20)
	}
	t.Logf("%d lines, %.1f MiB at most", lines, float64(most)/(1<<20))
}
