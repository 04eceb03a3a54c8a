package bigquery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	root   = "/bigquery/v2/projects/acme-prod"
	tables = root + "/datasets/billing/tables"
	jobs   = root + "/jobs"
)

// clock is a time that only the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// files are the objects of a bucket.
type files map[string][]byte

func (f files) open(uri string) (io.ReaderAt, int64, error) {
	data, ok := f[uri]
	if !ok {
		return nil, 0, fmt.Errorf("open: %w", fs.ErrNotExist)
	}
	return bytes.NewReader(data), int64(len(data)), nil
}

// dataset is a server under test, called in process.
type dataset struct {
	t testing.TB
	*Server
	*clock
	files files
}

func open(t testing.TB, o Options) dataset {
	t.Helper()
	d := dataset{t: t, clock: &clock{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}, files: files{}}
	if o.Now == nil {
		o.Now = d.clock.now
	}
	if o.Objects == nil {
		o.Objects = d.files.open
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d.Server = s
	return d
}

// answered is what came back, or the error of the connection.
type answered struct {
	status int
	body   string
	err    error
}

// send calls in process. A body that is not empty is JSON.
func (d dataset) send(method, path, body string, headers ...string) answered {
	d.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, "http://bigquery.test"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Client{Transport: recorder{d.t, d.Transport()}}).Do(r)
	if err != nil {
		return answered{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return answered{res.StatusCode, string(data), err}
}

// must is send for a call that has to succeed.
func (d dataset) must(method, path, body string, headers ...string) object {
	d.t.Helper()
	a := d.send(method, path, body, headers...)
	if a.err != nil || a.status != 200 {
		d.t.Fatalf("%s %s: %d %v %s", method, path, a.status, a.err, a.body)
	}
	return decoded(d.t, a.body)
}

// decoded is JSON as an object.
func decoded(t testing.TB, text string) object {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return objectOf(v)
}

func objectOf(v map[string]any) object {
	o := object{}
	for k, inner := range v {
		if m, ok := inner.(map[string]any); ok {
			inner = objectOf(m)
		}
		o[k] = inner
	}
	return o
}

// refused is send for a call that has to fail with a code, and say a thing.
func (d dataset) refused(method, path, body string, status int, has string, headers ...string) {
	d.t.Helper()
	a := d.send(method, path, body, headers...)
	if a.err != nil || a.status != status || !strings.Contains(a.body, has) {
		d.t.Errorf("%s %s: %d %v %s, want %d with %q", method, path, a.status, a.err, a.body, status, has)
		return
	}
	var v struct {
		Error struct {
			Code            int
			Message, Status string
			Errors          []struct{ Reason, Message, Domain string }
		}
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil || v.Error.Code != status || v.Error.Status == "" || v.Error.Message == "" ||
		len(v.Error.Errors) != 1 || v.Error.Errors[0].Reason == "" {
		d.t.Errorf("not BigQuery's shape: %s", a.body)
	}
}

// recorder holds every answer against the schema that the contract has for it.
type recorder struct {
	t    testing.TB
	next http.RoundTripper
}

func (rec recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := rec.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(data))
	if route, _ := find(r.Method, r.URL); route != nil && err == nil && res.StatusCode == 200 && json.Valid(data) {
		if _, f := parsePayload(route.method.Response, data); f != nil {
			rec.t.Errorf("%s answered against its schema: %v", route.method.Op, f)
		}
	}
	return res, err
}

// charge is a row of the files of these tests.
type charge struct {
	BilledCost      [16]byte `parquet:"BilledCost,decimal(18:38)"`
	BillingCurrency string   `parquet:"BillingCurrency,optional"`
	Start           int64    `parquet:"Start,timestamp(microsecond)"`
	Quantity        [16]byte `parquet:"Quantity,decimal(9:38)"`
	Row             int64    `parquet:"Row,optional"`
}

const chargeSchema = `{"fields":[{"name":"BilledCost","type":"BIGNUMERIC"},{"name":"BillingCurrency","type":"STRING"},{"name":"Start","type":"TIMESTAMP"},
	{"name":"Quantity","type":"NUMERIC"},{"name":"Row","type":"INT64"}]}`

// exact is a decimal as Parquet has it.
func exact(text string, scale int) (out [16]byte) {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("not a number: " + text)
	}
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	r.Mul(r, new(big.Rat).SetInt(n))
	if !r.IsInt() {
		panic("too many digits: " + text)
	}
	n = r.Num()
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	n.FillBytes(out[:])
	return out
}

func sold(month time.Month, cost, currency string) charge {
	return charge{exact(cost, 18), currency, time.Date(2026, month, 3, 4, 5, 6, 789000, time.UTC).UnixMicro(), exact("1.5", 9), 7}
}

// parquetOf is a file of rows of any type.
func parquetOf[T any](t testing.TB, rows ...T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// put makes a file of charges.
func (d dataset) put(uri string, rows ...charge) string {
	d.t.Helper()
	d.files[uri] = parquetOf(d.t, rows...)
	return uri
}

// make makes the table "charges", divided into months.
func (d dataset) make() {
	d.t.Helper()
	d.must("POST", tables, tableBody("charges", chargeSchema))
}

func tableBody(id, schema string) string {
	return `{"tableReference":{"projectId":"acme-prod","datasetId":"billing","tableId":"` + id + `"},"schema":` + schema +
		`,"timePartitioning":{"type":"MONTH","field":"Start"},"clustering":{"fields":["BillingCurrency"]}}`
}

// loading is a load job; more is further JSON of its configuration.
func loading(id, table, uris, more string) string {
	return fmt.Sprintf(`{"jobReference":{"projectId":"acme-prod","jobId":%q},"configuration":{"load":{"destinationTable":{"projectId":"acme-prod",
		"datasetId":"billing","tableId":%q},"sourceFormat":"PARQUET","sourceUris":["%s"],"decimalTargetTypes":["NUMERIC","BIGNUMERIC"]%s}}}`,
		id, table, strings.ReplaceAll(uris, " ", `","`), more)
}

const truncate = `,"writeDisposition":"WRITE_TRUNCATE"`

// run plays a job to its end, and returns the reason and the message of its error.
func (d dataset) run(id, table, uris, more string) (reason, message string) {
	d.t.Helper()
	d.must("POST", jobs, loading(id, table, uris, more))
	for range 10 {
		j := d.must("GET", jobs+"/"+id, "")
		if status := j.object("status"); status.text("state") == "DONE" {
			e := status.object("errorResult")
			return e.text("reason"), e.text("message")
		}
	}
	d.t.Fatalf("job %s does not end", id)
	return "", ""
}

// loads is run for a job that has to succeed.
func (d dataset) loads(id, table, uris, more string) {
	d.t.Helper()
	if reason, message := d.run(id, table, uris, more); reason != "" {
		d.t.Fatalf("job %s: %s: %s", id, reason, message)
	}
}

// fails is run for a job that has to fail, and change nothing.
func (d dataset) fails(id, table, uris, more, reason, has string) {
	d.t.Helper()
	before := d.sums()
	got, message := d.run(id, table, uris, more)
	if got != reason || !strings.Contains(message, has) {
		d.t.Errorf("job %s: %q %q, want %s with %q", id, got, message, reason, has)
	}
	if after := d.sums(); after != before {
		d.t.Errorf("job %s failed and changed %s to %s", id, before, after)
	}
}

// sums are what the control tells of the table "charges", in short: "202609: 2 rows EUR 3.5; ".
func (d dataset) sums() string {
	d.t.Helper()
	a := d.send("GET", "/tables/billing.charges", "")
	if a.status == 404 {
		return "no table"
	}
	var v TableView
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		d.t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range v.Partitions {
		fmt.Fprintf(&b, "%s: %d rows", p.Partition, p.Rows)
		for _, c := range []string{"EUR", "USD", ""} {
			if sum, ok := p.Billed[c]; ok {
				fmt.Fprintf(&b, " %s %s", c, sum)
			}
		}
		b.WriteString("; ")
	}
	return b.String()
}

func (d dataset) want(sums string) {
	d.t.Helper()
	if got := d.sums(); got != sums {
		d.t.Errorf("there is %q, want %q", got, sums)
	}
}
