package casewebhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
)

// notification is what Alertmanager sends for a group of one.
const notification = `{"version":"4","groupKey":"{}:{cluster=\"eu\"}","status":"firing","receiver":"r","groupLabels":{"cluster":"eu"},"commonLabels":{},
"commonAnnotations":{},"externalURL":"","truncatedAlerts":0,"alerts":[{"status":"firing","labels":{"alertname":"HighLatency","cluster":"eu"},
"annotations":{},"startsAt":"2026-03-01T10:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"00000000000000aa"}]}`

// canary stands in every body and header that a test sends; it must come back nowhere.
const canary = "c4n4ry-7f3a"

// server serves AlertWebhook as the platform does.
func (w *world) server() *httptest.Server {
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	s := httptest.NewServer(run.HTTP("AlertWebhook", func(context.Context) (run.HTTPHandler, error) { return w.AlertWebhook, nil }, run.Options{Log: log, MaxBody: 2 << 20}))
	w.Cleanup(s.Close)
	return s
}

// ask is one request to AlertWebhook.
type ask struct {
	method, path, auth, contentType, body string
}

func (a ask) send(t *testing.T, s *httptest.Server) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(a.method, s.URL+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", a.contentType)
	r.Header.Set("X-Canary", canary)
	if a.auth != "" {
		r.Header.Set("Authorization", a.auth)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestBadRequests(t *testing.T) {
	const bearer = "Bearer prom-secret-0123456789"
	good := ask{"POST", "/AlertWebhook/prom", bearer, "application/json", notification}
	with := func(change func(*ask)) ask { a := good; change(&a); return a }
	for _, tt := range []struct {
		name     string
		ask      ask
		down     error
		status   int
		sentence string
		header   string // and one that must be there
	}{
		{"malformed JSON", with(func(a *ask) { a.body = `{"version":"4","` + canary }), nil, 400, "the body is not one JSON value and nothing after it", ""},
		{"a wrong type", with(func(a *ask) { a.body = `{"version":"4","groupKey":"k","alerts":"` + canary + `"}` }), nil, 400, "alerts must be an array", ""},
		{"an alert without a time", with(func(a *ask) { a.body = strings.Replace(notification, "2026-03-01T10:00:00Z", canary, 1) }), nil, 400, "alerts[0].startsAt must be a time such as 2026-01-31T15:04:05Z", ""},
		{"no body", with(func(a *ask) { a.body = "" }), nil, 400, "the body is empty; send one JSON object", ""},
		{"2 MiB", with(func(a *ask) { a.body = `{"version":"` + strings.Repeat(canary, 2<<20/len(canary)) + `"}` }), nil, 413, "the body is larger than this function reads: send less at once", ""},
		{"a Grafana body", with(func(a *ask) { a.body = `{"version":"1","orgId":1,"title":"` + canary + `","alerts":[]}` }), nil, 400,
			"this is a Grafana notification; write source: grafana for this sender", ""},
		{"no credential", with(func(a *ask) { a.auth = "" }), nil, 401, "", "Www-Authenticate"},
		{"a wrong credential", with(func(a *ask) { a.auth = "Bearer " + canary }), nil, 401, "the bearer token is not the right one", "Www-Authenticate"},
		{"another sender's credential", with(func(a *ask) { a.path = "/AlertWebhook/gcm" }), nil, 401, "", "Www-Authenticate"},
		{"the credential is looked at before the type", with(func(a *ask) { a.auth, a.contentType = "Bearer "+canary, "text/plain" }), nil, 401, "the bearer token is not the right one", ""},
		{"the credential is looked at before the body", with(func(a *ask) { a.auth, a.body = "Bearer "+canary, "{" }), nil, 401, "the bearer token is not the right one", ""},
		{"an unknown sender", with(func(a *ask) { a.path = "/AlertWebhook/" + canary }), nil, 404, "no sender of this name is configured; the URL ends in the name of one of the configuration's senders", ""},
		{"a sender without a webhook", with(func(a *ask) { a.path = "/AlertWebhook/raw" }), nil, 404, "no sender of this name is configured; the URL ends in the name of one of the configuration's senders", ""},
		{"a wrong method", with(func(a *ask) { a.method = "PUT" }), nil, 405, "this address takes POST only", "Allow"},
		{"a wrong content type", with(func(a *ask) { a.contentType = "text/" + canary }), nil, 415, "the body is not JSON by its Content-Type: send application/json", ""},
		{"the bus is down", good, fault.Wrap(fault.Transient, errors.New("down"), "publish"), 503, "", "Retry-After"},
		{"the bus refuses us", good, fault.Wrap(fault.Denied, errors.New("denied"), "publish"), 503, "", "Retry-After"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, setup{})
			w.bus.Down = tt.down
			res, body := tt.ask.send(t, w.server())
			var p struct {
				Status        int
				Title, Detail string
			}
			if err := json.Unmarshal([]byte(body), &p); err != nil || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("no problem: %v %s %s", err, res.Header.Get("Content-Type"), body)
			}
			if res.StatusCode != tt.status || p.Status != tt.status || tt.sentence != "" && p.Detail != tt.sentence {
				t.Errorf("%d %q, want %d %q", res.StatusCode, p.Detail, tt.status, tt.sentence)
			}
			if tt.header != "" && res.Header.Get(tt.header) == "" {
				t.Errorf("no %s in %v", tt.header, res.Header)
			}
			if n := len(w.bus.Take(casewebhook.TopicAlerts)); n != 0 {
				t.Errorf("%d messages published", n)
			}
			if log := w.log.String(); strings.Contains(body, canary) || strings.Contains(log, canary) || strings.Contains(log, "secret") {
				t.Errorf("what came in comes out:\n%s\n%s", body, log)
			}
		})
	}
}

