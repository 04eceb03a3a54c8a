package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/exports"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/hub"
)

var october = hub.Period{Year: 2026, Month: time.October}

const (
	coke  = "73338bcc-17e0-4480-9d25-f654532a1ee0" // tenants of the simulated hub
	lorem = "9fb942e0-3e93-49ce-8617-0eed023d9d25"
)

// sixth is a clock that was set to the sixth of November: the hub has closed October.
func sixth() func() time.Time {
	began := time.Now()
	return func() time.Time { return time.Date(2026, 11, 6, 6, 0, 0, 0, time.UTC).Add(time.Since(began)) }
}

// exporter is an installation on that day, and the command beside it.
func exporter(t *testing.T) (dir string, s *site.Site, c cli) {
	t.Helper()
	now := sixth()
	dir, s = running(t, now)
	return dir, s, cli{now: now, env: map[string]string{"USER": "anna"}}
}

// anyExport is anyRun without checksums, too.
func anyExport(text string) string {
	text = regexp.MustCompile(`\b[0-9a-f]{64}\b`).ReplaceAllString(text, strings.Repeat("0", 64))
	return regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC`).ReplaceAllString(text, "2026-11-06 06:00:00 UTC")
}

// The story of a month: planned, exported, looked at, verified, and exported again, which changes nothing.
func TestAMonthIsExported(t *testing.T) {
	dir, s, c := exporter(t)
	if out := c.ok(t, "exports", "list", "--data", dir); out != "no month was ever exported\n" {
		t.Errorf("none are %q", out)
	}
	golden(t, "exports-plan.golden", anyExport(c.ok(t, "exports", "plan", "2026-10", "--data", dir)))
	if n := calls(t, s.URL(), "hub"); n["usage.report"]+n["usage.file"] != 0 {
		t.Fatalf("a plan has asked for usage: %v", n)
	}
	out := c.ok(t, "exports", "run", "2026-10", "--wait", "--data", dir)
	if !strings.Contains(out, "2026-10: resting, 2 of 2 tenants\n") || strings.Contains(out, "\x1b") {
		t.Errorf("while it is waited for:\n%s", out)
	}
	golden(t, "exports-list.golden", anyExport(c.ok(t, "exports", "list", "--data", dir)))
	golden(t, "exports-show.golden", anyExport(c.ok(t, "exports", "show", "2026-10", "--data", dir)))
	golden(t, "exports-replan.golden", anyExport(c.ok(t, "exports", "plan", "2026-10", "--tenant", coke, "--data", dir)))
	files := c.ok(t, "exports", "show", "2026-10", "--files", "--data", dir)
	for _, want := range []string{"ROWS ", "/focus.provider.parquet\n", "/focus.tenant.csv.gz\n", "rev=0001/summary.csv\n", "/reports/tenant/" + lorem + ".html\n"} {
		if !strings.Contains(files, want) {
			t.Errorf("no %q in\n%s", want, files)
		}
	}
	if out := c.ok(t, "exports", "verify", "2026-10", "--data", dir); !regexp.MustCompile(`^ok  2026-10: [0-9]{2} checks\n$`).MatchString(out) {
		t.Errorf("verified: %q", out)
	}
	var again []billingexport.Status
	decode(t, c.ok(t, "exports", "run", "2026-10", "--wait", "--json", "--data", dir), &again)
	if len(again) != 1 || again[0].Ended.New || again[0].Ended.Revision != 1 || again[0].Reason != "asked for by anna" {
		t.Errorf("once more: %+v", again)
	}
}

// What programs read is JSON, on standard output and nothing else.
func TestExportsForPrograms(t *testing.T) {
	dir, _, c := exporter(t)
	var listed []billingexport.Status
	if out := c.ok(t, "exports", "list", "--json", "--data", dir); out != "[]\n" {
		t.Errorf("none are %q", out)
	}
	var plan billingexport.Plan
	decode(t, c.ok(t, "exports", "plan", "--json", "--data", dir), &plan)
	if len(plan.Months) != 5 || plan.Months[4].Month != "2026-10" || plan.Months[4].Do != "run" || len(plan.Months[4].Tenants) != 2 || plan.Requests != 40 {
		t.Errorf("the plan is %+v", plan)
	}
	var asked struct {
		ID     string
		Months []string
	}
	decode(t, c.ok(t, "exports", "run", "2026-09", "2026-10", "--json", "--data", dir), &asked)
	if asked.ID == "" || !slices.Equal(asked.Months, []string{"2026-09", "2026-10"}) {
		t.Errorf("asked for %+v", asked)
	}
	c.ok(t, "exports", "run", "2026-09", "2026-10", "--wait", "--json", "--data", dir)
	decode(t, c.ok(t, "exports", "list", "--json", "--data", dir), &listed)
	if len(listed) != 2 || listed[0].Month != "2026-09" || listed[1].Published != 1 {
		t.Errorf("the list is %+v", listed)
	}
	var shown shownMonth
	decode(t, c.ok(t, "exports", "show", "2026-10", "--json", "--data", dir), &shown)
	if shown.Status.Month != "2026-10" || shown.Revision == nil || shown.Revision.Current != 1 || len(shown.Revision.Manifest.Parts) != 2 {
		t.Errorf("shown as %+v", shown)
	}
	var checked exports.Checked
	decode(t, c.ok(t, "exports", "verify", "2026-10", "--revision", "1", "--json", "--data", dir), &checked)
	if checked.Checks == 0 || checked.Problems == nil || len(checked.Problems) != 0 {
		t.Errorf("checked as %+v", checked)
	}
}

// A run that is under way answers a request that comes meanwhile: who waits for it must not wait for another one.
func TestARunThatIsUnderWayIsJoined(t *testing.T) {
	dir, s, c := exporter(t)
	control(t, http.MethodPost, s.URL()+"/sim/hub/faults", `{"op":"usage.report","fault":"delay:1s","times":2}`)
	c.ok(t, "exports", "run", "2026-10", "--data", dir)
	var all []billingexport.Status
	decode(t, c.ok(t, "exports", "run", "2026-10", "--wait", "--json", "--data", dir), &all)
	if len(all) != 1 || all[0].Ended == nil || all[0].Ended.Revision != 1 {
		t.Errorf("ended as %+v", all)
	}
}

// A month that does not add up is the exit code 4, and what is in the way is shown; when the hub has mended it, it is published.
func TestAMonthThatDoesNotAddUpWaits(t *testing.T) {
	dir, s, c := exporter(t)
	control(t, http.MethodPost, s.URL()+"/sim/hub/switches", `{"truncateSkus":true}`)
	r := c.run(t, "exports", "run", "2026-10", "--wait", "--data", dir)
	if r.code != exitWaits || !strings.Contains(r.out, "1 unreconciled") || !strings.Contains(r.err, "providerdesk exports show says why") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if out := c.ok(t, "exports", "show", "2026-10", "--data", dir); !strings.Contains(out, "\nIN THE WAY ") || !strings.Contains(out, "\nTRUNCATED ") ||
		!strings.Contains(out, "\npublished  none\n") || !strings.Contains(out, "\ncurrent   none\n") {
		t.Errorf("shown as\n%s", out)
	}
	control(t, http.MethodDelete, s.URL()+"/sim/hub/switches", "")
	if out := c.ok(t, "exports", "run", "2026-10", "--wait", "--data", dir); !strings.Contains(out, "2 published") {
		t.Errorf("mended:\n%s", out)
	}
}

// Files that are not as they should be are named, and the exit code says so.
func TestVerifyFindsWhatWasChanged(t *testing.T) {
	dir, _, c := exporter(t)
	c.ok(t, "exports", "run", "2026-10", "--wait", "--data", dir)
	name := filepath.Join(dir, "usage", revision.Folder(october, 1), revision.SummaryFile)
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := c.run(t, "exports", "verify", "2026-10", "--data", dir)
	if r.code != exitFailed || !strings.HasPrefix(r.out, "bad focus/month=2026-10/rev=0001/summary.csv: ") || !strings.Contains(r.err, "1 check of ") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	var got exports.Checked
	r = c.run(t, "exports", "verify", "2026-10", "--json", "--data", dir)
	if decode(t, r.out, &got); r.code != exitFailed || len(got.Problems) != 1 {
		t.Errorf("exit code %d, %+v", r.code, got)
	}
}

// Every refusal names what to change.
func TestExportsThatCannotBe(t *testing.T) {
	dir, s, c := exporter(t)
	c.ok(t, "exports", "run", "2026-10", "--wait", "--data", dir)
	without := withoutSection(t, dir, "billing:", "# Here everything remote")
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a month that is none":           {[]string{"run", "2026-13"}, exitUsage, "2026-09"},
		"a month that is none, planned":  {[]string{"plan", "october"}, exitUsage, "2026-09"},
		"a month that is none, shown":    {[]string{"show", "10/2026"}, exitUsage, "2026-09"},
		"a month that is none, verified": {[]string{"verify", "2026-1"}, exitUsage, "2026-09"},
		"a month to come":                {[]string{"run", "2026-12"}, exitUsage, "2026-12 has not begun"},
		"a month to come, planned":       {[]string{"plan", "2027-01"}, exitUsage, "2027-01 has not begun"},
		"a month never exported":         {[]string{"show", "2026-09"}, exitFailed, "2026-09 was never exported"},
		"none to verify":                 {[]string{"verify", "2026-09"}, exitFailed, "2026-09 has no revision"},
		"a revision that is not there":   {[]string{"show", "2026-10", "--revision", "7"}, exitFailed, "2026-10 has no revision 7"},
		"a revision that is none":        {[]string{"show", "2026-10", "--revision", "-1"}, exitUsage, "--revision is a number from 1 on"},
		"none of those to verify":        {[]string{"verify", "2026-10", "--revision", "-1"}, exitUsage, "--revision is a number from 1 on"},
		"no month to show":               {[]string{"show"}, exitUsage, "accepts 1 arg(s), received 0"},
		"an old month":                   {[]string{"run", "2026-02"}, exitUsage, "the hub does not report 2026-02 any more: say --archive"},
		"an old month nobody has":        {[]string{"run", "2026-02", "--archive"}, exitFailed, "nothing was ever fetched of 2026-02"},
		"an archive of nothing":          {[]string{"run", "--archive"}, exitUsage, "an export from the archive names its months"},
		"too many months":                {append([]string{"run"}, slices.Repeat([]string{"2026-10"}, 13)...), exitUsage, "at most 12 months"},
		"an unknown tenant":              {[]string{"run", "2026-10", "--tenant", "00000000-0000-0000-0000-000000000000"}, exitUsage, "the hub lists no tenant 00000000-"},
		"a tenant that is none":          {[]string{"run", "2026-10", "--tenant", "../raw"}, exitUsage, "a tenant is the id of an organization"},
		"no billing":                     {[]string{"list", "--config", without}, exitUsage, "it has no section billing"},
		"no billing to verify":           {[]string{"verify", "2026-10", "--config", without}, exitUsage, "it has no section billing"},
	} {
		r := c.run(t, slices.Concat([]string{"exports"}, tc.args, []string{"--data", dir})...)
		if r.code != tc.code || r.out != "" || !strings.Contains(r.err, tc.says) {
			t.Errorf("%s: exit code %d, out %q, err %q", name, r.code, r.out, r.err)
		}
	}
	push := `{"message":{"data":"e30=","messageId":"1"},"subscription":"projects/local/subscriptions/billing-export-exportusage"}`
	for _, path := range []string{"/ExportUsage", "/ExportTenantUsage", "/SweepExports", "/api/exports", "/api/exports/plan"} {
		if status := request(t, http.MethodPost, s.URL()+path, "guess", push, nil); status != http.StatusUnauthorized {
			t.Errorf("%s lets anybody in: %d", path, status)
		}
	}
}

// withoutSection is the configuration of an installation without what stands between two lines.
func withoutSection(t *testing.T, dir, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := bytes.Cut(text, []byte("\n"+from))
	_, after, found := bytes.Cut(rest, []byte(to))
	if !found {
		t.Fatalf("the configuration has no %q and %q", from, to)
	}
	path := filepath.Join(t.TempDir(), "without.yaml")
	if err := os.WriteFile(path, slices.Concat(before, []byte("\n"+to), after), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// While nothing runs on the folder, what is there can be looked at; what needs somebody to do it says so.
func TestExportsWhileNothingRuns(t *testing.T) {
	dir, s, c := exporter(t)
	c.ok(t, "exports", "run", "2026-10", "--wait", "--data", dir)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := c.ok(t, "exports", "list", "--data", dir); !strings.Contains(out, "2026-10  resting  2 of 2") {
		t.Errorf("the list is\n%s", out)
	}
	if out := c.ok(t, "exports", "show", "2026-10", "--data", dir); !strings.Contains(out, "state     published") {
		t.Errorf("shown as\n%s", out)
	}
	c.ok(t, "exports", "verify", "2026-10", "--data", dir)
	for _, command := range []string{"run", "plan"} {
		r := c.run(t, "exports", command, "2026-10", "--data", dir)
		if r.code != exitFailed || r.out != "" || !strings.Contains(r.err, `start "providerdesk up --data `+dir) {
			t.Errorf("%s: exit code %d, out %q, err %q", command, r.code, r.out, r.err)
		}
	}
	empty := t.TempDir()
	for _, command := range [][]string{{"run"}, {"plan"}, {"list"}, {"show", "2026-10"}} {
		if r := c.run(t, slices.Concat([]string{"exports"}, command, []string{"--data", empty})...); r.code != exitUsage || !strings.Contains(r.err, `start "providerdesk up"`) {
			t.Errorf("%v of an empty folder: exit code %d, %q", command, r.code, r.err)
		}
	}
}

