package hub

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a fault leaves of a call that would have made a tenant: what the caller sees, and whether the tenant is there.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		fault   string
		status  int // 0: the connection breaks
		tenants int
	}{
		{"status:503", 503, 0},
		{"status:429", 429, 0},
		{"commit_then_drop", 0, 1},
		{"commit_then_status:409", 409, 1},
		{"garbage", 200, 1},
		{"late:10m", 504, 0},
	} {
		w := newWorld(t, Options{})
		w.control("POST", "/faults", fmt.Sprintf(`{"op":"tenants.create","fault":%q}`, tt.fault))
		a := w.send("POST", orgs+Provider+"/tenants", tenantJSON)
		if (a.err != nil) != (tt.status == 0) || a.err == nil && a.status != tt.status {
			t.Errorf("%s: caller sees %d %v %s", tt.fault, a.status, a.err, a.body)
		}
		if tt.status >= 400 {
			refused(t, tt.fault, a, tt.status, "")
		}
		if tt.status == 429 && a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if n := len(w.Organizations()) - 3; n != tt.tenants {
			t.Errorf("%s: %d tenants, want %d", tt.fault, n, tt.tenants)
		}
	}
}

// A late request is executed as of its own time, although its access token has expired since: it was received before that.
func TestLateIsAsOfItsTime(t *testing.T) {
	w := newWorld(t, Options{})
	check(t, w.ArmFault("tenants.create", "late:10m", 1))
	w.send("POST", orgs+Provider+"/tenants", tenantJSON)
	w.clock.at = w.clock.at.Add(3 * time.Hour)
	all := w.Organizations()
	if len(all) != 4 || !all[3].Created.Equal(w.clock.at.Add(-170*time.Minute)) {
		t.Errorf("%+v", all)
	}
}

// What is wrong with a control is said in the API's own shape.
func TestFaultsAreChecked(t *testing.T) {
	w := newWorld(t, Options{})
	for body, field := range map[string]string{
		``: "", `{"op":"tenants.make","fault":"drop"}`: "op", `{"op":"users.add","fault":"explode"}`: "fault", `{"op":"users.add","fault":"search_lag:1m"}`: "fault",
	} {
		refused(t, body, w.raw("POST", "/faults", body), 400, field)
	}
	for _, a := range []answered{w.raw("PATCH", "/faults", ""), w.raw("GET", "/services", ""), w.raw("GET", "/", ""), w.raw("POST", "/none", "{}"), w.raw("PUT", "/clock", ""), w.raw("PUT", "/tokens", ""), w.raw("PUT", "/switches", ""), w.raw("GET", "/files/x", "")} {
		refused(t, "no such control", a, 404, "")
	}
}

// A list that lags does not show what was made lately.
func TestSearchLag(t *testing.T) {
	w := newWorld(t, Options{})
	paths := map[string]string{
		"tenants.list": orgs + Provider + "/tenants", "users.list": users + Provider + "/users",
		"invitations.list": users + Provider + "/invitations", "support.list": tickets + Provider + "/support-requests",
	}
	count := func(op string) int { return strings.Count(w.must("GET", paths[op], "").body, "{") }
	before, after := map[string]int{}, map[string]int{}
	for op := range paths {
		before[op] = count(op)
	}
	w.clock.at = w.clock.at.Add(time.Minute)
	w.must("POST", orgs+Provider+"/tenants", tenantJSON)
	w.must("POST", users+Provider+"/add-users", `{"orgRolesToAdd":["msp:provider_admin"],"users":[{"username":"a@lorem.com"},{"username":"a@b.com"}]}`)
	w.ticket("t")
	for op := range paths {
		after[op] = count(op)
	}
	check(t, w.ArmFault("*", "search_lag:30s", 0))
	for op := range paths {
		if n := count(op); n != before[op] || after[op] <= n {
			t.Errorf("%s: %d, before %d, after %d", op, n, before[op], after[op])
		}
	}
	w.clock.at = w.clock.at.Add(30 * time.Second)
	for op := range paths {
		if n := count(op); n != after[op] {
			t.Errorf("%s: %d after the lag, want %d", op, n, after[op])
		}
	}
}

// Every call takes its time, in virtual time.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Now: time.Now, Latency: 20 * time.Millisecond})
		begin := time.Now()
		access := w.access(Provider, ProviderAdmin)
		w.fine(w.as(access, "GET", orgs+Provider, ""))
		if took := time.Since(begin); took != 40*time.Millisecond {
			t.Errorf("two calls took %v", took)
		}
	})
}

// More calls in a second than the limit are refused, and told when to come again.
func TestRateLimit(t *testing.T) {
	w := newWorld(t, Options{})
	access := w.access(Provider, ProviderAdmin)
	w.clock.at = w.clock.at.Add(time.Second)
	w.control("POST", "/switches", `{"rateLimit":3}`)
	for i := range 5 {
		a := w.as(access, "GET", orgs+Provider, "")
		if i < 3 {
			w.fine(a)
			continue
		}
		refused(t, "too many", a, 429, "")
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("%v", a.header)
		}
	}
	w.clock.at = w.clock.at.Add(time.Second)
	w.fine(w.as(access, "GET", orgs+Provider, ""))
}

func TestRequireTLS(t *testing.T) {
	w := newWorld(t, Options{Switches: Switches{RequireTLS: true}})
	body := `{"refreshToken":"` + w.TokenFor(Provider, ProviderAdmin) + `"}`
	refused(t, "plain", w.raw("POST", "/api/auth/v1/authn/accesstoken", body, "Content-Type", "application/json"), 403, "")
	ts := httptest.NewTLSServer(w.Server)
	defer ts.Close()
	r, err := http.NewRequest("POST", ts.URL+"/api/auth/v1/authn/accesstoken", strings.NewReader(body))
	check(t, err)
	r.Header.Set("Content-Type", "application/json")
	w.fine(do(t, ts.Client(), r))
}

// /calls tells what came, with marker, fault and reason, and counts everything.
func TestCalls(t *testing.T) {
	w := newWorld(t, Options{})
	const marker = "REF0123456789abcdefghij"
	check(t, w.ArmFault("support.create", "commit_then_drop", 1))
	w.send("POST", tickets+Provider+"/support-requests", ticketJSON(Provider, marker))
	w.send("GET", tickets+Provider+"/support-requests?subject="+marker, "")
	w.send("GET", "/api/none", "")
	w.send("PUT", orgs+Provider, "{}")
	log, counts := w.Calls()
	if len(log) != 8 || counts["authn.accesstoken"] != 4 || counts["unknown"] != 1 {
		t.Fatalf("%v %v", counts, log)
	}
	create, list, put := log[1], log[3], log[7]
	if create.Marker != marker || create.Fault != "commit_then_drop" || create.Status != 0 || list.Marker != marker || put.Status != 400 || put.Reason == "" {
		t.Errorf("%+v\n%+v\n%+v", create, list, put)
	}
	all := w.control("GET", "/calls", "").body
	if token := w.TokenFor(Provider, providerRoles...); strings.Contains(all, token) {
		t.Error("a token is in the calls")
	}
}
