package main

import (
	"crypto/rand"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
)

// parkedFolder is the folder of an installation that does not run, with three parked events.
func parkedFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	first, err := site.Folder(dir).OpenStore()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	at := noon
	l := ledger.New(first, ledger.Options{Now: func() time.Time { at = at.Add(time.Minute); return at }})
	for _, e := range []struct{ name, reason, data string }{
		{"alerts/1", "no route takes it", `{"title":"Disk full"}`},
		{"alerts/2", "the desk refuses the title\x1b[31m", "not JSON \x1b]0;x\x07"},
		{"dead-letter/7", "given up after 20 deliveries; the last one: answered 503", `{"title":"Late"}`},
	} {
		if _, err := l.Park(t.Context(), "acme", e.name, e.reason, []byte(e.data), ledger.Source{Event: "m-" + e.name}); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLedgerList(t *testing.T) {
	dir := parkedFolder(t)
	golden(t, "ledger-list.golden", cli{}.ok(t, "ledger", "list", "--data", dir))
	golden(t, "ledger-list.json", cli{}.ok(t, "ledger", "list", "--data", dir, "--state", "Parked", "--kind", "event", "--json"))
	if out := (cli{}).ok(t, "ledger", "list", "--data", dir, "--state", "failed"); out != "no records\n" {
		t.Errorf("of no state: %q", out)
	}
	if out := (cli{}).ok(t, "ledger", "list", "--data", dir, "--kind", "case.open", "--json"); out != "[]\n" {
		t.Errorf("of no kind: %q", out)
	}
	r := cli{}.run(t, "ledger", "list", "--data", dir, "--limit", "1")
	if strings.Count(r.out, "\n") != 2 || !strings.Contains(r.err, "There are more") {
		t.Errorf("a limit of one: %q, %q", r.out, r.err)
	}
}

func TestLedgerShowAndDecide(t *testing.T) {
	dir := parkedFolder(t)
	id := firstRecord(t, dir).ID
	golden(t, "ledger-show.golden", cli{}.ok(t, "ledger", "show", id[:8], "--data", dir))
	decide := []string{"ledger", "decide", id[:8], "veto", "--who", "anna@example.com", "--note", "opened by hand", "--data", dir}
	golden(t, "ledger-decide.golden", cli{now: frozen}.ok(t, decide...))
	if got := firstRecord(t, dir); got.State != ledger.Failed || len(got.Decisions) != 1 {
		t.Errorf("after the veto: %s, %d decisions", got.State, len(got.Decisions))
	}
	r := cli{}.run(t, decide...)
	if r.code != exitFailed || !strings.Contains(r.err, "an effect that is FAILED takes no veto") {
		t.Errorf("a second veto: exit code %d, %q", r.code, r.err)
	}
	r = cli{}.run(t, "ledger", "show", strings.Repeat("0", 64), "--data", dir)
	if r.code != exitFailed || !strings.Contains(r.err, "no record has the id") {
		t.Errorf("an id that is none: exit code %d, %q", r.code, r.err)
	}
}

func firstRecord(t *testing.T, dir string) ledger.Record {
	t.Helper()
	var list []ledger.Record
	if err := json.Unmarshal([]byte(cli{}.ok(t, "ledger", "list", "--data", dir, "--json")), &list); err != nil || len(list) == 0 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	return list[0]
}

// The same commands on an installation that runs: what nobody can read is parked, and a person gives it up.
func TestLedgerOfARunningInstallation(t *testing.T) {
	dir, _ := running(t, time.Now)
	cli{in: `{"version":"1.2"}`}.ok(t, "send", "monitoring", "-", "--pubsub", "--data", dir)
	proctest.Until(t, "the event is parked", func() bool { return len(listedRecords(t, dir)) == 1 })
	r := listedRecords(t, dir)[0]
	if r.State != ledger.Parked || !strings.Contains(r.Reason, "incident is missing") {
		t.Errorf("it is %s because %q", r.State, r.Reason)
	}
	out := cli{}.ok(t, "ledger", "decide", r.ID[:6], "veto", "--who", "anna@example.com", "--note", "a test", "--data", dir)
	if !strings.Contains(out, "veto by anna@example.com\n  a test\n") {
		t.Errorf("decided\n%s", out)
	}
	if out := (cli{}).ok(t, "ledger", "list", "--state", "parked", "--data", dir); out != "no records\n" {
		t.Errorf("still parked: %s", out)
	}
	refused := cli{}.run(t, "ledger", "decide", r.ID, "veto", "--who", "anna@example.com", "--data", dir)
	if refused.code != exitFailed || !strings.Contains(refused.err, "an effect that is FAILED takes no veto") {
		t.Errorf("a second veto: %d, %q", refused.code, refused.err)
	}
}

// Without a folder on the command line the environment names the ledger.
func TestLedgerInFirestore(t *testing.T) {
	env := map[string]string{"FIRESTORE_EMULATOR_HOST": emulator.Firestore(t), "GOOGLE_CLOUD_PROJECT": "pd-" + strings.ToLower(rand.Text()[:12])}
	db, err := site.OpenCloud(t.Context(), cli{env: env}.program(nil, nil).env)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := ledger.New(db, ledger.Options{}).Park(t.Context(), "acme", "alerts/1", "no route takes it", []byte("{}"), ledger.Source{}); err != nil {
		t.Fatal(err)
	}
	if out := (cli{env: env}).ok(t, "ledger", "list"); strings.Count(out, "no route takes it") != 1 {
		t.Errorf("in Firestore\n%s", out)
	}
	if out := (cli{env: env}).ok(t, "ledger", "list", "--data", parkedFolder(t)); strings.Count(out, "PARKED") != 3 {
		t.Errorf("in the folder\n%s", out)
	}
}
