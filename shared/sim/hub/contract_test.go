package hub

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Whatever breaks the guide's tables is refused, and the field is named.
func TestContract(t *testing.T) {
	w := newWorld(t, Options{})
	tenants := orgs + Provider + "/tenants"
	with := func(old, new string) string { return strings.Replace(tenantJSON, old, new, 1) }
	tests := []struct {
		what, method, path, body string
		field                    string
	}{
		{"unknown field", "POST", tenants, with(`"zip"`, `"zipCode"`), "zipCode"},
		{"missing field", "POST", tenants, with(`"zip":"1",`, ``), "zip"},
		{"a number", "POST", tenants, with(`"zip":"1"`, `"zip":1`), "zip"},
		{"null", "POST", tenants, with(`"zip":"1"`, `"zip":null`), "zip"},
		{"an object", "POST", tenants, with(`"zip":"1"`, `"zip":{"a":[1]}`), "zip"},
		{"blank", "POST", tenants, with(`"zip":"1"`, `"zip":" "`), "zip"},
		{"zero byte", "POST", tenants, with(`"zip":"1"`, `"zip":"1\u0000"`), "zip"},
		{"long", "POST", tenants, with(`"New Inc"`, `"`+strings.Repeat("é", 256)+`"`), "companyName"},
		{"twice", "POST", tenants, with(`"zip"`, `"city"`), "city"},
		{"other case", "POST", tenants, with(`"zip"`, `"ZIP"`), "ZIP"},
		{"tenantType", "POST", tenants, with("DEFAULT", "OTHER"), "tenantType"},
		{"country", "POST", tenants, with(`"US"`, `"usa"`), "country"},
		{"mail", "POST", tenants, with(`"adminUserEmail":""`, `"adminUserEmail":"x"`), "adminUserEmail"},
		{"emails", "DELETE", users + Provider + "/invitations", `{"emails":"a@b.com"}`, "emails"},
		{"no emails", "POST", users + Provider + "/invitations", `{"emails":[]}`, "emails"},
		{"unknown parameter", "GET", orgs + Provider + "?expand=all", "", "expand"},
		{"parameter twice", "GET", bills + Provider + "/usage-report?startTime=1&startTime=2", "", "startTime"},
		{"no truth", "GET", bills + Provider + "/usage-report?detailView=TRUE", "", "detailView"},
		{"parameter of another method", "GET", bills + Provider + "/usage-report?allTenants=true", "", "allTenants"},
		{"no JSON", "POST", tenants, `{"zip"`, ""},
		{"an array", "POST", tenants, `[]`, ""},
		{"two objects", "POST", tenants, tenantJSON + tenantJSON, ""},
		{"a comma too many", "POST", tenants, with(`"tag":"t1"}`, `"tag":"t1",}`), ""},
		{"a body for GET", "GET", tenants, `{}`, ""},
		{"a bad query", "GET", tenants + "?%zz", "", ""},
	}
	for _, tt := range tests {
		refused(t, tt.what, w.send(tt.method, tt.path, tt.body), 400, tt.field)
	}
	refused(t, "no type", w.raw("POST", tenants, tenantJSON, "csp-auth-token", w.access(Provider, ProviderAdmin)), 415, "")
	refused(t, "too large", w.send("POST", tenants, with("New Inc", strings.Repeat("x", maxBody))), 413, "")
	refused(t, "no such path", w.send("GET", "/api/core/v2", ""), 404, "")
	refused(t, "no such method", w.send("DELETE", tenants, ""), 405, "")
	if n := len(w.Organizations()); n != 3 {
		t.Errorf("%d organizations, want the seeded 3", n)
	}
}

// No answer repeats what was in a request, and all that is wrong is named at once.
func TestNoReflection(t *testing.T) {
	w := newWorld(t, Options{})
	const secret = "<script>s3cret</script>"
	body := strings.ReplaceAll(strings.ReplaceAll(tenantJSON, "DEFAULT", secret), "US", secret)
	a := w.send("POST", orgs+Provider+"/tenants?q="+"s3cret", body)
	if a.status != 400 || strings.Contains(a.body, "s3cret") {
		t.Errorf("%d %s", a.status, a.body)
	}
	a = w.send("POST", orgs+Provider+"/tenants", body)
	if got := fmt.Sprint(a.object(t)["parameterList"]); got != "[country tenantType]" || strings.Contains(a.body, "s3cret") {
		t.Errorf("%s", a.body)
	}
}

// Every method has an operation, every operation a method.
func TestRoutes(t *testing.T) {
	for _, r := range routes {
		if operations[r.Op] == nil || r.Section == "" {
			t.Errorf("%s %s", r.Op, r.Section)
		}
	}
	for op := range operations {
		if !slices.ContainsFunc(routes, func(r route) bool { return r.Op == op }) {
			t.Errorf("no route to %s", op)
		}
	}
	if len(routes) != 22 {
		t.Errorf("%d routes: the guide's 22, two of which are one, and PATCH add-users", len(routes))
	}
}
