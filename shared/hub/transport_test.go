package hub_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	master = "9d9648a7-115a-4a06-a613-a0c4077469f7"
	tenant = "73338bcc-17e0-4480-9d25-f654532a1ee0"
	secret = "api-token-of-the-provider"
	person = "jane.roe@example.com"
)

func apiTokens(_ context.Context, org string) (string, error) {
	if org == master {
		return secret, nil
	}
	return "", fault.New(fault.Missing, "no API token")
}

// A wire is a server that exchanges tokens and answers everything else with answer. It counts what it received.
type wire struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request)
	claims string

	mu        sync.Mutex
	exchanges int
	calls     []string // method, path and access token
	bodies    []string
}

func newWire(t *testing.T, answer http.HandlerFunc) *wire {
	t.Helper()
	w := &wire{answer: answer}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/api/auth/v1/authn/accesstoken" {
		fmt.Fprintf(rw, `{"accessToken":%q}`, w.issue())
		return
	}
	w.mu.Lock()
	w.calls = append(w.calls, r.Method+" "+r.URL.Path+" "+r.Header.Get("csp-auth-token"))
	w.bodies = append(w.bodies, string(body))
	w.mu.Unlock()
	w.answer(rw, r)
}

func (w *wire) issue() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exchanges++
	if w.claims == "" {
		return fmt.Sprintf("access-%d", w.exchanges)
	}
	return fmt.Sprintf("h.%s.%d", base64.RawURLEncoding.EncodeToString([]byte(w.claims)), w.exchanges)
}

func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exchanges, w.calls, w.bodies = 0, nil, nil
}

// sent returns the bodies received so far.
func (w *wire) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.bodies...)
}

func (w *wire) seen() (exchanges int, calls []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exchanges, append([]string{}, w.calls...)
}

func client(t *testing.T, o hub.Options) *hub.Client {
	t.Helper()
	if o.Token == nil {
		o.Token = apiTokens
	}
	o.Organization, o.Backoff = master, time.Millisecond
	c, err := hub.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func tenantDraft() hub.TenantDraft {
	return hub.TenantDraft{
		TenantType: "DEFAULT", Country: "US", DisplayName: "Acme", CompanyName: "Acme Inc", City: "Atlanta", State: "Georgia", Zip: "30313",
		Domain: "acme.example", Tag: "onb-0123456789ab",
	}
}

func ticketDraft() hub.TicketDraft {
	return hub.TicketDraft{
		Title: "No access", Description: "Nobody can sign in.", Severity: "3 - Medium", Category: "nonTechnical",
		CategoryID: "VMware Cloud Services - User Management", InternalID: "REF7K3QWZ5N2J4M6P8R9T",
	}
}

// writes is every call that changes something at the hub, each made so that its first request is the write.
func writes(c *hub.Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"CreateTenant": func(ctx context.Context) error { _, err := c.CreateTenant(ctx, master, tenantDraft()); return err },
		"AddUsers": func(ctx context.Context) error {
			_, err := c.AddUsers(ctx, master, hub.AddUsers{Users: []hub.User{{Username: person}}, Roles: []string{hub.ProviderSupport}})
			return err
		},
		"ChangeRoles": func(ctx context.Context) error {
			return c.ChangeRoles(ctx, master, hub.User{Username: person}, []string{hub.ProviderSupport}, nil)
		},
		"CreateTicket": func(ctx context.Context) error { _, err := c.CreateTicket(ctx, master, ticketDraft()); return err },
		"ChangeTicket": func(ctx context.Context) error {
			_, err := c.ChangeTicket(ctx, master, "1", hub.TicketChange{CaseID: "2"})
			return err
		},
		"UploadFile": func(ctx context.Context) error {
			_, err := c.UploadFile(ctx, master, "1", "a.txt", strings.NewReader("text"))
			return err
		},
	}
}

