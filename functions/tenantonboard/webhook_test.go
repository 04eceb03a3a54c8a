package tenantonboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store"
)

// canary stands in every request that is refused; it must come back nowhere.
const canary = "c4n4ry-7f3a"

// caller asks TenantWebhook as somebody outside does.
type caller struct {
	*world
	serve http.HandlerFunc
	log   *bytes.Buffer
}

func (w *world) caller() *caller {
	log := &bytes.Buffer{}
	o := run.Options{Log: slog.New(slog.NewJSONHandler(log, nil)), MaxBody: 2 << 20}
	return &caller{w, run.HTTP("TenantWebhook", func(context.Context) (run.HTTPHandler, error) { return w.TenantWebhook, nil }, o), log}
}

// ask is one request, with what it has beside a body in headers.
type ask struct {
	method, path, body string
	header             map[string]string
}

func post(path, body string) ask {
	return ask{"POST", path, body, map[string]string{"Authorization": "Bearer a-token-of-the-test", "Content-Type": "application/json"}}
}

func get(path string) ask { a := post(path, ""); a.method = "GET"; return a }

// with returns the same with another header.
func (a ask) with(name, value string) ask {
	h := map[string]string{name: value}
	for k, v := range a.header {
		if k != name {
			h[k] = v
		}
	}
	a.header = h
	return a
}

func (c *caller) ask(a ask) *httptest.ResponseRecorder {
	c.Helper()
	r := httptest.NewRequest(a.method, a.path, strings.NewReader(a.body))
	r.Header.Set("X-Canary", canary)
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	c.serve(rec, r)
	return rec
}

// answered asks and reads the answer, which must have a status.
func answered[T any](c *caller, a ask, status int) (into T) {
	c.Helper()
	rec := c.ask(a)
	if rec.Code != status {
		c.Fatalf("%s %s: %d %s\n%s", a.method, a.path, rec.Code, rec.Body, c.log)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &into); err != nil {
		c.Fatalf("%s %s: %v in %s", a.method, a.path, err, rec.Body)
	}
	return into
}

// wanting is the body that wants tenants.
func wanting(t testing.TB, tenants ...Tenant) string {
	t.Helper()
	b, err := json.Marshal(Request{Tenants: tenants})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// named is a small tenant.
func named(key string) Tenant {
	t := acme()
	t.Key, t.Google = key, nil
	t.Organization.DisplayName, t.Organization.Domain = strings.ToUpper(key), key+".example"
	t.Users = t.Users[:1]
	return t
}

func TestRefusedCalls(t *testing.T) {
	good := post("/plan", wanting(t, named("acme")))
	for _, tt := range []struct {
		name     string
		ask      ask
		status   int
		sentence string
		header   string // that must be there
	}{
		{"no credential", good.with("Authorization", ""), 401, "", "Www-Authenticate"},
		{"a wrong credential", good.with("Authorization", "Bearer "+canary), 401, "", "Www-Authenticate"},
		{"the credential is looked at before the address", post("/"+canary, "").with("Authorization", "Bearer x"), 401, "", ""},
		{"an unknown address", post("/"+canary, ""), 404, "there is nothing here", ""},
		{"no address", get("/"), 404, "there is nothing here", ""},
		{"too long an address", post("/tenants/acme/retry/"+canary, ""), 404, "there is nothing here", ""},
		{"an address with a key that cannot be one", get("/tenants/" + strings.ToUpper(canary)), 404, "no tenant has such a key", ""},
		{"a wrong method", get("/plan"), 405, "this address takes POST only", "Allow"},
		{"another wrong method", ask{"DELETE", "/tenants", "", good.header}, 405, "this address takes GET, POST only", "Allow"},
		{"a wrong type", good.with("Content-Type", "text/"+canary), 415, "the body is neither YAML, JSON nor CSV", ""},
		{"a large body", post("/plan", strings.Repeat(canary, 1<<20/10)), 413, "the body is larger", ""},
		{"a name that is none", good.with(headerBy, canary+"\x01"), 400, "must be 1 to 100 printable", ""},
		{"no tenant", get("/tenants/" + canary), 404, "no tenant has such a key", ""},
		{"no tenant to retry", post("/tenants/"+canary+"/retry", ""), 404, "no tenant has such a key", ""},
		{"no tenant to offboard", post("/tenants/"+canary+"/offboard", ""), 404, "no tenant has such a key", ""},
		{"an unknown status", get("/tenants?status=" + canary), 400, "status must be one", ""},
		{"a page that is none", get("/tenants?after=" + strings.ToUpper(canary)), 400, "after must be", ""},
		{"a plan that is none", post("/tenants", good.body).with(headerPlan, "acme="+canary), 400, "KEY=DIGEST", ""},
		{"a plan of another tenant", post("/tenants", good.body).with(headerPlan, canary+"=0123456789abcdef"), 400, "does not hold", ""},
		{"two plans of one tenant", post("/tenants?plan=acme=0123456789abcde0", good.body).with(headerPlan, "acme=0123456789abcdef"), 400, "two plans", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newWorld(t, setup{}).caller()
				rec := c.ask(tt.ask)
				var p struct {
					Status int
					Detail string
				}
				if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Header().Get("Content-Type") != "application/problem+json" {
					t.Fatalf("no problem: %v %s", err, rec.Body)
				}
				if rec.Code != tt.status || p.Status != tt.status || !strings.Contains(p.Detail, tt.sentence) {
					t.Errorf("%d %q", rec.Code, p.Detail)
				}
				if tt.header != "" && rec.Header().Get(tt.header) == "" {
					t.Errorf("no %s in %v", tt.header, rec.Header())
				}
				c.untouched()
				if all := rec.Body.String() + c.log.String(); strings.Contains(strings.ToLower(all), canary) || strings.Contains(all, "a-token-of-the-test") {
					t.Errorf("what came in comes out:\n%s", all)
				}
			})
		})
	}
}

