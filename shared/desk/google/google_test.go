package google_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/desktest"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	marker = "REF7K3QWZ5N2J4M6P8R9T"
	engine = "Technical Issue > Compute > Compute Engine"
)

// A bench is the simulator behind a real socket, mounted below a path as the embedded server mounts it, with a desk in front.
type bench struct {
	*google.Desk
	sim *cloudsupport.Server
	url string
	o   google.Options
}

func newBench(t *testing.T, sim cloudsupport.Options, o google.Options) *bench {
	t.Helper()
	s, err := cloudsupport.New(sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	server := httptest.NewServer(http.StripPrefix("/sim/cloudsupport", s))
	t.Cleanup(server.Close)
	b := &bench{sim: s, url: server.URL + "/sim/cloudsupport", o: o}
	b.o.Endpoint = b.url
	if b.o.Parent == "" {
		b.o.Parent = "projects/acme-prod"
	}
	b.o.Classification = engine
	b.o.HTTP = transport(t, gapi.Options{Endpoint: b.url, Token: gapi.StaticToken("t"), Now: o.Now})
	if b.Desk, err = google.New(b.o); err != nil {
		t.Fatal(err)
	}
	return b
}

func transport(t *testing.T, o gapi.Options) *http.Client {
	t.Helper()
	o.Backoff = time.Millisecond
	c, err := gapi.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func (b *bench) arm(t *testing.T, op, text string, times int) {
	t.Helper()
	if err := b.sim.ArmFault(op, text, times); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) calls(op string) int {
	_, counts := b.sim.Calls()
	return counts[op]
}

func draft() desk.Draft {
	return desk.Draft{
		Title: "Disk full", Description: "The disk is full.\n\n[" + marker + " attempt=1]", Priority: "P2", Classification: engine,
		Subscribers: []string{"oncall@example.com", "lead@example.com"}, TimeZone: "Europe/Paris", Language: "en", Test: true,
	}
}

func TestSuite(t *testing.T) {
	for _, parent := range []string{"projects/acme-prod", "projects/415104041262", "organizations/123456789012"} {
		t.Run(parent, func(t *testing.T) {
			desktest.Test(t, func(t *testing.T) desktest.Setup {
				b := newBench(t, cloudsupport.Options{}, google.Options{Parent: parent, Account: cloudsupport.DefaultCaller})
				return desktest.Setup{Desk: b, Draft: draft(), Other: "P1", Lag: func(lagging bool) {
					b.sim.ClearFaults()
					if lagging {
						b.arm(t, "cases.search", "search_lag:1h", 0)
					}
				}}
			})
		})
	}
}

func TestOptions(t *testing.T) {
	h := &http.Client{}
	for _, o := range []google.Options{
		{Parent: "projects/p"}, {HTTP: h}, {HTTP: h, Parent: "projects/"}, {HTTP: h, Parent: "organizations/acme"},
		{HTTP: h, Parent: "projects/p/cases/1"}, {HTTP: h, Parent: "folders/1"}, {HTTP: h, Parent: "projects/../x"},
	} {
		if _, err := google.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("New(%+v): %v", o, err)
		}
	}
}

// What the ledger relies on: how every failure of an act is classed, that it is executed at most once, and that the marker finds it then.
func TestClassOfEveryFailureOfOpen(t *testing.T) {
	for _, tt := range []struct {
		fault  string
		kind   fault.Kind
		unsent bool
		cases  int
	}{
		{"drop", fault.Transient, false, 0},
		{"commit_then_drop", fault.Transient, false, 1},
		{"commit_then_status:500", fault.Transient, false, 1},
		{"commit_then_status:503", fault.Transient, false, 1},
		{"commit_then_status:504", fault.Transient, false, 1},
		{"commit_then_status:408", fault.Transient, false, 1},
		{"garbage", fault.Transient, false, 1},
		{"status:500", fault.Transient, false, 0},
		{"status:503", fault.Transient, false, 0},
		{"status:400", fault.Invalid, false, 0},
		{"status:401", fault.Denied, true, 0},
		{"status:403", fault.Denied, false, 0},
		{"status:404", fault.Missing, false, 0},
		{"status:409", fault.Conflict, false, 0},
		{"status:429", fault.Throttled, true, 0},
		{"late:1ms", fault.Transient, false, 1},
		{"late_drop:1ms", fault.Transient, false, 1},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			var ahead time.Duration
			now := func() time.Time { return time.Now().Add(ahead) }
			b := newBench(t, cloudsupport.Options{Now: now}, google.Options{})
			b.arm(t, "cases.create", tt.fault, 1)
			_, err := b.Open(t.Context(), draft())
			if fault.Of(err) != tt.kind || fault.IsUnsent(err) != tt.unsent {
				t.Errorf("kind %q, unsent %v; want %q, %v: %v", fault.Of(err), fault.IsUnsent(err), tt.kind, tt.unsent, err)
			}
			if tt.kind == fault.Throttled && fault.RetryAfter(err) == 0 {
				t.Errorf("Retry-After is lost: %v", err)
			}
			if n := b.calls("cases.create"); n != 1 {
				t.Errorf("sent %d times, want 1", n)
			}
			ahead = time.Minute // what is late has been executed
			found, err := b.Find(t.Context(), marker, true)
			if err != nil || len(found) != tt.cases {
				t.Errorf("found %d cases, %v; want %d", len(found), err, tt.cases)
			}
		})
	}
}