func TestWhatARefusalMeans(t *testing.T) {
	for _, tt := range []struct {
		status int
		kind   fault.Kind
		unsent bool
	}{
		{400, fault.Invalid, false}, {403, fault.Denied, false}, {404, fault.Missing, false}, {409, fault.Conflict, false},
		{422, fault.Invalid, false}, {429, fault.Throttled, true}, {500, fault.Transient, false}, {502, fault.Transient, false},
		{503, fault.Transient, false}, {504, fault.Transient, false}, {302, fault.Transient, false},
	} {
		w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", "7")
			rw.Header().Set("Location", "/elsewhere")
			rw.WriteHeader(tt.status)
			fmt.Fprintf(rw, `{"message":"%s must not, nor 'x' of Acme","majorErrorCode":"%d","minorErrorCode":"SOME_CODE","parameterList":["%s"]}`, person, tt.status, person)
		})
		for name, write := range writes(client(t, hub.Options{Endpoint: w.URL + "/api"})) {
			before := len(w.sent())
			err := write(t.Context())
			if fault.Of(err) != tt.kind || fault.IsUnsent(err) != tt.unsent {
				t.Errorf("%s, %d: kind %q, unsent %v, want %q, %v: %v", name, tt.status, fault.Of(err), fault.IsUnsent(err), tt.kind, tt.unsent, err)
			}
			if tt.status == 429 && fault.RetryAfter(err) != 7*time.Second {
				t.Errorf("%s: Retry-After is %v", name, fault.RetryAfter(err))
			}
			if n := len(w.sent()) - before; n != 1 {
				t.Errorf("%s, %d: sent %d times", name, tt.status, n)
			}
			for _, leak := range []string{person, secret, "access-1", "elsewhere"} {
				if strings.Contains(err.Error(), leak) {
					t.Errorf("%s, %d: the error holds %q: %v", name, tt.status, leak, err)
				}
			}
			if !strings.Contains(err.Error(), "SOME_CODE") {
				t.Errorf("%s, %d: the error lacks the hub's code: %v", name, tt.status, err)
			}
		}
	}
}

// The answer of a write is lost: it left once, and whether it was executed stays open.
func TestLostAnswerOfAWrite(t *testing.T) {
	w := newWire(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, write := range writes(client(t, hub.Options{Endpoint: w.URL + "/api"})) {
		before := len(w.sent())
		err := write(t.Context())
		if !fault.Is(err, fault.Transient) || fault.IsUnsent(err) {
			t.Errorf("%s: kind %q, unsent %v: %v", name, fault.Of(err), fault.IsUnsent(err), err)
		}
		if n := len(w.sent()) - before; n != 1 {
			t.Errorf("%s: sent %d times", name, n)
		}
	}
}

// A success without a word of what was done: maybe, never a refusal.
func TestUnreadableAnswerOfAWrite(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", `{"id":"../x"}`, `{"id": "9d96`, "<html>" + person, `"` + secret + `"`} {
		w := newWire(t, says(200, body))
		for name, write := range writes(client(t, hub.Options{Endpoint: w.URL + "/api"})) {
			err := write(t.Context())
			if name == "ChangeRoles" || name == "AddUsers" { // their answers are no proof in any case
				if err != nil {
					t.Errorf("%s, %q: %v", name, body, err)
				}
				continue
			}
			if name == "UploadFile" && strings.HasPrefix(body, `{"id":"../`) {
				continue // a file's id is a text of the hub
			}
			if !fault.Is(err, fault.Transient) || fault.IsUnsent(err) {
				t.Errorf("%s, %q: kind %q, unsent %v: %v", name, body, fault.Of(err), fault.IsUnsent(err), err)
			}
			if err != nil && (strings.Contains(err.Error(), person) || strings.Contains(err.Error(), secret)) {
				t.Errorf("%s: the error holds the body: %v", name, err)
			}
		}
	}
}

