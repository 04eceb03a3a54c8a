package casewebhook_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares what the desk shows with testdata.
func (w *world) golden(t *testing.T, name string) {
	t.Helper()
	var b strings.Builder
	for _, c := range w.cases() {
		fmt.Fprintf(&b, "TITLE %s\n%s\n", c.title, c.description)
		for _, body := range c.comments {
			fmt.Fprintf(&b, "\nCOMMENT\n%s\n", body)
		}
		b.WriteString("\n")
	}
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("%s is not what the desk shows; -update writes it:\n%s", path, got)
	}
}

const twoAlerts = `{"version":"4","groupKey":"{}/{team=\"db\"}:{cluster=\"eu-1\"}","truncatedAlerts":0,"status":"firing","receiver":"r",
"groupLabels":{"alertname":"HighLatency","cluster":"eu-1"},"commonLabels":{"alertname":"HighLatency","cluster":"eu-1","severity":"critical","team":"db"},
"commonAnnotations":{"runbook_url":"https://runbooks.example.com/latency"},"externalURL":"https://alertmanager.example.com","alerts":[
{"status":"firing","labels":{"alertname":"HighLatency","cluster":"eu-1","instance":"db-1:9100","severity":"critical","team":"db"},
"annotations":{"summary":"p99 is 2.31 s on db-1","value":"2.31","threshold":"1.5","runbook_url":"https://runbooks.example.com/latency"},
"startsAt":"2026-03-29T00:58:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://prometheus.example.com/graph?g0.expr=latency_p99+%3E+1.5","fingerprint":"00000000000000aa"},
{"status":"firing","labels":{"alertname":"HighLatency","cluster":"eu-1","instance":"db-2:9100","severity":"warning","team":"db"},
"annotations":{"summary":"p99 is 1.72 s on db-2","value":"1.72","threshold":"1.5"},
"startsAt":"2026-03-29T01:02:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"00000000000000bb"}]}`

const threshold = `{"version":"1.2","incident":{"incident_id":"0.opqiw61fsv7p","scoping_project_id":"acme-prod","scoping_project_number":415104041262,
"url":"https://console.cloud.google.com/monitoring/alerting/alerts/0.opqiw61fsv7p?channelType=webhook&project=acme-prod","severity":"Critical",
"started_at":1774746000,"ended_at":null,"state":"open","summary":"CPU utilization for acme-prod web-1 is above the threshold of 0.9 with a value of 0.973.",
"resource_display_name":"web-1","resource":{"type":"gce_instance","labels":{"instance_id":"1234567890","project_id":"acme-web","zone":"europe-west1-b"}},
"metric":{"type":"compute.googleapis.com/instance/cpu/utilization","displayName":"CPU utilization","labels":{}},"metadata":{"system_labels":{},"user_labels":{}},
"policy_name":"CPU of the web tier","policy_user_labels":{"team":"web"},"condition_name":"CPU above 90 %","threshold_value":"0.9","observed_value":"0.973",
"condition":{"name":"projects/acme-prod/alertPolicies/1/conditions/2","displayName":"CPU above 90 %","conditionThreshold":{"comparison":"COMPARISON_GT","thresholdValue":0.9,"duration":"300s"}},
"documentation":{"content":"Scale the web tier out.","mime_type":"text/markdown","subject":"[ALERT - Critical] CPU","links":[{"displayName":"Playbook","url":"https://playbooks.example.com/cpu"}]}}}`