func TestGoodRequests(t *testing.T) {
	w := newWorld(t, setup{})
	s := w.server()
	a := ask{"POST", "/AlertWebhook/prom", "Bearer prom-secret-0123456789", "application/json", strings.Replace(notification, "HighLatency", canary, 1)}
	res, body := a.send(t, s)
	var got struct{ IDs []string }
	if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != http.StatusAccepted || len(got.IDs) != 1 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if n := w.pump(); n != 1 || !strings.Contains(w.one().title, canary) {
		t.Errorf("%d messages, %+v", n, w.one())
	}
	if strings.Contains(body, canary) || strings.Contains(w.log.String(), canary) {
		t.Error("what came in comes out")
	}
}

// Cloud Monitoring sends credentials only after a challenge, and its test button opens no case.
func TestMonitoringTestButton(t *testing.T) {
	w := newWorld(t, setup{})
	s := w.server()
	a := ask{"POST", "/AlertWebhook/gcm", "", "application/json", `{"version":"test","incident":{"incident_id":"12345","state":"OPEN","started_at":0,"ended_at":0,"documentation":"Test","policy_name":"p"}}`}
	res, _ := a.send(t, s)
	if res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	a.auth = "Basic Z2NtOmdjbS1zZWNyZXQtMDEyMzQ1Njc4OQ==" // gcm and its password
	res, body := a.send(t, s)
	if res.StatusCode != http.StatusAccepted || !strings.Contains(body, "opens no case") {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if w.pump(); len(w.cases()) != 0 || len(w.states()) != 0 {
		t.Error("a test notification opens a case")
	}
}

// What can never succeed is acknowledged and kept with its reason, once however often it comes.
func TestParkedMessages(t *testing.T) {
	in := group("eu", firing("a", time.Now()))
	stranger, tenant, keyless := in, in, in
	stranger.Sender, tenant.Tenant, keyless.Key = "nobody", "other", ""
	raw := event.Envelope{ID: "9", Subscription: "projects/p/subscriptions/raw", Data: []byte(`{"version":"1.2"}`), Published: time.Now()}
	for _, tt := range []struct {
		name   string
		e      event.Envelope
		reason string
	}{
		{"malformed", event.Envelope{ID: "9", Data: []byte("{")}, "the message is not an incident as AlertWebhook publishes it"},
		{"not an incident", event.Envelope{ID: "9", Data: []byte(`{"hello":1}`)}, "the message is not an incident as AlertWebhook publishes it"},
		{"two incidents", event.Envelope{ID: "9", Data: append(message(t, "9", in).Data, "{}"...)}, "the message goes on after its incident"},
		{"unknown sender", message(t, "9", stranger), "the incident names no configured sender"},
		{"unknown tenant", message(t, "9", tenant), "the incident names no configured sender of its tenant"},
		{"no key", message(t, "9", keyless), "has no key"},
		{"a sender's own notification", raw, "incident is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, setup{})
			for range 3 {
				if err := w.deliver(tt.e); err != nil {
					t.Fatal(err)
				}
			}
			recs, err := w.Ledger().List(t.Context(), ledger.Parked, "", 10)
			if err != nil || len(recs) != 1 || !strings.Contains(recs[0].Reason, tt.reason) {
				t.Fatalf("%v %+v", err, recs)
			}
			if len(w.states()) != 1 || w.allCalls() != 0 || !strings.Contains(w.log.String(), `"level":"ERROR"`) {
				t.Errorf("effects %v, %d calls, log %s", w.states(), w.allCalls(), w.log)
			}
		})
	}
}

