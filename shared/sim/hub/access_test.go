package hub

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// endpoint is one of the 22 calls of the guide, with the roles of its section: PA, POA, PAA, PBU, PSU, TA, TU, TBU in this order.
type endpoint struct {
	number       int
	method, path string
	roles        string // a "1" for each role that may
	body         string
}

var endpoints = []endpoint{
	{1, "POST", "/api/auth/v1/authn/accesstoken", "11111111", `{"refreshToken":"{token}"}`},
	{2, "POST", orgs + "{org}/tenants", "11000000", tenantJSON},
	{3, "GET", orgs + "{org}", "11100000", ""},
	{4, "GET", orgs + "{org}/tenants", "11100000", ""},
	{5, "PUT", orgs + TenantCoke, "11100000", tenantJSON},
	{6, "GET", users + "{org}/users", "11100100", ""},
	{7, "POST", users + "{org}/add-users", "11100100", `{"orgRolesToAdd":["{role}"],"users":[{"username":"a@lorem.com"}]}`},
	{8, "GET", users + "{org}/invitations", "11100100", ""},
	{9, "DELETE", users + "{org}/invitations", "11100100", `{"emails":["a@b.com"]}`},
	{10, "POST", users + "{org}/invitations", "11100100", `{"emails":["a@b.com"]}`},
	{11, "PATCH", users + "{org}/users-org-roles", "11100100", `{"users":[{"username":"a@b.com"}],"roleNamesToAdd":["{role}"],"roleNamesToRemove":[]}`},
	{12, "PATCH", users + "{org}/users-org-roles", "11100100", `{"users":[{"username":"a@b.com"}],"roleNamesToAdd":[],"roleNamesToRemove":["{role}"]}`},
	{13, "GET", bills + "{org}/usage-report", "10010100", ""},
	{14, "GET", bills + "{org}/usage-report/file", "10010101", ""},
	{15, "GET", bills + "{org}/subscriptions", "11010000", ""},
	{16, "GET", tickets + "{org}/support-requests/metadata", "10001100", ""},
	{17, "POST", tickets + "{org}/support-requests", "10001100", ticketJSON("{org}", "t")},
	{18, "POST", tickets + "{org}/support-requests/{request}/upload", "10001100", formBody},
	{19, "GET", tickets + "{org}/support-requests", "10001100", ""},
	{20, "GET", tickets + "{org}/support-requests/{request}", "10001100", ""},
	{21, "PATCH", tickets + "{org}/support-requests/{request}", "10001100", `{"additionalDetails":"d"}`},
	{22, "GET", tickets + "{org}/support-requests/close-reasons", "10001100", ""},
}

// Who may do what: 22 calls by 8 roles.
func TestRoles(t *testing.T) {
	all := append(slices.Clone(providerRoles), tenantRoles...)
	for _, e := range endpoints {
		for i, role := range all {
			t.Run(fmt.Sprintf("%d %s", e.number, role), func(t *testing.T) {
				w := newWorld(t, Options{})
				org, admin := Provider, ProviderAdmin
				if i >= len(providerRoles) {
					org, admin = TenantCoke, TenantAdmin
				}
				a := w.fine(w.as(w.access(org, admin), "POST", tickets+org+"/support-requests", ticketJSON(org, "t")))
				request := a.header.Get("Location")
				request = request[strings.LastIndexByte(request, '/')+1:]
				harmless := rolesOf(typeTenant)[1]
				if org == Provider {
					harmless = ProviderSupportUser
				}
				fill := strings.NewReplacer("{org}", org, "{request}", request, "{role}", harmless, "{token}", w.TokenFor(org, role))
				kind := "application/json"
				if e.number == 18 {
					kind = formType
				}
				h := []string{"csp-auth-token", w.access(org, role)}
				if e.body != "" {
					h = append(h, "Content-Type", kind)
				}
				a = w.raw(e.method, fill.Replace(e.path), fill.Replace(e.body), h...)
				if e.roles[i] == '1' {
					w.fine(a)
					return
				}
				refused(t, "the wrong role", a, 403, "")
			})
		}
	}
}

