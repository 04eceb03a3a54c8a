package bigquery

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A partition is replaced as a whole, by nothing if the file has no rows; what is appended stays.
func TestPartitionsAreReplaced(t *testing.T) {
	d := open(t, Options{})
	d.make()
	a := d.put("gs://b/a", sold(9, "0.100000000000000001", "EUR"), sold(9, "-3", "EUR"), sold(9, "7", "USD"))
	b := d.put("gs://b/b", sold(10, "5", "EUR"))
	d.loads("one", "charges$202609", a, truncate)
	d.loads("two", "charges$202610", b, truncate)
	d.want("202609: 3 rows EUR -2.899999999999999999 USD 7; 202610: 1 rows EUR 5; ")
	d.loads("three", "charges$202609", d.put("gs://b/c", sold(9, "2", "EUR"))+" "+d.put("gs://b/d", sold(9, "0.5", "EUR")), truncate)
	d.want("202609: 2 rows EUR 2.5; 202610: 1 rows EUR 5; ")
	d.loads("four", "charges", a+" "+b, "")
	d.want("202609: 5 rows EUR -0.399999999999999999 USD 7; 202610: 2 rows EUR 10; ")
	d.loads("five", "charges$202609", d.put("gs://b/none"), truncate)
	d.want("202610: 2 rows EUR 10; ")
	d.loads("six", "charges", a, truncate+`,"schema":`+chargeSchema)
	d.want("202609: 3 rows EUR -2.899999999999999999 USD 7; ")
}

// Every other disposition does what it says.
func TestDispositions(t *testing.T) {
	d := open(t, Options{})
	a := d.put("gs://b/a", sold(9, "1", "EUR"))
	d.fails("never", "charges", a, `,"createDisposition":"CREATE_NEVER"`, "notFound", "Not found: Table")
	d.fails("nameless", "charges", a, "", "invalid", "schema of a file")
	d.loads("made", "charges", a, `,"schema":`+chargeSchema+`,"timePartitioning":{"type":"MONTH","field":"Start"}`)
	d.fails("full", "charges", a, `,"writeDisposition":"WRITE_EMPTY"`, "duplicate", "Already Exists")
	d.loads("data", "charges", a+" "+a, `,"writeDisposition":"WRITE_TRUNCATE_DATA"`)
	d.want("202609: 2 rows EUR 2; ")
	d.fails("elsewhere", "charges", a, `,"schema":`+chargeSchema+`,"timePartitioning":{"type":"DAY","field":"Start"}`, "invalid", "Incompatible table partitioning")
}