func TestEveryActIsSentOnce(t *testing.T) {
	p := desk.Priority("P1")
	for op, act := range map[string]func(context.Context, *bench, string) error{
		"cases.comments.create": func(ctx context.Context, b *bench, name string) error {
			_, err := b.Comment(ctx, name, "hello")
			return err
		},
		"cases.patch": func(ctx context.Context, b *bench, name string) error {
			_, err := b.Change(ctx, name, desk.Change{Priority: &p})
			return err
		},
		"cases.close": func(ctx context.Context, b *bench, name string) error {
			_, err := b.Close(ctx, name)
			return err
		},
		"cases.escalate": func(ctx context.Context, b *bench, name string) error {
			_, err := b.Escalate(ctx, name, desk.Escalation{Reason: "BUSINESS_IMPACT", Justification: "x"})
			return err
		},
		"media.upload": func(ctx context.Context, b *bench, name string) error {
			_, err := b.Attach(ctx, name, "a.bin", "", strings.NewReader("x"))
			return err
		},
	} {
		for _, f := range []string{"drop", "commit_then_drop", "commit_then_status:503", "status:503", "garbage"} {
			t.Run(op+" "+f, func(t *testing.T) {
				b := newBench(t, cloudsupport.Options{}, google.Options{})
				c, err := b.Open(t.Context(), draft())
				if err != nil {
					t.Fatal(err)
				}
				b.arm(t, op, f, 1)
				if err := act(t.Context(), b, c.Name); !fault.Is(err, fault.Transient) || fault.IsUnsent(err) {
					t.Errorf("kind %q, unsent %v: %v", fault.Of(err), fault.IsUnsent(err), err)
				}
				if n := b.calls(op); n != 1 {
					t.Errorf("sent %d times, want 1", n)
				}
			})
		}
	}
}

func TestReadsHeal(t *testing.T) {
	b := newBench(t, cloudsupport.Options{}, google.Options{})
	c, err := b.Open(t.Context(), draft())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"status:503", "drop"} {
		b.arm(t, "*", f, 3)
		if _, err := b.Case(t.Context(), c.Name); err != nil {
			t.Errorf("%s three times: %v", f, err)
		}
	}
}

func TestTimeoutOfOpenIsMaybe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := cloudsupport.New(cloudsupport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		d, err := google.New(google.Options{
			HTTP: transport(t, gapi.Options{Base: s.Transport(), Token: gapi.StaticToken("t")}), Parent: "projects/acme-prod", Account: cloudsupport.DefaultCaller,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ArmFault("cases.create", "delay:1m", 1); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := d.Open(ctx, draft()); !fault.Is(err, fault.Transient) || fault.IsUnsent(err) {
			t.Errorf("kind %q, unsent %v: %v", fault.Of(err), fault.IsUnsent(err), err)
		}
		if found, err := d.Find(t.Context(), marker, true); err != nil || len(found) != 0 {
			t.Errorf("found %d, %v before the desk has executed it", len(found), err)
		}
		time.Sleep(time.Minute)
		if found, err := d.Find(t.Context(), marker, true); err != nil || len(found) != 1 {
			t.Errorf("found %d, %v after the desk has executed it", len(found), err)
		}
	})
}