// 401 comes before execution: the token is exchanged again, once, and the call repeated, once.
func TestRefusedTokenIsRefreshedOnce(t *testing.T) {
	stale := func(token string) bool { return token != "access-2" }
	w := newWire(t, nil)
	w.answer = func(rw http.ResponseWriter, r *http.Request) {
		if stale(r.Header.Get("csp-auth-token")) {
			rw.WriteHeader(401)
			return
		}
		io.WriteString(rw, `{"id":"1","fileId":"f"}`)
	}
	for name := range writes(nil) {
		w.reset()
		if err := writes(client(t, hub.Options{Endpoint: w.URL + "/api"}))[name](t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		exchanges, calls := w.seen()
		bodies := w.sent()
		if exchanges != 2 || len(calls) != 2 || len(bodies[0]) == 0 || bodies[0] != bodies[1] {
			t.Errorf("%s: %d exchanges, calls %q with bodies %q", name, exchanges, calls, bodies)
		}
	}
	stale = func(string) bool { return true }
	c := client(t, hub.Options{Endpoint: w.URL + "/api"})
	w.reset()
	_, err := c.CreateTenant(t.Context(), master, tenantDraft())
	if exchanges, calls := w.seen(); !fault.Is(err, fault.Denied) || !fault.IsUnsent(err) || exchanges != 2 || len(calls) != 2 {
		t.Errorf("refused for ever: %d exchanges, %d calls: %v", exchanges, len(calls), err)
	}
}

func TestUploadThatCannotBeReadAgainIsNotRepeated(t *testing.T) {
	w := newWire(t, says(401, ""))
	c := client(t, hub.Options{Endpoint: w.URL + "/api"})
	_, err := c.UploadFile(t.Context(), master, "1", "folder/someone/a.txt", io.MultiReader(strings.NewReader("text")))
	if _, calls := w.seen(); !fault.Is(err, fault.Denied) || !fault.IsUnsent(err) || len(calls) != 1 {
		t.Errorf("%d calls: %v", len(calls), err)
	}
	if sent := w.sent(); len(sent) != 1 || strings.Contains(sent[0], "someone") || !strings.Contains(sent[0], `filename="a.txt"`) {
		t.Errorf("the local path was sent: %q", sent)
	}
}

// Nothing goes to another host, least of all the token.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		w := newWire(t, func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, other.URL+r.URL.Path, status) })
		c := client(t, hub.Options{Endpoint: w.URL + "/api"})
		if _, err := c.Tenants(t.Context(), master); !fault.Is(err, fault.Transient) {
			t.Errorf("%d, read: %v", status, err)
		}
		if _, err := c.CreateTenant(t.Context(), master, tenantDraft()); !fault.Is(err, fault.Transient) || fault.IsUnsent(err) {
			t.Errorf("%d, write: %v", status, err)
		}
	}
	w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			rw.Header().Set("Location", other.URL+"/api/support/v1/orgs/x/support-requests/77")
			rw.WriteHeader(201)
			return
		}
		io.WriteString(rw, `{"id":"77"}`)
	})
	got, err := client(t, hub.Options{Endpoint: w.URL + "/api"}).CreateTicket(t.Context(), master, ticketDraft())
	if err != nil || got.ID != "77" {
		t.Errorf("Location on another host: %+v, %v", got.ID, err)
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests went to another host", n)
	}
}