// What goes wrong with a file, or does not go with the table, fails the job, and changes nothing.
func TestFilesThatDoNotFit(t *testing.T) {
	d := open(t, Options{})
	d.make()
	good := d.put("gs://b/good", sold(9, "1", "EUR"))
	d.loads("first", "charges$202609", good, truncate)
	file := func(name string, data []byte) string {
		d.files["gs://b/"+name] = data
		return good + " gs://b/" + name
	}
	type extra struct {
		charge
		Surplus string `parquet:"Surplus"`
	}
	type wrongType struct {
		BilledCost float64 `parquet:"BilledCost"`
	}
	type wide struct {
		Quantity [16]byte `parquet:"Quantity,decimal(18:38)"`
	}
	type local struct {
		Start int64 `parquet:"Start,timestamp(microsecond:local)"`
	}
	type list struct {
		BillingCurrency []string `parquet:"BillingCurrency"`
	}
	tests := []struct{ what, table, uris, more, reason, has string }{
		{"not there", "charges$202609", good + " gs://b/nothing", truncate, "notFound", "Not found: URI"},
		{"not Parquet", "charges$202609", file("text", []byte("a,b\n1,2\n")), truncate, "invalid", "not Parquet"},
		{"empty", "charges$202609", file("empty", nil), truncate, "invalid", "not Parquet"},
		{"cut short", "charges$202609", file("cut", d.files[good][:len(d.files[good])/2]), truncate, "invalid", "not Parquet"},
		{"another month", "charges$202609", d.put("gs://b/october", sold(10, "1", "EUR")), truncate, "invalid", "different partitions"},
		{"no such partition", "charges$2026", good, truncate, "invalid", "decorator"},
		{"surplus column", "charges$202609", file("surplus", parquetOf(t, extra{charge: sold(9, "1", "EUR")})), truncate, "invalid", "No such field: Surplus"},
		{"another type", "charges", file("float", parquetOf(t, wrongType{1})), "", "invalid", "FLOAT"},
		{"too fine for its column", "charges", file("wide", parquetOf(t, wide{exact("0.1", 18)})), "", "invalid", "BIGNUMERIC, which is not that of the schema, NUMERIC"},
		{"local time", "charges", file("local", parquetOf(t, local{1})), "", "invalid", "has not got"},
		{"a list", "charges", file("list", parquetOf(t, list{[]string{"EUR"}})), "", "invalid", "nested"},
		{"schema without a column", "charges$202609", good, truncate + `,"schema":{"fields":[{"name":"BilledCost","type":"BIGNUMERIC"}]}`, "invalid", "missing in new schema"},
		{"schema of another type", "charges$202609", good, truncate + `,"schema":` + strings.Replace(chargeSchema, "BIGNUMERIC", "NUMERIC", 1), "invalid", "has changed type"},
		{"schema of another mode", "charges$202609", good, truncate + `,"schema":` + strings.Replace(chargeSchema, `"BIGNUMERIC"`, `"BIGNUMERIC","mode":"REQUIRED"`, 1), "invalid", "has changed mode"},
		{"schema with a new column", "charges$202609", good, truncate + `,"schema":` + withColumn("NULLABLE"), "invalid", "Cannot add fields"},
		{"with one that must not be null", "charges$202609", good, truncate + `,"schemaUpdateOptions":["ALLOW_FIELD_ADDITION"],"schema":` + withColumn("REQUIRED"), "invalid", "Cannot add required"},
	}
	for i, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			d := d
			d.t = t
			d.fails(fmt.Sprintf("job-%d", i), tt.table, tt.uris, tt.more, tt.reason, tt.has)
		})
	}
	d.loads("added", "charges$202609", good, truncate+`,"schemaUpdateOptions":["ALLOW_FIELD_ADDITION"],"schema":`+withColumn("NULLABLE"))
	if fields := d.must("GET", tables+"/charges", "").object("schema")["fields"].([]any); len(fields) != 6 {
		t.Errorf("%d columns after one was added to 5", len(fields))
	}
}

func withColumn(mode string) string {
	return strings.Replace(chargeSchema, "]}", `,{"name":"More","type":"STRING","mode":"`+mode+`"}]}`, 1)
}