// untouched sees that nothing was stored, published, or asked of the hub that could change anything.
func (c *caller) untouched() {
	c.Helper()
	docs, err := c.db.Query(c.Context(), store.Query{Collection: tenantsIn, Limit: 10})
	c.must(err)
	if n := len(c.bus.Take(TopicOnboarding)); n != 0 || len(docs) != 0 {
		c.Errorf("%d messages, %d tenants", n, len(docs))
	}
	calls, _ := c.hub.Calls()
	for _, call := range calls {
		if call.Method != http.MethodGet && !strings.HasSuffix(call.Path, "/accesstoken") {
			c.Errorf("the hub was called: %s %s", call.Method, call.Path)
		}
	}
}

// TestProblemsAnswer: all problems at once, with lines, in three forms, and nothing of what was sent.
func TestProblemsAnswer(t *testing.T) {
	type answer struct {
		Status   int
		Problems []struct {
			Line         int
			Key, Message string
		}
	}
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, setup{}).caller()
		for file, body := range requestFiles(t, "broken") {
			for _, path := range []string{"/plan", "/tenants"} {
				a := answered[answer](c, post(path, string(body)).with("Content-Type", mediaOf(file)), 400)
				if a.Status != 400 || len(a.Problems) == 0 || a.Problems[0].Line == 0 || a.Problems[0].Message == "" {
					t.Errorf("%s: %+v", file, a)
				}
			}
		}
		c.untouched()
		if strings.Contains(c.log.String(), "c4n4ry") {
			t.Error("what came in comes out")
		}
	})
}

