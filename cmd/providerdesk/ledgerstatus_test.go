package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/proctest"
)

// status runs the command and decodes what it prints.
func status(t *testing.T, c cli, wantCode int, args ...string) (s records.Status, said string) {
	t.Helper()
	r := c.run(t, append([]string{"ledger", "status", "--json"}, args...)...)
	if r.code != wantCode {
		t.Fatalf("exit code %d, want %d\n%s%s", r.code, wantCode, r.out, r.err)
	}
	if err := json.Unmarshal([]byte(r.out), &s); err != nil {
		t.Fatal(err)
	}
	return s, r.err
}

func TestLedgerStatusOfParkedEvents(t *testing.T) {
	dir := parkedFolder(t)
	r := cli{now: frozen}.run(t, "ledger", "status", "--data", dir)
	if r.code != exitFailed || !strings.Contains(r.err, "a person is needed: 3 parked") {
		t.Errorf("exit code %d, %q", r.code, r.err)
	}
	golden(t, "ledger-status.golden", r.out)
	for _, args := range [][]string{{"--data", dir}, {"--data", dir, "--unfinished"}} {
		s, _ := status(t, cli{}, exitFailed, args...)
		if s.Records != 3 || len(s.Parked) != 3 || s.Oldest != nil || s.OldestSeconds != 0 || s.Kinds["event"]["PARKED"] != 3 {
			t.Errorf("%v: %+v", args, s)
		}
	}
}

func TestLedgerStatusOfAnEmptyLedger(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db, err := site.Folder(dir).OpenStore()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "ledger-status-empty.golden", cli{}.ok(t, "ledger", "status", "--data", dir))
}

// Of an installation that runs: what is done is counted, and needs nobody.
func TestLedgerStatusOfARunningInstallation(t *testing.T) {
	dir, s := running(t, time.Now)
	cli{in: `{"incident":{"incident_id":"0.abc","state":"open","started_at":1772366400,"policy_name":"p","summary":"s"},"version":"1.2"}`}.ok(t,
		"send", "monitoring", "-", "--pubsub", "--data", dir)
	proctest.Until(t, "the case is opened", func() bool {
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		st, _ := status(t, cli{}, exitOK, "--data", dir)
		return st.Kinds["case.open"]["SUCCEEDED"] == 1 && st.Duplicates == 0
	})
}
