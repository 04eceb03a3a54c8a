package casewebhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// everySource has a sender of every source.
const everySource = `senders:
  - {name: grafana, source: grafana, tenant: acme, auth: {hmac: {secret: env:PROM_TOKEN, replay: identity}}}
  - {name: health, source: servicehealth, tenant: acme, subscription: projects/p/subscriptions/health}
  - {name: budgets, source: budget, tenant: acme, subscription: projects/p/subscriptions/budgets, auth: {bearer: env:PROM_TOKEN}}
  - {name: findings, source: securitycommandcenter, tenant: acme, subscription: projects/p/subscriptions/findings}
  - {name: events, source: cloudevents, tenant: acme, auth: {bearer: env:PROM_TOKEN}}
  - {name: scripts, source: plain, tenant: acme, auth: {bearer: env:PROM_TOKEN}}
  - {name: any, source: any, tenant: acme, auth: {bearer: env:PROM_TOKEN}}
`

func sourcesWorld(t *testing.T) *world {
	t.Helper()
	text := fmt.Sprintf(strings.Replace(settings, "senders:\n", everySource, 1), "", anyRoute)
	c, err := config.Parse("providerdesk.yaml", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, setup{config: c})
}

// knock is a request to AlertWebhook with headers of its own.
func (w *world) knock(method, sender, body string, header map[string]string) (*http.Response, string) {
	w.Helper()
	s := w.server()
	r, err := http.NewRequest(method, s.URL+"/AlertWebhook/"+sender, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for name, v := range header {
		r.Header.Set(name, v)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return res, string(answer)
}

func grafanaBody(status, ends string) string {
	return `{"version":"1","orgId":1,"groupKey":"{}:{}","groupLabels":{},"alerts":[{"status":"` + status + `","startsAt":"2026-03-01T10:00:00Z","endsAt":"` + ends +
		`","fingerprint":"00000000000000aa","labels":{"alertname":"Disk full","severity":"critical"}}]}`
}

func grafanaSigned(body string) map[string]string {
	mac := hmac.New(sha256.New, []byte(secrets["PROM_TOKEN"]))
	io.WriteString(mac, body)
	return map[string]string{"Content-Type": "application/json", "X-Grafana-Alerting-Signature": hex.EncodeToString(mac.Sum(nil))}
}

// A request of Grafana that somebody captured and sends again opens no second case: it is known by the incident's identity.
func TestGrafanaReplayed(t *testing.T) {
	w := sourcesWorld(t)
	open, done := grafanaBody("firing", "0001-01-01T00:00:00Z"), grafanaBody("resolved", "2026-03-01T10:05:00Z")
	for i, body := range []string{open, open, done, open, done, open} {
		method := http.MethodPost
		if i%2 == 1 {
			method = http.MethodPut // as its user may choose
		}
		if res, answer := w.knock(method, "grafana", body, grafanaSigned(body)); res.StatusCode != http.StatusAccepted {
			t.Fatalf("%d %s", res.StatusCode, answer)
		}
		w.pump()
	}
	if c := w.one(); !strings.Contains(c.title, "Disk full") {
		t.Errorf("%+v", c)
	}
	res, _ := w.knock(http.MethodPost, "grafana", open+" ", grafanaSigned(open))
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("another body with the signature: %d", res.StatusCode)
	}
}

// The handshake of CloudEvents says yes to whoever asks, repeats nothing, and is there for senders of CloudEvents only.
func TestHandshake(t *testing.T) {
	w := sourcesWorld(t)
	asked := map[string]string{"WebHook-Request-Origin": canary, "WebHook-Request-Rate": "120", "WebHook-Request-Callback": "http://127.0.0.1:1/" + canary}
	for _, tt := range []struct {
		sender string
		header map[string]string
		status int
		allow  string
	}{
		{"events", asked, 200, "OPTIONS, POST, PUT"},
		{"any", asked, 200, "OPTIONS, POST, PUT"},
		{"events", nil, 405, "POST, PUT"},
		{"scripts", asked, 405, "POST"},
		{canary, asked, 405, "POST"},
	} {
		res, body := w.knock(http.MethodOptions, tt.sender, "", tt.header)
		granted := tt.status == 200
		if res.StatusCode != tt.status || res.Header.Get("Allow") != tt.allow || granted && body != "" ||
			(res.Header.Get("WebHook-Allowed-Origin") == "*") != granted || (res.Header.Get("WebHook-Allowed-Rate") == "*") != granted {
			t.Errorf("%s: %d %v %q", tt.sender, res.StatusCode, res.Header, body)
		}
		if strings.Contains(body+fmt.Sprint(res.Header)+w.log.String(), canary) {
			t.Error("what came in comes out")
		}
	}
}

// TestWebhookSources: what a webhook takes, by which content type, and how many messages it becomes.
func TestWebhookSources(t *testing.T) {
	const one = `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"key":"a","title":"A"}}`
	const two = `{"specversion":"1.0","id":"2","source":"/s","type":"t","data":{"key":"b","title":"B"}}`
	budget := func(data string) string {
		return `{"message":{"attributes":{"budgetId":"b"},"data":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `","messageId":"1"},"subscription":"projects/p/subscriptions/s"}`
	}
	for _, tt := range []struct {
		name, sender, body string
		header             map[string]string
		status, messages   int
	}{
		{"structured", "events", one, map[string]string{"Content-Type": "application/cloudevents+json; charset=utf-8"}, 202, 1},
		{"batched", "events", "[" + one + "," + two + "," + one + "]", map[string]string{"Content-Type": "application/cloudevents-batch+json"}, 202, 2},
		{"an empty batch", "events", "[]", map[string]string{"Content-Type": "application/cloudevents-batch+json"}, 202, 0},
		{"half a batch", "events", "[" + one + `,{"specversion":"1.0"}]`, map[string]string{"Content-Type": "application/cloudevents-batch+json"}, 400, 0},
		{"binary", "events", `{"title":"A"}`, map[string]string{"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "/s", "Ce-Type": "t"}, 202, 1},
		{"binary, of a source", "events", notification, map[string]string{"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "/s", "Ce-Type": "providerdesk.alertmanager"}, 202, 1},
		{"binary, to any", "any", `{"title":"A"}`, map[string]string{"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "/s", "Ce-Type": "t"}, 202, 1},
		{"half of binary", "events", `{"title":"A"}`, map[string]string{"Ce-Specversion": "1.0", "Ce-Id": "1"}, 400, 0},
		{"an event in XML", "events", `<a/>`, map[string]string{"Content-Type": "application/cloudevents+xml"}, 415, 0},
		{"plain", "scripts", `[{"key":"a","title":"A"},{"key":"b","title":"B"}]`, nil, 202, 2},
		{"plain, wrong", "scripts", `[{"key":"a","titel":"` + canary + `"}]`, nil, 400, 0},
		{"any: Alertmanager", "any", notification, nil, 202, 1},
		{"any: nothing", "any", `{"hello":"` + canary + `"}`, nil, 400, 0},
		{"a budget, pushed", "budgets", budget(`{"budgetDisplayName":"b","costIntervalStart":"2026-01-01T00:00:00Z","alertThresholdExceeded":0.9,"forecastThresholdExceeded":1}`), nil, 202, 2},
		{"a budget's report", "budgets", budget(`{"budgetDisplayName":"b","costIntervalStart":"2026-01-01T00:00:00Z"}`), nil, 202, 0},
		{"a subscription's sender", "health", `{}`, nil, 404, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := sourcesWorld(t)
			header := map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + secrets["PROM_TOKEN"]}
			for name, v := range tt.header {
				header[name] = v
			}
			res, body := w.knock(http.MethodPost, tt.sender, tt.body, header)
			if res.StatusCode != tt.status || strings.Contains(body, canary) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			if tt.status == 202 && tt.messages == 0 && !strings.Contains(body, "tells of no alert") {
				t.Errorf("no note: %s", body)
			}
			if n := len(w.bus.Take(casewebhook.TopicAlerts)); n != tt.messages {
				t.Errorf("%d messages, want %d", n, tt.messages)
			}
		})
	}
}

// TestSubscribedSources: raw notifications with their attributes; a budget that repeats all month has one case, and its reports none.
func TestSubscribedSources(t *testing.T) {
	w := sourcesWorld(t)
	n := 0
	deliver := func(subscription, data string, attributes map[string]string) {
		t.Helper()
		n++
		e := event.Envelope{ID: fmt.Sprint(n), Subscription: "projects/p/subscriptions/" + subscription, Data: []byte(data), Attributes: attributes,
			Published: time.Now().Add(time.Duration(n) * time.Minute)}
		if err := w.deliver(e); err != nil {
			t.Fatal(err)
		}
	}
	about := map[string]string{"budgetId": "b", "billingAccountId": "a", "schemaVersion": "1.0"}
	const report = `{"budgetDisplayName":"Team","costAmount":%d,"costIntervalStart":"2026-03-01T00:00:00Z","budgetAmount":100%s}`
	deliver("budgets", fmt.Sprintf(report, 1, ""), about)
	for day := range 10 {
		deliver("budgets", fmt.Sprintf(report, 90+day, `,"alertThresholdExceeded":0.9`), about)
	}
	if got := len(w.cases()); got != 1 {
		t.Errorf("a month of one budget: %d cases", got)
	}
	finding := `{"finding":{"name":"f","category":"OPEN_SSH_PORT","state":"ACTIVE","mute":"%s","eventTime":"2026-03-01T00:00:00Z"}}`
	deliver("findings", strings.Replace(fmt.Sprintf(finding, "MUTED"), `"f"`, `"g"`, 1), nil)
	if got := len(w.cases()); got != 1 {
		t.Errorf("a muted finding: %d cases", got)
	}
	deliver("findings", fmt.Sprintf(finding, "UNMUTED"), nil)
	deliver("health", `{"name":"projects/p/locations/global/events/e","title":"Outage","state":"ACTIVE"}`, nil)
	deliver("health", `{"name":"organizations/1/locations/global/organizationEvents/e","title":"Outage","state":"ACTIVE"}`, nil)
	if got := len(w.cases()); got != 3 {
		t.Errorf("%d cases, want 3", got)
	}
	deliver("budgets", fmt.Sprintf(report, 1, `,"alertThresholdExceeded":1`), nil)
	parked, err := w.Ledger().List(t.Context(), ledger.Parked, "", 10)
	if err != nil || len(parked) != 1 || !strings.Contains(parked[0].Reason, "attribute budgetId is missing") {
		t.Errorf("%v, %+v", err, parked)
	}
}
