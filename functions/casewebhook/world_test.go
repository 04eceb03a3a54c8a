package casewebhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings is the configuration of most tests; %s takes what a test adds to its desk and then its routes.
const settings = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:PUSH_TOKEN}
desks:
  google:
    kind: google
    parent: projects/acme-prod
    classification: "Technical Issue > Compute > Compute Engine"
    subscribers: [oncall@example.com]
    time_zone: Europe/Paris
    %s
senders:
  - {name: prom, source: alertmanager, tenant: acme, auth: {bearer: env:PROM_TOKEN}}
  - {name: gcm, source: monitoring, tenant: acme, auth: {basic: {username: gcm, password: env:GCM_PASSWORD}}}
  - {name: raw, source: monitoring, tenant: acme, subscription: projects/p/subscriptions/raw}
routes:
%s
`

const anyRoute = `  - {when: "true", desk: google, priority: P2}`

var secrets = map[string]string{"PUSH_TOKEN": "push-secret-0123456789", "PROM_TOKEN": "prom-secret-0123456789", "GCM_PASSWORD": "gcm-secret-0123456789"}

func env(name string) (string, bool) { v, ok := secrets[name]; return v, ok }

func configured(t testing.TB, deskKeys, routes string) *config.Config {
	t.Helper()
	c, err := config.Parse("providerdesk.yaml", fmt.Appendf(nil, settings, deskKeys, routes), env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// world is the function with its real ledger and desk client in front of a simulated desk, and a bus that keeps what is published.
type world struct {
	testing.TB
	*casewebhook.Function
	sim *cloudsupport.Server
	db  *storetest.Counter
	bus *publishtest.Kept
	log *proctest.Output
}

// setup is what a test changes of a world.
type setup struct {
	desk, routes string
	db           store.DB
	crash        func(ledger.Point)
	sim          cloudsupport.Options
	config       *config.Config
	quiet        bool
	notices      func(*world) func(context.Context, string, string) []ledger.Intent
}

func newWorld(t testing.TB, s setup) *world {
	t.Helper()
	sim, err := cloudsupport.New(s.sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	client, err := gapi.Client(gapi.Options{Base: sim.Transport(), Token: gapi.StaticToken("t"), Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if s.db == nil {
		s.db = storetest.NewMemory(time.Now)
	}
	if s.routes == "" {
		s.routes = anyRoute
	}
	if s.config == nil {
		s.config = configured(t, s.desk, s.routes)
	}
	desks, err := casewebhook.Desks(s.config, client, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, sim: sim, db: storetest.Counted(s.db), bus: newBus(), log: &proctest.Output{}}
	logger := slog.New(slog.NewJSONHandler(w.log, nil))
	if s.quiet {
		logger = slog.New(slog.DiscardHandler)
	}
	d := casewebhook.Deps{Config: s.config, DB: w.db, Publisher: w.bus, Desks: desks, Ledger: ledger.Options{Crash: s.crash}, Log: logger}
	if s.notices != nil {
		d.Notices = s.notices(w)
	}
	w.Function, err = casewebhook.New(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newBus() *publishtest.Kept {
	return &publishtest.Kept{Topics: []string{casewebhook.TopicAlerts}, Subscription: "projects/p/subscriptions/FileCase"}
}

// message is an incident as AlertWebhook publishes it.
func message(t testing.TB, id string, in alert.Incident) event.Envelope {
	t.Helper()
	return event.Envelope{ID: id, Type: event.Published, Subscription: "projects/p/subscriptions/FileCase", Data: in.Append(nil), Published: in.Received, Attempt: 1}
}

// group is a notification of an Alertmanager group, received now.
func group(key string, alerts ...alert.Alert) alert.Incident {
	in := alert.Incident{Source: alert.SourceAlertmanager, Sender: "prom", Tenant: "acme", Key: key, Title: "HighLatency: cluster=" + key,
		Severity: alert.Critical, Status: alert.Resolved, Labels: map[string]string{"cluster": key}, Alerts: alerts, Received: time.Now().UTC()}
	for _, a := range alerts {
		if a.Status == alert.Firing {
			in.Status = alert.Firing
		}
	}
	return in
}

func firing(fp string, starts time.Time) alert.Alert {
	return alert.Alert{Fingerprint: fp, Status: alert.Firing, Severity: alert.Critical, Name: "HighLatency", Resource: fp, Starts: starts.UTC()}
}

func ended(a alert.Alert, at time.Time) alert.Alert {
	a.Status, a.Ends = alert.Resolved, at.UTC()
	return a
}

// deliver is one delivery; a process that dies is an error like any other to the bus.
func (w *world) deliver(e event.Envelope) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("died: %v", p)
		}
	}()
	return w.FileCase(w.Context(), e)
}

// file delivers an incident, which must be acknowledged.
func (w *world) file(in alert.Incident) {
	w.Helper()
	if err := w.deliver(message(w, "m-"+strconv.FormatInt(time.Now().UnixNano(), 36), in)); err != nil {
		w.Fatal(err)
	}
}

// pump delivers what was published, until nothing more comes.
func (w *world) pump() (n int) {
	w.Helper()
	for all := w.bus.Take(casewebhook.TopicAlerts); len(all) > 0; all = w.bus.Take(casewebhook.TopicAlerts) {
		for _, e := range all {
			if err := w.deliver(e); err != nil {
				w.Fatal(err)
			}
			n++
		}
	}
	return n
}

// sweep is one minute of the scheduler.
func (w *world) sweep() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("died: %v", p)
		}
	}()
	_, err = w.SweepCases(w.Context(), httptest.NewRequest(http.MethodPost, "/", nil))
	return err
}

// sweepFor sweeps every minute; only in a bubble.
func (w *world) sweepFor(d time.Duration) (failed int) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Minute)
		if w.sweep() != nil {
			failed++
		}
	}
	return failed
}

// calls counts calls of the desk.
func (w *world) calls(op string) int {
	_, n := w.sim.Calls()
	return n[op]
}

func (w *world) allCalls() (n int) {
	_, all := w.sim.Calls()
	for _, c := range all {
		n += c
	}
	return n
}

// shownCase is a case as the desk's own pages show it.
type shownCase struct {
	name, title, description, state, priority string
	test                                      bool
	subscribers                               []string
	language                                  string
	comments                                  []string
}

// cases reads the desk, comments oldest first.
func (w *world) cases() (all []shownCase) {
	w.Helper()
	var page struct {
		Cases []struct {
			Name, DisplayName, Description, State, Priority, LanguageCode string
			TestCase                                                      bool
			SubscriberEmailAddresses                                      []string
		}
	}
	w.get("/v2/projects/acme-prod/cases?pageSize=500", &page)
	for i := range page.Cases {
		c := page.Cases[len(page.Cases)-1-i]
		one := shownCase{c.Name, c.DisplayName, c.Description, c.State, c.Priority, c.TestCase, c.SubscriberEmailAddresses, c.LanguageCode, nil}
		var said struct{ Comments []struct{ Body string } }
		w.get("/v2/"+c.Name+"/comments?pageSize=100", &said)
		for j := range said.Comments {
			one.comments = append(one.comments, said.Comments[len(said.Comments)-1-j].Body)
		}
		all = append(all, one)
	}
	return all
}

func (w *world) get(path string, into any) {
	w.Helper()
	if err := json.Unmarshal(w.call(http.MethodGet, path, ""), into); err != nil {
		w.Fatal(err)
	}
}

// call is a call of the desk by our account, or of its controls.
func (w *world) call(method, path, body string) []byte {
	w.Helper()
	return w.as("t", method, path, body)
}

// person is a call of the desk by a person.
func (w *world) person(method, path, body string) {
	w.Helper()
	w.as("p", method, path, body)
}

func (w *world) as(token, method, path, body string) []byte {
	w.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.sim.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		w.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

var markers = regexp.MustCompile(`\[REF[A-Z2-7]{26} attempt=[0-9]+\]`)

// states counts the effects by kind and state.
func (w *world) states() map[string]int {
	w.Helper()
	all := map[string]int{}
	for after := ""; ; {
		recs, err := w.Ledger().List(w.Context(), "", after, 500)
		if err != nil {
			w.Fatal(err)
		}
		for _, r := range recs {
			all[r.Kind+" "+string(r.State)]++
			after = r.ID
		}
		if len(recs) < 500 {
			return all
		}
	}
}

// one returns the only case.
func (w *world) one() shownCase {
	w.Helper()
	all := w.cases()
	if len(all) != 1 {
		w.Fatalf("%d cases, want 1: %+v", len(all), all)
	}
	return all[0]
}
