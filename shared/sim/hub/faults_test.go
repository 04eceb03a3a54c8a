package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// What each fault does to a call: what the caller sees, and whether the tenant is there. In process and over a network alike.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault   string
		status  int // 0: the connection breaks
		tenants int
		later   int // after an hour
	}{
		{"status:503", 503, 0, 0},
		{"status:429", 429, 0, 0},
		{"drop", 0, 0, 0},
		{"commit_then_drop", 0, 1, 1},
		{"commit_then_status:500", 500, 1, 1},
		{"commit_then_status:409", 409, 1, 1},
		{"cut:5", 0, 1, 1},
		{"garbage", 200, 1, 1},
		{"late:10m", 504, 0, 1},
		{"late_drop:10m", 0, 0, 1},
		{"delay:0s", 201, 1, 1},
	}
	for _, tt := range tests {
		for _, way := range []string{"in process", "network"} {
			t.Run(tt.fault+" "+way, func(t *testing.T) {
				w := newWorld(t, Options{})
				client, base := &http.Client{Transport: w.Transport()}, "http://hub.test"
				if way == "network" {
					ts := httptest.NewServer(w.Server)
					defer ts.Close()
					client, base = ts.Client(), ts.URL
				}
				access := w.access(Provider, ProviderAdmin)
				call := func(path, body string) answered {
					r, err := http.NewRequest("POST", base+path, strings.NewReader(body))
					check(t, err)
					r.Header = http.Header{"Csp-Auth-Token": {access}, "Content-Type": {"application/json"}}
					return do(t, client, r)
				}
				if a := call("/faults", fmt.Sprintf(`{"op":"tenants.create","fault":%q,"times":1}`, tt.fault)); a.status != 200 {
					t.Fatal(a.body)
				}
				a := call(orgs+Provider+"/tenants", tenantJSON)
				if (a.err != nil) != (tt.status == 0) || a.err == nil && a.status != tt.status {
					t.Errorf("caller sees %d %v %s", a.status, a.err, a.body)
				}
				if tt.status == 429 && a.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				if tt.status >= 400 {
					refused(t, tt.fault, a, tt.status, "")
				}
				if n := len(w.Organizations()) - 3; n != tt.tenants {
					t.Errorf("%d tenants, want %d", n, tt.tenants)
				}
				w.clock.at = w.clock.at.Add(time.Hour)
				all := w.Organizations()
				if len(all)-3 != tt.later {
					t.Fatalf("%d tenants later, want %d", len(all)-3, tt.later)
				}
				access = w.access(Provider, ProviderAdmin)
				if a := call(orgs+Provider+"/tenants", tenantJSON); a.status != 201 {
					t.Errorf("the fault is used up: %d %s", a.status, a.body)
				}
			})
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

// In process a broken connection looks as on a network.
func TestDropErrors(t *testing.T) {
	w := newWorld(t, Options{})
	for fault, want := range map[string]error{"drop": syscall.ECONNRESET, "commit_then_drop": io.EOF, "cut:9": io.ErrUnexpectedEOF} {
		check(t, w.ArmFault("orgs.get", fault, 1))
		if a := w.send("GET", orgs+Provider, ""); !errors.Is(a.err, want) {
			t.Errorf("%s: %v", fault, a.err)
		}
	}
	check(t, w.ArmFault("usage.file", "cut:3000", 1))
	a := w.send("GET", bills+Provider+"/usage-report/file?"+october, "")
	if len(a.body) != 3000 || !errors.Is(a.err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes of a file, %v", len(a.body), a.err)
	}
}

func TestFaultsAreChecked(t *testing.T) {
	w := newWorld(t, Options{})
	for _, body := range []string{
		``, `[]`, `{"op":"tenants.make","fault":"drop"}`, `{"op":"users.add","fault":"explode"}`, `{"op":"users.add","fault":"drop","times":-1}`,
		`{"op":"users.add","fault":"status:200"}`, `{"op":"users.add","fault":"status:abc"}`, `{"op":"users.add","fault":"delay:soon"}`,
		`{"op":"users.add","fault":"late:-1s"}`, `{"op":"users.add","fault":"search_lag:1m"}`, `{"op":"users.add","fault":"drop:1"}`, `{"op":"users.add","fault":"cut:0"}`,
		`{"op":"users.add","fault":"drop","extra":1}`, `{"fault":"drop"}`, strings.Repeat(" ", maxControl+1) + `{}`,
	} {
		refused(t, body[:min(len(body), 60)], w.raw("POST", "/faults", body), 400, "")
	}
	for _, a := range []answered{w.raw("PATCH", "/faults", ""), w.raw("GET", "/services", ""), w.raw("GET", "/", ""), w.raw("POST", "/none", "{}"), w.raw("PUT", "/clock", ""), w.raw("PUT", "/tokens", ""), w.raw("PUT", "/switches", ""), w.raw("GET", "/files/x", "")} {
		refused(t, "no such control", a, 404, "")
	}
	if list := w.control("GET", "/faults", "").object(t)["faults"].([]any); len(list) != 0 {
		t.Errorf("armed %v", list)
	}
}

// Faults are met in the order they were armed, as often as they say, by their own op only.
func TestFaultsQueue(t *testing.T) {
	w := newWorld(t, Options{})
	access := w.access(Provider, ProviderAdmin)
	check(t, w.ArmFault("orgs.get", "status:500", 2))
	check(t, w.ArmFault("*", "status:502", 1))
	check(t, w.ArmFault("orgs.get", "status:503", 9))
	var got []int
	for _, path := range []string{orgs + Provider, orgs + Provider, orgs + Provider + "/tenants", orgs + Provider + "/tenants", orgs + Provider} {
		got = append(got, w.as(access, "GET", path, "").status)
	}
	if fmt.Sprint(got) != "[500 500 502 200 503]" {
		t.Errorf("%v", got)
	}
	w.control("DELETE", "/faults", "")
	w.fine(w.as(access, "GET", orgs+Provider, ""))
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

// A delay passes in virtual time; a caller that does not wait for it is not spared the effect.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Now: time.Now, Latency: 20 * time.Millisecond})
		begin := time.Now()
		access := w.access(Provider, ProviderAdmin)
		w.fine(w.as(access, "GET", orgs+Provider, ""))
		if took := time.Since(begin); took != 40*time.Millisecond {
			t.Errorf("two calls took %v", took)
		}
		check(t, w.ArmFault("tenants.create", "delay:10s", 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "POST", "http://hub.test"+orgs+Provider+"/tenants", strings.NewReader(tenantJSON))
		check(t, err)
		r.Header = http.Header{"Csp-Auth-Token": {access}, "Content-Type": {"application/json"}}
		if _, err := w.Transport().RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if n := len(w.Organizations()); n != 3 {
			t.Errorf("%d organizations", n)
		}
		time.Sleep(9 * time.Second)
		if n := len(w.Organizations()); n != 4 {
			t.Errorf("%d organizations", n)
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
	for range maxCalls {
		w.calls.add(Call{Op: "x"})
	}
	if log, counts := w.Calls(); len(log) != maxCalls || counts["x"] != maxCalls || counts["authn.accesstoken"] != 4 {
		t.Errorf("%d calls %v", len(log), counts)
	}
}
