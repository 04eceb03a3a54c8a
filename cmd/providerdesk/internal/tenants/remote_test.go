package tenants

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/outbox"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answering is a server that gives answers in turn, the last one again and again, and the requests that it got.
func answering(t *testing.T, answers ...http.HandlerFunc) (Remote, *[]*http.Request) {
	t.Helper()
	var got []*http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[min(len(got), len(answers)-1)]
		got = append(got, r)
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	secret, err := config.NewSecret("env:TOKEN", config.Sources{Env: func(string) (string, bool) { return "the-secret", true }})
	if err != nil {
		t.Fatal(err)
	}
	return Remote{Outbox: outbox.Outbox{Base: srv.URL + "/", Client: srv.Client(), Now: time.Now}, Auth: config.Auth{Bearer: secret}, By: "anna"}, &got
}

func says(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

const isJSON, isProblem = "application/json", "application/problem+json"

func TestAnAgreementNamesThePlansThatWereSeen(t *testing.T) {
	r, got := answering(t, says(202, isJSON, `[{"tenant":"acme","status":202},{"tenant":"beta","status":409,"detail":"it has changed","plan":{"tenant":"beta","steps":[],"digest":"ff"}}]`))
	names, err := r.Apply(t.Context(), File{"acme.csv", "text/csv", []byte("x")}, plans[:2])
	var not *Refused
	if len(names) != 1 || names[0] != "acme" || !errors.As(err, &not) || err.Error() != "it has changed" || len(not.Plans()) != 1 || not.Plans()[0].Plan.Digest != "ff" {
		t.Errorf("accepted %v, %v", names, err)
	}
	h := (*got)[0].Header
	if h.Get("Providerdesk-Plan") != "acme=0123456789abcdef,beta=fedcba9876543210" || h.Get("Providerdesk-By") != "anna" ||
		h.Get("Content-Type") != "text/csv" || h.Get("Authorization") != "Bearer the-secret" || (*got)[0].URL.Path != "/TenantWebhook/tenants" {
		t.Errorf("sent %s with %v", (*got)[0].URL, h)
	}
}

func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		kind   fault.Kind
		says   string
	}{
		"a problem":            {says(404, isProblem, `{"detail":"no tenant has such a key"}`), fault.Missing, "no tenant has such a key"},
		"no word":              {says(503, "text/html", "<html>"), fault.Transient, "the server answered 503 Service Unavailable"},
		"something unforeseen": {says(418, isProblem, `{}`), fault.Bug, "the server answered 418"},
		"no JSON":              {says(200, isJSON, "hello"), fault.Bug, "decode the server's answer"},
		"a conflict":           {says(409, isProblem, `{"detail":"a run is under way"}`), "", "a run is under way"},
	} {
		r, _ := answering(t, tc.answer)
		_, err := r.Detail(t.Context(), "acme", Of{})
		if err == nil || !strings.Contains(err.Error(), tc.says) || tc.kind != "" && fault.Of(err) != tc.kind {
			t.Errorf("%s: %v (%s)", name, err, fault.Of(err))
		}
	}
}

func TestProblemsHaveTheNameOfTheFile(t *testing.T) {
	r, _ := answering(t, says(400, isProblem, `{"detail":"d","problems":[{"line":3,"key":"tenants[0]","message":"m\u001b[2J"},{"line":7,"message":"n"}]}`))
	_, err := r.Plan(t.Context(), File{Name: "acme.yaml", Type: "application/yaml"})
	found, ok := ProblemsOf(err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	var b bytes.Buffer
	found.Print(screen.New(&b, noEnv, time.UTC))
	if want := "acme.yaml:3: tenants[0]: m�[2J\nacme.yaml:7: n\nproviderdesk: 2 problems in acme.yaml\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestAListIsReadToItsEnd(t *testing.T) {
	r, got := answering(t,
		says(200, isJSON, `{"tenants":[{"tenant":"acme"}],"after":"acme"}`), says(200, isJSON, `{"tenants":[{"tenant":"beta"}],"after":"beta"}`),
		says(200, isJSON, `{"tenants":[],"after":"beta"}`)) // one that would never end
	all, err := r.List(t.Context(), tenantonboard.Ready)
	if err != nil || len(all) != 2 || len(*got) != 3 || (*got)[1].URL.RawQuery != "after=acme&status=READY" {
		t.Errorf("%v after %d requests, the second for %s, %v", all, len(*got), (*got)[1].URL, err)
	}
}

// A server that starts again is waited for; one that says no is not.
func TestWaitingOutlivesTheServer(t *testing.T) {
	ready := says(200, isJSON, `{"tenant":"acme","status":"READY"}`)
	r, _ := answering(t, says(200, isJSON, `{"tenant":"acme","status":"NEW"}`), says(503, isProblem, `{"detail":"not yet"}`), ready)
	var b bytes.Buffer
	all, err := Follow(t.Context(), r, []string{"acme"}, screen.New(&b, noEnv, time.UTC))
	if err != nil || all[0].Status != tenantonboard.Ready || b.String() != "acme: NEW\nacme: READY\n" {
		t.Errorf("%v, %v, said %q", all, err, b.String())
	}
	r, _ = answering(t, says(404, isProblem, `{"detail":"no tenant has such a key"}`))
	if _, err := Follow(t.Context(), r, []string{"acme"}, screen.New(&b, noEnv, time.UTC)); !fault.Is(err, fault.Missing) {
		t.Errorf("a refusal: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, _ = answering(t, func(http.ResponseWriter, *http.Request) { cancel(); panic(http.ErrAbortHandler) })
	if _, err := Follow(ctx, r, []string{"acme"}, screen.New(&b, noEnv, time.UTC)); err == nil || !strings.Contains(err.Error(), "while the tenants go on") {
		t.Errorf("called off: %v", err)
	}
}

// Thousands of tenants do not fill the screen.
func TestALotOfTenantsTakesAFewLines(t *testing.T) {
	var b bytes.Buffer
	all := make([]Detail, 1000)
	for i := range all {
		all[i] = Detail{Standing: standing(tenantonboard.TenantCreated), Mode: tenantonboard.Onboarding}
	}
	all[0].Status = tenantonboard.Ready
	inPlace(screen.Rich(&b, time.UTC))(all)
	if n := strings.Count(b.String(), "\n"); n != mostLines+2 || !strings.Contains(b.String(), "1 of 1000 tenants") || !strings.Contains(b.String(), "and 987 more") {
		t.Errorf("%d lines:\n%s", n, b.String())
	}
}
