package cloudsupport

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// fill does one of everything and returns the case's name.
func (d desk) fill() string {
	name := d.create("projects/acme-prod", "alpha", "beta", "P3")
	for _, act := range []string{"comment", "attach", "patch", "escalate", "desk " + stateProgress} {
		if a := d.act(name, act); a.status != 200 {
			d.t.Fatalf("%s: %s", act, a.body)
		}
		d.advance(time.Second)
	}
	sub := d.must("POST", organization, `{"pubSubTopic":"projects/acme-prod/topics/events"}`)["name"].(string)
	d.must("DELETE", "/v2/"+sub, "")
	if _, err := d.Retire(computeEngine, "rotate"); err != nil {
		d.t.Fatal(err)
	}
	return name
}

// Everything that was answered is there again, without a Close: the process was killed.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	d := open(t, Options{Dir: dir, Seed: 3})
	name := d.fill()
	id := d.classID(computeEngine)
	again := open(t, Options{Dir: dir, Seed: 3, Now: d.now})
	if !reflect.DeepEqual(again.Cases(), d.Cases()) {
		t.Errorf("cases\n%+v, want\n%+v", again.Cases(), d.Cases())
	}
	if again.classID(computeEngine) != id {
		t.Error("the classification is another")
	}
	att := again.Cases()[0].Attachments[0].Name
	if a := again.send("GET", "/v2/"+att+":download?alt=media", ""); a.body != "x" {
		t.Errorf("attachment %d %q", a.status, a.body)
	}
	subs := again.must("GET", organization+"?showDeleted=true", "")["supportEventSubscriptions"].([]any)
	if len(subs) != 1 || subs[0].(map[string]any)["state"] != deleted {
		t.Errorf("subscriptions %v", subs)
	}
	if n := len(names(again.must("GET", "/v2/projects/acme-prod/cases:search?query=beta", ""))); n != 1 {
		t.Errorf("found %d", n)
	}
	if other := again.create("projects/acme-prod", "a", "b", "P3"); other == name {
		t.Error("the number was given twice")
	}
	// Expunged is expunged after the next start, too, and its id is not used again.
	again.must("POST", "/v2/"+subs[0].(map[string]any)["name"].(string)+":expunge", "")
	last := open(t, Options{Dir: dir, Seed: 3, Now: d.now})
	if v := last.must("GET", organization+"?showDeleted=true", "")["supportEventSubscriptions"]; v != nil {
		t.Errorf("expunged: %v", v)
	}
	if fresh := last.must("POST", organization, `{"pubSubTopic":"projects/acme-prod/topics/events"}`)["name"]; fresh == subs[0].(map[string]any)["name"] {
		t.Error("an id was used again")
	}
}

// When the journal cannot be written the request is refused and nothing has changed.
func TestJournalFails(t *testing.T) {
	d := open(t, Options{Dir: t.TempDir()})
	draft := d.draft("a", "b", "P3")
	check(t, d.journal.Close())
	for range 2 {
		if a := d.send("POST", "/v2/projects/acme-prod/cases", draft); a.status != 503 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if n := len(d.Cases()); n != 0 {
		t.Errorf("%d cases", n)
	}
	d.must("GET", "/v2/projects/acme-prod/cases", "")
}

// The journal starts compact: as many lines as there are cases, and one.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	d := open(t, Options{Dir: dir})
	name := d.create("projects/acme-prod", "a", "b", "P3")
	for range 20 {
		d.act(name, "comment")
	}
	open(t, Options{Dir: dir})
	data, err := os.ReadFile(filepath.Join(dir, journalFile))
	check(t, err)
	if n := bytes.Count(data, []byte("\n")); n != 2 {
		t.Errorf("%d lines", n)
	}
}
