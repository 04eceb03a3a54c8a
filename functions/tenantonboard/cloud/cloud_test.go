package cloud

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	project = "projects/acme-prod"
	number  = "projects/415104041262"
	org     = "organizations/123456789012"
)

// world is Google, and our clients of it.
type world struct {
	*testing.T
	*Clients
	google  *google.Server
	support *cloudsupport.Server
}

// in runs a test in virtual time, against simulators called in process.
func in(t *testing.T, o google.Options, test func(w world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		const base = "https://google.test/"
		var err error
		w.Clients, err = New(t.Context(), Options{
			Endpoints: Endpoints{base, base, base, base, base, "https://support.test"},
			Transport: gapi.Options{Token: gapi.StaticToken("token"), Base: split{w.google.Transport(), w.support.Transport()}},
		})
		if err != nil {
			t.Fatal(err)
		}
		test(w)
	})
}

func newWorld(t *testing.T, o google.Options) world {
	t.Helper()
	o.RequireToken = true
	g, err := google.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cloudsupport.New(cloudsupport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return world{T: t, google: g, support: s}
}

// split sends each API to its server.
type split struct{ google, support http.RoundTripper }

func (s split) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "support.test" {
		return s.support.RoundTrip(r)
	}
	return s.google.RoundTrip(r)
}

// arm arms a fault on the next call of an op.
func (w world) arm(op, text string) {
	w.Helper()
	if err := w.google.ArmFault(op, text, 1); err != nil {
		w.Fatal(err)
	}
}

// calls is how often an op was called.
func (w world) calls(op string) int {
	_, counts := w.google.Calls()
	return counts[op]
}

func (w world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w world) fails(err error, kind fault.Kind) {
	w.Helper()
	if !fault.Is(err, kind) {
		w.Errorf("%v is %q, want %q", err, fault.Of(err), kind)
	}
}

// onNetwork is a world with real connections, as `up` mounts it, for what a bubble does not show.
func onNetwork(t *testing.T, o google.Options) world {
	t.Helper()
	w := newWorld(t, o)
	mux := http.NewServeMux()
	mux.Handle("/sim/google/", http.StripPrefix("/sim/google", w.google))
	mux.Handle("/sim/cloudsupport/", http.StripPrefix("/sim/cloudsupport", w.support))
	ts := httptest.NewServer(mux)
	t.Cleanup(ts.Close)
	g := ts.URL + "/sim/google"
	var err error
	base := &http.Transport{DisableKeepAlives: true}
	w.Clients, err = New(t.Context(), Options{
		Endpoints: Endpoints{g, g, g, g, g, ts.URL + "/sim/cloudsupport/"},
		Transport: gapi.Options{Token: gapi.StaticToken("token"), Base: base, Backoff: time.Millisecond},
	})
	w.check(err)
	return w
}

