package evidence_test

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

// A new case gets four files, and what they hold is what was asked for.
func TestACaseGetsItsEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 3, 29, 1, 5, 0, 0, time.UTC)))
		begun := time.Now().Add(-3 * time.Minute)
		w := newWorld(t, setup{evidence: everything, google: google.Options{LogEntries: []google.LogEntry{{
			Project: "acme-web", Type: "gce_instance", Labels: map[string]string{"instance_id": "1234567890", "zone": "europe-west1-b", "project_id": "acme-web"},
			Time: begun, Severity: "CRITICAL", JSON: map[string]any{"msg": "login failed", "dbPassword": "hunter3", "ticket": "ACME-12"},
		}}}})
		w.notify("gcm", incident(begun, cpu))
		w.pump()
		if n := len(w.records()); n != 4 {
			t.Fatalf("%d effects, want 4", n)
		}
		w.sweepFor(time.Minute)
		if all := w.files(); len(all) != 1 || len(all["alert"]) != 1 {
			t.Errorf("before the windows are over: %v", all)
		}
		w.sweepFor(10 * time.Minute)
		all := w.files()
		for _, what := range []string{"alert", "logs", "metrics", "chart"} {
			if len(all[what]) != 1 {
				t.Fatalf("%s: %d files; left out %v", what, len(all[what]), w.left())
			}
		}
		checkAlert(t, all["alert"][0])
		checkLogs(t, all["logs"][0])
		checkMetrics(t, all["metrics"][0], begun)
		checkChart(t, all["chart"][0])
		for what, files := range all {
			for _, secret := range []string{"hunter", "ACME-", "Bearer simulated", "simulated-password"} {
				if strings.Contains(files[0].content, secret) {
					t.Errorf("%s holds %q", what, secret)
				}
			}
		}
	})
}

func checkAlert(t *testing.T, f attached) {
	t.Helper()
	if !strings.HasSuffix(f.name, ".json") || !json.Valid([]byte(f.content)) || !strings.Contains(f.content, `"threshold_value":"0.9"`) ||
		!strings.Contains(f.content, "https://[redacted]@wiki.example.com/cpu, ticket [redacted]") {
		t.Errorf("%s:\n%s", f.name, f.content)
	}
}

// checkLogs: the severe entries first, the newest first, all of the instance.
func checkLogs(t *testing.T, f attached) {
	t.Helper()
	var severe, others []string
	for line := range strings.Lines(f.content) {
		var e struct {
			Severity, Timestamp string
			Resource            struct{ Labels map[string]string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if e.Resource.Labels["instance_id"] != "1234567890" {
			t.Errorf("of another resource: %s", line)
		}
		if bad := slices.Contains([]string{"ERROR", "CRITICAL"}, e.Severity); bad && len(others) == 0 {
			severe = append(severe, e.Timestamp)
		} else {
			others = append(others, e.Timestamp)
		}
	}
	slices.Reverse(severe)
	slices.Reverse(others)
	if len(severe) == 0 || len(others) == 0 || len(severe)+len(others) > 100 || !slices.IsSorted(severe) || !slices.IsSorted(others) {
		t.Errorf("%d severe, %d others, in their order %v %v", len(severe), len(others), slices.IsSorted(severe), slices.IsSorted(others))
	}
	if !strings.Contains(f.content, `"dbPassword":"[redacted]"`) {
		t.Error("the planted entry is not there")
	}
}

func checkMetrics(t *testing.T, f attached, begun time.Time) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(f.content)).ReadAll()
	if err != nil || len(rows) != 72 { // an hour before and ten minutes after, a point a minute
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if first, want := rows[1][0], begun.Add(-time.Hour).UTC().Format(time.RFC3339); first != want {
		t.Errorf("the first point is at %s, want %s", first, want)
	}
}

// checkChart: it is well-formed, and nothing in it runs or is fetched.
func checkChart(t *testing.T, f attached) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(f.content))
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, f.content)
		}
		if e, ok := tok.(xml.StartElement); ok && !slices.Contains([]string{"svg", "rect", "path", "text", "circle"}, e.Name.Local) {
			t.Errorf("an element %s", e.Name.Local)
		}
	}
	for _, want := range []string{"threshold 0.9", "began 03:02:00", ">03:00<", "Europe/Paris (CET +01:00, then CEST +02:00)", cpu} {
		if !strings.Contains(f.content, want) {
			t.Errorf("no %q in\n%s", want, f.content)
		}
	}
}