func TestHeadersOfACall(t *testing.T) {
	var got http.Header
	w := newWire(t, func(rw http.ResponseWriter, r *http.Request) { got = r.Header; io.WriteString(rw, "[]") })
	if _, err := client(t, hub.Options{Endpoint: w.URL + "/api/"}).Tenants(t.Context(), master); err != nil {
		t.Fatal(err)
	}
	if got.Get("csp-auth-token") != "access-1" || got.Get("Authorization") != "" {
		t.Errorf("sent %v", got)
	}
	if _, calls := w.seen(); calls[0] != "GET /api/core/v1/mgmt/orgs/"+master+"/tenants access-1" {
		t.Errorf("called %q", calls[0])
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]hub.Options{
		"no token":       {},
		"no host":        {Token: apiTokens, Endpoint: "console.example"},
		"another scheme": {Token: apiTokens, Endpoint: "ftp://console.example"},
		"a user":         {Token: apiTokens, Endpoint: "https://u:p@console.example/"},
		"a query":        {Token: apiTokens, Endpoint: "https://console.example/?a=b"},
		"organization":   {Token: apiTokens, Organization: "../x"},
		"in flight":      {Token: apiTokens, InFlight: -1},
	} {
		if _, err := hub.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := hub.New(hub.Options{Token: apiTokens}); err != nil {
		t.Errorf("defaults: %v", err)
	}
}

// Ids become part of a path: what could lead elsewhere never leaves.
func TestIdsAreCheckedBeforeTheyArePartOfAPath(t *testing.T) {
	w := newWire(t, says(200, "[]"))
	c := client(t, hub.Options{Endpoint: w.URL + "/api"})
	for _, id := range []string{"", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", strings.Repeat("a", 65), "é"} {
		_, err := c.Tenants(t.Context(), id)
		_, err2 := c.Ticket(t.Context(), master, id)
		_, err3 := c.UploadFile(t.Context(), master, id, "a", strings.NewReader(""))
		for _, err := range []error{err, err2, err3} {
			if !fault.Is(err, fault.Invalid) || id != "" && strings.Contains(err.Error(), id) && len(id) > 2 {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
	if _, calls := w.seen(); len(calls) != 0 {
		t.Errorf("sent %q", calls)
	}
}

func TestReadsAreRepeated(t *testing.T) {
	var n atomic.Int32
	w := newWire(t, func(rw http.ResponseWriter, _ *http.Request) {
		if n.Add(1) < 3 {
			rw.WriteHeader(503)
			return
		}
		io.WriteString(rw, "[]")
	})
	if _, err := client(t, hub.Options{Endpoint: w.URL + "/api"}).Users(t.Context(), master); err != nil || n.Load() != 3 {
		t.Errorf("%d requests: %v", n.Load(), err)
	}
}

// At most InFlight requests at a time, an open report among them.
func TestInFlight(t *testing.T) {
	var now, most atomic.Int32
	release := make(chan struct{})
	arrived := make(chan struct{}, 100)
	w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		arrived <- struct{}{}
		<-release
		now.Add(-1)
		io.WriteString(rw, "[]")
	})
	c := client(t, hub.Options{Endpoint: w.URL + "/api", InFlight: 3})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := c.Users(t.Context(), master); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		<-arrived
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.ChangeRoles(ctx, master, hub.User{Username: person}, nil, []string{hub.ProviderSupport}); !fault.IsUnsent(err) {
		t.Errorf("called off while waiting for its turn: %v", err)
	}
	close(release)
	wg.Wait()
	if most.Load() != 3 {
		t.Errorf("%d requests at a time, want 3", most.Load())
	}
}

func TestOpenReportHoldsItsPlaceUntilClosed(t *testing.T) {
	w := newWire(t, says(200, header+"\r\n"))
	c := client(t, hub.Options{Endpoint: w.URL + "/api", InFlight: 1})
	if _, err := c.Users(t.Context(), master); err == nil { // takes and gives the place although its answer is no list
		t.Error("a CSV was read as users")
	}
	q := hub.UsageQuery{Period: hub.PeriodOf(time.Now())}
	for range 3 {
		f, err := c.UsageFile(t.Context(), master, q)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := c.Users(ctx, master); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while a report is open: %v", err)
		}
		cancel()
		f.Close()
		f.Close() // gives the place back once
	}
	for _, err := range c.Usage(t.Context(), master, q) {
		if err == nil {
			t.Error("a CSV was read as a tree")
		}
	}
	f, err := c.UsageFile(t.Context(), master, q)
	if err != nil {
		t.Fatalf("after a report that failed: %v", err)
	}
	f.Close()
}

// A report that breaks off is an error, never a short report.
func TestReportCutShort(t *testing.T) {
	w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Length", "100000")
		if strings.HasSuffix(r.URL.Path, "/file") {
			io.WriteString(rw, header+"\r\n")
		} else {
			io.WriteString(rw, `[{"orgId":"a","services":[{"serviceDefId":"s","subscriptions":[]}]}`)
		}
		rw.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	c := client(t, hub.Options{Endpoint: w.URL + "/api"})
	q := hub.UsageQuery{Period: hub.PeriodOf(time.Now())}
	var last error
	for _, last = range c.Usage(t.Context(), master, q) {
	}
	if !fault.Is(last, fault.Transient) {
		t.Errorf("tree: %v", last)
	}
	rows, _ := c.UsageRows(t.Context(), master, q)
	last = nil
	for _, last = range rows {
	}
	if !fault.Is(last, fault.Transient) {
		t.Errorf("rows: %v", last)
	}
}

func TestMethodOfAddUsers(t *testing.T) {
	for _, tt := range []struct {
		post, patch int
		kind        fault.Kind
		calls       int
	}{
		{200, 0, "", 1}, {405, 200, "", 2}, {405, 405, fault.Invalid, 2}, {400, 200, fault.Invalid, 1}, {500, 200, fault.Transient, 1}, {501, 200, fault.Transient, 1},
	} {
		w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
			rw.WriteHeader(map[string]int{"POST": tt.post, "PATCH": tt.patch}[r.Method])
			io.WriteString(rw, "{}")
		})
		err := writes(client(t, hub.Options{Endpoint: w.URL + "/api"}))["AddUsers"](t.Context())
		if _, calls := w.seen(); fault.Of(err) != tt.kind || len(calls) != tt.calls {
			t.Errorf("POST %d, PATCH %d: %q: %v", tt.post, tt.patch, calls, err)
		}
	}
}