// A bucket that is in the simulator is there while that runs.
func TestVerifyOfASimulatedBucket(t *testing.T) {
	now := sixth()
	dir, s := running(t, now)
	text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := regexp.MustCompile(`bucket: "file:[^"]*"`).ReplaceAll(text, []byte("bucket: gs://acme-usage/export"))
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), in, 0o600); err != nil {
		t.Fatal(err)
	}
	c := cli{now: now}
	if r := c.run(t, "exports", "verify", "2026-10", "--data", dir); r.code != exitFailed || !strings.Contains(r.err, "the bucket of "+dir+" is in its simulator, which is not running") {
		t.Errorf("exit code %d, %q", r.code, r.err)
	}
	reopen(t, dir, now)
	c.ok(t, "exports", "run", "2026-10", "--wait", "--data", dir)
	c.ok(t, "exports", "verify", "2026-10", "--data", dir)
}

// Waiting for a month does not fill the log with refusals.
func TestWaitingIsQuiet(t *testing.T) {
	now := sixth()
	var log bytes.Buffer
	dir := filepath.Join(t.TempDir(), "data")
	s, err := site.Open(t.Context(), site.Options{Folder: site.Folder(dir), Addr: "127.0.0.1:0", SweepEvery: 24 * time.Hour, Env: func(string) (string, bool) { return "", false },
		Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})), Now: now, Advice: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	cli{now: now}.ok(t, "exports", "run", "2026-10", "--wait", "--data", dir)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("the log has\n%s", log.String())
	}
}

// reopen opens an installation again.
func reopen(t *testing.T, dir string, now func() time.Time) {
	t.Helper()
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
}

// The months that the hub reports complete, newest first.
func TestMonthsComplete(t *testing.T) {
	for _, command := range []string{"run", "plan", "show", "verify"} {
		out := cli{now: sixth()}.ok(t, "__complete", "exports", command, "")
		if got, _, _ := strings.Cut(out, ":"); got != "2026-11\n2026-10\n2026-09\n2026-08\n2026-07\n2026-06\n" {
			t.Errorf("%s completes to %q", command, got)
		}
	}
	if out := (cli{}).ok(t, "exports", "--help"); !strings.Contains(out, "4 a month waits\nfor a person") {
		t.Errorf("the help of exports says\n%s", out)
	}
}
