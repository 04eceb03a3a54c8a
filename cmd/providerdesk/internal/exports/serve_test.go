package exports

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/signature"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is an exporter that knows what it was told to know.
type book struct {
	status map[string]billingexport.Status
	asked  []billingexport.Request
}

func (b *book) Plan(_ context.Context, q billingexport.Request) (billingexport.Plan, error) {
	b.asked = append(b.asked, q)
	return billingexport.Plan{Months: []billingexport.MonthPlan{{Month: "2026-10", Do: "run"}}, Requests: 4}, nil
}

func (b *book) Ask(_ context.Context, q billingexport.Request) (string, error) {
	b.asked = append(b.asked, q)
	return "7", nil
}

func (b *book) List(context.Context) (all []billingexport.Status, err error) {
	for _, s := range b.status {
		all = append(all, s)
	}
	return all, nil
}

func (b *book) Status(_ context.Context, p hub.Period) (billingexport.Status, error) {
	s, ok := b.status[p.String()]
	if !ok {
		return s, fault.New(fault.Missing, "%s was never exported", p)
	}
	return s, nil
}

func (b *book) Show(_ context.Context, p hub.Period, rev int) (billingexport.Shown, error) {
	if rev > 1 {
		return billingexport.Shown{}, fault.New(fault.Missing, "%s has no revision %d", p, rev)
	}
	return billingexport.Shown{Current: 1, Name: p.String()}, nil
}

const admin = "correct-horse-battery-staple"

// served is a server of a book, and what asks it with a token.
func served(t *testing.T, b *book) func(token string) Remote {
	t.Helper()
	verify, err := signature.Bearer(admin)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	Serve(mux, b, run.Options{Verify: verify, MaxBody: 4 << 20})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return func(token string) Remote {
		return Remote{records.Remote{Base: srv.URL, Token: token, Client: srv.Client()}}
	}
}

// Over HTTP the answers are those of the exporter.
func TestARemoteExporterIsTheExporter(t *testing.T) {
	b := &book{status: map[string]billingexport.Status{"2026-10": {Month: "2026-10", Phase: billingexport.Working, Tenants: 2, Done: 1}}}
	r := served(t, b)(admin)
	q := billingexport.Request{Months: []string{"2026-10"}, Tenants: []string{"a"}, Archive: true, By: "anna"}
	if p, err := r.Plan(t.Context(), q); err != nil || p.Requests != 4 || p.Months[0].Do != "run" {
		t.Errorf("planned %+v, %v", p, err)
	}
	if id, err := r.Ask(t.Context(), q); err != nil || id != "7" {
		t.Errorf("asked %q, %v", id, err)
	}
	for _, got := range b.asked {
		if len(got.Months) != 1 || len(got.Tenants) != 1 || !got.Archive || got.By != "anna" {
			t.Errorf("arrived as %+v", got)
		}
	}
	october := hub.Period{Year: 2026, Month: 10}
	if s, err := r.Status(t.Context(), october); err != nil || s.Done != 1 || s.Phase != billingexport.Working {
		t.Errorf("status %+v, %v", s, err)
	}
	if all, err := r.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("list %+v, %v", all, err)
	}
	if s, err := r.Show(t.Context(), october, 0); err != nil || s.Name != "2026-10" {
		t.Errorf("shown %+v, %v", s, err)
	}
	if _, err := r.Status(t.Context(), october.Add(-1)); !fault.Is(err, fault.Missing) || !strings.Contains(err.Error(), "2026-09 was never exported") {
		t.Errorf("a month that is not there: %v", err)
	}
	if _, err := r.Show(t.Context(), october, 2); !fault.Is(err, fault.Missing) {
		t.Errorf("a revision that is not there: %v", err)
	}
}

// Strangers and nonsense are refused before the exporter hears of them, and nothing of theirs is repeated.
func TestRefusals(t *testing.T) {
	b := &book{}
	base := served(t, b)("").Base
	for name, tc := range map[string]struct {
		method, path, token, body string
		status                    int
	}{
		"nobody":              {"POST", "/api/exports", "", "{}", 401},
		"a stranger":          {"POST", "/api/exports", "guess", "{}", 401},
		"a stranger who asks": {"GET", "/api/exports", "guess", "", 401},
		"a stranger's plan":   {"POST", "/api/exports/plan", "guess", "{}", 401},
		"a stranger's look":   {"GET", "/api/exports/2026-10/revisions/0", "guess", "", 401},
		"2 MiB":               {"POST", "/api/exports", admin, `{"by":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
		"2 MiB to plan":       {"POST", "/api/exports/plan", admin, `{"by":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
		"an unknown member":   {"POST", "/api/exports", admin, `{"months":["2026-10"],"mallory":1}`, 400},
		"two requests":        {"POST", "/api/exports", admin, `{}{}`, 400},
		"a list":              {"POST", "/api/exports", admin, `["mallory"]`, 400},
		"nothing":             {"POST", "/api/exports/plan", admin, ``, 400},
		"a month of Mallory":  {"GET", "/api/exports/mallory", admin, "", 400},
		"a month that is not": {"GET", "/api/exports/2026-13/revisions/1", admin, "", 400},
		"a revision below 0":  {"GET", "/api/exports/2026-10/revisions/-1", admin, "", 400},
		"a word as revision":  {"GET", "/api/exports/2026-10/revisions/mallory", admin, "", 400},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, base+tc.path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tc.token)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tc.status || strings.Contains(string(text), "mallory") {
			t.Errorf("%s: answered %d, want %d: %.200s", name, resp.StatusCode, tc.status, text)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if len(b.asked) != 0 {
		t.Errorf("the exporter heard %+v", b.asked)
	}
}