// Many callers, one exchange; and one caller that is called off does not spoil it for the others.
func TestExchangesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var exchanges atomic.Int32
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/accesstoken") {
				exchanges.Add(1)
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
				return response(`{"accessToken":"a"}`), nil
			}
			return response("[]"), nil
		})
		c := client(t, hub.Options{Base: base})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Users(ctx, master); !errors.Is(err, context.DeadlineExceeded) || !fault.IsUnsent(err) {
				t.Errorf("the first, called off: %v", err)
			}
		})
		synctest.Wait()
		for range 20 {
			wg.Go(func() {
				if _, err := c.Users(t.Context(), master); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := exchanges.Load(); n != 2 {
			t.Errorf("%d exchanges, want 2: the one that was called off and one for everybody else", n)
		}
	})
}

// A token is replaced at 80 % of its life, or after 25 minutes; when that fails for now the old one is used until it ends.
func TestWhenTokensAreReplaced(t *testing.T) {
	for _, tt := range []struct {
		name   string
		claims string
		fresh  time.Duration // still the same token
		stale  time.Duration // another one
	}{
		{"half an hour", `{"iat":%d,"exp":%d}`, 24*time.Minute - time.Second, 24 * time.Minute},
		{"no claims", "", 25*time.Minute - time.Second, 25 * time.Minute},
		{"only exp", `{"x":%d,"exp":%d}`, 24*time.Minute - time.Second, 24 * time.Minute},
		{"over already, so our clock is wrong", `{"x":%d,"x":%d,"exp":5}`, 25*time.Minute - time.Second, 25 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchanges, failing := 0, false
				base := roundTrip(func(r *http.Request) (*http.Response, error) {
					if !strings.HasSuffix(r.URL.Path, "/accesstoken") {
						return response("[]"), nil
					}
					if exchanges++; failing {
						return nil, errors.New("down")
					}
					now := time.Now()
					text := "opaque"
					if tt.claims != "" {
						text = "h." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, tt.claims, now.Unix(), now.Add(30*time.Minute).Unix())) + ".s"
					}
					return response(fmt.Sprintf(`{"accessToken":%q}`, text)), nil
				})
				c := client(t, hub.Options{Base: base})
				call := func(want int) {
					t.Helper()
					if _, err := c.Users(t.Context(), master); err != nil || exchanges != want {
						t.Errorf("%d exchanges, want %d: %v", exchanges, want, err)
					}
				}
				call(1)
				time.Sleep(tt.fresh)
				call(1)
				time.Sleep(tt.stale - tt.fresh)
				call(2)
				if failing = true; strings.Contains(tt.claims, "iat") {
					time.Sleep(tt.stale)
					call(3)
					time.Sleep(6*time.Minute + time.Second)
					if _, err := c.Users(t.Context(), master); !fault.Is(err, fault.Transient) || !fault.IsUnsent(err) {
						t.Errorf("no valid token: %v", err)
					}
				}
			})
		})
	}
}