// TestFromPlanToReady is a tenant's way as its requester sees it.
func TestFromPlanToReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, setup{}).caller()
		body := wanting(t, acme())

		plans := answered[[]planned](c, post("/TenantWebhook/plan", body), 200)
		if len(plans) != 1 || plans[0].Tenant != "acme" || plans[0].Status != Fresh || len(plans[0].Plan.Steps) == 0 {
			t.Fatalf("%+v", plans)
		}
		c.untouched()

		first := answered[[]applied](c, post("/tenants", body), 409)
		if len(first) != 1 || first[0].Status != 409 || first[0].Plan == nil || first[0].Plan.Digest != plans[0].Plan.Digest || !strings.Contains(first[0].Detail, headerPlan) {
			t.Fatalf("without a plan: %+v", first)
		}
		c.untouched()

		accept := post("/tenants", body).with(headerPlan, "acme="+plans[0].Plan.Digest).with(headerBy, "Anna, ticket 7")
		for _, a := range []ask{accept, accept, post("/tenants?plan=acme%3D"+plans[0].Plan.Digest, body)} { // the repeats do no harm
			if got := answered[[]applied](c, a, 202); len(got) != 1 || got[0] != (applied{Tenant: "acme", Status: 202}) {
				t.Fatalf("%+v", got)
			}
			msgs := c.bus.Take(TopicOnboarding)
			if len(msgs) != 1 || string(msgs[0].Data) != `{"tenant":"acme"}` {
				t.Fatalf("%d messages", len(msgs))
			}
		}
		busy := answered[struct{ Detail string }](c, post("/tenants/acme/retry", ""), 409)
		if !strings.Contains(busy.Detail, "under way") {
			t.Errorf("%+v", busy)
		}
		other := acme()
		other.Prune = true
		if got := answered[[]applied](c, post("/tenants?plan=acme="+plans[0].Plan.Digest, wanting(t, other)), 409); got[0].Plan != nil || got[0].Detail == "" {
			t.Errorf("another wish while the run is under way: %+v", got)
		}

		c.deliver("acme")
		s := c.settle("acme")
		v := answered[view](c, get("/tenants/acme?drift=1&audit=1"), 200)
		if v.Status != s.Status || v.Run != 1 || v.By != "Anna, ticket 7" || v.Organization == "" || v.Plan.Digest != plans[0].Plan.Digest || len(v.Work) == 0 {
			t.Errorf("%+v", v)
		}
		if v.Drift == nil || len(v.Drift.Steps) != 0 || len(v.Audit) < 3 || v.Audit[0].By != "Anna, ticket 7" {
			t.Errorf("drift %+v, audit %+v", v.Drift, v.Audit)
		}
		if len(v.People) != 3 || v.People[0].Standing != joined || v.People[1].Standing != invited || v.People[1].Invitation == nil {
			t.Errorf("people %+v", v.People)
		}
		plain := answered[map[string]any](c, get("/tenants/acme"), 200)
		if plain["drift"] != nil || plain["audit"] != nil {
			t.Errorf("drift and audit without being asked for: %v", plain)
		}
	})
}

// TestStaleAmongOthers: a plan that has changed meanwhile stops its tenant and no other.
func TestStaleAmongOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, setup{}).caller()
		body := wanting(t, named("aa"), named("bb"), named("cc"))
		var words []string
		for _, p := range answered[[]planned](c, post("/plan", body), 200) {
			words = append(words, p.Tenant+"="+p.Plan.Digest)
		}
		words[1] = "bb=0123456789abcdef"
		got := answered[[]applied](c, post("/tenants", body).with(headerPlan, strings.Join(words, ", ")), 202)
		if len(got) != 3 || got[0].Status != 202 || got[1].Status != 409 || got[1].Plan == nil || got[1].Plan.Tenant != "bb" || got[2].Status != 202 {
			t.Fatalf("%+v", got)
		}
		if n := len(c.bus.Take(TopicOnboarding)); n != 2 {
			t.Errorf("%d messages", n)
		}
		list := answered[page](c, get("/tenants?status=NEW"), 200)
		if len(list.Tenants) != 2 || list.Tenants[0].Tenant != "aa" || list.Tenants[1].Tenant != "cc" || list.After != "" {
			t.Errorf("%+v", list)
		}
		if list := answered[page](c, get("/tenants?status=READY"), 200); len(list.Tenants) != 0 {
			t.Errorf("%+v", list)
		}
	})
}

// TestWhenRemotesFail: what may heal is 503 with a time to come again, and coming again does no harm; what an operator must mend is not the
// caller's fault.
func TestWhenRemotesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, setup{}).caller()
		body := wanting(t, named("acme"))
		plan := answered[[]planned](c, post("/plan", body), 200)[0].Plan
		accept := post("/tenants", body).with(headerPlan, "acme="+plan.Digest)

		c.arm("tenants.list", "status:503", 4) // one more than a read is repeated
		if rec := c.ask(post("/plan", body)); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
			t.Errorf("the hub is down: %d %s", rec.Code, rec.Body)
		}
		c.arm("tenants.list", "status:403", 1)
		if rec := c.ask(post("/plan", body)); rec.Code != 502 {
			t.Errorf("the hub refuses us: %d %s", rec.Code, rec.Body)
		}
		for _, down := range []error{fault.Wrap(fault.Transient, errors.New("down"), "publish"), fault.Wrap(fault.Denied, errors.New("denied"), "publish")} {
			c.bus.Down = down
			if rec := c.ask(accept); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
				t.Errorf("the bus is down: %d %s", rec.Code, rec.Body)
			}
		}
		c.bus.Down = nil
		answered[[]applied](c, accept, 202)
		if n := len(c.bus.Take(TopicOnboarding)); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

