package bigquery

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var segmentForm = regexp.MustCompile(`\(\[\^/:?\]\+\)`)

func TestEveryMethodIsServedOnItsOwnPath(t *testing.T) {
	for _, r := range routes {
		if operations[r.method.Op] == nil {
			t.Errorf("%s is not served", r.method.Op)
		}
		path := segmentForm.ReplaceAllString(strings.Trim(r.path.String(), "^$"), "x1")
		rq := httptest.NewRequest(r.method.HTTP, path, nil)
		if got, params := find(r.method.HTTP, rq.URL); got == nil || got.method.Op != r.method.Op || len(params) != strings.Count(path, "x1") {
			t.Errorf("%s %s finds %+v with %v, want %s", r.method.HTTP, path, got, params, r.method.Op)
		}
	}
	if len(operations) != len(routes) {
		t.Errorf("%d operations for %d methods", len(operations), len(routes))
	}
}

// Each request breaks the contract in one way. The answer is Google's error with the field and the reason, and nothing has changed.
func TestContractViolations(t *testing.T) {
	d := open(t, Options{})
	d.make()
	const table = `{"tableReference":{"projectId":"acme-prod","datasetId":"billing","tableId":"t"},"schema":{"fields":[{"name":"a","type":"STRING"}]}}`
	load := loading("j", "charges$202609", "gs://b/a", truncate)
	swap := func(s, from, to string) string {
		if !strings.Contains(s, from) {
			t.Fatalf("%q is not in %s", from, s)
		}
		return strings.Replace(s, from, to, 1)
	}
	field := func(f string) string { return swap(table, `{"name":"a","type":"STRING"}`, f) }
	with := func(more string) string { return loading("j", "charges", "gs://b/a", more) }
	tests := []struct{ what, method, path, body, has string }{
		{"unknown parameter", "GET", tables + "/charges?limit=3", "", "Unknown name"},
		{"parameter twice", "GET", tables + "/charges?view=FULL&view=BASIC", "", "not repeated"},
		{"number as text", "GET", tables + "/charges/data?maxResults=ten", "", "32-bit number"},
		{"negative start", "GET", tables + "/charges/data?startIndex=-1", "", "not negative"},
		{"no such view", "GET", tables + "/charges?view=ALL", "", "one of TABLE_METADATA"},
		{"partial answer", "GET", tables + "/charges?fields=schema", "", "whole answers"},
		{"some fields", "GET", tables + "/charges/data?selectedFields=a", "", "whole answers"},
		{"protocol buffers", "GET", tables + "/charges?alt=proto", "", "JSON only"},
		{"forged page", "GET", tables + "/charges/data?pageToken=AAAA", "", "not valid"},
		{"body on GET", "GET", tables + "/charges", "{}", "takes no request body"},
		{"not JSON", "POST", tables, `{"schema":`, "not one JSON object"},
		{"two objects", "POST", tables, table + table, "not one JSON object"},
		{"an array", "POST", tables, "[]", "must be an object"},
		{"not UTF-8", "POST", tables, "{\"description\":\"\xff\"}", "not UTF-8"},
		{"field twice", "POST", tables, swap(table, "{", `{"description":"a","description":"b",`), "twice"},
		{"unknown field", "POST", tables, swap(table, "{", `{"columns":[],`), "Unknown name"},
		{"unknown field inside", "POST", tables, field(`{"name":"a","type":"STRING","nullable":true}`), "schema.fields.nullable"},
		{"no reference", "POST", tables, `{}`, "tableReference: Required"},
		{"no table", "POST", tables, `{"tableReference":{"projectId":"acme-prod","datasetId":"billing"}}`, "tableReference.tableId: Required"},
		{"reference to another dataset", "POST", tables, swap(table, "billing", "other"), "dataset of the path"},
		{"table with a dollar", "POST", tables, swap(table, `"t"`, `"t$202609"`), "letters, digits"},
		{"column without a name", "POST", tables, field(`{"type":"STRING"}`), "schema.fields.name: Required"},
		{"column without a type", "POST", tables, field(`{"name":"a"}`), "schema.fields.type: Required"},
		{"column with a dash", "POST", tables, field(`{"name":"a-b","type":"STRING"}`), "Invalid field name"},
		{"column twice", "POST", tables, field(`{"name":"a","type":"STRING"},{"name":"A","type":"STRING"}`), "name of another field"},
		{"no such type", "POST", tables, field(`{"name":"a","type":"TEXT"}`), "Invalid type"},
		{"repeated column", "POST", tables, field(`{"name":"a","type":"STRING","mode":"REPEATED"}`), "NULLABLE or REQUIRED"},
		{"column with a length", "POST", tables, field(`{"name":"a","type":"STRING","maxLength":"3"}`), "has not got"},
		{"rounding mode of another kind", "POST", tables, field(`{"name":"a","type":"NUMERIC","roundingMode":"UP"}`), "one of ROUNDING_MODE"},
		{"weeks", "POST", tables, swap(table, "{", `{"timePartitioning":{"type":"WEEK","field":"a"},`), "HOUR, DAY, MONTH or YEAR"},
		{"partition by text", "POST", tables, swap(table, "{", `{"timePartitioning":{"type":"MONTH","field":"a"},`), "must be a TIMESTAMP"},
		{"partition by nothing", "POST", tables, swap(table, "{", `{"timePartitioning":{"type":"MONTH"},`), "must be a TIMESTAMP"},
		{"partition without a type", "POST", tables, swap(table, "{", `{"timePartitioning":{"field":"a"},`), "timePartitioning.type: Required"},
		{"cluster by nothing there", "POST", tables, swap(table, "{", `{"clustering":{"fields":["b"]},`), "not in the schema"},
		{"cluster by five", "POST", tables, swap(table, "{", `{"clustering":{"fields":["a","a","a","a","a"]},`), "1 to 4"},
		{"a view", "POST", tables, swap(table, "{", `{"view":{"query":"SELECT 1"},`), "has not got"},
		{"nothing to do", "POST", jobs, `{}`, "configuration: Required"},
		{"a query", "POST", jobs, `{"configuration":{"query":{"query":"SELECT 1"}}}`, "has not got"},
		{"no load", "POST", jobs, `{"configuration":{"jobType":"LOAD"}}`, "runs load jobs"},
		{"dry run", "POST", jobs, swap(load, `{"load"`, `{"dryRun":true,"load"`), "has not got"},
		{"no table to load into", "POST", jobs, `{"configuration":{"load":{"sourceUris":["gs://b/a"],"sourceFormat":"PARQUET"}}}`, "destinationTable: Required"},
		{"nothing to load", "POST", jobs, swap(load, `["gs://b/a"]`, "[]"), "sourceUris: Required"},
		{"too much to load", "POST", jobs, swap(load, `["gs://b/a"]`, `["gs://b/a"`+strings.Repeat(`,"gs://b/a"`, maxURIs)+`]`), "Too many"},
		{"a local file", "POST", jobs, swap(load, "gs://b/a", "/a"), "gs://BUCKET/NAME"},
		{"a bucket", "POST", jobs, swap(load, "gs://b/a", "gs://b/"), "gs://BUCKET/NAME"},
		{"a wildcard", "POST", jobs, swap(load, "gs://b/a", "gs://b/*"), "wildcards"},
		{"CSV", "POST", jobs, swap(load, "PARQUET", "CSV"), "reads PARQUET"},
		{"bad rows", "POST", jobs, with(`,"maxBadRecords":3`), "has not got"},
		{"no such write", "POST", jobs, with(`,"writeDisposition":"WRITE_OVER"`), "no such disposition"},
		{"no such create", "POST", jobs, with(`,"createDisposition":"CREATE"`), "no such disposition"},
		{"no such option", "POST", jobs, with(`,"schemaUpdateOptions":["ALLOW_ALL"]`), "no such option"},
		{"schema update of a truncated table", "POST", jobs, with(truncate + `,"schemaUpdateOptions":["ALLOW_FIELD_ADDITION"]`), "on a table partition"},
		{"no such target", "POST", jobs, swap(load, `"NUMERIC",`, `"DECIMAL",`), "one of DECIMAL_TARGET"},
		{"target twice", "POST", jobs, swap(load, `"NUMERIC",`, `"BIGNUMERIC",`), "duplicate"},
		{"empty decorator", "POST", jobs, swap(load, "$202609", "$"), "partition behind the $"},
		{"another project's table", "POST", jobs, swap(load, `{"projectId":"acme-prod",
		"datasetId"`, `{"projectId":"other","datasetId"`), "one of the project"},
		{"another project's job", "POST", jobs, swap(load, `"jobReference":{"projectId":"acme-prod"`, `"jobReference":{"projectId":"other"`), "that of the path"},
		{"reference without an id", "POST", jobs, swap(load, `,"jobId":"j"`, ""), "jobReference.jobId: Required"},
		{"id with a dot", "POST", jobs, swap(load, `"jobId":"j"`, `"jobId":"j.1"`), "Invalid job ID"},
		{"id too long", "POST", jobs, swap(load, `"jobId":"j"`, `"jobId":"`+strings.Repeat("j", 1025)+`"`), "Invalid job ID"},
		{"payload too large", "POST", jobs, `{"etag":"` + strings.Repeat("x", maxPayload) + `"}`, "exceeds the limit"},
	}
	before := d.must("GET", tables+"/charges", "").text("etag")
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			d := d
			d.t = t
			d.refused(tt.method, tt.path, tt.body, 400, tt.has)
		})
	}
	if after := d.must("GET", tables+"/charges", "").text("etag"); after != before || len(d.state.jobs) != 0 || len(d.state.tables) != 1 {
		t.Error("a violation changed something")
	}
	t.Logf("%d violations", len(tests))
}