// Without the block, or a part of it, nothing is read, written or asked for.
func TestWhatIsOffCostsNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		evidence        string
		writes, effects int
		raw             bool
	}{
		"nothing":        {"", 3, 0, false},
		"an empty block": {"evidence: {}", 3, 0, false},
		"the alert":      {"evidence: {alert: true}", 5, 1, true},
		"logs":           {"evidence: {logs: {after: 0s}}", 4, 1, false},
		"metrics":        {"evidence: {metrics: {}}", 5, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{evidence: tt.evidence})
				w.notify("gcm", incident(time.Now(), cpu))
				all := w.bus.Take(casewebhook.TopicAlerts)
				if raw := strings.Contains(string(all[0].Data), `"raw":`); raw != tt.raw {
					t.Errorf("the notification travels: %v", raw)
				}
				w.db.Reset()
				if err := w.FileCase(t.Context(), all[0]); err != nil {
					t.Fatal(err)
				}
				if n := w.db.Counts().Writes; n != tt.writes || len(w.records()) != tt.effects {
					t.Errorf("%d writes and %d effects, want %d and %d", n, len(w.records()), tt.writes, tt.effects)
				}
				if _, n := w.google.Calls(); len(n) != 0 {
					t.Errorf("calls %v", n)
				}
			})
		})
	}
}

// An incident of another source has nothing at Google; each alert of a group that has a case of its own has the notification.
func TestOtherSources(t *testing.T) {
	body := func(name string) string {
		one := func(fp string) string {
			return `{"status":"firing","labels":{"alertname":"` + name + `","pod":"` + fp + `","resource_type":"gce_instance","project_id":"acme-web"},"annotations":{"token":"abcdef"},"startsAt":"2026-03-29T00:58:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://p.example.com/?a=b\u0026token=abcdef","fingerprint":"` + fp + `"}`
		}
		return `{"version":"4","groupKey":"k","status":"firing","receiver":"r","groupLabels":{"alertname":"` + name + `"},"commonLabels":{"alertname":"` + name + `"},"commonAnnotations":{},"externalURL":"","alerts":[` + one("00000000000000aa") + "," + one("00000000000000bb") + "]}"
	}
	for name, cases := range map[string]int{"Group": 1, "Each": 2} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, setup{evidence: everything})
			w.notify("prom", body(name))
			w.pump()
			w.sweepFor(5 * time.Minute)
			all := w.files()
			if len(w.cases()) != cases || len(all) != 1 || len(all["alert"]) != cases {
				t.Fatalf("%s: %d cases, files %v, left out %v", name, len(w.cases()), all, w.left())
			}
			if f := all["alert"][0].content; strings.Contains(f, "abcdef") || !strings.Contains(f, "00000000000000bb") {
				t.Errorf("%s", f)
			}
		})
	}
}

// What cannot be had is left out, says why, and costs the case nothing.
func TestLeftOut(t *testing.T) {
	for name, tt := range map[string]struct {
		arrange func(w *world)
		metric  string
		left    map[string]string
	}{
		"permission":     {func(w *world) { w.google.Deny("logging.logEntries.list") }, cpu, map[string]string{"logs": "403"}},
		"no such metric": {func(*world) {}, "compute.googleapis.com/nothing here", nil},
		"unknown metric": {func(*world) {}, "nobody.example.com/metric", map[string]string{"metrics": "404", "chart": "404"}},
		"refused upload": {func(w *world) { w.arm("media.upload", "status:400", 4) }, cpu,
			map[string]string{"alert": "400", "logs": "400", "metrics": "400", "chart": "400"}},
		"always down": {func(w *world) { w.arm("logging.entries.list", "status:503", 1000) }, cpu, map[string]string{"logs": "503"}},
		"never right": {func(w *world) { w.arm("monitoring.projects.timeSeries.list", "garbage", 1000) }, cpu, map[string]string{"metrics": "list time series", "chart": "list time series"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{evidence: everything})
				tt.arrange(w)
				w.notify("gcm", incident(time.Now(), tt.metric))
				w.pump()
				w.sweepFor(2 * time.Hour)
				got := w.left()
				for what, why := range tt.left {
					if !strings.Contains(got[what], why) {
						t.Errorf("%s is left out because of %q, want %q", what, got[what], why)
					}
				}
				if len(got) != len(tt.left) || strings.Count(w.log.String(), "evidence is left out") != len(tt.left) {
					t.Errorf("left out %v, want %v", got, tt.left)
				}
				for _, r := range w.records() {
					if r.State != ledger.Succeeded {
						t.Errorf("%s %s %s", r.Business, r.State, r.LastError)
					}
				}
			})
		})
	}
}

