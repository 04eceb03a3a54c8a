package warehouse

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	api "google.golang.org/api/bigquery/v2"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/sim/bigquery"
)

// The tables have the columns of focus.Row, by the same names, in the same order, of the types that hold them exactly.
func TestSchemaIsThatOfTheRow(t *testing.T) {
	types := map[reflect.Type]string{
		reflect.TypeFor[decimal.Decimal]():     "BIGNUMERIC",
		reflect.TypeFor[decimal.NullDecimal](): "NUMERIC",
		reflect.TypeFor[time.Time]():           "TIMESTAMP",
		reflect.TypeFor[string]():              "STRING",
		reflect.TypeFor[int64]():               "INTEGER",
	}
	row := reflect.TypeFor[focus.Row]()
	if row.NumField() != len(columns) {
		t.Fatalf("%d columns for %d fields", len(columns), row.NumField())
	}
	for i, c := range columns {
		if f := row.Field(i); c.name != columnName(f.Name) || c.kind != types[f.Type] {
			t.Errorf("column %s of type %s for the field %s of type %s", c.name, c.kind, f.Name, f.Type)
		}
	}
}

// The tables are made as the package comment says, once.
func TestTables(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}})
		j := w.job(september, 1)
		w.loads(j)
		j.Lens = revision.Tenant
		w.loads(j)
		for _, tt := range []struct{ table, period, clustered string }{
			{"focus_provider_current", "BillingPeriodStart", "SubAccountId"}, {"focus_provider_ledger", "ChargePeriodStart", "SubAccountId"},
			{"focus_tenant_current", "BillingPeriodStart", "BillingAccountId"}, {"focus_tenant_ledger", "ChargePeriodStart", "BillingAccountId"},
		} {
			got, err := w.read(w.Context(), tt.table)
			w.must(err)
			if p := got.TimePartitioning; p.Type != "MONTH" || p.Field != tt.period || !slices.Equal(got.Clustering.Fields, []string{tt.clustered, "ServiceName", "SkuId"}) {
				t.Errorf("%s: %+v %+v", tt.table, p, got.Clustering)
			}
		}
		if n := w.calls("tables.insert"); n != 4 {
			t.Errorf("%d tables made", n)
		}
	})
}

// One load: two jobs, named by what they load, and their figures.
func TestLoad(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		w.must(w.Check(w.Context()))
		of := costs{"a": {"1.000000000000000001", "2.5"}, "b": {"10"}, "c": nil}
		w.publish(september, 1, 0, of)
		j := w.job(september, 1)
		if s, err := w.Look(w.Context(), j); err != nil || s.Phase != Absent {
			t.Errorf("before: %+v, %v", s, err)
		}
		s := w.loads(j)
		want := "be_provider_current_2026-09_" + j.ManifestSHA256[:24] + "_1"
		if c := s.Current; c.Job != want || c.Rows != 3 || c.Files != 2 || c.Bytes == 0 || c.Attempt != 1 || c.Phase != Done {
			t.Errorf("current %+v, want job %s", c, want)
		}
		if l := s.Ledger; l.Job != strings.Replace(want, "current", "ledger", 1) || l.Rows != 3 {
			t.Errorf("ledger %+v", l)
		}
		w.want(september, of, 3)
		again, err := w.Look(w.Context(), j)
		if w.must(err); again != s {
			t.Errorf("looked at: %+v, loaded: %+v", again, s)
		}
		if w.loads(j); w.calls("jobs.insert") != 2 {
			t.Errorf("%d jobs after a second load", w.calls("jobs.insert"))
		}
	})
}

// A month without usage is a file without rows: it empties the partition, and other months stay.
func TestEmptyMonth(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1", "2"}})
		w.publish(october, 1, 0, costs{"a": {"7"}})
		w.publish(september, 2, 1, costs{"a": nil, "b": nil}, "-1", "-2")
		w.loads(w.job(september, 1))
		w.loads(w.job(october, 1))
		j := w.job(september, 2)
		if len(j.Current) != 1 {
			t.Errorf("files %v, want one without rows", j.Current)
		}
		if s := w.loads(j); s.Current.Rows != 0 || s.Ledger.Rows != 2 {
			t.Errorf("%+v", s)
		}
		w.want(september, costs{}, 4)
		w.want(october, costs{"a": {"7"}}, 1)
		w.publish(october, 2, 1, costs{"a": {"7"}})
		if s := w.loads(w.job(october, 2)); s.Ledger != (Loaded{}) || s.Current.Rows != 1 {
			t.Errorf("without corrections: %+v", s)
		}
		w.want(october, costs{"a": {"7"}}, 1)
	})
}