// TestRetryOverHTTP goes on after a failure.
func TestRetryOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, setup{}).caller()
		c.apply(named("acme"), Onboarding)
		c.arm("tenants.create", "status:400", 1)
		c.deliver("acme")
		if s := c.settle("acme"); s.Status != Failed {
			t.Fatalf("%s", s.Status)
		}
		v := answered[view](c, get("/tenants/acme"), 200)
		if v.Status != Failed || v.listed.Waiting == "" || v.Failed != StageOrganization || v.People[0].Standing != open {
			t.Errorf("%+v", v)
		}
		if got := answered[applied](c, post("/tenants/acme/retry", ""), 202); !got.accepted() || got.Tenant != "acme" {
			t.Errorf("%+v", got)
		}
		if n := len(c.bus.Take(TopicOnboarding)); n != 1 {
			t.Errorf("%d messages", n)
		}
		c.deliver("acme")
		if s := c.settle("acme"); s.Status != Ready || s.Run != 2 || s.By != "TenantWebhook" {
			t.Errorf("%s in run %d by %s", s.Status, s.Run, s.By)
		}
	})
}

// TestOffboardOverHTTP shows the plan first.
func TestOffboardOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, setup{}).caller()
		c.onboard(acme())
		leave := post("/tenants/acme/offboard", "")
		first := answered[applied](c, leave, 409)
		if first.accepted() || first.Plan == nil || len(first.Plan.Steps) == 0 {
			t.Fatalf("%+v", first)
		}
		if n := len(c.bus.Take(TopicOnboarding)); n != 0 {
			t.Errorf("%d messages", n)
		}
		if got := answered[applied](c, leave.with(headerPlan, "acme="+first.Plan.Digest), 202); !got.accepted() {
			t.Errorf("%+v", got)
		}
		c.deliver("acme")
		if s := c.settle("acme"); s.Status != Offboarded {
			t.Errorf("%s: %s", s.Status, s.Waiting)
		}
	})
}

// TestPages: each tenant comes once.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, setup{}).caller()
		for n := range pageSize + 5 {
			s := &onboarding{V: 1, Wanted: named(fmt.Sprintf("t%03d", n)), Status: Ready}
			writes, err := s.writes(c.Now())
			c.must(err)
			_, err = c.db.Commit(c.Context(), writes...)
			c.must(err)
		}
		var keys []string
		for path := "/tenants?status=READY"; path != ""; {
			p := answered[page](c, get(path), 200)
			for _, x := range p.Tenants {
				keys = append(keys, x.Tenant)
			}
			if path = ""; p.After != "" {
				path = "/tenants?status=READY&after=" + p.After
			}
		}
		if len(keys) != pageSize+5 || !slices.IsSorted(keys) || len(slices.Compact(keys)) != pageSize+5 {
			t.Errorf("%d keys", len(keys))
		}
	})
}

// TestWithoutOnboarding: nobody is let in by a configuration that says nothing of it.
func TestWithoutOnboarding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		f, err := New(w.Context(), Deps{Config: &config.Config{}, DB: w.db, Publisher: w.bus})
		w.must(err)
		w.Function = f
		if rec := w.caller().ask(get("/tenants")); rec.Code != 404 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

func TestCallerNames(t *testing.T) {
	for _, tt := range []struct {
		header string
		auth   config.Auth
		want   string
	}{
		{"Anna", config.Auth{Basic: &config.Basic{Username: "ci"}}, "Anna"},
		{"", config.Auth{Basic: &config.Basic{Username: "ci"}}, "ci"},
		{"", config.Auth{OIDC: &config.OIDC{Email: "ci@example.com"}}, "ci@example.com"},
		{"", config.Auth{}, "TenantWebhook"},
		{strings.Repeat("x", 100), config.Auth{}, strings.Repeat("x", 100)},
		{strings.Repeat("x", 101), config.Auth{}, ""},
		{"Änna", config.Auth{}, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/plan", nil)
		r.Header.Set(headerBy, tt.header)
		if got, err := callerName(r, tt.auth); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: %q, %v", tt.header, got, err)
		}
	}
}
