package hub_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/desktest"
	"github.com/providerdesk/providerdesk/shared/desk/hub"
	"github.com/providerdesk/providerdesk/shared/fault"
	api "github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	marker = "REF7K3QWZ5N2J4M6P8R9T"
	users  = "nonTechnical > VMware Cloud Services - User Management"
)

// bench is the simulator with a desk in front.
type bench struct {
	*hub.Desk
	sim *simhub.Server
}

func newBench(t testing.TB, sim simhub.Options, o hub.Options) *bench {
	t.Helper()
	s, err := simhub.New(sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d, err := hub.New(onto(t, s, o))
	if err != nil {
		t.Fatal(err)
	}
	return &bench{d, s}
}

// onto completes options with a client of the simulator, as the provider's support user.
func onto(t testing.TB, s *simhub.Server, o hub.Options) hub.Options {
	t.Helper()
	o.Organization = simhub.Provider
	token := s.TokenFor(simhub.Provider, simhub.ProviderSupportUser)
	var err error
	o.Client, err = api.New(api.Options{Endpoint: "https://hub.test/api", Organization: simhub.Provider, Base: s.Transport(), Backoff: time.Millisecond,
		Token: func(context.Context, string) (string, error) { return token, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (b *bench) arm(t testing.TB, op, text string, times int) {
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
	return desk.Draft{Title: "Disk full", Description: "The disk is full.\n\n[" + marker + " attempt=1]", Priority: "P2", Classification: users, TimeZone: "Asia/Kolkata"}
}

func TestSuite(t *testing.T) {
	for _, a := range supportSwitches() {
		for _, reading := range a.Readings {
			t.Run(a.Name+"="+reading, func(t *testing.T) {
				desktest.Test(t, func(t *testing.T) desktest.Setup {
					var s simhub.Switches
					if err := a.Set(&s, reading); err != nil {
						t.Fatal(err)
					}
					// Without a place or a body in the answer a request is found by its internal id, so two with the same one are not told apart.
					return desktest.Setup{Desk: newBench(t, simhub.Options{Switches: s}, hub.Options{}), Draft: draft(), Other: "P1", NoDownload: true,
						NoChange: true, Alone: s.CreateReply == "none"}
				})
			})
		}
	}
}

// supportSwitches are the readings of the guide that support requests can meet.
func supportSwitches() (some []simhub.Ambiguity) {
	for _, a := range simhub.Ambiguities() {
		if slices.Contains([]string{"pageStart", "createReply", "uploadAttach", "supportAnswer", "tokenScope", "badToken"}, a.Name) {
			some = append(some, a)
		}
	}
	return some
}

func TestOptions(t *testing.T) {
	c, err := api.New(api.Options{Token: func(context.Context, string) (string, error) { return "t", nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []hub.Options{{}, {Organization: "o"}, {Client: c}, {Client: c, Organization: "a/b"}, {Client: c, Organization: "../x"}} {
		if _, err := hub.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("New(%+v): %v", o, err)
		}
	}
}

// What Open puts on the wire.
func TestOpenOnTheWire(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*desk.Draft)
		want   []string
	}{
		{"plain", func(*desk.Draft) {}, []string{`"severity":"2 - High"`, `"internalTicketId":"` + marker + `"`, `"userAgreedToEula":"false"`,
			`"category":"nonTechnical"`, `"issueCategoryId":"VMware Cloud Services - User Management"`, `"timeZone":"(GMT+05:30) India Standard Time"`,
			`"description":"The disk is full.\n\n[` + marker + ` attempt=1]"`}},
		{"P0", func(d *desk.Draft) { d.Priority = "P0" }, []string{`"severity":"1 - Critical"`}},
		{"P1", func(d *desk.Draft) { d.Priority = "P1" }, []string{`"severity":"1 - Critical"`}},
		{"P3", func(d *desk.Draft) { d.Priority = "P3" }, []string{`"severity":"3 - Medium"`}},
		{"P4", func(d *desk.Draft) { d.Priority = "P4" }, []string{`"severity":"4 - Low"`}},
		{"what the hub has no field for", func(d *desk.Draft) {
			d.Subscribers, d.Language, d.TimeZone = []string{"a@example.com", "b@example.com"}, "fr", "Africa/Nairobi"
		}, []string{`attempt=1]\n\nPlease keep informed: a@example.com, b@example.com\nPlease answer in language: fr\nOur time zone: Africa/Nairobi"`}},
		{"somebody else's signature before ours", func(d *desk.Draft) { d.Description = "[FAKE attempt=1] " + d.Description },
			[]string{`"internalTicketId":"` + marker + `"`}},
		{"by names", func(d *desk.Draft) { d.Classification = "technical > networking" }, []string{`"issueCategoryId":"VMware Cloud on AWS - Networking"`}},
		{"by the issue alone", func(d *desk.Draft) { d.Classification = "Billing and Usage" },
			[]string{`"category":"nonTechnical"`, `"issueCategoryId":"VMware Cloud Services - Billing and Usage"`}},
		{"by nothing", func(d *desk.Draft) { d.Classification = "" }, []string{`"category":"technical"`, `"issueCategoryId":"VMware Cloud on AWS - SDDC"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var body string
			d := draft()
			tt.change(&d)
			b := recording(t, &body)
			if _, err := b.Open(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			for _, w := range tt.want {
				if !strings.Contains(body, w) {
					t.Errorf("%s\nlacks %s", body, w)
				}
			}
		})
	}
}

// recording is a bench behind a socket that keeps the body of the last create.
func recording(t *testing.T, body *string) *hub.Desk {
	t.Helper()
	s, err := simhub.New(simhub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return wired(t, s.TokenFor(simhub.Provider, simhub.ProviderSupportUser), func(w http.ResponseWriter, r *http.Request) {
		if text, _ := io.ReadAll(r.Body); r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/support-requests") {
			*body = string(text)
			r.Body = io.NopCloser(strings.NewReader(*body))
		} else {
			r.Body = io.NopCloser(strings.NewReader(string(text)))
		}
		s.ServeHTTP(w, r)
	})
}

// wired is a desk in front of a handler.
func wired(t *testing.T, token string, h http.HandlerFunc) *hub.Desk {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := api.New(api.Options{Endpoint: server.URL + "/api", Backoff: time.Millisecond, Token: func(context.Context, string) (string, error) { return token, nil }})
	if err != nil {
		t.Fatal(err)
	}
	d, err := hub.New(hub.Options{Client: c, Organization: simhub.Provider})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.CloseIdleConnections)
	return d
}

func TestRefusedDrafts(t *testing.T) {
	b := newBench(t, simhub.Options{}, hub.Options{})
	for name, change := range map[string]func(*desk.Draft){
		"priority": func(d *desk.Draft) { d.Priority = "P9" }, "no priority": func(d *desk.Draft) { d.Priority = "" },
		"a test case": func(d *desk.Draft) { d.Test = true }, "no marker": func(d *desk.Draft) { d.Description = "REF7K3Q" },
		"no title": func(d *desk.Draft) { d.Title = " " }, "no such category": func(d *desk.Draft) { d.Classification = "technical > Plumbing" },
		"category and issue that do not belong together": func(d *desk.Draft) { d.Classification = "technical > User Management" },
	} {
		d := draft()
		change(&d)
		if _, err := b.Open(t.Context(), d); !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := draft()
	d.Classification = "Plumbing"
	if _, err := b.Open(t.Context(), d); !strings.Contains(fault.Public(err), `"`+users+`"`) {
		t.Errorf("an unknown category does not say what there is: %v", err)
	}
	if n := b.calls("support.create"); n != 0 {
		t.Errorf("%d creates, want 0", n)
	}
}

// What the ledger relies on: how every failure of Open is classed, that it is executed at most once, and that the marker finds it then.
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
		{"cut:10", fault.Transient, false, 1},
		{"garbage", "", false, 1}, // read back by its internal id
		{"status:500", fault.Transient, false, 0},
		{"status:503", fault.Transient, false, 0},
		{"status:400", fault.Invalid, false, 0},
		{"status:403", fault.Denied, false, 0},
		{"status:404", fault.Missing, false, 0},
		{"status:409", fault.Conflict, false, 0},
		{"status:429", fault.Throttled, true, 0},
		{"late:1m", fault.Transient, false, 1},
		{"late_drop:1m", fault.Transient, false, 1},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			var ahead time.Duration
			b := newBench(t, simhub.Options{Now: func() time.Time { return time.Now().Add(ahead) }}, hub.Options{})
			b.arm(t, "support.create", tt.fault, 1)
			_, err := b.Open(t.Context(), draft())
			if fault.Of(err) != tt.kind || fault.IsUnsent(err) != tt.unsent {
				t.Errorf("kind %q, unsent %v: %v", fault.Of(err), fault.IsUnsent(err), err)
			}
			if n := b.calls("support.create"); n != 1 {
				t.Errorf("%d creates, want 1", n)
			}
			ahead = 2 * time.Minute
			for _, thorough := range []bool{false, true} {
				if found, err := b.Find(t.Context(), marker, thorough); err != nil || len(found) != tt.cases {
					t.Errorf("found %d, want %d: %v", len(found), tt.cases, err)
				}
			}
		})
	}
}

func TestFailuresOfOtherActs(t *testing.T) {
	for what, act := range map[string]func(*bench, string) error{
		"comment":  func(b *bench, name string) error { _, err := b.Comment(t.Context(), name, "hello"); return err },
		"escalate": func(b *bench, name string) error { _, err := b.Escalate(t.Context(), name, escalation); return err },
		"close":    func(b *bench, name string) error { _, err := b.Close(t.Context(), name); return err },
		"attach": func(b *bench, name string) error {
			_, err := b.Attach(t.Context(), name, "a.txt", "", strings.NewReader("a"))
			return err
		},
	} {
		for spoilt, kind := range map[string]fault.Kind{"drop": fault.Transient, "commit_then_drop": fault.Transient, "status:500": fault.Transient, "status:403": fault.Denied} {
			t.Run(what+" "+spoilt, func(t *testing.T) {
				b := newBench(t, simhub.Options{}, hub.Options{})
				c, err := b.Open(t.Context(), draft())
				if err != nil {
					t.Fatal(err)
				}
				b.arm(t, "support.update", spoilt, 1)
				err = act(b, c.Name)
				if what == "attach" && spoilt == "commit_then_drop" {
					kind = "" // read back: the file is there
				}
				if fault.Of(err) != kind || fault.IsUnsent(err) {
					t.Errorf("kind %q, unsent %v: %v", fault.Of(err), fault.IsUnsent(err), err)
				}
				if n := b.calls("support.update"); n != 1 {
					t.Errorf("%d changes, want 1", n)
				}
			})
		}
	}
}

var escalation = desk.Escalation{Reason: "BUSINESS_IMPACT", Justification: "The shop is closed."}

// A failed look-up comes before the create: nothing can have happened.
func TestFailedLookUpIsUnsent(t *testing.T) {
	b := newBench(t, simhub.Options{}, hub.Options{})
	b.arm(t, "support.metadata", "status:500", 1)
	if _, err := b.Open(t.Context(), draft()); !fault.Is(err, fault.Transient) || !fault.IsUnsent(err) {
		t.Errorf("kind %q, unsent %v: %v", fault.Of(err), fault.IsUnsent(err), err)
	}
	if n := b.calls("support.create"); n != 0 {
		t.Errorf("%d creates, want 0", n)
	}
}

// The categories of a hub that changes them.
func TestCategoriesAreLookedUpAgain(t *testing.T) {
	for _, tt := range []struct {
		name          string
		after         string // the id, i1 before
		kind          fault.Kind
		creates, look int
	}{
		{"kept", "i1", "", 1, 0},
		{"found again under a new id", "i2", "", 2, 1},
		{"gone", "", fault.Invalid, 1, 1},
		{"refused for another reason", "refused", fault.Invalid, 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, creates, looks := "i1", 0, 0
			d := wired(t, "t", func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				w.Header().Set("Content-Type", "application/json")
				switch {
				case strings.HasSuffix(r.URL.Path, "/metadata"):
					looks++
					if id == "" {
						io.WriteString(w, `[{"category":"technical","issueCategories":[{"issueCategoryId":"other"}]}]`)
						return
					}
					fmt.Fprintf(w, `[{"category":"technical","issueCategories":[{"issueCategoryId":%q,"displayName":"Issue"}]}]`, id)
				case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/support-requests"):
					creates++
					if id == "refused" || !strings.Contains(string(body), `"issueCategoryId":"`+id+`"`) {
						http.Error(w, `{"message":"Invalid."}`, http.StatusBadRequest)
						return
					}
					fmt.Fprintf(w, `{"id":"1","issueCategoryId":%q}`, id)
				default:
					io.WriteString(w, `{"access_token":"a","accessToken":"a","expiresIn":1800}`)
				}
			})
			c := draft()
			c.Classification = "Issue"
			if _, err := d.Open(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			id, creates, looks = tt.after, 0, 0
			got, err := d.Open(t.Context(), c)
			if fault.Of(err) != tt.kind || err == nil && got.Classification != " > "+tt.after {
				t.Errorf("%+v, kind %q: %v", got, fault.Of(err), err)
			}
			if creates != tt.creates || looks != tt.look {
				t.Errorf("%d creates, %d look-ups; want %d, %d", creates, looks, tt.creates, tt.look)
			}
		})
	}
}

func TestCategoriesAreKeptForAnHour(t *testing.T) {
	var ahead time.Duration
	b := newBench(t, simhub.Options{}, hub.Options{Now: func() time.Time { return time.Now().Add(ahead) }})
	for _, tt := range []struct {
		ahead time.Duration
		looks int
	}{{0, 1}, {0, 1}, {59 * time.Minute, 1}, {time.Hour + time.Minute, 2}} {
		ahead = tt.ahead
		if _, err := b.Open(t.Context(), draft()); err != nil {
			t.Fatal(err)
		}
		if n := b.calls("support.metadata"); n != tt.looks {
			t.Errorf("%v: %d look-ups, want %d", tt.ahead, n, tt.looks)
		}
	}
}

// The listing lags, for both ways of Find: an empty answer proves nothing.
func TestFindWhileTheListingLags(t *testing.T) {
	b := newBench(t, simhub.Options{}, hub.Options{})
	b.arm(t, "support.list", "search_lag:1h", 0)
	if _, err := b.Open(t.Context(), draft()); err != nil {
		t.Fatal(err)
	}
	for lag, want := range []int{0, 1} {
		for _, thorough := range []bool{false, true} {
			if found, err := b.Find(t.Context(), marker, thorough); err != nil || len(found) != want {
				t.Errorf("%d, thorough %v: found %d, %v", lag, thorough, len(found), err)
			}
		}
		b.sim.ClearFaults()
	}
}

// More than one page, under both readings of pageStart.
func TestFindAmongMany(t *testing.T) {
	for _, reading := range []string{"record", "page"} {
		b := newBench(t, simhub.Options{Switches: simhub.Switches{PageStart: reading}}, hub.Options{})
		var want []string
		for i := range 230 {
			d := draft()
			d.Description = fmt.Sprintf("[REFMANY%d attempt=1]", i)
			c, err := b.Open(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, c.Name)
		}
		for i, thorough := range map[int]bool{0: true, 117: false, 229: true} {
			if found, err := b.Find(t.Context(), fmt.Sprintf("REFMANY%d", i), thorough); err != nil || len(found) != 1 || found[0].Name != want[i] {
				t.Errorf("%s: found %+v, %v", reading, found, err)
			}
		}
		all, err := b.List(t.Context(), desk.Filter{})
		if err != nil || len(all) != len(want) || all[0].Name != want[0] {
			t.Errorf("%s: %d listed, %v; want %d", reading, len(all), err, len(want))
		}
	}
}

func TestStates(t *testing.T) {
	b := newBench(t, simhub.Options{}, hub.Options{})
	c, err := b.Open(t.Context(), draft())
	if err != nil {
		t.Fatal(err)
	}
	id := c.Name[strings.LastIndex(c.Name, "/")+1:]
	for _, tt := range []struct {
		status, sub string
		want        desk.State
	}{
		{"", "", desk.New}, {"", "Inbound message received", desk.InProgress}, {"", "Waiting for customer", desk.ActionRequired},
		{"", "Outbound message sent", desk.ActionRequired}, {"", "Solution Provided", desk.Solved}, {"", "Awaiting moonrise", desk.InProgress},
		{"Closed", "Solution Provided", desk.Closed},
	} {
		if err := b.sim.Reply(id, tt.status, tt.sub); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Case(t.Context(), c.Name); err != nil || got.State != tt.want {
			t.Errorf("%s, %s: %s, %v; want %s", tt.status, tt.sub, got.State, err, tt.want)
		}
	}
}

// Who said what: only a signed text is known to be ours.
func TestAuthors(t *testing.T) {
	b := newBench(t, simhub.Options{}, hub.Options{})
	c, err := b.Open(t.Context(), draft())
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"signed\n\n[" + marker + " attempt=1]", "by a person"} {
		if _, err := b.Comment(t.Context(), c.Name, body); err != nil {
			t.Fatal(err)
		}
	}
	said, err := b.Comments(t.Context(), c.Name)
	if err != nil || len(said) != 2 || said[0].Author != c.Creator || said[1].Author != (desk.Actor{}) || said[0].Name == said[1].Name {
		t.Errorf("%+v, %v", said, err)
	}
}

func TestCloseReasons(t *testing.T) {
	for reason, want := range map[string]fault.Kind{"": "", "duplicate": "", "Bored": fault.Invalid} {
		b := newBench(t, simhub.Options{}, hub.Options{CloseReason: reason})
		c, err := b.Open(t.Context(), draft())
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Close(t.Context(), c.Name)
		if fault.Of(err) != want || err == nil && got.State != desk.Closed {
			t.Errorf("%q: %+v, %v", reason, got, err)
		}
	}
}

// An escalation outlives the sub-status that says it, and the file that a hub adds by itself is one file.
func TestWhatStays(t *testing.T) {
	b := newBench(t, simhub.Options{Switches: simhub.Switches{UploadAttach: true}}, hub.Options{})
	c, err := b.Open(t.Context(), draft())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Escalate(t.Context(), c.Name, escalation); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Comment(t.Context(), c.Name, "hello"); err != nil {
		t.Fatal(err)
	}
	b.arm(t, "support.update", "status:400", 1)
	if _, err := b.Attach(t.Context(), c.Name, `C:\home\core.bin`, "", strings.NewReader("x")); err != nil {
		t.Errorf("attach: %v", err)
	}
	got, err := b.Case(t.Context(), c.Name)
	files, filesErr := b.Attachments(t.Context(), c.Name)
	if err != nil || !got.Escalated || filesErr != nil || len(files) != 1 || files[0].File != "core.bin" {
		t.Errorf("%+v, %v; %+v, %v", got, err, files, filesErr)
	}
}