// A configuration that cannot be used is no fault of the message: it waits for a better one.
func TestBrokenConfigurationKeepsTheMessage(t *testing.T) {
	c := configured(t, "", anyRoute)
	c.Routes[0].When = "incident.severty == 'critical'"
	w := newWorld(t, setup{config: c})
	if err := w.deliver(message(t, "1", group("eu", firing("a", time.Now())))); !fault.Healing(err) {
		t.Errorf("not brought back: %v", err)
	}
	if n := len(w.states()); n != 0 {
		t.Errorf("%d effects", n)
	}
}

// A group of three on a route with a case for each alert is three cases, whose keys stay when the group grows.
func TestOneCasePerAlert(t *testing.T) {
	w := newWorld(t, setup{routes: `  - {when: "true", desk: google, priority: P2, one_case_per: alert}`})
	now := time.Now()
	a, b, c := firing("a", now), firing("b", now), firing("c", now)
	w.file(group("one", a))
	w.file(group("one", a, b))
	if n := w.pump(); n != 2 || len(w.cases()) != 2 {
		t.Errorf("a group that grows: %d messages, %d cases, want 2 and 2", n, len(w.cases()))
	}
	w.file(group("three", a, b, c))
	if n := w.pump(); n != 3 || len(w.cases()) != 5 {
		t.Errorf("a group of three: %d messages, %d cases", n, len(w.cases()))
	}
	w.file(group("three", ended(a, now.Add(time.Minute)), b, c))
	w.pump()
	said := 0
	for _, c := range w.cases() {
		said += len(c.comments)
	}
	if said != 1 {
		t.Errorf("%d comments on the end of one", said)
	}
	cut := group("cut", a)
	cut.Omitted = 7
	w.file(cut)
	if w.pump(); !strings.Contains(w.log.String(), `"omitted":7`) {
		t.Error("nobody is told of alerts that were left out")
	}
}

// An effect that the desk definitely refuses is told to an operator and may be released.
func TestRefusedCase(t *testing.T) {
	w := newWorld(t, setup{})
	w.arm("cases.create", "status:403", 1)
	w.file(group("eu", firing("a", time.Now())))
	if got := w.states(); got["case.open FAILED"] != 1 || !strings.Contains(w.log.String(), `"level":"ERROR"`) {
		t.Fatalf("effects %v, log %s", got, w.log)
	}
	recs, err := w.Ledger().List(t.Context(), ledger.Failed, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Ledger().Decide(t.Context(), recs[0].ID, ledger.Decision{Who: "ops", Verdict: ledger.Approve}); err != nil {
		t.Fatal(err)
	}
	if err := w.sweep(); err != nil {
		t.Fatal(err)
	}
	w.one()
}

// TestNoRequestSeesAnother: requests are read in places that others were read in before, many at a time. What is published for each, and
// answered, holds nothing of any other, whatever their sizes and also when some are refused.
func TestNoRequestSeesAnother(t *testing.T) {
	w := newWorld(t, setup{quiet: true})
	s := w.server()
	const senders, each = 16, 25
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for n := range each {
				mark := fmt.Sprintf("mark-%d-%d-", sender, n)
				body := strings.Replace(notification, `"cluster":"eu"},"commonLabels":{}`,
					fmt.Sprintf(`"cluster":"%[1]s%[2]s"},"commonLabels":{"%[1]s":"%[1]s"}`, mark, strings.Repeat(mark, sender*n%97)), 1)
				body = strings.Replace(body, `"annotations":{}`, fmt.Sprintf(`"annotations":{"summary":"%[1]s","%[1]s":"\\u00e9%[1]s"}`, mark), 1)
				a, want := ask{"POST", "/AlertWebhook/prom", "Bearer prom-secret-0123456789", "application/json", body}, http.StatusAccepted
				if n%5 == 4 {
					a.body, want = body[:len(body)-sender-1], http.StatusBadRequest
				}
				if res, answer := a.send(t, s); res.StatusCode != want || strings.Contains(answer, "mark-") {
					t.Errorf("%s: %d %s", mark, res.StatusCode, answer)
				}
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, m := range w.bus.Take(casewebhook.TopicAlerts) {
		marks := slices.Compact(slices.Sorted(slices.Values(mark.FindAllString(string(m.Data), -1))))
		if len(marks) != 1 || !json.Valid(m.Data) || seen[marks[0]] {
			t.Fatalf("published is %s of %v", m.Data, marks)
		}
		seen[marks[0]] = true
	}
	if len(seen) != senders*each*4/5 {
		t.Errorf("%d messages are published", len(seen))
	}
}

var mark = regexp.MustCompile(`mark-[0-9]+-[0-9]+-`)
