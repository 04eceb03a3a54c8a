package evidence_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/functions/casewebhook/evidence"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/sim/google"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// settings is a configuration; %s takes the evidence that a test wants.
const settings = `
push: {bearer: env:TOKEN}
desks:
  google:
    kind: google
    parent: projects/acme-prod
    classification: "Technical Issue > Compute > Compute Engine"
    time_zone: Europe/Paris
senders:
  - {name: gcm, source: monitoring, tenant: acme, auth: {bearer: env:TOKEN}}
  - {name: prom, source: alertmanager, tenant: acme, auth: {bearer: env:TOKEN}}
routes:
  - {when: 'incident.title.startsWith("Each")', desk: google, priority: P2, one_case_per: alert}
  - {when: "true", desk: google, priority: P2}
%s
`

const everything = `evidence: {alert: true, logs: {entries: 100, before: 10m, after: 5m}, metrics: {before: 1h, after: 10m}, redact: ["ACME-[0-9]+"]}`

const token = "token-0123456789abcdef"

// world is the function in front of a simulated desk and the simulated logs and metrics of Google.
type world struct {
	testing.TB
	*casewebhook.Function
	desk   *cloudsupport.Server
	google *google.Server
	db     *storetest.Counter
	bus    *publishtest.Kept
	log    *proctest.Output
}

type setup struct {
	evidence string
	google   google.Options
	crash    func(ledger.Point)
	config   *config.Config
}