func TestNothingLeftIsUnsent(t *testing.T) {
	b := newBench(t, cloudsupport.Options{}, google.Options{})
	if _, err := b.Open(t.Context(), draft()); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]gapi.Options{
		"wall clock past the deadline": {Now: func() time.Time { return time.Now().Add(time.Hour) }},
		"no token":                     {Token: func(context.Context) (string, error) { return "", errors.New("down") }},
	} {
		o.Endpoint = b.url
		opts := b.o
		opts.HTTP = transport(t, o)
		d, err := google.New(opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Open(t.Context(), draft()); !fault.Is(err, fault.Transient) || !fault.IsUnsent(err) {
			t.Errorf("%s: kind %q, unsent %v: %v", name, fault.Of(err), fault.IsUnsent(err), err)
		}
	}
	if n := b.calls("cases.create"); n != 1 {
		t.Errorf("%d creates, want 1", n)
	}
}

// A failed look-up of the classification comes before the create: nothing can have happened.
func TestFailedLookUpIsUnsent(t *testing.T) {
	b := newBench(t, cloudsupport.Options{}, google.Options{})
	b.arm(t, "caseClassifications.search", "status:500", 1)
	if _, err := b.Open(t.Context(), draft()); !fault.Is(err, fault.Transient) || !fault.IsUnsent(err) {
		t.Errorf("kind %q, unsent %v: %v", fault.Of(err), fault.IsUnsent(err), err)
	}
	if n := b.calls("cases.create"); n != 0 {
		t.Errorf("%d creates, want 0", n)
	}
}

func TestClassifications(t *testing.T) {
	for _, tt := range []struct {
		name      string
		then      string // what happens to the classification after the first case
		pass      time.Duration
		creates   int // of the second Open
		lookedUp  bool
		kind      fault.Kind
		sentences []string
	}{
		{name: "kept", creates: 1},
		{name: "looked up again after an hour", pass: time.Hour, creates: 1, lookedUp: true},
		{name: "still good when no longer listed", then: "hide", creates: 1},
		{name: "found again under a new id", then: "rotate", creates: 2, lookedUp: true},
		{name: "gone", then: "expire", creates: 1, lookedUp: true, kind: fault.Invalid, sentences: []string{engine + " > Instance Connectivity"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ahead time.Duration
			b := newBench(t, cloudsupport.Options{}, google.Options{Now: func() time.Time { return time.Now().Add(ahead) }})
			b.o.HTTP = transport(t, gapi.Options{Endpoint: b.url, Token: gapi.StaticToken("t")})
			d, err := google.New(b.o)
			if err != nil {
				t.Fatal(err)
			}
			plain := draft()
			plain.Classification = "" // the desk's default
			if _, err := d.Open(t.Context(), plain); err != nil {
				t.Fatal(err)
			}
			if tt.then != "" {
				if _, err := b.sim.Retire(engine, tt.then); err != nil {
					t.Fatal(err)
				}
			}
			ahead = tt.pass
			searches, creates := b.calls("caseClassifications.search"), b.calls("cases.create")
			_, err = d.Open(t.Context(), plain)
			if fault.Of(err) != tt.kind {
				t.Errorf("kind %q, want %q: %v", fault.Of(err), tt.kind, err)
			}
			for _, s := range tt.sentences {
				if !strings.Contains(fault.Public(err), s) {
					t.Errorf("%q does not suggest %q", fault.Public(err), s)
				}
			}
			if n := b.calls("cases.create") - creates; n != tt.creates {
				t.Errorf("%d creates, want %d", n, tt.creates)
			}
			if n := b.calls("caseClassifications.search") - searches; (n > 0) != tt.lookedUp {
				t.Errorf("%d look-ups, want any: %v", n, tt.lookedUp)
			}
		})
	}
}

