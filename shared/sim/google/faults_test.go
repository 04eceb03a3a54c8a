package google

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const contactPath = "/v1/projects/acme-prod/contacts"

// Each fault, what comes back, and whether the contact is there in the end.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		fault  string
		status int // 0: the connection broke
		done   bool
	}{
		{"status:503", 503, false}, {"status:429", 429, false}, {"drop", 0, false}, {"commit_then_drop", 0, true},
		{"commit_then_status:500", 500, true}, {"garbage", 200, true}, {"late_drop:5s", 0, false}, {"late:5s", 504, false},
	} {
		c := open(t, Options{})
		c.must("POST", "/faults", `{"op":"essentialcontacts.projects.contacts.create","fault":"`+tt.fault+`"}`)
		a := c.send("POST", contactPath, contactBody("a@example.com", "ALL"))
		if a.status != tt.status || (a.err != nil) != (tt.status == 0) {
			t.Errorf("%s: %d %v", tt.fault, a.status, a.err)
		}
		if got := len(c.Contacts("projects/acme-prod")) == 1; got != tt.done {
			t.Errorf("%s: executed %v", tt.fault, got)
		}
		c.at = c.at.Add(5 * time.Second)
		if got := len(c.Contacts("projects/acme-prod")) == 1; got != (tt.done || strings.HasPrefix(tt.fault, "late")) {
			t.Errorf("%s: executed late %v", tt.fault, got)
		}
		if log, _ := c.Calls(); len(log) != 1 || log[0].Fault != tt.fault || log[0].Status != tt.status {
			t.Errorf("%s: noted %+v", tt.fault, log)
		}
		if a := c.send("GET", contactPath, ""); a.status != 200 {
			t.Errorf("%s: the fault is good for one call", tt.fault)
		}
	}
}

// What is wrong with a control is said in the APIs' own shape. Nothing lags here.
func TestFaultsAreChecked(t *testing.T) {
	c := open(t, Options{})
	for _, bad := range []string{`"op":"nothing","fault":"drop"`, `"op":"*","fault":"status:200"`, `"op":"*","fault":"search_lag:1m"`} {
		c.refused("POST", "/faults", "{"+bad+"}", 400, "fieldViolations")
	}
}

// What was answered survives; a torn last line was never answered; damage is not repaired.
func TestJournal(t *testing.T) {
	o := Options{Dir: t.TempDir(), OperationPolls: 3, Policies: map[string][]Binding{project: conditional}, Enabled: map[string][]string{"acme-prod": {"run.googleapis.com"}}}
	state := func(c cloud) string {
		return fmt.Sprint(c.EnabledServices("acme-prod"), c.Policy(project)[0], c.Contacts(project))
	}
	c := open(t, o)
	op := c.must("POST", base+":batchEnable", `{"serviceIds":["redis.googleapis.com","dns.googleapis.com"]}`)
	c.must("POST", contactPath, contactBody("a@example.com", "ALL"))
	c.must("POST", contactPath, contactBody("b@example.com", "ALL"))
	c.must("DELETE", contactPath+"/0", "")
	etag := c.must("POST", "/v3/projects/acme-prod:setIamPolicy", `{"policy":{"version":3,"etag":"ACAB","bindings":[{"role":"roles/viewer","members":["user:c@example.com"]}]}}`)["etag"]
	before := state(c)
	c.Close()

	path := filepath.Join(o.Dir, journalFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, []byte(`{"contacts":[{"par`)...), 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, o)
	if got := state(again); got != before {
		t.Errorf("after:  %s\nbefore: %s", got, before)
	}
	if p := again.must("POST", "/v3/projects/acme-prod:getIamPolicy", ""); p["etag"] != etag {
		t.Errorf("etag %v, was %v", p["etag"], etag)
	}
	for range 3 {
		again.must("GET", "/v1/"+op["name"].(string), "")
	}
	if v := again.must("GET", "/v1/"+op["name"].(string), ""); v["done"] != true {
		t.Errorf("the operation was forgotten: %v", v)
	}
	if v := again.must("POST", contactPath, contactBody("d@example.com", "ALL")); v["name"] != project+"/contacts/2" {
		t.Errorf("id %v", v["name"])
	}
	again.Close()
	for _, damage := range []string{"nonsense\n{}\n", `{"contacts":[{"id":5}]}` + "\n{}\n"} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(o); err == nil {
			t.Errorf("opened %q", damage)
		}
	}
}

// What cannot be made durable is not done, and not answered as if it were.
func TestJournalFails(t *testing.T) {
	c := open(t, Options{Dir: t.TempDir()})
	c.must("POST", contactPath, contactBody("a@example.com", "ALL"))
	c.journal.Close()
	for range 2 {
		c.refused("POST", contactPath, contactBody("b@example.com", "ALL"), 503, "UNAVAILABLE")
	}
	c.must("GET", contactPath+"/0", "")
	if n := len(c.Contacts(project)); n != 1 {
		t.Errorf("%d contacts", n)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"service":  {Enabled: map[string][]string{"acme-prod": {"nothing"}}},
		"project":  {Enabled: map[string][]string{"no-such": {"run.googleapis.com"}}},
		"policy":   {Policies: map[string][]Binding{"projects/acme-prod": nil}},
		"refusal":  {Refused: map[string]Refusal{"run.googleapis.com": "perhaps"}},
		"refusing": {Refused: map[string]Refusal{"nothing": NoBilling}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
