package tenantonboard

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const settings = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:PUSH_TOKEN}
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine"}
senders:
  - {name: prom, source: alertmanager, tenant: acme, auth: {bearer: env:PUSH_TOKEN}}
routes:
  - {when: "true", desk: google, priority: P3}
onboarding:
  organization: ` + simhub.Provider + `
  token: env:HUB_TOKEN
  auth: {bearer: env:CALLER_TOKEN}
  me: msp@lorem.com
  desk: google
`

// world is the function with its real ledger and clients in front of simulated remotes, and a bus that keeps what is published.
type world struct {
	testing.TB
	*Function
	hub    *simhub.Server
	google *simgoogle.Server
	desk   *cloudsupport.Server
	db     *storetest.Counter
	bus    *publishtest.Kept
	config *config.Config
	deps   func(*Deps)
}

// setup is what a test changes of a world.
type setup struct {
	db     store.DB
	crash  func(ledger.Point)
	hub    simhub.Options
	google simgoogle.Options
	deps   func(*Deps) // what a process gets otherwise than usual
	config *config.Config
}

func newWorld(t testing.TB, s setup) *world {
	t.Helper()
	w := &world{TB: t, config: s.config, deps: s.deps, bus: &publishtest.Kept{Topics: []string{TopicOnboarding, TopicLifecycle}, Subscription: "projects/p/subscriptions/OnboardTenant"}}
	if s.hub.Switches.TokenScope == "" {
		s.hub.Switches.TokenScope = "tenants"
	}
	var err error
	w.hub, err = simhub.New(s.hub)
	w.must(err)
	w.google, err = simgoogle.New(s.google)
	w.must(err)
	w.desk, err = cloudsupport.New(cloudsupport.Options{})
	w.must(err)
	t.Cleanup(func() { w.hub.Close(); w.google.Close(); w.desk.Close() })
	if s.db == nil {
		s.db = storetest.NewMemory(time.Now)
	}
	w.db = storetest.Counted(s.db)
	w.open(s.crash)
	return w
}

// open opens the function, as a process does when it starts.
func (w *world) open(crash func(ledger.Point)) {
	w.Helper()
	var err error
	if w.config == nil {
		w.config, err = config.Parse("providerdesk.yaml", []byte(settings), func(string) (string, bool) { return "a-token-of-the-test", true })
		w.must(err)
	}
	token := w.hub.TokenFor(simhub.Provider, allRoles(w.hub)...)
	client, err := hub.New(hub.Options{Endpoint: "https://hub.test/api", Organization: simhub.Provider, Token: func(context.Context, string) (string, error) { return token, nil },
		Base: w.hub.Transport(), Backoff: time.Millisecond, InFlight: 16})
	w.must(err)
	clouds, err := cloud.New(w.Context(), cloud.Options{Transport: gapi.Options{Base: split{w}, Token: gapi.StaticToken("t"), Backoff: time.Millisecond},
		Jitter: func() float64 { return 0.5 }})
	w.must(err)
	support, err := gapi.Client(gapi.Options{Base: w.desk.Transport(), Token: gapi.StaticToken("t"), Backoff: time.Millisecond})
	w.must(err)
	d := Deps{Config: w.config, DB: w.db, Publisher: w.bus, Hub: client, Cloud: clouds,
		Cases: func(parent string) (desk.Desk, error) {
			return google.New(google.Options{Parent: parent, HTTP: support})
		},
		Ledger: ledger.Options{Crash: crash}, Log: slog.New(slog.DiscardHandler)}
	if w.deps != nil {
		w.deps(&d)
	}
	w.Function, err = New(w.Context(), d)
	w.must(err)
}

// allRoles are those of the seeded token that has every role of the provider.
func allRoles(s *simhub.Server) (roles []string) {
	for _, t := range s.Tokens() {
		if t.OrgID == simhub.Provider && len(t.Roles) > len(roles) {
			roles = t.Roles
		}
	}
	return roles
}

// split sends the support API's requests to the desk and the others to Google's other APIs.
type split struct{ w *world }

func (s split) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Host, "cloudsupport.") {
		return s.w.desk.Transport().RoundTrip(r)
	}
	return s.w.google.Transport().RoundTrip(r)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// acme is a tenant with everything.
func acme() Tenant {
	return Tenant{
		Key:          "acme",
		Organization: Organization{DisplayName: "Acme", CompanyName: "Acme Ltd", Country: "FR", City: "Paris", State: "IDF", Zip: "75001", Domain: "acme.example"},
		Users: []User{
			{Email: "admin@lorem.com", Roles: []string{"tenant_admin"}},
			{Email: "anna@acme.example", Roles: []string{"tenant_user"}},
			{Email: "bill@acme.example", Roles: []string{"tenant_user", "tenant_billing_user"}},
		},
		Google: &Google{
			Parent: "projects/acme-prod", APIs: []string{"cloudsupport.googleapis.com", "essentialcontacts.googleapis.com"},
			Members:  []Member{{Member: "group:ops@acme.example", Roles: []string{"roles/cloudsupport.techSupportEditor"}}},
			Contacts: []Contact{{Email: "ops@acme.example", Categories: []string{"TECHNICAL"}, Language: "en"}},
			TestCase: true,
		},
	}
}

// apply plans and accepts, and puts the message on the bus.
func (w *world) apply(t Tenant, m Mode) Plan {
	w.Helper()
	p, err := w.Plan(w.Context(), t, m)
	w.must(err)
	p, err = w.Apply(w.Context(), t, m, p.Digest, "a-test")
	w.must(err)
	return p
}

// pass lets virtual time go by.
func pass(d time.Duration) { time.Sleep(d) }

// bubble plays a test in virtual time.
func bubble(t *testing.T, play func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, play)
}

// message is one of topic "tenant-onboarding".
func message(tenant string) event.Envelope {
	return event.Envelope{ID: "m-" + tenant, Type: event.Published, Data: fmt.Appendf(nil, `{"tenant":%q}`, tenant), Published: time.Now().UTC(), Attempt: 1}
}

// deliver delivers a tenant's message, again if it is refused, as the bus does.
func (w *world) deliver(tenant string) {
	w.Helper()
	for range 5 {
		if err := w.OnboardTenant(w.Context(), message(tenant)); err == nil {
			return
		}
		pass(10 * time.Second)
	}
}

// settle sweeps every minute, in virtual time, until the tenant rests. What a sweep cannot do the next one does.
func (w *world) settle(tenant string) *onboarding {
	w.Helper()
	for range 26 * 60 {
		s, err := w.read(w.Context(), tenant)
		w.must(err)
		if s.Status.resting() && w.quiet() {
			return s
		}
		pass(time.Minute)
		_, _ = w.sweep(w.Context())
	}
	s, _ := w.read(w.Context(), tenant)
	w.Fatalf("tenant %s does not come to rest: %s at %q, %q, %s", tenant, s.Status, s.At, s.Waiting, w.journal(s))
	return s
}

// quiet reports whether no effect is under way.
func (w *world) quiet() bool {
	for _, state := range []ledger.State{ledger.Pending, ledger.Calling, ledger.Unknown} {
		recs, err := w.Ledger().List(w.Context(), state, "", 1)
		w.must(err)
		if len(recs) > 0 {
			return false
		}
	}
	return true
}

func (w *world) journal(s *onboarding) string {
	var b strings.Builder
	for _, k := range s.Work {
		fmt.Fprintf(&b, "\n%s %s %s", k.Step.ID, k.State, k.Error)
	}
	return b.String()
}

// onboard takes a tenant from its request to its rest.
func (w *world) onboard(t Tenant) *onboarding {
	w.Helper()
	w.apply(t, Onboarding)
	w.deliver(t.Key)
	return w.settle(t.Key)
}

// arm makes calls of an op of any simulator fail. An op with a dot after a Google API's name is Google's.
func (w *world) arm(op, fault string, times int) {
	w.Helper()
	server := http.Handler(w.hub)
	switch {
	case strings.HasPrefix(op, "cases.") || strings.HasPrefix(op, "caseClassifications."):
		server = w.desk
	case slices.ContainsFunc(googleAPIs, func(api string) bool { return strings.HasPrefix(op, api+".") }):
		server = w.google
	}
	body, err := json.Marshal(map[string]any{"op": op, "fault": fault, "times": times})
	w.must(err)
	rec := httptest.NewRecorder()
	server.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/faults", strings.NewReader(string(body))))
	if rec.Code >= 300 {
		w.Fatalf("arm %s %s: %d %s", op, fault, rec.Code, rec.Body)
	}
}

var googleAPIs = []string{"serviceusage", "cloudresourcemanager", "essentialcontacts", "recommender", "servicehealth"}