// The type that a decimal becomes is the documented one, and a value that it does not hold fails the job: nothing is rounded.
func TestDecimalTargets(t *testing.T) {
	for _, tt := range []struct {
		targets          []string
		precision, scale int
		want             string
	}{
		{[]string{"NUMERIC", "BIGNUMERIC"}, 38, 9, "NUMERIC"}, {[]string{"NUMERIC", "BIGNUMERIC"}, 39, 9, "BIGNUMERIC"},
		{[]string{"NUMERIC", "BIGNUMERIC"}, 38, 10, "BIGNUMERIC"}, {[]string{"BIGNUMERIC", "NUMERIC"}, 38, 18, "BIGNUMERIC"},
		{[]string{"NUMERIC", "BIGNUMERIC"}, 76, 38, "BIGNUMERIC"}, {[]string{"NUMERIC", "BIGNUMERIC"}, 77, 38, "BIGNUMERIC"},
		{[]string{"NUMERIC"}, 38, 18, "NUMERIC"}, {[]string{"NUMERIC", "STRING"}, 38, 18, "STRING"}, {[]string{"BIGNUMERIC"}, 5, 2, "BIGNUMERIC"},
	} {
		if got := target(tt.targets, tt.precision, tt.scale); got != tt.want {
			t.Errorf("(%d,%d) into %v is %s, want %s", tt.precision, tt.scale, tt.targets, got, tt.want)
		}
	}
	d := open(t, Options{})
	type cost struct {
		Cost [16]byte `parquet:"Cost,decimal(18:38)"`
	}
	only := func(id, kind, targets, value string) (reason, message string) {
		d.files["gs://b/"+id] = parquetOf(t, cost{exact(value, 18)})
		body := strings.Replace(loading(id, "costs_"+id, "gs://b/"+id, `,"schema":{"fields":[{"name":"Cost","type":"`+kind+`"}]}`), `["NUMERIC","BIGNUMERIC"]`, targets, 1)
		d.must("POST", jobs, body)
		d.must("GET", jobs+"/"+id, "")
		status := d.must("GET", jobs+"/"+id, "").object("status")
		return status.object("errorResult").text("reason"), status.object("errorResult").text("message")
	}
	for i, tt := range []struct{ kind, targets, value, has string }{
		{"NUMERIC", `["NUMERIC"]`, "0.123456789", ""},
		{"NUMERIC", `["NUMERIC"]`, "0.1234567891", "outside the range of NUMERIC"},
		{"NUMERIC", "[]", "-0.000000000000000001", "outside the range of NUMERIC"}, // by default
		{"BIGNUMERIC", `["NUMERIC"]`, "1", "not that of the schema"},
		{"NUMERIC", `["NUMERIC","BIGNUMERIC"]`, "1", "not that of the schema"},
		{"BIGNUMERIC", `["NUMERIC","BIGNUMERIC"]`, "-99999999999999999999.999999999999999999", ""},
		{"STRING", `["STRING"]`, "99999999999999999999.999999999999999999", ""},
	} {
		reason, message := only(fmt.Sprintf("c%d", i), tt.kind, tt.targets, tt.value)
		if (tt.has == "") != (reason == "") || !strings.Contains(message, tt.has) {
			t.Errorf("%s with %s of %s: %s %s", tt.kind, tt.targets, tt.value, reason, message)
		}
	}
}

// A job's id is used once, whatever became of it, and its states come one after the other.
func TestJobsAreUniqueAndSlow(t *testing.T) {
	d := open(t, Options{JobPolls: 2})
	d.make()
	a := d.put("gs://b/a", sold(9, "1", "EUR"))
	state := func(o object) string { return o.object("status").text("state") }
	body := loading("one", "charges", a, "")
	if got := state(d.must("POST", jobs, body)); got != "PENDING" {
		t.Error(got)
	}
	d.refused("POST", jobs, body, 409, "Already Exists: Job acme-prod:EU.one")
	for _, want := range []string{"RUNNING", "RUNNING", "DONE", "DONE"} {
		if got := state(d.must("GET", jobs+"/one", "")); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if want != "DONE" {
			d.want("")
		}
	}
	d.want("202609: 1 rows EUR 1; ")
	d.refused("POST", jobs, body, 409, "Already Exists")

	d.must("POST", jobs, strings.Replace(body, `"one"`, `"timed"`, 1))
	d.at = d.at.Add(10 * time.Second)
	if got := state(d.must("GET", jobs+"/timed", "")); got != "DONE" {
		t.Errorf("after its time it is %s", got)
	}
	d.must("POST", "/jobs", `{"reason":"backendError","times":2}`)
	d.fails("b1", "charges", a, "", "backendError", "control")
	d.fails("b2", "charges", a, "", "backendError", "control")
	d.loads("b3", "charges", a, "")
	d.refused("POST", jobs, loading("b1", "charges", a, ""), 409, "Already Exists")
	d.want("202609: 3 rows EUR 3; ")

	stats := d.must("GET", jobs+"/b3", "").object("statistics").object("load")
	if stats.text("outputRows") != "1" || stats.text("inputFiles") != "1" || stats.text("inputFileBytes") != fmt.Sprint(len(d.files[a])) {
		t.Errorf("statistics %v", stats)
	}
	if id := d.must("POST", jobs, strings.Replace(body, `"jobReference":{"projectId":"acme-prod","jobId":"one"},`, "", 1)).object("jobReference").text("jobId"); !strings.HasPrefix(id, "job_") {
		t.Errorf("drawn id %q", id)
	}
}