func TestNewRefuses(t *testing.T) {
	for _, e := range []Endpoints{{ServiceUsage: "nonsense"}, {ResourceManager: "ftp://x"}, {EssentialContacts: "x"}, {Recommender: "x"}, {ServiceHealth: "x"}, {CloudSupport: "x"}} {
		if _, err := New(t.Context(), Options{Endpoints: e}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

// What is no name never becomes part of a URL.
func TestNamesAreChecked(t *testing.T) {
	w := onNetwork(t, google.Options{})
	ctx := t.Context()
	contact := Contact{Email: "a@example.com", Language: "en", Categories: []string{"ALL"}}
	for name, call := range map[string]func(string) error{
		"services": func(s string) error { _, err := w.EnableServices(ctx, s, nil); return err },
		"service":  func(s string) error { _, err := w.EnableServices(ctx, project, []string{s}); return err },
		"bindings": func(s string) error { _, err := w.Bindings(ctx, s); return err },
		"grant":    func(s string) error { _, err := w.GrantRoles(ctx, s, nil); return err },
		"role":     func(s string) error { _, err := w.GrantRoles(ctx, project, []Binding{{Role: s}}); return err },
		"contacts": func(s string) error { _, err := w.Contacts(ctx, s); return err },
		"add":      func(s string) error { _, _, err := w.AddContact(ctx, s, contact); return err },
		"change":   func(s string) error { _, err := w.ChangeContact(ctx, s, contact); return err },
		"remove":   func(s string) error { _, err := w.RemoveContact(ctx, s, "a@example.com"); return err },
		"recommender": func(s string) error {
			_, err := w.CanReadRecommender(ctx, s, "global", "google.iam.policy.Recommender")
			return err
		},
		"location": func(s string) error {
			_, err := w.CanReadRecommender(ctx, project, s, "google.iam.policy.Recommender")
			return err
		},
		"recommends":  func(s string) error { _, err := w.CanReadRecommender(ctx, project, "global", s); return err },
		"health":      func(s string) error { _, err := w.CanReadServiceHealth(ctx, s); return err },
		"events":      func(s string) error { _, err := w.Subscriptions(ctx, s); return err },
		"event":       func(s string) error { _, err := w.Subscription(ctx, s); return err },
		"topic":       func(s string) error { _, _, err := w.Subscribe(ctx, org, s); return err },
		"unsubscribe": func(s string) error { _, err := w.Unsubscribe(ctx, s); return err },
	} {
		for _, bad := range []string{"", "x", "projects/../x", "projects/acme-prod/services", "organizations/1?x=y", "projects/A", "a b"} {
			if name == "location" && bad == "x" || name == "recommends" && bad == "x" {
				continue // fine names
			}
			if err := call(bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s %q: %v", name, bad, err)
			}
		}
	}
	for _, c := range []Contact{
		{Email: "a", Language: "en", Categories: []string{"ALL"}}, {Email: "a@example.com", Categories: []string{"ALL"}},
		{Email: "a@example.com", Language: "en"}, {Email: "a@example.com", Language: "en", Categories: []string{"EVERYTHING"}},
	} {
		_, _, err := w.AddContact(ctx, project, c)
		w.fails(err, fault.Invalid)
	}
	if log, _ := w.google.Calls(); len(log) != 0 {
		t.Errorf("%d calls were made", len(log))
	}
}

// A success that does not say what was done is no answer.
func TestEmptyAnswers(t *testing.T) {
	for _, body := range []string{`{}`, `null`, `{"services":[null],"contacts":[null],"supportEventSubscriptions":[null],"etag":"ACAB","bindings":[null],"name":"x","done":false}`} {
		ts := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			if r.Method == http.MethodGet && len(body) < 10 {
				_, _ = rw.Write([]byte(`{}`)) // an empty listing is one
				return
			}
			_, _ = rw.Write([]byte(body))
		}))
		c, err := New(t.Context(), Options{Endpoints: Endpoints{ts.URL, ts.URL, ts.URL, ts.URL, ts.URL, ts.URL}})
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		for name, call := range map[string]func() error{
			"enable":   func() error { _, err := c.EnableServices(ctx, project, []string{"run.googleapis.com"}); return err },
			"bindings": func() error { _, err := c.Bindings(ctx, project); return err },
			"grant":    func() error { _, err := c.GrantRoles(ctx, project, []Binding{{Role: "roles/viewer"}}); return err },
			"contact": func() error {
				_, _, err := c.AddContact(ctx, org, Contact{Email: "a@example.com", Language: "en", Categories: categories})
				return err
			},
			"subscribe": func() error { _, _, err := c.Subscribe(ctx, org, topic); return err },
			"read":      func() error { _, err := c.Subscription(ctx, org+"/supportEventSubscriptions/1"); return err },
		} {
			if err := call(); !fault.Is(err, fault.Transient) {
				t.Errorf("%s on %s: %v", name, body, err)
			}
		}
		ts.Close()
	}
}