func TestOtherRefusals(t *testing.T) {
	d := open(t, Options{RequireToken: true})
	bearer := []string{"Authorization", "Bearer token"}
	for _, tt := range []struct {
		method, path, has string
		status            int
	}{
		{"GET", root + "/datasets/nothing", "Not found: Dataset", 404}, {"GET", tables + "/nothing", "Not found: Table", 404},
		{"GET", root + "/datasets/nothing/tables/t", "Not found: Dataset", 404}, {"GET", tables + "/nothing/data", "Not found: Table", 404},
		{"GET", jobs + "/nothing", "Not found: Job", 404}, {"DELETE", tables + "/charges", "Method not found", 404},
		{"GET", "/bigquery/v2/projects/other/datasets/billing", "accessDenied", 403}, {"GET", root + "/datasets%2Fbilling", "Method not found", 404},
	} {
		d.refused(tt.method, tt.path, "", tt.status, tt.has, bearer...)
	}
	d.refused("GET", root+"/datasets/billing", "", 401, "credential")
	d.refused("POST", root+"/datasets/nothing/tables", tableBody("t", chargeSchema), 404, "Not found: Dataset", bearer...)
	d.refused("POST", jobs, strings.Replace(loading("j", "charges", "gs://b/a", ""), "billing", "nothing", 1), 404, "Not found: Dataset", bearer...)
}

func TestControls(t *testing.T) {
	d := open(t, Options{})
	for _, body := range []string{`{}`, `{"reason":"x","times":-1}`, `{"reason":"x","times":1001}`, `{"why":"x"}`, ``} {
		if a := d.send("POST", "/jobs", body); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	for _, path := range []string{"/tables/billing.nothing", "/tables/", "/nothing"} {
		if a := d.send("GET", path, ""); a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// Over a network the same bytes come back as in process.
func TestOverANetwork(t *testing.T) {
	d := open(t, Options{})
	d.make()
	ts := httptest.NewServer(http.StripPrefix("/sim/bigquery", d.Server))
	defer ts.Close()
	res, err := ts.Client().Get(ts.URL + "/sim/bigquery" + tables + "/charges")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got, want map[string]any
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(d.send("GET", tables+"/charges", "").body), &want); err != nil || got["id"] != want["id"] || got["etag"] != want["etag"] {
		t.Errorf("%v, want %v, %v", got, want, err)
	}
}
