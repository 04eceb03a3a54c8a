package hub

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func (w world) member(org, name string) (Member, bool) {
	all := w.Members(org)
	i := slices.IndexFunc(all, func(m Member) bool { return m.Username == name })
	if i < 0 {
		return Member{}, false
	}
	return all[i], true
}

func TestAddUsers(t *testing.T) {
	w := newWorld(t, Options{})
	path := users + Provider + "/add-users"
	a := w.must("POST", path, `{"orgRolesToAdd":["msp:provider_support_user","msp:provider_billing_user"],"users":[{"username":"a@lorem.com","idpId":"x"},
		{"username":"new@elsewhere.com"},{"username":"b@refused.example"},{"username":"nonsense@.com"},{"username":"A@LOREM.com"}],
		"serviceRolesItems":[{"serviceId":"s1","roleNamesToAdd":["r1"]}]}`)
	added := a.object(t)["addedUsers"].(map[string]any)
	invited := a.object(t)["invitedUsers"].(map[string]any)
	if a.status != 207 || fmt.Sprint(added["users"], added["failedUsers"], added["status"]) != "[a@lorem.com] [b@refused.example nonsense@.com]PARTIAL_SUCCESS" || fmt.Sprint(invited["users"]) != "[new@elsewhere.com]" {
		t.Errorf("%d %s", a.status, a.body)
	}
	m, ok := w.member(Provider, "a@lorem.com")
	if _, there := w.member(Provider, "new@elsewhere.com"); there || !ok || len(m.Roles) != 2 || m.Services["s1"][0] != "r1" {
		t.Errorf("member %+v", m)
	}
	// Again, with another role: what is held stays.
	a = w.must("POST", path, `{"orgRolesToAdd":["msp:provider_admin"],"users":[{"username":"a@lorem.com"}],"serviceRolesItems":[{"serviceId":"s1","roleNamesToAdd":["r2"]},{"serviceId":"s2","roleNamesToAdd":[]}]}`)
	m, _ = w.member(Provider, "a@lorem.com")
	if a.status != 202 || len(m.Roles) != 3 || len(m.Services["s1"]) != 2 || len(m.Services) != 2 {
		t.Errorf("%d %+v", a.status, m)
	}
	w.control("POST", "/switches", `{"duplicateUser":"fail","confirm":"200"}`)
	a = w.must("POST", path, `{"orgRolesToAdd":["msp:provider_admin"],"users":[{"username":"a@lorem.com"}]}`)
	if a.status != 200 || a.object(t)["addedUsers"].(map[string]any)["status"] != "FAILED" {
		t.Errorf("%d %s", a.status, a.body)
	}
	w.control("POST", "/switches", `{"invitedAsAdded":true}`)
	a = w.must("POST", path, `{"orgRolesToAdd":["msp:provider_admin"],"users":[{"username":"third@elsewhere.com"}]}`)
	if o := a.object(t); o["invitedUsers"] != nil || fmt.Sprint(o["addedUsers"].(map[string]any)["users"]) != "[third@elsewhere.com]" {
		t.Errorf("%s", a.body)
	}
}

func TestAddUsersRefused(t *testing.T) {
	w := newWorld(t, Options{})
	path := users + Provider + "/add-users"
	for body, field := range map[string]string{
		`{"orgRolesToAdd":["msp:provider_account_admin"],"users":[{"username":"a@b.com"}]}`:                                                      "orgRoleBindingOrgs",
		`{"orgRolesToAdd":["msp:provider_account_admin"],"orgRoleBindingOrgs":["x"],"users":[{"username":"a@b.com"}]}`:                           "orgRoleBindingOrgs",
		`{"orgRolesToAdd":["msp:tenant_admin"],"users":[{"username":"a@b.com"}]}`:                                                                "orgRolesToAdd",
		`{"orgRolesToAdd":["admin"],"users":[{"username":"a@b.com"}]}`:                                                                           "orgRolesToAdd",
		`{"orgRolesToAdd":[],"users":[{"username":"a@b.com"}]}`:                                                                                  "orgRolesToAdd",
		`{"orgRolesToAdd":["msp:provider_admin"],"users":[]}`:                                                                                    "users",
		`{"orgRolesToAdd":["msp:provider_admin"],"users":[{"username":"a@b.com","mail":"x"}]}`:                                                   "users.mail",
		`{"orgRolesToAdd":["msp:provider_admin"],"users":[{"idpId":"x"}]}`:                                                                       "users.username",
		`{"orgRolesToAdd":["msp:provider_admin"],"users":["a@b.com"]}`:                                                                           "users",
		`{"orgRolesToAdd":["msp:provider_admin"],"users":[` + strings.Repeat(`{"username":"a@b.com"},`, 100) + `{"username":"c@d.com"}]}`:        "users",
		`{"orgRolesToAdd":["msp:provider_admin"],"users":[{"username":"a@b.com"}],"serviceRolesItems":[{"roleNamesToAdd":[]}]}`:                  "serviceRolesItems.serviceId",
		`{"orgRolesToAdd":["msp:provider_admin"],"users":[{"username":"a@b.com"}],"serviceRolesItems":[{"serviceId":"a","roleNamesToAdd":[1]}]}`: "serviceRolesItems.roleNamesToAdd",
	} {
		refused(t, body[:min(len(body), 90)], w.send("POST", path, body), 400, field)
	}
	refused(t, "PATCH", w.send("PATCH", path, `{}`), 405, "")
	if n := len(w.Members(Provider)); n != 6 {
		t.Errorf("%d members, want the seeded 6", n)
	}
}