// A job lives in the location of its dataset, and only those of US and EU are found without naming it.
func TestLocations(t *testing.T) {
	d := open(t, Options{Datasets: map[string]string{"billing": "europe-west3"}})
	d.make()
	a := d.put("gs://b/a", sold(9, "1", "EUR"))
	at := func(location string) string {
		return strings.Replace(loading("one", "charges", a, ""), `"jobId":"one"`, `"jobId":"one","location":"`+location+`"`, 1)
	}
	d.refused("POST", jobs, at("US"), 404, "was not found in location US")
	d.must("POST", jobs, at("EUROPE-WEST3"))
	d.refused("GET", jobs+"/one", "", 404, "Not found: Job")
	d.refused("GET", jobs+"/one?location=EU", "", 404, "Not found: Job")
	d.must("GET", jobs+"/one?location=europe-west3", "")
	if got := d.must("GET", root+"/datasets/billing", "").text("location"); got != "europe-west3" {
		t.Error(got)
	}
}

// Rows come back as they were loaded, in pages; older rows have nulls where columns were added.
func TestRows(t *testing.T) {
	d := open(t, Options{})
	d.make()
	d.loads("one", "charges", d.put("gs://b/a", sold(9, "0.000000000000000001", "EUR"), sold(10, "-12345678901234567890.5", "")), "")
	d.must("PATCH", tables+"/charges", `{"schema":`+withColumn("NULLABLE")+`}`)
	d.loads("two", "charges", d.put("gs://b/b", sold(9, "3", "USD")), "")
	var rows []string
	path, next := tables+"/charges/data?maxResults=2&formatOptions.useInt64Timestamp=true", ""
	for {
		page := d.must("GET", path+next, "")
		for _, r := range page["rows"].([]any) {
			data, _ := json.Marshal(r)
			rows = append(rows, string(data))
		}
		token := page.text("pageToken")
		if token == "" {
			break
		}
		next = "&pageToken=" + token
	}
	micros := func(month time.Month) int64 { return time.Date(2026, month, 3, 4, 5, 6, 789000, time.UTC).UnixMicro() }
	want := []string{
		fmt.Sprintf(`{"f":[{"v":"0.000000000000000001"},{"v":"EUR"},{"v":"%d"},{"v":"1.5"},{"v":"7"},{"v":null}]}`, micros(9)),
		fmt.Sprintf(`{"f":[{"v":"-12345678901234567890.5"},{"v":null},{"v":"%d"},{"v":"1.5"},{"v":"7"},{"v":null}]}`, micros(10)),
		fmt.Sprintf(`{"f":[{"v":"3"},{"v":"USD"},{"v":"%d"},{"v":"1.5"},{"v":"7"},{"v":null}]}`, micros(9)),
	}
	if got := strings.Join(rows, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("rows\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	for format, want := range map[string]string{"FLOAT64": "1.788408306000789E+09", "INT64": "1788408306000789", "ISO8601_STRING": "2026-09-03T04:05:06.000789Z"} {
		if a := d.send("GET", tables+"/charges/data?formatOptions.timestampOutputFormat="+format, ""); !strings.Contains(a.body, want) {
			t.Errorf("%q: %s", format, a.body)
		}
	}
	if a := d.send("GET", tables+"/charges/data?startIndex=2", ""); !strings.Contains(a.body, "1.788408306000789E+09") || strings.Count(a.body, `"f"`) != 1 {
		t.Errorf("from the third row on: %s", a.body)
	}
	token := d.must("GET", path, "").text("pageToken")
	d.loads("three", "charges", "gs://b/b", "")
	d.refused("GET", path+"&pageToken="+token, "", 400, "not valid")
}

// A table changes only for who has read its last state, and never loses a column.
func TestPatches(t *testing.T) {
	d := open(t, Options{})
	d.make()
	d.refused("POST", tables, tableBody("charges", chargeSchema), 409, "Already Exists: Table acme-prod:billing.charges")
	etag := d.must("GET", tables+"/charges", "").text("etag")
	more := `{"schema":` + withColumn("NULLABLE") + `}`
	d.must("PATCH", tables+"/charges", more, "If-Match", etag)
	d.refused("PATCH", tables+"/charges", more, 412, "conditionNotMet", "If-Match", etag)
	d.refused("PATCH", tables+"/charges", `{"schema":`+chargeSchema+`}`, 400, "missing in new schema")
	d.refused("PATCH", tables+"/charges", strings.Replace(more, "INT64", "STRING", 1), 400, "has changed type")
	d.refused("PATCH", tables+"/charges", `{"timePartitioning":{"type":"DAY","field":"Start"}}`, 400, "timePartitioning")
	d.must("PATCH", tables+"/charges", `{"description":"charges"}`, "If-Match", "*")
	got := d.must("GET", tables+"/charges", "")
	if got.text("description") != "charges" || len(got.object("schema")["fields"].([]any)) != 6 || got.text("etag") == etag {
		t.Errorf("%v", got)
	}
	d.refused("PATCH", tables+"/nothing", more, 404, "Not found: Table")
}

// What was answered outlives the process, and a job that was under way goes on.
func TestItOutlivesAKill(t *testing.T) {
	dir := t.TempDir()
	d := open(t, Options{Dir: dir})
	d.make()
	a := d.put("gs://b/a", sold(9, "1", "EUR"))
	d.loads("one", "charges", a, "")
	d.must("POST", jobs, loading("two", "charges", a, ""))
	again := open(t, Options{Dir: dir, Objects: d.files.open})
	again.want("202609: 1 rows EUR 1; ")
	again.refused("POST", jobs, loading("two", "charges", a, ""), 409, "Already Exists")
	again.clock.at = again.clock.at.Add(time.Minute)
	again.want("202609: 2 rows EUR 2; ")
	if n := len(again.must("GET", tables+"/charges/data", "")["rows"].([]any)); n != 2 {
		t.Errorf("%d rows", n)
	}
	third := open(t, Options{Dir: dir, Objects: d.files.open})
	third.loads("three", "charges$202609", d.put("gs://b/none"), truncate)
	fourth := open(t, Options{Dir: dir, Objects: d.files.open})
	fourth.want("")
	left, err := os.ReadDir(filepath.Join(dir, blobFolder))
	if err != nil || len(left) != 0 {
		t.Errorf("%d blobs are left of a table without rows, %v", len(left), err)
	}
}

// A call that was executed and not answered was executed once; a job of it is met by the next insert.
func TestLostAnswers(t *testing.T) {
	d := open(t, Options{})
	d.make()
	a := d.put("gs://b/a", sold(9, "1", "EUR"))
	for i, fault := range []string{"commit_then_drop", "commit_then_status:503", "late:1m", "late_drop:1m", "garbage"} {
		id := fmt.Sprintf("job-%d", i)
		if err := d.ArmFault("bigquery.jobs.insert", fault, 1); err != nil {
			t.Fatal(err)
		}
		d.send("POST", jobs, loading(id, "charges", a, ""))
		d.at = d.at.Add(2 * time.Minute)
		d.refused("POST", jobs, loading(id, "charges", a, ""), 409, "Already Exists")
		d.want(fmt.Sprintf("202609: %d rows EUR %[1]d; ", i+1))
	}
	if err := d.ArmFault("bigquery.jobs.cancel", "drop", 1); err == nil {
		t.Error("a fault of a method that is not there")
	}
}

// A bucket that cannot be read now is no file that is not there, and a reader is closed.
func TestObjects(t *testing.T) {
	closed := 0
	fail := true
	d := open(t, Options{})
	d.put("gs://b/a", sold(9, "1", "EUR"))
	d.opts.Objects = func(uri string) (io.ReaderAt, int64, error) {
		if fail {
			return nil, 0, io.ErrUnexpectedEOF
		}
		r, n, err := d.files.open(uri)
		return closing{r, &closed}, n, err
	}
	d.make()
	d.fails("one", "charges", "gs://b/a", "", "backendError", "cannot be read")
	fail = false
	d.loads("two", "charges", "gs://b/a", "")
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}

type closing struct {
	io.ReaderAt
	n *int
}

func (c closing) Close() error { *c.n++; return nil }