func TestWhoseTokenIsSent(t *testing.T) {
	w := newWire(t, says(200, "[]"))
	own := func(_ context.Context, org string) (string, error) {
		switch org {
		case master, tenant:
			return "api-" + org, nil
		case "down":
			return "", fault.New(fault.Transient, "the secrets cannot be read")
		case "bad":
			return "two\r\nlines", nil
		}
		return "", fault.New(fault.Missing, "no API token")
	}
	c := client(t, hub.Options{Endpoint: w.URL + "/api", Token: own})
	for _, tt := range []struct{ org, token string }{{master, "access-1"}, {tenant, "access-2"}, {"new", "access-1"}, {tenant, "access-2"}} {
		if _, err := c.Users(t.Context(), tt.org); err != nil {
			t.Fatal(err)
		}
		if _, calls := w.seen(); !strings.HasSuffix(calls[len(calls)-1], " "+tt.token) {
			t.Errorf("%s: called %q, want %s", tt.org, calls[len(calls)-1], tt.token)
		}
	}
	if _, err := c.Users(t.Context(), "down"); !fault.Is(err, fault.Transient) || !fault.IsUnsent(err) {
		t.Errorf("secrets down: %v", err)
	}
	if _, err := c.Users(t.Context(), "bad"); !fault.Is(err, fault.Denied) || !fault.IsUnsent(err) {
		t.Errorf("a token that is none: %v", err)
	}
	alone, err := hub.New(hub.Options{Endpoint: w.URL + "/api", Token: own})
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	if _, err := alone.Users(t.Context(), "new"); !fault.Is(err, fault.Missing) || !fault.IsUnsent(err) {
		t.Errorf("nothing stands in: %v", err)
	}
}

func TestRefusedExchange(t *testing.T) {
	for status, want := range map[int]fault.Kind{400: fault.Denied, 401: fault.Denied, 403: fault.Denied, 404: fault.Denied, 429: fault.Throttled, 500: fault.Transient, 200: fault.Transient} {
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			resp := response(`{"message":"token ` + secret + ` is bad","majorErrorCode":` + fmt.Sprint(status) + `,"minorErrorCode":"NO_ACTIVE_SERVICE"}`)
			resp.StatusCode = status
			return resp, nil
		})
		_, err := client(t, hub.Options{Base: base}).CreateTenant(t.Context(), master, tenantDraft())
		if fault.Of(err) != want || !fault.IsUnsent(err) || strings.Contains(err.Error(), secret) {
			t.Errorf("%d: kind %q, want %q, unsent %v: %v", status, fault.Of(err), want, fault.IsUnsent(err), err)
		}
		if status != 200 && !errors.Is(err, hub.ErrNoService) {
			t.Errorf("%d: not ErrNoService: %v", status, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return f(r)
}

func response(body string) *http.Response {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// A role that turns up late is taken away too; a user that stays is a conflict after three requests.
func TestRemoveUserLooksAgain(t *testing.T) {
	for stays, want := range map[int]int{0: 0, 1: 1, 2: 2, 3: 3, 9: 3} {
		patches := 0
		w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == "PATCH" {
				patches++
				io.WriteString(rw, "{}")
				return
			}
			if patches >= stays {
				io.WriteString(rw, "[]")
				return
			}
			fmt.Fprintf(rw, `[{"user":{"username":%q},"orgRoles":{"orgRoles":[{"id":"msp:role_%d"}]}}]`, person, patches)
		})
		rounds, err := client(t, hub.Options{Endpoint: w.URL + "/api"}).RemoveUser(t.Context(), master, person)
		if rounds != want || fault.Is(err, fault.Conflict) != (stays > 3) || stays <= 3 && err != nil {
			t.Errorf("stays for %d: %d rounds, %v", stays, rounds, err)
		}
	}
}

// A confirmation proves nothing: what the list shows afterwards does, as when something between drops the body of a DELETE.
func TestConfirmedButNotDone(t *testing.T) {
	made := time.Now().Add(-8 * 24 * time.Hour).UnixMilli()
	w := newWire(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" {
			io.WriteString(rw, `{"message":"Invitations have been changed successfully"}`)
			return
		}
		fmt.Fprintf(rw, `[{"username":%q,"status":"AVAILABLE","generatedAt":%d,"expirationTime":%d}]`, person, made, made+7*24*3600*1000)
	})
	c := client(t, hub.Options{Endpoint: w.URL + "/api"})
	for name, act := range map[string]func(context.Context, string, []string) (hub.Outcome, error){"Revoke": c.Revoke, "Resend": c.Resend} {
		got, err := act(t.Context(), master, []string{person})
		if err != nil || len(got.Done) != 0 || len(got.Left) != 1 || len(got.Skipped) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