// Which HTTP method adds users, by the reading.
func TestAddUsersMethod(t *testing.T) {
	for _, tt := range []struct {
		on          Switches
		post, patch int
	}{
		{Switches{}, 202, 405},
		{Switches{AddUsersPatch: true}, 202, 202},
		{Switches{AddUsersPatchOnly: true}, 405, 202},
	} {
		w := newWorld(t, Options{Switches: tt.on})
		const body = `{"orgRolesToAdd":["msp:provider_support_user"],"users":[{"username":"a@lorem.com"}]}`
		post, patch := w.send("POST", users+Provider+"/add-users", body), w.send("PATCH", users+Provider+"/add-users", body)
		if post.status != tt.post || patch.status != tt.patch {
			t.Errorf("%+v: POST %d, PATCH %d", tt.on, post.status, patch.status)
		}
	}
}

// A fraction of users fails, always the same ones.
func TestFailUsersPercent(t *testing.T) {
	w := newWorld(t, Options{Switches: Switches{FailUsersPercent: 50}})
	var list []string
	for i := range 100 {
		list = append(list, fmt.Sprintf(`{"username":"u%d@lorem.com"}`, i))
	}
	body := `{"orgRolesToAdd":["msp:provider_support_user"],"users":[` + strings.Join(list, ",") + `]}`
	first := w.must("POST", users+Provider+"/add-users", body)
	failed := first.object(t)["addedUsers"].(map[string]any)["failedUsers"].([]any)
	if len(failed) < 30 || len(failed) > 70 || first.status != 207 {
		t.Errorf("%d: %d of 100 failed", first.status, len(failed))
	}
	if again := w.must("POST", users+Provider+"/add-users", body); again.body != first.body {
		t.Error("others failed the second time")
	}
}

// An invitation lives for seven days to the millisecond, stays AVAILABLE after it, and lives again when it is resent.
func TestInvitation(t *testing.T) {
	w := newWorld(t, Options{})
	path := users + Provider + "/invitations"
	w.must("POST", users+Provider+"/add-users", `{"orgRolesToAdd":["msp:provider_support_user"],"users":[{"username":"new@elsewhere.com"},{"username":"other@elsewhere.com"}]}`)
	list := func() []map[string]any { return w.must("GET", path, "").array(t) }
	number := func(v any) int64 {
		n, err := v.(json.Number).Int64()
		check(t, err)
		return n
	}
	first := list()
	if number(first[0]["expirationTime"])-number(first[0]["generatedAt"]) != 604_800_000 || first[0]["refLink"] != first[1]["refLink"] || first[0]["status"] != "AVAILABLE" {
		t.Errorf("%v", first)
	}
	w.control("POST", "/clock", `{"advance":"168h"}`)
	if a := w.raw("POST", "/invitations/accept", `{"orgId":"`+Provider+`","username":"new@elsewhere.com"}`); a.status != 409 {
		t.Errorf("accepted after seven days: %d", a.status)
	}
	if got := list(); got[0]["status"] != "AVAILABLE" {
		t.Errorf("expired: %v", got[0])
	}
	a := w.must("POST", path, `{"emails":["New@Elsewhere.com","x@.com"]}`)
	if r := a.object(t)["resentUsersInvitation"].(map[string]any); a.status != 207 || fmt.Sprint(r["users"], r["failedUsers"]) != "[New@Elsewhere.com] [x@.com]" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if got := list(); got[0]["refLink"] != first[0]["refLink"] || number(got[0]["generatedAt"]) != number(first[0]["generatedAt"])+604_800_000 || len(got) != 2 {
		t.Errorf("resent: %v", got)
	}
	w.control("POST", "/clock", `{"advance":"167h59m59s"}`)
	w.control("POST", "/invitations/accept", `{"orgId":"`+Provider+`","username":"new@elsewhere.com"}`)
	if m, ok := w.member(Provider, "new@elsewhere.com"); !ok || m.Roles[0] != ProviderSupportUser || list()[0]["status"] != "REDEEMED" {
		t.Errorf("came in as %+v", m)
	}
	a = w.must("DELETE", path, `{"emails":["other@elsewhere.com"]}`)
	got := list()[1]
	at := w.now().Truncate(time.Millisecond)
	if a.status != 202 || number(got["revokedAt"]) != at.UnixMicro() || got["revokedBy"] != "owner@acme.example" || got["status"] != "AVAILABLE" {
		t.Errorf("revoked: %d %v", a.status, got)
	}
	w.control("POST", "/switches", `{"revokedStatus":"REVOKED"}`)
	if got := list()[1]["status"]; got != "REVOKED" {
		t.Errorf("revoked: %v", got)
	}
	if a := w.raw("POST", "/invitations/accept", `{"orgId":"`+Provider+`","username":"other@elsewhere.com"}`); a.status != 404 {
		t.Errorf("accepted after it was revoked: %d", a.status)
	}
}