// scenario is a new case with one fault of a remote and one death of the process.
type scenario struct {
	op, fault string
	crash     ledger.Point
	twice     bool
}

func scenarios() (all []scenario) {
	faults := []string{"", "commit_then_drop", "commit_then_status:503", "status:500", "status:429", "drop", "garbage", "delay:40s", "late:4m"}
	points := append([]ledger.Point{""}, ledger.Points[:]...)
	for _, op := range []string{"media.upload", "logging.entries.list", "monitoring.projects.timeSeries.list", "cases.attachments.list", "cases.create"} {
		for _, f := range faults {
			for _, p := range points {
				all = append(all, scenario{op, f, p, false}, scenario{op, f, p, true})
			}
		}
	}
	return all
}

// Whatever fails and dies: one case with four files, each once, and nothing left to do.
func TestEachFileOnceUnderFaults(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a bubble runs one goroutine at a time
	c := configured(t, everything)
	all, deaths, uploads, bad := scenarios(), 0, 0, 0
	for i, s := range all {
		if i%every != 0 {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			died, sent, wrong := play(t, s, setup{config: c})
			deaths, uploads = deaths+died, uploads+sent
			if wrong != "" {
				bad++
				t.Errorf("%+v: %s", s, wrong)
			}
		})
		if bad > 5 {
			t.Fatal("and more")
		}
	}
	played := (len(all) + every - 1) / every
	t.Logf("%d scenarios: %d wrong, %d deaths, %d uploads for %d files", played, bad, deaths, uploads, 4*played)
}

func play(t *testing.T, s scenario, with setup) (deaths, uploads int, wrong string) {
	var mu sync.Mutex
	var armed ledger.Point
	with.crash = func(p ledger.Point) {
		mu.Lock()
		defer mu.Unlock()
		if p == armed {
			armed, deaths = "", deaths+1
			panic("crash " + p)
		}
	}
	w := newWorld(t, with)
	arm := func() {
		mu.Lock()
		armed = s.crash
		mu.Unlock()
		if s.fault != "" {
			w.arm(s.op, s.fault, 1)
		}
		if s.op == "cases.attachments.list" {
			w.arm("media.upload", "commit_then_drop", 2) // so that it is asked
		}
	}
	if s.op == "cases.create" {
		arm()
	}
	w.notify("gcm", incident(time.Now(), cpu))
	if s.twice {
		w.notify("gcm", incident(time.Now(), cpu))
	}
	w.pump()
	if s.op != "cases.create" {
		arm()
	}
	w.sweepFor(90 * time.Minute)
	_, counts := w.desk.Calls()
	return deaths, counts["media.upload"], w.verdict()
}

// verdict says what is wrong at the end, "" if nothing is.
func (w *world) verdict() string {
	w.desk.ClearFaults()
	w.google.ClearFaults()
	if n := len(w.cases()); n != 1 {
		return "not one case"
	}
	all := w.files()
	for _, what := range []string{"alert", "logs", "metrics", "chart"} {
		if len(all[what]) != 1 {
			names := []string{}
			for _, f := range all[what] {
				names = append(names, f.name)
			}
			return what + ": files [" + strings.Join(names, " ") + "], left out " + w.left()[what]
		}
	}
	if left := w.left(); len(left) > 0 {
		return "left out " + left["alert"] + left["logs"] + left["metrics"] + left["chart"]
	}
	if w.sweepFor(10*time.Minute) > 0 {
		return "sweeps fail although nothing is left to do"
	}
	return ""
}
