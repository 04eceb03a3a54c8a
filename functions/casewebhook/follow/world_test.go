package follow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings is the configuration of most tests; %s takes what a test adds to its desk and at the top.
const settings = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:SECRET}
chat:
  slack: {signing_secret: env:SECRET, token: env:SECRET, team: T0001, bot_user: U0001}
  google: {project_number: "123", app: users/1}
  alarms: [{slack: C0ALARM}]
desks:
  google:
    kind: google
    parent: projects/acme-prod
    classification: "Technical Issue > Compute > Compute Engine"
    time_zone: Europe/Paris
    %s
senders:
  - {name: prom, source: alertmanager, tenant: acme, auth: {bearer: env:SECRET}, heartbeat: 1h}
  - {name: calm, source: alertmanager, tenant: acme, auth: {bearer: env:SECRET}}
routes:
  - {when: "true", desk: google, priority: P2}
%s
`

const (
	inSlack  = "rooms: [{slack: C0CASES}]"
	inBoth   = "rooms: [{slack: C0CASES}, {google: spaces/CASES}]"
	cases    = "C0CASES"
	space    = "spaces/CASES"
	alarms   = "C0ALARM"
	vendor   = "Google Cloud Support (support desk)"
	whsec    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	ourLogin = cloudsupport.DefaultCaller
)

var secrets = map[string]string{"SECRET": "secret-0123456789", "WEBHOOK": whsec}

func env(name string) (string, bool) { v, ok := secrets[name]; return v, ok }

// setup is what a test changes of a world.
type setup struct {
	desk, top string
	crash     func(ledger.Point)
	sim       cloudsupport.Options
	db        store.DB
	network   http.RoundTripper
	wire      http.RoundTripper // in front of the simulated desk
	rooms     say.Rooms         // replace those in memory
}

// world is a follower with the real ledger and desk client in front of a simulated desk, and rooms that people read.
type world struct {
	testing.TB
	*follow.Follower
	sim    *cloudsupport.Server
	db     *storetest.Counter
	bus    *publishtest.Kept
	log    *proctest.Output
	acts   act.Kinds
	ledger *ledger.Ledger
	slack  *room
	google *room

	last time.Time // of an answer of the desk

	mu     sync.Mutex
	events []event.Envelope // of the desk
}

func configured(t testing.TB, s setup) *config.Config {
	t.Helper()
	c, err := config.Parse("providerdesk.yaml", fmt.Appendf(nil, settings, s.desk, s.top), env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newWorld(t testing.TB, s setup) *world {
	t.Helper()
	if s.db == nil {
		s.db = storetest.NewMemory(time.Now)
	}
	w := &world{TB: t, db: storetest.Counted(s.db), log: &proctest.Output{}, slack: newRoom(chat.Slack), google: newRoom(chat.Google),
		bus: &publishtest.Kept{Topics: []string{follow.TopicActivity}}}
	w.sim = w.newSim(s.sim)
	w.replica(s)
	return w
}

func (w *world) newSim(o cloudsupport.Options) *cloudsupport.Server {
	w.Helper()
	publish := o.Publish
	o.Publish = func(ctx context.Context, topic string, attributes map[string]string, data []byte) error {
		if publish != nil {
			if err := publish(ctx, topic, attributes, data); err != nil {
				return err
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, event.Envelope{ID: fmt.Sprint(len(w.events)), Attributes: attributes, Data: data})
		return nil
	}
	sim, err := cloudsupport.New(o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { sim.Close() })
	return sim
}

// replica makes the follower of the world another process on the same store, desk and rooms.
func (w *world) replica(s setup) {
	w.Helper()
	c := configured(w, s)
	base := w.sim.Transport()
	if s.wire != nil {
		base = s.wire
	}
	client, err := gapi.Client(gapi.Options{Base: base, Token: gapi.StaticToken("t"), Backoff: time.Millisecond})
	if err != nil {
		w.Fatal(err)
	}
	one, err := google.New(google.Options{HTTP: client, Parent: "projects/acme-prod", Classification: c.Desks["google"].Classification})
	if err != nil {
		w.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(w.log, nil))
	w.ledger = ledger.New(w.db, ledger.Options{CallTimeout: c.Ledger.CallTimeout, Settle: c.Ledger.Settle, Crash: s.crash, Log: logger})
	desks, rooms := act.Desks{"google": one}, say.Rooms{chat.Slack: w.slack, chat.Google: w.google}
	if s.rooms != nil {
		rooms = s.rooms
	}
	if w.acts, err = act.Register(w.ledger, desks, 24*time.Hour); err != nil {
		w.Fatal(err)
	}
	spoken, err := say.Register(w.ledger, rooms)
	if err != nil {
		w.Fatal(err)
	}
	w.Follower, err = follow.New(follow.Deps{Config: c, DB: w.db, Ledger: w.ledger, Desks: desks, Acts: w.acts, Rooms: rooms, Say: spoken,
		Publisher: w.bus, Network: s.network, Log: logger})
	if err != nil {
		w.Fatal(err)
	}
}

// subscribe makes the desk push its events.
func (w *world) subscribe() {
	w.Helper()
	w.call("t", http.MethodPost, "/v2/organizations/123456789012/supportEventSubscriptions", `{"pubSubTopic":"projects/acme-prod/topics/support-events"}`)
}

// open opens a case that is followed, until its thread is there.
func (w *world) open(n int) (name string) {
	w.Helper()
	rooms, ok := w.Wants("google", nil)
	if !ok {
		w.Fatal("nobody to follow the case for")
	}
	open, err := w.acts.Open.Intent("acme", fmt.Sprint("incident/", n), act.Opening{Desk: "google", Draft: desk.Draft{Title: fmt.Sprint("Incident ", n),
		Description: "Something is broken.", Priority: "P2", Classification: "Technical Issue > Compute > Compute Engine"}})
	if err != nil {
		w.Fatal(err)
	}
	track, err := w.Track("acme", open.ID(), rooms)
	if err != nil {
		w.Fatal(err)
	}
	for w.alive(func() error { _, err := w.ledger.Do(w.Context(), nil, open, track); return err }) != nil {
		time.Sleep(10 * time.Second)
	}
	rec, err := w.ledger.Get(w.Context(), open.ID())
	for ; err == nil && rec.State != ledger.Succeeded; rec, err = w.ledger.Get(w.Context(), open.ID()) {
		w.minute()
	}
	if err != nil {
		w.Fatal(err)
	}
	return rec.Result.ID
}

// id of the document of a case.
func id(name string) string { return follow.ID("google", name) }

// alive does something; a process that dies is an error like any other.
func (w *world) alive(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("died: %v", p)
		}
	}()
	return do()
}

// minute is one minute of the scheduler.
func (w *world) minute() (failed int) { return w.minutes(time.Minute) }

// minutes are several: the sweep and the tick in each.
func (w *world) minutes(d time.Duration) (failed int) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Minute)
		if w.alive(func() error { _, err := w.ledger.Sweep(w.Context(), 50); return err }) != nil {
			failed++
		}
		if w.alive(func() error { _, err := w.Tick(w.Context()); return err }) != nil {
			failed++
		}
	}
	return failed
}

// push delivers the desk's events, each until it is acknowledged.
func (w *world) push() (n int) {
	w.mu.Lock()
	all := w.events
	w.events = nil
	w.mu.Unlock()
	for _, e := range all {
		for w.alive(func() error { return w.CaseUpdate(w.Context(), e) }) != nil {
			time.Sleep(10 * time.Second)
		}
		n++
	}
	return n
}

// lose loses the desk's events.
func (w *world) lose() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = nil
}

// reply is what the desk's people do.
func (w *world) reply(name, body, state string) {
	w.Helper()
	text, err := json.Marshal(map[string]string{"body": body, "state": state})
	if err != nil {
		w.Fatal(err)
	}
	w.call("t", http.MethodPost, "/cases/"+name+"/reply", string(text))
	w.last = time.Now()
}

// write is a comment by a person at the desk's own pages, with the account of a token.
func (w *world) write(token, name, body string) {
	w.Helper()
	text, err := json.Marshal(map[string]string{"body": body})
	if err != nil {
		w.Fatal(err)
	}
	w.call(token, http.MethodPost, "/v2/"+name+"/comments", string(text))
}

func (w *world) call(token, method, path, body string) []byte {
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

// reads counts calls that ask the desk about cases.
func (w *world) reads() (n int) {
	_, counts := w.sim.Calls()
	for _, op := range []string{"cases.get", "cases.list", "cases.search", "cases.comments.list", "cases.attachments.list"} {
		n += counts[op]
	}
	return n
}

// thread returns the only thread of a room.
func (w *world) thread(r *room, space string) threaded {
	w.Helper()
	all := r.threads(space)
	if len(all) != 1 {
		w.Fatalf("%d threads in %s, want 1: %+v\n%s", len(all), space, all, w.log.String())
	}
	return all[0]
}

// activities are the events that were published since the last time.
func (w *world) activities() (all []map[string]any) {
	w.Helper()
	for _, e := range w.bus.Take(follow.TopicActivity) {
		var one map[string]any
		if err := json.Unmarshal(e.Data, &one); err != nil {
			w.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// states counts the effects by kind and state.
func (w *world) states() map[string]int {
	w.Helper()
	all := map[string]int{}
	for after := ""; ; {
		recs, err := w.ledger.List(w.Context(), "", after, 500)
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