// Roles come and go; who has none left is gone. What is not held, and who is not there, are passed over.
func TestChangeRoles(t *testing.T) {
	w := newWorld(t, Options{})
	path := users + Provider + "/users-org-roles"
	w.must("POST", users+Provider+"/add-users", `{"orgRolesToAdd":["msp:provider_support_user","msp:provider_admin"],"users":[{"username":"a@lorem.com"},{"username":"b@lorem.com"}]}`)
	change := func(name, add, remove string) string {
		body := `{"roleNamesToRemove":[` + remove + `],"roleNamesToAdd":[` + add + `],"users":[{"username":"` + name + `","idpId":""}]}`
		if a := w.must("PATCH", path, body); strings.TrimSpace(a.body) != body {
			t.Errorf("answered %s", a.body)
		}
		m, _ := w.member(Provider, "a@lorem.com")
		return fmt.Sprint(m.Roles)
	}
	steps := []struct{ name, add, remove, left string }{
		{"A@lorem.com", `"msp:provider_billing_user"`, `"msp:provider_support_user","msp:tenant_user","nonsense"`, "[msp:provider_admin msp:provider_billing_user]"},
		{"nobody@lorem.com", ``, `"msp:provider_admin"`, "[msp:provider_admin msp:provider_billing_user]"},
		{"a@lorem.com", ``, `"msp:provider_admin"`, "[msp:provider_billing_user]"},
		{"a@lorem.com", ``, `"msp:provider_billing_user"`, "[]"},
		{"a@lorem.com", `"msp:provider_admin"`, ``, "[]"},
	}
	for _, s := range steps {
		if got := change(s.name, s.add, s.remove); got != s.left {
			t.Errorf("%+v: %s", s, got)
		}
	}
	if m, ok := w.member(Provider, "b@lorem.com"); !ok || len(m.Roles) != 2 {
		t.Errorf("another user: %+v", m)
	}
	refused(t, "a tenant's role", w.send("PATCH", path, `{"users":[{"username":"b@lorem.com"}],"roleNamesToAdd":["msp:tenant_user"]}`), 400, "roleNamesToAdd")
}

// Who has left and comes again begins with nothing.
func TestComeAgain(t *testing.T) {
	w := newWorld(t, Options{})
	add := `{"orgRolesToAdd":["msp:provider_support_user"],"users":[{"username":"a@lorem.com"}]`
	w.must("POST", users+Provider+"/add-users", add+`,"serviceRolesItems":[{"serviceId":"s1","roleNamesToAdd":["r1"]}]}`)
	w.must("PATCH", users+Provider+"/users-org-roles", `{"users":[{"username":"a@lorem.com"}],"roleNamesToRemove":["msp:provider_support_user"]}`)
	w.must("POST", users+Provider+"/add-users", add+`}`)
	if m, ok := w.member(Provider, "a@lorem.com"); !ok || len(m.Services) != 0 {
		t.Errorf("%+v", m)
	}
}

