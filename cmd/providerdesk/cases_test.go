package main

import (
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/desk"
)

// running is an installation that runs inside the test.
func running(t *testing.T, now func() time.Time) (dir string, s *site.Site) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s, err := site.Open(t.Context(), site.Options{
		Folder: site.Folder(dir), Addr: "127.0.0.1:0", SweepEvery: 24 * time.Hour, Env: func(string) (string, bool) { return "", false },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: now, Advice: func(string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return dir, s
}

// withCases opens two cases, comments on the first and closes the second. Nothing here goes through the ledger, so the clock may stand still.
func withCases(t *testing.T) (dir string, names []string) {
	t.Helper()
	dir, s := running(t, frozen)
	desks, letGo, err := site.Desks(s.Config(), "google", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer letGo()
	d := desks["google"]
	for _, draft := range []desk.Draft{
		{Title: "HighLatency (2 alerts): cluster=eu-1", Description: "cart answers slowly\n\nREFAAAAAAAAAAAAAAAAAAAAAAAAAA", Priority: "P1", Subscribers: []string{"oncall@example.com"}},
		{Title: "Disk full\x1b[2J on db-0", Description: "94 % used", Priority: "P3", TimeZone: "Europe/Berlin"},
	} {
		c, err := d.Open(t.Context(), draft)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, c.Name)
	}
	if _, err := d.Comment(t.Context(), names[0], "still slow\nsince noon"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Close(t.Context(), names[1]); err != nil {
		t.Fatal(err)
	}
	return dir, names
}

// anyID makes the numbers that a desk gives cases and comments the same in every test.
func anyID(text string) string {
	return regexp.MustCompile(`(cases/|comments/|v2/)[0-9]+`).ReplaceAllStringFunc(text, func(s string) string {
		kind := s[:strings.LastIndex(s, "/")+1]
		return kind + strings.Repeat("0", len(s)-len(kind))
	})
}

func TestCases(t *testing.T) {
	dir, names := withCases(t)
	golden(t, "cases-list.golden", anyID(cli{}.ok(t, "cases", "list", "--data", dir)))
	golden(t, "cases-list-open.golden", anyID(cli{}.ok(t, "cases", "list", "--data", dir, "--open")))
	golden(t, "cases-list.json", anyID(cli{}.ok(t, "cases", "list", "--data", dir, "--json")))
	golden(t, "cases-show.golden", anyID(cli{}.ok(t, "cases", "show", names[0], "--data", dir, "--desk", "google")))
	golden(t, "cases-show.json", anyID(cli{}.ok(t, "cases", "show", names[0], "--data", dir, "--json")))
}

func TestCasesThatAreNotThere(t *testing.T) {
	dir, names := withCases(t)
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"another desk":        {[]string{"cases", "list", "--desk", "hub"}, exitUsage, `the configuration has no desk "hub"`},
		"another case":        {[]string{"cases", "show", names[0] + "0"}, exitFailed, "no desk has a case"},
		"no name of a case":   {[]string{"cases", "show", "../../secrets"}, exitFailed, "no desk has a case"},
		"a name that escapes": {[]string{"cases", "show", names[0] + "/comments"}, exitFailed, "no desk has a case"},
	} {
		r := cli{}.run(t, append(tc.args, "--data", dir)...)
		if r.code != tc.code || r.out != "" || !strings.Contains(r.err, tc.says) {
			t.Errorf("%s: exit code %d, out %q, err %q", name, r.code, r.out, r.err)
		}
	}
}

func TestNoCases(t *testing.T) {
	dir, _ := running(t, time.Now)
	if out := (cli{}).ok(t, "cases", "list", "--data", dir); out != "no cases\n" {
		t.Errorf("got %q", out)
	}
	if out := (cli{}).ok(t, "cases", "list", "--data", dir, "--json"); out != "[]\n" {
		t.Errorf("as JSON: %q", out)
	}
}

func TestCasesOfASimulatorThatDoesNotRun(t *testing.T) {
	dir, s := running(t, time.Now)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := cli{}.run(t, "cases", "list", "--data", dir)
	if r.code != exitFailed || !strings.Contains(r.err, `start "providerdesk up --data `+dir) {
		t.Errorf("exit code %d, %q", r.code, r.err)
	}
}
