package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
)

// withinAnHour is a clock that is ten minutes past the hour now, so that no window of a budget ends during a test.
func withinAnHour() func() time.Time {
	start := time.Now()
	ahead := start.Truncate(time.Hour).Add(time.Hour + 10*time.Minute).Sub(start)
	return func() time.Time { return time.Now().Add(ahead) }
}

// stormy is an installation with a storm: 20 cases, as its budget says, and held incidents.
func stormy(t *testing.T, held int) (dir string, s *site.Site) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s, err := site.Open(t.Context(), site.Options{Folder: site.Folder(dir), Addr: "127.0.0.1:0", SweepEvery: 24 * time.Hour, Env: func(string) (string, bool) { return "", false },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: withinAnHour(), Advice: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 + held {
		cli{in: fmt.Sprintf(`{"version":"4","groupKey":"%[1]d","status":"firing","receiver":"r","groupLabels":{"alertname":"Storm%[1]d"},"commonLabels":{"alertname":"Storm%[1]d"},
			"commonAnnotations":{},"externalURL":"","alerts":[{"status":"firing","labels":{"alertname":"Storm%[1]d"},"annotations":{},"startsAt":"2026-03-01T12:00:00Z",
			"endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"%016[1]x"}]}`, n)}.ok(t, "send", "alertmanager", "-", "--data", dir)
	}
	proctest.Until(t, "the storm is over", func() bool {
		opened := 0
		for _, r := range recordsOf(t, dir, "case.open") {
			if r.State == ledger.Succeeded {
				opened++
			}
		}
		st, err := s.Bus()
		if err != nil {
			t.Fatal(err)
		}
		return opened == 21 && st.Idle()
	})
	return dir, s
}

func TestReleaseOnARunningInstallation(t *testing.T) {
	dir, s := stormy(t, 2)
	t.Cleanup(func() { s.Close(t.Context()) })
	out := cli{}.ok(t, "cases", "release", "--desk", "google", "--by", "anna@example.com", "--data", dir)
	if strings.Count(out, "projects/") != 2 || strings.Count(out, "Storm") != 2 {
		t.Errorf("released\n%s", out)
	}
	if out := (cli{}).ok(t, "cases", "release", "--all", "--by", "anna@example.com", "--data", dir); out != "nothing to release\n" {
		t.Errorf("released again\n%s", out)
	}
	if out := (cli{}).ok(t, "cases", "release", "--all", "--by", "anna@example.com", "--data", dir, "--json"); out != "[]\n" {
		t.Errorf("released again, as JSON\n%s", out)
	}
	r := cli{}.run(t, "cases", "release", "--desk", "bing", "--by", "anna@example.com", "--data", dir)
	if r.code != exitFailed || !strings.Contains(r.err, "the configuration has no desk of this name") {
		t.Errorf("a desk that is none: %d %q", r.code, r.err)
	}
}

// Nothing runs, not even the simulator: the cases are recorded, and opened by who starts next.
func TestReleaseInAFolder(t *testing.T) {
	dir, s := stormy(t, 1)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []casewebhook.Released
	if err := json.Unmarshal([]byte(cli{now: withinAnHour()}.ok(t, "cases", "release", "--all", "--by", "anna@example.com", "--data", dir, "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].Case != "" || all[0].Effect == "" {
		t.Fatalf("released %+v", all)
	}
	if out := (cli{}).ok(t, "ledger", "show", all[0].Effect, "--data", dir); !strings.Contains(out, "released from an umbrella case by anna@example.com") {
		t.Errorf("the record\n%s", out)
	}
}

// recordsOf lists the records of one kind.
func recordsOf(t *testing.T, dir, kind string) (list []ledger.Record) {
	t.Helper()
	if err := json.Unmarshal([]byte(cli{}.ok(t, "ledger", "list", "--kind", kind, "--data", dir, "--json")), &list); err != nil {
		t.Fatal(err)
	}
	return list
}