// Of several invitations the newest counts, and only once.
func TestInvitedTwice(t *testing.T) {
	w := newWorld(t, Options{})
	for _, role := range []string{ProviderSupportUser, ProviderBillingUser} {
		w.must("POST", users+Provider+"/add-users", `{"orgRolesToAdd":["`+role+`"],"users":[{"username":"a@elsewhere.com"}]}`)
		w.clock.at = w.clock.at.Add(time.Hour)
	}
	accept := func() int {
		return w.raw("POST", "/invitations/accept", `{"orgId":"`+Provider+`","username":"a@elsewhere.com"}`).status
	}
	if status := accept(); status != 200 {
		t.Fatal(status)
	}
	if m, _ := w.member(Provider, "a@elsewhere.com"); fmt.Sprint(m.Roles) != "["+ProviderBillingUser+"]" {
		t.Errorf("%+v", m)
	}
	if got := []int{accept(), accept()}; got[0] != 200 || got[1] != 404 {
		t.Errorf("two invitations were accepted, then %v", got)
	}
	a := w.must("POST", users+Provider+"/invitations", `{"emails":["a@elsewhere.com"]}`)
	if a.object(t)["resentUsersInvitation"].(map[string]any)["status"] != "FAILED" {
		t.Errorf("%s", a.body)
	}
}

// A role that a group brings cannot be removed.
func TestGroupRoles(t *testing.T) {
	w := newWorld(t, Options{Switches: Switches{GroupRoles: true}})
	const name = "billing_user@acme.example"
	remove := `{"users":[{"username":"` + name + `"}],"roleNamesToRemove":["msp:provider_billing_user"]}`
	list := w.must("GET", users+Provider+"/users", "").body
	if strings.Count(list, `"GROUP"`) != 1 {
		t.Errorf("%s", list)
	}
	w.must("PATCH", users+Provider+"/users-org-roles", remove)
	if _, ok := w.member(Provider, name); !ok {
		t.Error("the role from a group is gone")
	}
	w.control("POST", "/switches", `{"groupRoles":false}`)
	w.must("PATCH", users+Provider+"/users-org-roles", remove)
	if _, ok := w.member(Provider, name); ok {
		t.Error("the role is still there")
	}
}

func TestTenants(t *testing.T) {
	w := newWorld(t, Options{})
	w.must("POST", orgs+Provider+"/tenants", tenantJSON)
	made := w.must("POST", orgs+Provider+"/tenants", strings.Replace(tenantJSON, `"adminUserEmail":""`, `"adminUserEmail":"chief@lorem.com"`, 1)).object(t)
	id := made["id"].(string)
	list := w.must("GET", orgs+Provider+"/tenants", "").array(t)
	if len(list) != 4 || list[3]["id"] != id || list[3]["adminUserEmail"] != "chief@lorem.com" || list[2]["tag"] != list[3]["tag"] || made["createTimestamp"] != nil {
		t.Errorf("%v of %v", made, list)
	}
	if m, ok := w.member(id, "chief@lorem.com"); !ok || m.Roles[0] != TenantAdmin {
		t.Errorf("administrator %+v", m)
	}
	if c := w.must("GET", orgs+Provider, "").object(t)["childOrgIds"].([]any); len(c) != 4 {
		t.Errorf("children %v", c)
	}
	// PUT replaces all: the tag that is left out is gone.
	body := strings.Replace(tenantJSON, `,"tag":"t1"`, "", 1)
	w.control("POST", "/switches", `{"staleUpdate":true,"padding":true}`)
	if a := w.must("PUT", orgs+id, strings.Replace(body, `"New"`, `"Newer"`, 1)).object(t); a["displayName"] != "New" || a["tag"] != "t1" {
		t.Errorf("stale answer %v", a)
	}
	if a := w.must("GET", orgs+id+"/", "").object(t); a["displayName"] != "Newer" || a["tag"] != "  " || !strings.HasPrefix(a["name"].(string), " ") {
		t.Errorf("after the update %v", a)
	}
	w.control("DELETE", "/switches", "")
	if a := w.must("PUT", orgs+id, tenantJSON).object(t); a["displayName"] != "New" || a["tag"] != "t1" {
		t.Errorf("answer %v", a)
	}
	w.control("POST", "/switches", `{"refuseAdminEmail":true}`)
	refused(t, "adminUserEmail", w.send("POST", orgs+Provider+"/tenants", strings.Replace(tenantJSON, `"adminUserEmail":""`, `"adminUserEmail":"a@b.com"`, 1)), 400, "adminUserEmail")
	refused(t, "the provider", w.send("PUT", orgs+Provider, tenantJSON), 400, "orgId")
}

// A Provider Account Administrator has to do with the tenants it is bound to.
func TestBindings(t *testing.T) {
	w := newWorld(t, Options{Tenants: 1})
	access := w.access(Provider, ProviderAccountAdmin)
	if n := len(w.fine(w.as(access, "GET", orgs+Provider+"/tenants", "")).array(t)); n != 2 {
		t.Errorf("sees %d tenants, want 2", n)
	}
	all := w.Organizations()
	refused(t, "not bound", w.as(access, "GET", orgs+all[3].ID, ""), 403, "")
	w.fine(w.as(access, "GET", orgs+TenantLorem, ""))
}