// What is no load is refused before anything is asked.
func TestWhatIsNoLoad(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		good := Job{Month: september, Lens: revision.Provider, ManifestSHA256: strings.Repeat("a", 64), Current: []string{"gs://b/a"}}
		for what, change := range map[string]func(*Job){
			"no files":                   func(j *Job) { j.Current = nil },
			"more files than a job has":  func(j *Job) { j.Current = slices.Repeat(j.Current, MaxFiles+1) },
			"more corrections than that": func(j *Job) { j.Ledger = slices.Repeat(j.Current, MaxFiles+1) },
			"a star":                     func(j *Job) { j.Current = []string{"gs://b/*"} },
			"a local file":               func(j *Job) { j.Ledger = []string{"/a"} },
			"no lens":                    func(j *Job) { j.Lens = "both" },
			"no month":                   func(j *Job) { j.Month = hub.Period{} },
			"no digest":                  func(j *Job) { j.ManifestSHA256 = "abc" },
		} {
			j := good
			change(&j)
			_, err := w.Load(w.Context(), j)
			w.fails(err, fault.Invalid)
			if _, err = w.Look(w.Context(), j); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		j := good
		j.Current = slices.Repeat(j.Current, MaxFiles)
		if _, err := j.ones(); err != nil {
			t.Errorf("as many files as a job has: %v", err)
		}
		if log, _ := w.sim.Calls(); len(log) != 0 {
			t.Errorf("%d calls", len(log))
		}
	})
	for what, change := range map[string]func(*Options){
		"project": func(o *Options) { o.Project = "" }, "dataset": func(o *Options) { o.Dataset = "a-b" }, "location": func(o *Options) { o.Location = "" },
		"bucket": func(o *Options) { o.Root = "file:a/" }, "folder": func(o *Options) { o.Root = "gs://b/a" }, "endpoint": func(o *Options) { o.Endpoint = "ftp://x" },
	} {
		o := Options{Project: "acme-prod", Dataset: "billing", Location: "EU", Root: root}
		change(&o)
		if _, err := New(t.Context(), o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A job that takes long is left alone and met again, never waited for longer than a visit has.
func TestSlowJobs(t *testing.T) {
	in(t, bigquery.Options{JobPolls: 1 << 20, JobTime: 3 * time.Hour}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}})
		j, start := w.job(september, 1), time.Now()
		for time.Since(start) < 2*time.Hour {
			before := time.Now()
			s, err := w.Load(w.Context(), j)
			if w.must(err); s.Phase != Running || s.Current.Phase != Running || s.Current.Job == "" {
				t.Fatalf("%+v", s)
			}
			if took := time.Since(before); took > 15*time.Second {
				t.Fatalf("a visit took %v", took)
			}
			time.Sleep(10 * time.Minute)
		}
		short, cancel := context.WithTimeout(w.Context(), 6*time.Second)
		defer cancel()
		before := time.Now()
		if _, err := w.Load(short, j); err != nil || time.Since(before) > time.Second {
			t.Errorf("with six seconds left it took %v: %v", time.Since(before), err)
		}
		if n := w.loads(j); n.Phase != Done || w.calls("jobs.insert") != 2 {
			t.Errorf("%+v after %d inserts", n, w.calls("jobs.insert"))
		}
	})
}

