package hub

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
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

// Cut the journal anywhere in its last line: the last request is lost or there, everything before is there, and the next start and request work.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, Options{Dir: dir})
	w.ticket("first")
	w.ticket("second")
	whole, err := os.ReadFile(filepath.Join(dir, journalFile))
	check(t, err)
	begin := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := begin; cut <= len(whole); cut++ {
		if cut > begin+3 && cut < len(whole)-3 && cut%53 != 0 {
			continue
		}
		torn := t.TempDir()
		check(t, os.WriteFile(filepath.Join(torn, journalFile), whole[:cut], 0o600))
		again := newWorld(t, Options{Dir: torn})
		n := len(again.SupportRequests())
		if n != 1 && (n != 2 || cut < len(whole)) {
			t.Fatalf("cut at %d of %d: %d requests", cut, len(whole), n)
		}
		again.ticket("third")
		check(t, again.Close())
		if got := len(newWorld(t, Options{Dir: torn}).SupportRequests()); got != n+1 {
			t.Fatalf("cut at %d: %d requests after another start, want %d", cut, got, n+1)
		}
	}
}

// Damage before the last line is an error that names the line, and leaves the file as it is.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, Options{Dir: dir})
	w.ticket("first")
	path := filepath.Join(dir, journalFile)
	whole, err := os.ReadFile(path)
	check(t, err)
	damaged := append([]byte("{nonsense\n"), whole...)
	check(t, os.WriteFile(path, damaged, 0o600))
	if _, err := New(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("%v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, damaged) {
		t.Error("the file was changed")
	}
}

// What cannot be made durable is not answered as done, and has not happened.
func TestJournalFails(t *testing.T) {
	w := newWorld(t, Options{Dir: t.TempDir()})
	access := w.access(Provider, ProviderAdmin)
	whole := w.journal.file
	broken, err := os.Open(os.DevNull)
	check(t, err)
	defer broken.Close()
	for _, file := range []*os.File{broken, whole} { // where the first write stopped nobody knows
		w.journal.file = file
		refused(t, "no journal", w.as(access, "POST", orgs+Provider+"/tenants", tenantJSON), 503, "")
	}
	if n := len(w.Organizations()); n != 3 {
		t.Errorf("%d organizations, want 3", n)
	}
}

// The bytes of a file whose change never came are removed.
func TestOrphans(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, Options{Dir: dir})
	file := w.fill()
	orphan := filepath.Join(dir, blobFolder, "orphan")
	check(t, os.WriteFile(orphan, []byte("x"), 0o600))
	again := newWorld(t, Options{Dir: dir, Now: w.clock.now})
	if _, err := os.Stat(orphan); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
	if _, err := again.File(file); err != nil {
		t.Error(err)
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
