package hub

import (
	"reflect"
	"testing"
	"time"
)

// fill does one of everything and returns a file's id.
func (w world) fill() string {
	w.must("POST", orgs+Provider+"/tenants", tenantJSON)
	w.must("PUT", orgs+TenantCoke, tenantJSON)
	w.must("POST", users+Provider+"/add-users", `{"orgRolesToAdd":["msp:provider_support_user"],"users":[{"username":"a@lorem.com"},{"username":"b@elsewhere.com"},{"username":"c@elsewhere.com"}]}`)
	w.must("DELETE", users+Provider+"/invitations", `{"emails":["c@elsewhere.com"]}`)
	w.must("PATCH", users+Provider+"/users-org-roles", `{"users":[{"username":"support_user@acme.example"}],"roleNamesToRemove":["msp:provider_support_user"]}`)
	w.control("POST", "/clock", `{"advance":"24h"}`)
	w.control("POST", "/tokens", `{"orgId":"`+TenantCoke+`","username":"x@coke.com","roles":["msp:tenant_admin","msp:tenant_user"]}`)
	w.control("POST", "/restate", `{"orgId":"`+TenantCoke+`","month":"2026-10"}`)
	id := w.ticket("t")
	a := w.fine(w.raw("POST", tickets+Provider+"/support-requests/"+id+"/upload", formBody, "csp-auth-token", w.access(Provider, ProviderAdmin), "Content-Type", formType))
	return a.object(w.t)["fileId"].(string)
}

type everything struct {
	orgs        []Organization
	members     []Member
	invitations []Invitation
	requests    []SupportRequest
	tokens      []Token
	file        string
	now         time.Time
}

func (w world) everything() everything {
	return everything{
		w.Organizations(), w.Members(Provider), w.Invitations(Provider), w.SupportRequests(), w.Tokens(),
		w.file(october + "&tenantId=" + TenantCoke).body, w.now(),
	}
}

// Everything that was answered is there again, without a Close: the process was killed. An access token is good after it, too.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, Options{Dir: dir, Seed: 3})
	file := w.fill()
	access := w.access(Provider, ProviderAdmin)
	again := newWorld(t, Options{Dir: dir, Seed: 3, Now: w.clock.now})
	if got, want := again.everything(), w.everything(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	data, err := again.File(file)
	if err != nil || string(data) != "bytes\x00\xff" {
		t.Errorf("%q %v", data, err)
	}
	again.fine(again.as(access, "GET", orgs+Provider, ""))
	last := newWorld(t, Options{Dir: dir, Seed: 3, Now: w.clock.now})
	if got, want := last.everything(), w.everything(); !reflect.DeepEqual(got, want) { // from what the second start made of the journal
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if a, b := last.ticket("t"), w.SupportRequests()[0].ID; a == b || a == "" {
		t.Errorf("the id %s was given twice", a)
	}
}

// The same seed and the same requests give the same ids, another seed gives others.
func TestSeed(t *testing.T) {
	ids := func(seed uint64) []string {
		w := newWorld(t, Options{Seed: seed})
		return []string{w.fill(), w.Organizations()[3].ID, w.SupportRequests()[0].ID, w.Tokens()[0].Token, w.file(october).body}
	}
	a, b, c := ids(1), ids(1), ids(2)
	for i := range a {
		if a[i] != b[i] || a[i] == c[i] {
			t.Errorf("%d: %.40s %.40s %.40s", i, a[i], b[i], c[i])
		}
	}
}

// What cannot be made durable is not answered as done, and has not happened.
func TestJournalFails(t *testing.T) {
	w := newWorld(t, Options{Dir: t.TempDir()})
	access := w.access(Provider, ProviderAdmin)
	check(t, w.journal.Close())
	for range 2 {
		refused(t, "no journal", w.as(access, "POST", orgs+Provider+"/tenants", tenantJSON), 503, "")
	}
	if n := len(w.Organizations()); n != 3 {
		t.Errorf("%d organizations, want 3", n)
	}
}

// The clock is set, moved and let go.
func TestClock(t *testing.T) {
	w := newWorld(t, Options{})
	now := func(a answered) string { return a.object(t)["now"].(string) }
	if got := now(w.control("POST", "/clock", `{"now":"2027-01-01T00:00:00Z"}`)); got != "2027-01-01T00:00:00Z" {
		t.Error(got)
	}
	if got := now(w.control("POST", "/clock", `{"advance":"-1h"}`)); got != "2026-12-31T23:00:00Z" {
		t.Error(got)
	}
	w.clock.at = w.clock.at.Add(time.Minute)
	if got := now(w.control("GET", "/clock", "")); got != "2026-12-31T23:01:00Z" {
		t.Error(got)
	}
	if got := now(w.control("DELETE", "/clock", "")); got != "2026-11-22T08:01:00Z" {
		t.Error(got)
	}
	for _, body := range []string{`{}`, `{"now":"tomorrow"}`, `{"advance":"soon"}`, `{"advance":"1h","now":"2027-01-01T00:00:00Z"}`, `{"now":"9999-01-01T00:00:00Z"}`} {
		refused(t, body, w.raw("POST", "/clock", body), 400, "")
	}
}