// A job that failed is tried again, by and by; one that can never succeed is not.
func TestFailedJobs(t *testing.T) {
	for _, reason := range []string{"backendError", "internalError", "quotaExceeded", "accessDenied", "stopped", "something new"} {
		in(t, bigquery.Options{JobPolls: -1}, func(w *world) {
			w.publish(september, 1, 0, costs{"a": {"1"}})
			j, start := w.job(september, 1), time.Now()
			w.sim.FailJobs(reason, 3)
			var s State
			for n := 0; s.Phase != Done; n++ {
				var err error
				if s, err = w.Load(w.Context(), j); err != nil {
					if wait := fault.RetryAfter(err); !fault.IsUnsent(err) || !fault.Is(err, fault.Transient) || wait < 30*time.Second || n > 5 {
						t.Fatalf("%v after %v, wait %v", err, time.Since(start), wait)
					}
					if _, err := w.Load(w.Context(), j); err == nil || w.calls("jobs.insert") != n+1 {
						t.Errorf("tried again at once: %d inserts, %v", w.calls("jobs.insert"), err)
					}
					time.Sleep(fault.RetryAfter(err))
				}
			}
			if s.Current.Attempt != 4 || s.Ledger.Attempt != 1 || time.Since(start) != 210*time.Second {
				t.Errorf("%s: %+v after %v", reason, s, time.Since(start))
			}
			w.want(september, costs{"a": {"1"}}, 1)
		})
	}
	in(t, bigquery.Options{JobPolls: -1}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}})
		w.bucket.put(revision.PartFolder(september, "a", "digest-a-1")+revision.FocusFile(revision.Provider, revision.Parquet), []byte("private data"))
		for range 3 {
			_, err := w.Load(w.Context(), w.job(september, 1))
			w.fails(err, fault.Invalid)
			if !strings.Contains(err.Error(), "_1 failed for good: invalid") || strings.Contains(err.Error(), "digest") {
				t.Error(err)
			}
			time.Sleep(time.Hour)
		}
		if n := w.calls("jobs.insert"); n != 1 {
			t.Errorf("%d inserts of a file that is none", n)
		}
	})
}

// There is an end to attempts.
func TestAttemptsEnd(t *testing.T) {
	in(t, bigquery.Options{JobPolls: -1}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}})
		w.sim.FailJobs("backendError", 1000)
		j := w.job(september, 1)
		var err error
		for range maxAttempts {
			_, err = w.Load(w.Context(), j)
			w.fails(err, fault.Transient)
			if wait := fault.RetryAfter(err); wait > time.Hour {
				t.Fatalf("wait %v", wait)
			}
			time.Sleep(time.Hour)
		}
		_, err = w.Load(w.Context(), j)
		w.fails(err, fault.Invalid)
		if s, err := w.Look(w.Context(), j); err != nil || s.Phase != Absent || s.Current.Attempt != maxAttempts {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// table makes a table of the provider lens, changed.
func (w *world) table(k kind, change func(*api.Table)) {
	w.Helper()
	t := w.Warehouse.table(revision.Provider, k)
	change(t)
	_, err := w.api.Tables.Insert("acme-prod", "billing", t).Do()
	w.must(err)
}

// A table of an older version gets the columns that it lacks, and keeps those of somebody else.
func TestOlderTables(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		older := func(t *api.Table) {
			t.Schema.Fields = append(t.Schema.Fields[:40:40], &api.TableFieldSchema{Name: "cost_center", Type: "STRING"})
		}
		w.table(ofMonth, older)
		w.table(ofAll, older)
		w.publish(september, 1, 0, costs{"a": {"1"}})
		w.loads(w.job(september, 1))
		w.want(september, costs{"a": {"1"}}, 1)
		got, err := w.read(w.Context(), "focus_provider_current")
		if w.must(err); len(got.Schema.Fields) != len(columns)+1 || got.Schema.Fields[40].Name != "cost_center" || w.calls("tables.patch") != 2 {
			t.Errorf("%d columns, %d patches", len(got.Schema.Fields), w.calls("tables.patch"))
		}
	})
}

// A table that is not as we make it is left alone, and said so; when it is gone the load goes on.
func TestForeignTables(t *testing.T) {
	for what, change := range map[string]func(*api.Table){
		"not divided":     func(t *api.Table) { t.TimePartitioning = nil },
		"into days":       func(t *api.Table) { t.TimePartitioning.Type = "DAY" },
		"by another time": func(t *api.Table) { t.TimePartitioning.Field = "BillingPeriodEnd" },
		"another type":    func(t *api.Table) { t.Schema.Fields[0].Type = "NUMERIC" },
		"another mode":    func(t *api.Table) { t.Schema.Fields[1].Mode = "REQUIRED" },
	} {
		in(t, bigquery.Options{}, func(w *world) {
			w.table(ofMonth, change)
			w.publish(september, 1, 0, costs{"a": {"1"}})
			_, err := w.Load(w.Context(), w.job(september, 1))
			w.fails(err, fault.Invalid)
			if err == nil || !strings.Contains(err.Error(), "focus_provider_current") || w.calls("jobs.insert") != 0 {
				t.Errorf("%s: %v, %d inserts", what, err, w.calls("jobs.insert"))
			}
		})
	}
}

