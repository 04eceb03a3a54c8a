package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

func TestSendBecomesACase(t *testing.T) {
	dir, _ := running(t, time.Now)
	path := filepath.Join(t.TempDir(), "notification.json")
	if err := os.WriteFile(path, []byte(incident(7)), 0o600); err != nil {
		t.Fatal(err)
	}
	if ids := strings.Fields(cli{}.ok(t, "send", "alertmanager", path, "--data", dir)); len(ids) != 1 {
		t.Fatalf("ids %q", ids)
	}
	proctest.Until(t, "the case", func() bool { return len(listedCases(t, dir)) == 1 })
	if c := listedCases(t, dir)[0]; c.Priority != "P1" || !strings.Contains(c.Title, "Incident") {
		t.Errorf("the case is %s %q", c.Priority, c.Title)
	}
	proctest.Until(t, "its record", func() bool { return done(openings(t, dir)) == 1 })
}

// monitoring is a notification of Cloud Monitoring.
const monitoring = `{"version":"1.2","incident":{"incident_id":"0.opqiw61fsv7p","scoping_project_id":"acme-prod","url":"https://console.cloud.google.com/i",
 "started_at":1772366400,"ended_at":null,"state":"open","severity":"Critical","summary":"CPU is high","policy_name":"CPU","condition_name":"CPU above 90 %",
 "observed_value":"0.97","resource":{"type":"gce_instance","labels":{"instance_id":"42"}},"resource_name":"vm-1"}}`

func TestSendMonitoringBothWays(t *testing.T) {
	dir, _ := running(t, time.Now)
	cli{in: monitoring}.ok(t, "send", "monitoring", "-", "--data", dir)
	proctest.Until(t, "the case of the webhook", func() bool { return len(listedCases(t, dir)) == 1 })
	cli{in: monitoring}.ok(t, "send", "monitoring", "-", "--pubsub", "--data", dir)
	proctest.Until(t, "the case of the subscription, which is another sender", func() bool { return len(listedCases(t, dir)) == 2 })
}

func TestSendTellsWhatTheServerNotes(t *testing.T) {
	dir, _ := running(t, time.Now)
	r := cli{in: strings.Replace(monitoring, `"1.2"`, `"test"`, 1)}.run(t, "send", "monitoring", "-", "--data", dir)
	if r.code != exitOK || len(strings.Fields(r.out)) != 1 || r.err != "a test notification was understood; it opens no case\n" {
		t.Errorf("exit code %d, out %q, err %q", r.code, r.out, r.err)
	}
}

func TestSendIsRefused(t *testing.T) {
	dir, _ := running(t, time.Now)
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	guessed := strings.Replace(string(text), filepath.Join(dir, "secrets", "prod-alertmanager"), filepath.Join(dir, "secrets", "bus"), 1)
	if err := os.WriteFile(wrong, []byte(guessed), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		in   string
		args []string
		code int
		says string
	}{
		"a wrong token":           {incident(1), []string{"alertmanager", "-", "--config", wrong}, exitFailed, "refused with 401 Unauthorized: "},
		"no notification":         {`{"version":"4"}`, []string{"alertmanager", "-"}, exitFailed, "refused with 400 Bad Request: "},
		"no JSON":                 {"hello", []string{"monitoring", "-"}, exitFailed, "refused with 400 Bad Request: "},
		"an unknown sender":       {incident(1), []string{"alertmanager", "-", "--sender", "nobody"}, exitUsage, `no sender "nobody"`},
		"another source":          {incident(1), []string{"alertmanager", "-", "--sender", "cloud-monitoring"}, exitUsage, "sends monitoring, not alertmanager"},
		"no webhook":              {monitoring, []string{"monitoring", "-", "--sender", "monitoring-channel"}, exitUsage, "send with --pubsub"},
		"no subscription":         {monitoring, []string{"monitoring", "-", "--sender", "cloud-monitoring", "--pubsub"}, exitUsage, "leave out --pubsub"},
		"no subscription at all":  {incident(1), []string{"alertmanager", "-", "--pubsub"}, exitUsage, "no sender of source alertmanager"},
		"no file":                 {"", []string{"alertmanager", filepath.Join(dir, "none.json")}, exitUsage, "no such file"},
		"a server that is down":   {incident(1), []string{"alertmanager", "-", "--server", "http://127.0.0.1:1"}, exitFailed, "connection refused"},
		"a server that is no URL": {incident(1), []string{"alertmanager", "-", "--server", "::"}, exitFailed, "write http://HOST:PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			r := cli{in: tc.in}.run(t, append(append([]string{"send"}, tc.args...), "--data", dir)...)
			if r.code != tc.code || r.out != "" || !strings.Contains(r.err, tc.says) {
				t.Errorf("exit code %d, out %q, err %q; want %d and %q", r.code, r.out, r.err, tc.code, tc.says)
			}
		})
	}
	if n := len(listedCases(t, dir)); n != 0 {
		t.Errorf("%d cases", n)
	}
}

func TestSendWithoutAServer(t *testing.T) {
	dir, s := running(t, time.Now)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := cli{in: incident(1)}.run(t, "send", "alertmanager", "-", "--data", dir)
	if r.code != exitFailed || !strings.Contains(r.err, `start "providerdesk up"`) {
		t.Errorf("exit code %d, %q", r.code, r.err)
	}
}

// Everything below /api/ is the operator's, and the addresses of events are the bus's alone.
func TestNobodyElseGetsIn(t *testing.T) {
	dir, s := running(t, time.Now)
	push := `{"message":{"data":"e30=","messageId":"1"},"subscription":"projects/local/subscriptions/alerts-filecase"}`
	sender, err := os.ReadFile(filepath.Join(dir, "secrets", "prod-alertmanager"))
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", "guess", strings.TrimSpace(string(sender))} {
		for path, method := range map[string]string{
			"/api/ledger": http.MethodGet, "/api/ledger/3f": http.MethodGet, "/api/ledger/3f/decision": http.MethodPost, "/api/bus": http.MethodGet,
			"/api/topics/monitoring-channel": http.MethodPost, "/FileCase": http.MethodPost, "/SweepCases": http.MethodPost, "/DeadLetter": http.MethodPost,
		} {
			if status := request(t, method, s.URL()+path, token, push, nil); status != http.StatusUnauthorized {
				t.Errorf("%s %s with token %q answered %d, want 401", method, path, token, status)
			}
		}
	}
	for _, path := range []string{"/push/guess/FileCase", "/push//FileCase", "/push/guess/SweepCases"} {
		if status := request(t, http.MethodPost, s.URL()+path, "", push, nil); status < 300 || status == http.StatusAccepted {
			t.Errorf("%s answered %d", path, status)
		}
	}
	if list := listedRecords(t, dir); len(list) != 0 {
		t.Errorf("%d records", len(list))
	}
}