// An access token is a JWT that is good for half an hour by the server's clock, and for nothing else.
func TestAccessToken(t *testing.T) {
	w := newWorld(t, Options{})
	access := w.access(Provider, ProviderAdmin)
	parts := strings.Split(access, ".")
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	check(t, err)
	var c claims
	check(t, json.Unmarshal(data, &c))
	if len(parts) != 3 || c.Expires != w.clock.at.Add(30*time.Minute).Unix() || c.Org != Provider || strings.Contains(string(data), "@") {
		t.Errorf("claims %s", data)
	}
	path := orgs + Provider
	w.fine(w.as(access, "GET", path, ""))
	w.control("POST", "/clock", `{"advance":"29m59s"}`)
	w.fine(w.as(access, "GET", path, ""))
	w.control("POST", "/clock", `{"advance":"1s"}`)
	refused(t, "expired", w.as(access, "GET", path, ""), 401, "")

	fresh := w.access(Provider, ProviderAdmin)
	other := open(t, Options{Seed: 7, Now: w.clock.now})
	foreign := world{t, other, w.clock}.access(Provider, ProviderAdmin)
	for what, bad := range map[string]string{
		"nothing": "", "no JWT": "x", "the API token itself": w.TokenFor(Provider, ProviderAdmin), "signed by another": foreign,
		"changed": fresh[:len(fresh)-2] + "xx", "no signature": strings.Join(strings.Split(fresh, ".")[:2], ".") + ".", "long": fresh + strings.Repeat("a", 5000),
	} {
		refused(t, what, w.as(bad, "GET", path, ""), 401, "")
	}
	refused(t, "Authorization", w.raw("GET", path, "", "Authorization", "Bearer "+fresh), 401, "")
}

func TestExchange(t *testing.T) {
	w := newWorld(t, Options{})
	exchange := func(body, kind string) answered {
		return w.raw("POST", "/api/auth/v1/authn/accesstoken", body, "Content-Type", kind)
	}
	refused(t, "unknown token", exchange(`{"refreshToken":"x"}`, "application/json"), 401, "")
	refused(t, "empty token", exchange(`{"refreshToken":""}`, "application/json"), 400, "refreshToken")
	refused(t, "no token", exchange(`{}`, "application/json"), 400, "refreshToken")
	refused(t, "a number", exchange(`{"refreshToken":1}`, "application/json"), 400, "refreshToken")
	refused(t, "a form", exchange(`refreshToken=x`, "application/x-www-form-urlencoded"), 415, "")
	w.control("POST", "/switches", `{"badToken":"400"}`)
	refused(t, "unknown token", exchange(`{"refreshToken":"x"}`, "application/json"), 400, "")
}

// A token is good in its own organization. A provider's manages its tenants, and reaches into them with the switch only.
func TestScope(t *testing.T) {
	w := newWorld(t, Options{})
	provider, coke := w.access(Provider, ProviderAdmin), w.access(TenantCoke, TenantAdmin)
	w.fine(w.as(provider, "GET", orgs+TenantCoke, ""))
	refused(t, "users of a tenant", w.as(provider, "GET", users+TenantCoke+"/users", ""), 403, "")
	refused(t, "another tenant", w.as(coke, "GET", users+TenantLorem+"/users", ""), 403, "")
	refused(t, "usage of another tenant", w.as(coke, "GET", bills+TenantCoke+"/usage-report?tenantId="+TenantLorem, ""), 403, "tenantId")
	refused(t, "usage of nobody", w.as(provider, "GET", bills+Provider+"/usage-report?tenantId=nobody", ""), 403, "tenantId")
	refused(t, "no organization", w.as(provider, "GET", users+"nobody/users", ""), 404, "")
	w.control("POST", "/switches", `{"tokenScope":"tenants"}`)
	w.fine(w.as(provider, "GET", users+TenantCoke+"/users", ""))
	refused(t, "upwards", w.as(coke, "GET", users+Provider+"/users", ""), 403, "")
}

// A new tenant has neither token nor service; both are made by people.
func TestNewTenant(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.must("POST", orgs+Provider+"/tenants", tenantJSON).object(t)["id"].(string)
	if n := w.TokenFor(id, TenantAdmin); n != "" {
		t.Error("a token for a new tenant")
	}
	made := w.control("POST", "/tokens", `{"orgId":"`+id+`","username":"a@new.example","roles":["msp:tenant_admin"]}`).object(t)
	exchange := func() answered {
		return w.raw("POST", "/api/auth/v1/authn/accesstoken", `{"refreshToken":"`+made["token"].(string)+`"}`, "Content-Type", "application/json")
	}
	refused(t, "without a service", exchange(), 403, "")
	refused(t, "its usage", w.send("GET", bills+Provider+"/usage-report?tenantId="+id, ""), 403, "")
	w.control("POST", "/switches", `{"noService":"404"}`)
	refused(t, "without a service", exchange(), 404, "")
	if n := len(w.must("GET", bills+Provider+"/usage-report", "").array(t)); n != 2 {
		t.Errorf("%d tenants have usage, want 2", n)
	}
	w.control("POST", "/services", `{"orgId":"`+id+`"}`)
	w.fine(exchange())
	if n := len(w.must("GET", bills+Provider+"/usage-report", "").array(t)); n != 3 {
		t.Errorf("%d tenants have usage, want 3", n)
	}
	for _, body := range []string{`{"orgId":"x","roles":["msp:tenant_admin"]}`, `{"orgId":"` + id + `","roles":["msp:provider_admin"]}`, `{"orgId":"` + id + `"}`, `{"x":1}`} {
		if a := w.raw("POST", "/tokens", body); a.status < 400 {
			t.Errorf("%s: %d", body, a.status)
		}
	}
}