func TestUnknownClassificationSuggestsFive(t *testing.T) {
	b := newBench(t, cloudsupport.Options{}, google.Options{})
	d := draft()
	for _, name := range []string{"Compute Engin", `"Compute*"`} {
		d.Classification = name
		_, err := b.Open(t.Context(), d)
		if !fault.Is(err, fault.Invalid) || strings.Count(fault.Public(err), `"`) != 10 || !strings.Contains(fault.Public(err), `"`+engine+`"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := b.calls("cases.create"); n != 0 {
		t.Errorf("%d creates, want 0", n)
	}
}

// A response header or a page that a test writes itself: what the simulator would never answer.
func answering(t *testing.T, answer func(r *http.Request) string) *google.Desk {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer(r))
	}))
	t.Cleanup(s.Close)
	d, err := google.New(google.Options{
		HTTP: transport(t, gapi.Options{Endpoint: s.URL}), Endpoint: s.URL, Parent: "projects/acme", Account: "us@acme.iam", Classification: engine,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSuccessThatSaysNothingIsMaybe(t *testing.T) {
	for _, answer := range []string{`{}`, `{"name":"nonsense"}`, `{"name":"projects/1/cases/2/../3"}`, `{"error":{"code":400}}`, `[]`, `null`, `{"name":7}`, ``} {
		d := answering(t, func(r *http.Request) string {
			if strings.Contains(r.URL.Path, "caseClassifications") {
				return fmt.Sprintf(`{"caseClassifications":[{"id":"1","displayName":%q}]}`, engine)
			}
			return answer
		})
		_, openErr := d.Open(t.Context(), draft())
		_, commentErr := d.Comment(t.Context(), "projects/1/cases/2", "x")
		_, attachErr := d.Attach(t.Context(), "projects/1/cases/2", "x", "", strings.NewReader("x"))
		for what, err := range map[string]error{"open": openErr, "comment": commentErr, "attach": attachErr} {
			if !fault.Is(err, fault.Transient) || fault.IsUnsent(err) {
				t.Errorf("%s answered %q: kind %q, unsent %v: %v", what, answer, fault.Of(err), fault.IsUnsent(err), err)
			}
		}
	}
}

func TestAFileOfAnySizeIsOneRequest(t *testing.T) {
	var requests []string
	d := answering(t, func(r *http.Request) string {
		n, _ := io.Copy(io.Discard, r.Body)
		requests = append(requests, fmt.Sprintf("%s %s %d", r.Method, r.URL.Query().Get("uploadType"), n>>20))
		return `{"name":"projects/1/cases/2/attachments/3"}`
	})
	_, err := d.Attach(t.Context(), "projects/1/cases/2", "big.bin", "", strings.NewReader(strings.Repeat("x", 17<<20))) // more than a chunk
	if want := []string{"POST multipart 17"}; err != nil || !slices.Equal(requests, want) {
		t.Errorf("requests %q, %v; want %q", requests, err, want)
	}
}

func TestChangeOnTheWire(t *testing.T) {
	title, priority, none := "new", desk.Priority("P1"), []string{}
	for _, tt := range []struct {
		change     desk.Change
		mask, body string
	}{
		{desk.Change{Priority: &priority}, "priority", `{"priority":"P1"}`},
		{desk.Change{Subscribers: &none}, "subscriber_email_addresses", `{"subscriberEmailAddresses":[]}`},
		{desk.Change{Title: &title, Priority: &priority}, "display_name,priority", `{"displayName":"new","priority":"P1"}`},
	} {
		d := answering(t, func(r *http.Request) string {
			body, _ := io.ReadAll(r.Body)
			if mask := r.URL.Query().Get("updateMask"); mask != tt.mask || strings.TrimSpace(string(body)) != tt.body {
				t.Errorf("mask %q, body %s; want %q, %s", mask, body, tt.mask, tt.body)
			}
			return `{"name":"projects/1/cases/2"}`
		})
		if _, err := d.Change(t.Context(), "projects/1/cases/2", tt.change); err != nil {
			t.Error(err)
		}
	}
}

func TestFindKeepsOnlyOurs(t *testing.T) {
	one := func(name, email, text string) string {
		return fmt.Sprintf(`{"name":%q,"description":%q,"createTime":"2026-01-02T03:04:05Z","creator":{"username":%q}}`, name, text, email)
	}
	d := answering(t, func(r *http.Request) string {
		if strings.HasSuffix(r.URL.Path, "/cases") { // the listing teaches the number of the parent
			return `{"cases":[` + one("projects/11/cases/5", "us@acme.iam", "") + `]}`
		}
		return `{"cases":[` + strings.Join([]string{
			one("projects/11/cases/2", "US@acme.iam", marker),
			one("projects/11/cases/1", "", "x "+marker+"."),
			one("projects/12/cases/3", "us@acme.iam", marker),
			one("organizations/11/cases/6", "us@acme.iam", marker),
			one("projects/11/cases/4", "them@acme.iam", marker),
			one("projects/11/cases/5", "us@acme.iam", marker+"0"),
			one("projects/11/cases/2", "us@acme.iam", marker),
		}, ",") + `]}`
	})
	for _, want := range [][]string{
		{"projects/11/cases/1", "projects/11/cases/2", "projects/12/cases/3"}, // the number of projects/acme is not known yet
		{"projects/11/cases/1", "projects/11/cases/2"},
	} {
		found, err := d.Find(t.Context(), marker, false)
		var names []string
		for _, c := range found {
			names = append(names, c.Name)
		}
		if err != nil || fmt.Sprint(names) != fmt.Sprint(want) {
			t.Errorf("found %q, %v; want %q", names, err, want)
		}
		if _, err := d.List(t.Context(), desk.Filter{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListingThatDoesNotEnd(t *testing.T) {
	d := answering(t, func(r *http.Request) string { return `{"nextPageToken":"again"}` })
	if _, err := d.List(t.Context(), desk.Filter{}); !fault.Is(err, fault.Transient) {
		t.Errorf("list: %v", err)
	}
}

func TestStatesAndPages(t *testing.T) {
	for state, want := range map[string]desk.State{
		"NEW": desk.New, "IN_PROGRESS_GOOGLE_SUPPORT": desk.InProgress, "ACTION_REQUIRED": desk.ActionRequired,
		"SOLUTION_PROVIDED": desk.Solved, "CLOSED": desk.Closed, "STATE_UNSPECIFIED": desk.InProgress, "WAITING_FOR_MOON": desk.InProgress,
	} {
		d := answering(t, func(r *http.Request) string {
			return fmt.Sprintf(`{"name":%q,"state":%q,"createTime":"soon"}`, strings.TrimPrefix(r.URL.Path, "/v2/"), state)
		})
		for name, page := range map[string]string{
			"projects/11/cases/7":      "https://console.cloud.google.com/support/cases/detail/v2/7?project=11",
			"organizations/12/cases/8": "https://console.cloud.google.com/support/cases/detail/v2/8?organizationId=12",
		} {
			c, err := d.Case(t.Context(), name)
			if err != nil || c.State != want || c.URL != page || !c.Created.IsZero() {
				t.Errorf("%s: %+v, %v; want %q and %q", state, c, err, want, page)
			}
		}
	}
}

func TestFindWithoutAnAccountAndMine(t *testing.T) {
	b := newBench(t, cloudsupport.Options{}, google.Options{})
	if _, err := b.Open(t.Context(), draft()); err != nil {
		t.Fatal(err)
	}
	if found, err := b.Find(t.Context(), marker, true); err != nil || len(found) != 1 {
		t.Errorf("found %d, %v", len(found), err)
	}
	if _, err := b.List(t.Context(), desk.Filter{Mine: true}); !fault.Is(err, fault.Invalid) {
		t.Errorf("mine without an account: %v", err)
	}
}

func TestNoErrorHoldsWhatWeSent(t *testing.T) {
	b := newBench(t, cloudsupport.Options{}, google.Options{})
	d := draft()
	d.Priority = "P9-of-jane@example.com"
	_, err := b.Open(t.Context(), d)
	if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "jane") || strings.Contains(err.Error(), "disk is full") {
		t.Errorf("kind %q: %v", fault.Of(err), err)
	}
	if !strings.HasPrefix(err.Error(), "create a case: HTTP 400 INVALID_ARGUMENT") {
		t.Errorf("the error does not say what was refused: %v", err)
	}
}