func configured(t testing.TB, evidence string) *config.Config {
	t.Helper()
	c, err := config.Parse("providerdesk.yaml", fmt.Appendf(nil, settings, evidence), func(string) (string, bool) { return token, true })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newWorld(t testing.TB, s setup) *world {
	t.Helper()
	w := &world{TB: t, db: storetest.Counted(storetest.NewMemory(time.Now)), log: &proctest.Output{},
		bus: &publishtest.Kept{Topics: []string{casewebhook.TopicAlerts}, Subscription: "projects/p/subscriptions/FileCase"}}
	var err error
	if w.desk, err = cloudsupport.New(cloudsupport.Options{}); err != nil {
		t.Fatal(err)
	}
	s.google.RequireToken = true
	s.google.AnyParent = true
	if w.google, err = google.New(s.google); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.desk.Close(); w.google.Close() })
	if s.config == nil {
		s.config = configured(t, s.evidence)
	}
	client, err := gapi.Client(gapi.Options{Base: w.desk.Transport(), Token: gapi.StaticToken("t"), Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	desks, err := casewebhook.Desks(s.config, client, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	o := gapi.Options{Base: w.google.Transport(), Token: gapi.StaticToken("t"), Backoff: time.Millisecond}
	clients, err := evidence.NewGoogle(t.Context(), o, o)
	if err != nil {
		t.Fatal(err)
	}
	w.Function, err = casewebhook.New(t.Context(), casewebhook.Deps{Config: s.config, DB: w.db, Publisher: w.bus, Desks: desks, Google: clients,
		Ledger: ledger.Options{Crash: s.crash}, Log: slog.New(slog.NewJSONHandler(w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// incident is a notification of Cloud Monitoring about an instance.
func incident(starts time.Time, about string) string {
	return fmt.Sprintf(`{"version":"1.2","incident":{"incident_id":"0.opqiw61fsv7p","scoping_project_id":"acme-prod","severity":"Critical","started_at":%d,
"ended_at":null,"state":"open","summary":"CPU is above 0.9; see https://ops:hunter2@wiki.example.com/cpu, ticket ACME-4711",
"resource_display_name":"web-1","resource":{"type":"gce_instance","labels":{"instance_id":"1234567890","project_id":"acme-web","zone":"europe-west1-b"}},
"metric":{"type":"%s","displayName":"CPU utilization","labels":{"instance_name":"web-1"}},"policy_name":"CPU of the web tier","policy_user_labels":{"team":"web"},
"condition_name":"CPU above 90 %%","threshold_value":"0.9","observed_value":"0.973",
"condition":{"conditionThreshold":{"comparison":"COMPARISON_GT","thresholdValue":0.9,"duration":"300s"}},"documentation":{"content":"Scale out."}}}`, starts.Unix(), about)
}

const cpu = "compute.googleapis.com/instance/cpu/utilization"

// notify posts a notification, as its sender does.
func (w *world) notify(sender, body string) {
	w.Helper()
	r := httptest.NewRequest(http.MethodPost, "/"+sender, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	if resp, err := w.AlertWebhook(w.Context(), r); err != nil || resp.Status != http.StatusAccepted {
		w.Fatalf("%+v, %v", resp, err)
	}
}

// pump delivers what was published, again when it is not acknowledged.
func (w *world) pump() {
	w.Helper()
	for all := w.bus.Take(casewebhook.TopicAlerts); len(all) > 0; all = w.bus.Take(casewebhook.TopicAlerts) {
		for _, e := range all {
			for survive(func() error { return w.FileCase(w.Context(), e) }) != nil {
				time.Sleep(10 * time.Second)
			}
		}
	}
}

// survive makes a death an error.
func survive(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("died: %v", p)
		}
	}()
	return do()
}

// sweepFor sweeps every minute; only in a bubble.
func (w *world) sweepFor(d time.Duration) (failed int) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Minute)
		if survive(func() error {
			_, err := w.SweepCases(w.Context(), httptest.NewRequest(http.MethodPost, "/", nil))
			return err
		}) != nil {
			failed++
		}
	}
	return failed
}

// attached is a file at the desk.
type attached struct{ name, content string }

// files are those of all cases, by the first part of their names.
func (w *world) files() map[string][]attached {
	w.Helper()
	all := map[string][]attached{}
	for _, c := range w.cases() {
		var page struct {
			Attachments []struct{ Name, Filename string }
		}
		w.get("/v2/"+c+"/attachments?pageSize=100", &page)
		for _, a := range page.Attachments {
			what, _, _ := strings.Cut(a.Filename, "-")
			all[what] = append(all[what], attached{a.Filename, string(w.call("/v2/" + a.Name + ":download?alt=media"))})
		}
	}
	return all
}

func (w *world) cases() (names []string) {
	w.Helper()
	var page struct{ Cases []struct{ Name string } }
	w.get("/v2/projects/acme-prod/cases?pageSize=500", &page)
	for _, c := range page.Cases {
		names = append(names, c.Name)
	}
	return names
}

func (w *world) get(path string, into any) {
	w.Helper()
	if err := json.Unmarshal(w.call(path), into); err != nil {
		w.Fatal(err)
	}
}

func (w *world) call(path string) []byte {
	w.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer t")
	rec := httptest.NewRecorder()
	w.desk.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		w.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

// records are the effects of evidence.
func (w *world) records() (all []ledger.Record) {
	w.Helper()
	recs, err := w.Ledger().List(w.Context(), "", "", 500)
	if err != nil {
		w.Fatal(err)
	}
	return slices.DeleteFunc(recs, func(r ledger.Record) bool { return r.Kind != "case.evidence" })
}

// left are the reasons why files were left out, by what they would show.
func (w *world) left() map[string]string {
	w.Helper()
	all := map[string]string{}
	for _, r := range w.records() {
		var p evidence.Piece
		var a evidence.Attached
		if err := json.Unmarshal(r.Payload, &p); err != nil {
			w.Fatal(err)
		}
		switch {
		case r.State != ledger.Succeeded:
			all[string(p.What)] = string(r.State) + " " + r.LastError
		case json.Unmarshal(r.Result.Result, &a) == nil && a.Left != "":
			all[string(p.What)] = a.Left
		}
	}
	return all
}

func (w *world) arm(op, fault string, times int) {
	w.Helper()
	arm := w.google.ArmFault
	if strings.HasPrefix(op, "media.") || strings.HasPrefix(op, "cases.") {
		arm = w.desk.ArmFault
	}
	if err := arm(op, fault, times); err != nil {
		w.Fatal(err)
	}
}
