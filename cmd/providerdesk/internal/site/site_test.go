package site

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/outbox"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/tenants"
	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
	"github.com/providerdesk/providerdesk/shared/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func options(dir string, env map[string]string) Options {
	return Options{
		Folder: Folder(dir), Addr: "127.0.0.1:0", SweepEvery: 24 * time.Hour, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Advice: func(string) {},
	}
}

func open(t *testing.T, o Options) *Site {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

func recordsOf(t *testing.T, s *Site, state ledger.State) []ledger.Record {
	t.Helper()
	list, err := s.Ledger().List(t.Context(), state, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestDeadLettersAreParkedWithTheirReason(t *testing.T) {
	s := open(t, options(t.TempDir(), nil))
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	err := s.bus.(*embedded).Subscribe(localbus.Subscription{
		Name: "broken", Topic: casewebhook.TopicAlerts, To: localbus.Receiver{Handler: broken}, MaxAttempts: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	data := []byte(`{"tenant":"acme","nobody":"reads this"}`)
	if _, err := s.bus.Publish(t.Context(), publish.Message{Topic: casewebhook.TopicAlerts, Data: data}); err != nil {
		t.Fatal(err)
	}
	letters := func() (found []ledger.Record) {
		for _, r := range recordsOf(t, s, ledger.Parked) {
			if strings.HasPrefix(r.Business, "dead-letter/") {
				found = append(found, r)
			}
		}
		return found
	}
	proctest.Until(t, "the dead letter is parked", func() bool { return len(letters()) == 1 })
	if r := letters()[0]; r.Tenant != "acme" || r.Reason != "given up after 1 deliveries; the last one: answered 500" {
		t.Errorf("parked for tenant %q because %q", r.Tenant, r.Reason)
	}
	st, err := s.Bus()
	if err != nil || len(st.Dead) != 1 || st.Dead[0].Subscription != "broken" || st.Dead[0].ID == "" {
		t.Errorf("the bus has the dead letters %+v, %v", st.Dead, err)
	}
}

func TestASecondOneIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	s := open(t, options(dir, nil))
	_, err := Open(t.Context(), options(dir, nil))
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if base, err := Folder(dir).Running(); err != nil || base != s.URL() {
		t.Errorf("running at %q, %v; want %q", base, err, s.URL())
	}
}

func TestAFreeFolderIsNotRunning(t *testing.T) {
	dir := t.TempDir()
	if base, err := Folder(dir).Running(); err != nil || base != "" {
		t.Errorf("empty: %q, %v", base, err)
	}
	s := open(t, options(dir, nil))
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(Folder(dir).address(), "http://127.0.0.1:1\n"); err != nil { // as kill -9 leaves it
		t.Fatal(err)
	}
	if base, err := Folder(dir).Running(); err != nil || base != "" {
		t.Errorf("closed: %q, %v", base, err)
	}
}

func TestEverythingInTheFolderIsItsOwners(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	open(t, options(dir, nil))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheFolderForgetsWhatHasExpired(t *testing.T) {
	s := open(t, options(t.TempDir(), nil))
	old := store.Doc{Key: store.Key{Collection: "effects", ID: "old"}, Data: []byte("{}"), Expire: time.Now().Add(-time.Hour)}
	kept := store.Doc{Key: store.Key{Collection: "effects", ID: "kept"}, Data: []byte("{}"), Expire: time.Now().Add(time.Hour)}
	if _, err := s.db.Commit(t.Context(), store.Create(old), store.Create(kept)); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.forget.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if _, err := s.db.Get(t.Context(), old.Key); w.Code != http.StatusOK || !fault.Is(err, fault.Missing) {
		t.Errorf("answered %d, the old document: %v", w.Code, err)
	}
	if _, err := s.db.Get(t.Context(), kept.Key); err != nil {
		t.Errorf("the other document: %v", err)
	}
}

func TestASecretStaysTheSame(t *testing.T) {
	f := Folder(t.TempDir())
	first, err := f.ensureSecret("bus")
	if err != nil || len(first) < 26 {
		t.Fatalf("%q, %v", first, err)
	}
	again, err := f.ensureSecret("bus")
	other, _ := f.ensureSecret("admin")
	if err != nil || again != first || other == first {
		t.Errorf("again %v, another one %v, %v", again == first, other == first, err)
	}
	path, err := f.secretPath("bus")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ensureSecret("bus"); err == nil {
		t.Error("an empty secret is taken")
	}
}

func TestTheFirstConfiguration(t *testing.T) {
	dir := t.TempDir()
	var advice string
	o := options(dir, nil)
	o.Advice = func(text string) { advice += text }
	s := open(t, o)
	for _, want := range []string{s.URL() + "/AlertWebhook/prod-alertmanager", "credentials_file: " + filepath.Join(dir, "secrets", "prod-alertmanager"),
		"providerdesk tenants apply " + filepath.Join(dir, "tenants.yaml")} {
		if !strings.Contains(advice, want) {
			t.Errorf("no %q in\n%s", want, advice)
		}
	}
	c, err := Load(Folder(dir).Config(), o.Env)
	if err != nil {
		t.Fatal(err)
	}
	if c.Endpoints.CloudSupport != s.URL()+"/sim/cloudsupport" || c.Endpoints.Hub != s.URL()+"/sim/hub/api" ||
		c.Endpoints.ServiceHealth != s.URL()+"/sim/google" || len(c.Senders) != 3 || len(c.Routes) != 2 || c.Desks["google"].Budget.Cases == 0 {
		t.Errorf("written: %+v", c)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	advice = ""
	again := open(t, o)
	if advice != "" {
		t.Errorf("the second start advises\n%s", advice)
	}
	for _, e := range append(endpoints(again.Config()), chats(again.Config())...) {
		if *e.url != again.URL()+e.path {
			t.Errorf("a simulator is at %s, want it at %s below %s", *e.url, e.path, again.URL())
		}
	}
}

func TestOnlyOurSimulatorIsRedirected(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:8080/sim/cloudsupport": "http://here/sim/cloudsupport",
		"http://localhost:1/sim/cloudsupport":    "http://here/sim/cloudsupport",
		"http://[::1]:1/sim/cloudsupport":        "http://here/sim/cloudsupport",
		"":                                       "",
		"https://cloudsupport.googleapis.com":    "https://cloudsupport.googleapis.com",
		"https://desk.example/sim/cloudsupport":  "https://desk.example/sim/cloudsupport",
		"http://127.0.0.1:8080/other":            "http://127.0.0.1:8080/other",
	} {
		c := &config.Config{Endpoints: config.Endpoints{CloudSupport: in}}
		Redirect(c, "http://here")
		if c.Endpoints.CloudSupport != want {
			t.Errorf("%q becomes %q, want %q", in, c.Endpoints.CloudSupport, want)
		}
	}
}

func TestADeskThatCannotBeReachedIsAMatterOfTheConfiguration(t *testing.T) {
	c := &config.Config{Desks: map[string]config.Desk{"hub": {Kind: "hub"}}}
	for _, only := range []string{"", "hub", "google"} {
		if _, _, err := Desks(c, only, time.Now); !errors.As(err, new(ConfigError)) {
			t.Errorf("desk %q: %v", only, err)
		}
	}
}

func TestDeliveries(t *testing.T) {
	c := &config.Config{Senders: []config.Sender{
		{Name: "webhook"}, {Name: "short", Subscription: "channel"}, {Name: "full", Subscription: "projects/p/subscriptions/budget"},
		{Name: "foreign", Subscription: "projects/other/subscriptions/theirs"},
	}}
	ownSubscriptions(c, "p")
	if got := c.Senders[1].Subscription; got != "projects/p/subscriptions/channel" {
		t.Errorf("the short name becomes %q", got)
	}
	if got := shown(wiring(c, "p", time.Minute)); got != `alerts-filecase alerts /FileCase
support-events-caseupdate support-events /CaseUpdate
case-commands-casecommand case-commands /CaseCommand, ordered
channel channel /FileCase
budget budget /FileCase
alerts-dead-letter alerts-dead /DeadLetter
support-events-dead-letter support-events-dead /DeadLetter
case-commands-dead-letter case-commands-dead /DeadLetter
channel-dead-letter channel-dead /DeadLetter
budget-dead-letter budget-dead /DeadLetter
alerts support-events case-commands channel budget case-activity
sweep-cases 1m0s /SweepCases
follow-cases 1m0s /CaseUpdate/tick
sim-chat 10s /sim/chat/deliveries/send
` {
		t.Errorf("got\n%s", got)
	}
	c.Senders, c.Onboarding.Organization = nil, "9d9648a7-115a-4a06-a613-a0c4077469f7"
	if got := shown(wiring(c, "p", time.Minute)); got != `alerts-filecase alerts /FileCase
support-events-caseupdate support-events /CaseUpdate
case-commands-casecommand case-commands /CaseCommand, ordered
tenant-onboarding-onboardtenant tenant-onboarding /OnboardTenant
alerts-dead-letter alerts-dead /DeadLetter
support-events-dead-letter support-events-dead /DeadLetter
case-commands-dead-letter case-commands-dead /DeadLetter
tenant-onboarding-dead-letter tenant-onboarding-dead /DeadLetter
alerts support-events case-commands tenant-onboarding case-activity tenant-lifecycle
sweep-cases 1m0s /SweepCases
follow-cases 1m0s /CaseUpdate/tick
sim-chat 10s /sim/chat/deliveries/send
sweep-tenants 1m0s /SweepTenants
invitation-sweep 1h0m0s /InvitationSweep
` {
		t.Errorf("with onboarding got\n%s", got)
	}
}

func shown(w wires) (text string) {
	for _, d := range w.deliveries {
		text += d.name + " " + d.topic + " " + d.to
		if d.ordered {
			text += ", ordered"
		}
		text += "\n"
	}
	text += strings.Join(w.topics, " ") + "\n"
	for _, t := range w.ticks {
		text += t.name + " " + t.every.String() + " " + t.to + "\n"
	}
	return text
}

func TestAPortThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := options(t.TempDir(), nil)
	o.Addr = l.Addr().String()
	if _, err := Open(t.Context(), o); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("got %v", err)
	}
	if base, err := o.Folder.Running(); err != nil || base != "" {
		t.Errorf("the folder is held at %q, %v", base, err)
	}
}

func TestReachable(t *testing.T) {
	for in, want := range map[string]string{"127.0.0.1:80": "127.0.0.1:80", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80", "10.0.0.1:80": "10.0.0.1:80"} {
		if got := reachable(in); got != want {
			t.Errorf("%s is reachable at %s, want %s", in, got, want)
		}
	}
}

// The same functions on Google's own emulators.
func TestOnTheEmulators(t *testing.T) {
	env := map[string]string{
		"FIRESTORE_EMULATOR_HOST": emulator.Firestore(t), "PUBSUB_EMULATOR_HOST": emulator.PubSub(t),
		"GOOGLE_CLOUD_PROJECT": "pd-" + strings.ToLower(rand.Text()[:12]),
	}
	dir := t.TempDir()
	s := open(t, options(dir, env))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	out := outbox.Outbox{Base: s.URL(), Client: client, Now: time.Now}
	for range 3 {
		if _, err := out.Send(t.Context(), s.Config().Senders[0], []byte(notification)); err != nil {
			t.Fatal(err)
		}
	}
	proctest.Until(t, "the case", func() bool { return countCases(t, s) == 1 && len(recordsOf(t, s, ledger.Succeeded)) >= 1 })

	token, err := Folder(dir).Admin()
	if err != nil {
		t.Fatal(err)
	}
	monitoring := `{"version":"1.2","incident":{"incident_id":"0.abc","scoping_project_id":"acme-prod","started_at":1772366400,"state":"open","policy_name":"CPU"}}`
	if _, err := out.Publish(t.Context(), s.Config().Senders[2], []byte(monitoring), token); err != nil {
		t.Fatal(err)
	}
	proctest.Until(t, "the case of the subscription", func() bool { return countCases(t, s) == 2 })

	remote, err := OpenCloud(t.Context(), func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	list, err := ledger.New(remote, ledger.Options{}).List(t.Context(), "", "", 100)
	opened := slices.DeleteFunc(list, func(r ledger.Record) bool { return r.Kind != "case.open" })
	if err != nil || len(opened) != 2 {
		t.Errorf("Firestore has %d cases, %v", len(opened), err)
	}
	takeIn(t, s, dir, client)
}

// takeIn has the example's two tenants taken in.
func takeIn(t *testing.T, s *Site, dir string, client *http.Client) {
	t.Helper()
	data, err := os.ReadFile(Folder(dir).Example())
	if err != nil {
		t.Fatal(err)
	}
	file := tenants.File{Name: "tenants.yaml", Type: "application/yaml", Data: data}
	r := tenants.Remote{Outbox: outbox.Outbox{Base: s.URL(), Client: client, Now: time.Now}, Auth: s.Config().Onboarding.Auth}
	plans, err := r.Plan(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	names, err := r.Apply(t.Context(), file, plans)
	if err != nil {
		t.Fatal(err)
	}
	all, err := tenants.Follow(t.Context(), r, names, screen.New(io.Discard, options(dir, nil).Env, time.UTC))
	if err != nil || len(all) != 2 || all[0].Status != tenantonboard.Ready || all[1].Status != tenantonboard.Invited {
		t.Errorf("%+v, %v", all, err)
	}
	if _, n := s.sims.hub.Calls(); n["tenants.create"] != 2 {
		t.Errorf("%d tenants were created", n["tenants.create"])
	}
}

// A decision about an effect goes to the ledger that can carry it out, whichever function's it is.
func TestADecisionGoesToItsLedger(t *testing.T) {
	s := open(t, options(t.TempDir(), nil))
	if err := s.sims.hub.ArmFault("tenants.create", "status:400", 1000); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	data, err := os.ReadFile(s.o.Folder.Example())
	if err != nil {
		t.Fatal(err)
	}
	r := tenants.Remote{Outbox: outbox.Outbox{Base: s.URL(), Client: client, Now: time.Now}, Auth: s.Config().Onboarding.Auth}
	file := tenants.File{Name: "tenants.yaml", Type: "application/yaml", Data: data}
	plans, err := r.Plan(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Apply(t.Context(), file, plans); err != nil {
		t.Fatal(err)
	}
	failed := func() (list []ledger.Record) {
		for _, rec := range recordsOf(t, s, ledger.Failed) {
			if rec.Kind == "tenant.create" {
				list = append(list, rec)
			}
		}
		return list
	}
	proctest.Until(t, "both creations have failed", func() bool { return len(failed()) == 2 })
	again := ledger.Decision{Who: "anna", Verdict: ledger.Approve}
	for _, rec := range failed() {
		if _, err := s.fn.Cases.Ledger().Decide(t.Context(), rec.ID, again); !fault.Is(err, fault.Conflict) {
			t.Errorf("the ledger of the cases: %v", err)
		}
		if got, err := s.fn.Book().Decide(t.Context(), rec.ID, again); err != nil || got.State != ledger.Pending {
			t.Errorf("it is %s, %v", got.State, err)
		}
	}
}

func countCases(t *testing.T, s *Site) int {
	t.Helper()
	desks, letGo, err := Desks(s.Config(), "google", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer letGo()
	list, err := desks["google"].List(t.Context(), desk.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

const notification = `{"version":"4","groupKey":"{}:{alertname=\"Down\"}","truncatedAlerts":0,"status":"firing","receiver":"desk",
 "groupLabels":{"alertname":"Down"},"commonLabels":{"alertname":"Down","severity":"critical"},"commonAnnotations":{},"externalURL":"https://am.acme.example",
 "alerts":[{"status":"firing","labels":{"alertname":"Down","severity":"critical"},"annotations":{"summary":"it is down"},
 "startsAt":"2026-03-01T11:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://prom.acme.example","fingerprint":"00000000000000aa"}]}`

// A site that is closed while a push is under way still ends in time.
func TestCloseIsBounded(t *testing.T) {
	s := open(t, options(t.TempDir(), nil))
	body := strings.NewReader(`{"op":"cases.create","fault":"delay:10m","times":10}`)
	resp, err := http.Post(s.Simulator()+"/faults", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := (outbox.Outbox{Base: s.URL(), Client: client, Now: time.Now}).Send(t.Context(), s.Config().Senders[0], []byte(notification)); err != nil {
		t.Fatal(err)
	}
	proctest.Until(t, "the call is under way", func() bool { return len(recordsOf(t, s, ledger.Calling)) == 1 })
	began := time.Now()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