// A dataset that is missing, elsewhere, or not ours to write is said at once, and nothing is repeated.
func TestDatasets(t *testing.T) {
	in(t, bigquery.Options{Datasets: map[string]string{"other": "EU"}}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}})
		_, err := w.Load(w.Context(), w.job(september, 1))
		w.fails(err, fault.Missing)
		w.fails(w.Check(w.Context()), fault.Missing)
	})
	in(t, bigquery.Options{Datasets: map[string]string{"billing": "US"}}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}})
		_, err := w.Load(w.Context(), w.job(september, 1))
		w.fails(err, fault.Missing)
		w.fails(w.Check(w.Context()), fault.Invalid)
		w.arm("jobs.insert", "status:403", 1)
		_, err = w.Load(w.Context(), w.job(september, 1))
		w.fails(err, fault.Denied)
	})
}

// Another installation of the same project, with its own dataset, does not pass for us.
func TestTwoInstallations(t *testing.T) {
	in(t, bigquery.Options{Datasets: map[string]string{"billing": "europe-west3", "staging": "europe-west3"}}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}})
		w.loads(w.job(september, 1))
		staging := w.warehouse(func(o *Options) { o.Dataset = "staging" })
		_, err := staging.Load(w.Context(), w.job(september, 1))
		w.fails(err, fault.Invalid)
	})
}

// Many at the same time load once.
func TestManyAtOnce(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}, "b": {"2"}})
		j := w.job(september, 1)
		done := make(chan error, 8)
		for range cap(done) {
			go func() {
				_, err := w.warehouse(nil).Load(w.Context(), j)
				done <- err
			}()
		}
		for range cap(done) {
			w.must(<-done)
		}
		w.loads(j)
		w.want(september, costs{"a": {"1"}, "b": {"2"}}, 2)
	})
}

// An answer that says nothing, whatever its form, is no success and no panic.
func TestHollowAnswers(t *testing.T) {
	for _, body := range []string{`{}`, `{"status":{}}`, `{"status":{"state":"DONE"}}`, `{"status":{"state":"DONE"},"configuration":{"load":{}}}`,
		`{"etag":"x","schema":{"fields":[null]},"tableReference":{},"timePartitioning":{"type":"MONTH"}}`, `null`, `[]`, `{"status":{"errorResult":{}}}`} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, bigquery.Options{})
			w.publish(september, 1, 0, costs{"a": {"1"}})
			hollow := w.warehouse(func(o *Options) { o.Transport.Base = answering(body) })
			_, err := hollow.Load(w.Context(), w.job(september, 1))
			if !fault.Is(err, fault.Transient) {
				t.Errorf("%s: %v", body, err)
			}
			if err := hollow.Check(w.Context()); err == nil {
				t.Errorf("%s is a dataset", body)
			}
		})
	}
}

// answering is a transport that has one answer for everything.
type answering string

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(a))), Request: r}, nil
}

// Only a published revision of its place is read as one, and the files that are loaded are those of the lens.
func TestManifests(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}, "b": nil})
		if j := w.job(september, 1); len(j.Current) != 1 || !j.First || !strings.HasPrefix(j.Current[0], root+"parts/month=2026-09/org=a/") {
			t.Errorf("%+v", j)
		}
		name := revision.Folder(september, 1) + revision.ManifestFile
		data, _ := w.bucket.get(name)
		for what, change := range map[string]func(m map[string]any){
			"month": func(m map[string]any) { m["month"] = "2026-08" }, "number": func(m map[string]any) { m["revision"] = 2 },
			"state": func(m map[string]any) { m["state"] = "preliminary" },
		} {
			var m map[string]any
			w.must(json.Unmarshal(data, &m))
			change(m)
			changed, err := json.Marshal(m)
			w.must(err)
			w.bucket.put(name, changed)
			if _, _, err := w.manifest(w.Context(), september, 1); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		w.bucket.put(name, []byte("{"))
		_, _, err := w.manifest(w.Context(), september, 1)
		w.fails(err, fault.Invalid)
		_, _, err = w.manifest(w.Context(), september, 2)
		w.fails(err, fault.Missing)
	})
	if current, ledger := Tables(revision.Tenant); current+" "+ledger != "focus_tenant_current focus_tenant_ledger" {
		t.Error(current, ledger)
	}
}