func decoded(t *testing.T, source, sender, body string) alert.Incident {
	t.Helper()
	read, _ := alert.ByName(source)
	all, err := read(alert.Message{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	in := all[0]
	in.Sender, in.Tenant, in.Received = sender, "acme", time.Now().UTC()
	return in
}

// What a person at the desk reads, in the zone of the desk's people, over the night on which their clocks change.
func TestTexts(t *testing.T) {
	night := time.Date(2026, 3, 29, 1, 5, 0, 0, time.UTC)
	bubble := func(name string, s setup, play func(t *testing.T, w *world)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(night))
				w := newWorld(t, s)
				play(t, w)
				w.golden(t, name)
			})
		})
	}
	bubble("alertmanager", setup{}, func(t *testing.T, w *world) {
		in := decoded(t, alert.SourceAlertmanager, "prom", twoAlerts)
		w.file(in)
		time.Sleep(20 * time.Minute)
		in.Received, in.Alerts[0] = time.Now().UTC(), ended(in.Alerts[0], night.Add(15*time.Minute))
		w.file(in)
		time.Sleep(20 * time.Minute)
		in.Received, in.Alerts, in.Status = time.Now().UTC(), []alert.Alert{ended(in.Alerts[1], night.Add(35*time.Minute))}, alert.Resolved
		w.file(in)
		time.Sleep(20 * time.Minute)
		in.Received, in.Alerts[0], in.Omitted = time.Now().UTC(), firing(in.Alerts[0].Fingerprint, night.Add(55*time.Minute)), 3
		w.file(in)
	})
	bubble("monitoring", setup{}, func(t *testing.T, w *world) { w.file(decoded(t, alert.SourceMonitoring, "gcm", threshold)) })
	bubble("refire", setup{routes: `  - {when: "true", desk: google, priority: P1, refire: {within: 1h, do: comment}}`}, func(t *testing.T, w *world) {
		a := firing("db-1", night.Add(-5*time.Minute))
		w.file(group("eu-1", a))
		time.Sleep(time.Hour)
		w.file(group("eu-1", ended(a, time.Now())))
		time.Sleep(2 * time.Hour)
		w.file(group("eu-1", firing("db-1", time.Now())))
	})
	bubble("umbrella", setup{desk: "budget: {cases: 1, per: 24h}"}, func(t *testing.T, w *world) {
		for _, key := range []string{"eu-1", "eu-2", "eu-3"} {
			w.file(group(key, firing("db-1", night)))
		}
		w.sweepFor(3 * time.Minute)
	})
	bubble("templates", setup{routes: `  - when: "true"
    desk: google
    priority: P2
    title: "{{.Severity}} in {{.Labels.cluster}}{{.Labels.nosuch}}"
    description: |
      {{range .Alerts}}{{.Name}} on {{.Resource}}
      {{end}}`}, func(t *testing.T, w *world) { w.file(decoded(t, alert.SourceAlertmanager, "prom", twoAlerts)) })
}

// A template that fails on one incident costs its text, not the case.
func TestTemplateThatFails(t *testing.T) {
	w := newWorld(t, setup{routes: `  - {when: "true", desk: google, priority: P2, title: "{{(index .Alerts 0).Name}}", description: "{{(index .Alerts 0).Name}}"}`})
	in := group("eu")
	in.Status, in.Omitted = alert.Firing, 2
	w.file(in)
	if c := w.one(); c.title != "HighLatency: cluster=eu" || !strings.Contains(c.description, "The sender left out 2 more alerts.") {
		t.Errorf("%q %q", c.title, c.description)
	}
	if !strings.Contains(w.log.String(), "a route's template fails") {
		t.Error("nobody is told")
	}
}

// The longest and strangest texts are told all the same: what the ledger and the desk take is enough for what an alert may hold.
func TestLongTexts(t *testing.T) {
	for _, c := range []string{"<", "\x01", "é", "😀", "x "} {
		w := newWorld(t, setup{})
		long := strings.Repeat(c, 16<<10/len(c))
		a := firing("a", time.Now())
		in := group("eu", a)
		for n := range 30 {
			a = firing(fmt.Sprint("a", n), time.Now())
			a.Summary, a.Observed, a.Threshold, a.Condition, a.Labels = long, long, long, long, map[string]string{"k": long[:2040]}
			in.Alerts = append(in.Alerts, a)
		}
		in.Labels, in.Annotations, in.Title = map[string]string{"l": long}, map[string]string{"n": long}, strings.Repeat(c, 200/len(c))
		w.file(in)
		for i := range in.Alerts {
			in.Alerts[i] = ended(in.Alerts[i], time.Now())
		}
		in.Received = in.Received.Add(time.Hour)
		w.file(in)
		if got := w.states(); len(got) != 2 || got["case.open SUCCEEDED"] != 1 || got["case.comment SUCCEEDED"] < 1 {
			t.Errorf("%q: effects %v", c, got)
		}
	}
}
