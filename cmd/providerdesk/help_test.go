package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func each(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		each(sub, f)
	}
}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	started := false
	root := cli{}.program(&bytes.Buffer{}, &bytes.Buffer{}).command(&started)
	n := 0
	each(root, func(c *cobra.Command) {
		n++
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		out := cli{}.ok(t, args...)
		if c.Short == "" || !strings.Contains(out, "Examples:\n  providerdesk "+strings.Join(args[:len(args)-1], " ")) {
			t.Errorf("%s has no help with an example of its own:\n%s", c.CommandPath(), out)
		}
		if c.Args == nil {
			t.Errorf("%s does not say what arguments it takes", c.CommandPath())
		}
	})
	if n != 29 {
		t.Errorf("%d commands, want 29", n)
	}
}

func TestTheHelpDocumentsTheExitCodes(t *testing.T) {
	if out := (cli{}).ok(t, "help"); !strings.Contains(out, "Exit codes: 0 done, 1 failed, 2 the configuration or the command line is wrong.") {
		t.Errorf("help says\n%s", out)
	}
	if out := (cli{}).ok(t, "tenants", "--help"); !strings.Contains(out, "3 nothing was done") || !strings.Contains(out, "4 a tenant waits for a person") {
		t.Errorf("help of tenants says\n%s", out)
	}
}

func TestWrongCommandLines(t *testing.T) {
	empty := t.TempDir()
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"an unknown command":      {[]string{"start"}, `unknown command "start"`},
		"an unknown subcommand":   {[]string{"cases", "close"}, `unknown command "close"`},
		"an unknown flag":         {[]string{"up", "--port", "1"}, "unknown flag: --port"},
		"a missing argument":      {[]string{"send", "alertmanager"}, "accepts 2 arg(s), received 1"},
		"an argument too many":    {[]string{"version", "now"}, `unknown command "now"`},
		"a source that is none":   {[]string{"send", "nagios", "-", "--data", empty}, "the source is one of alertmanager, grafana, monitoring"},
		"a state that is none":    {[]string{"ledger", "list", "--state", "lost"}, "pending, calling, unknown, succeeded, failed, parked, compensated"},
		"a function that is none": {[]string{"check", "--live", "--function", "cases"}, "a function is casewebhook, tenantonboard, billingexport"},
		"JSON of a file":          {[]string{"check", "--json"}, "--json and --function are for --live"},
		"a verdict that is none":  {[]string{"ledger", "decide", "3f", "undo", "--who", "a"}, "approve, veto or adopt"},
		"nobody's decision":       {[]string{"ledger", "decide", "3f", "veto"}, "names who"},
		"an adoption of nothing":  {[]string{"ledger", "decide", "3f", "adopt", "--who", "a"}, "names the object"},
		"an address that is none": {[]string{"up", "--addr", "8080", "--data", empty}, "--addr must be HOST:PORT"},
		"a sweep that never ends": {[]string{"up", "--sweep-every", "0s", "--data", empty}, "--sweep-every must be above zero"},
		"a status that is none":   {[]string{"tenants", "list", "--status", "lost"}, "NEW, TENANT_CREATED, USERS_ADDED"},
		"a month that is none":    {[]string{"exports", "plan", "2026-13", "--data", empty}, "2026-09"},
		"an unknown export":       {[]string{"exports", "delete", "2026-09"}, `unknown command "delete"`},
		"a form that is none":     {[]string{"tenants", "plan", "acme.txt", "--data", empty}, "Say --form yaml, json or csv"},
		"nobody to ask":           {[]string{"tenants", "apply", "acme.yaml", "--data", empty}, "then say --yes"},
		"nobody to ask either":    {[]string{"tenants", "offboard", "acme", "--data", empty}, "then say --yes"},
		"a request that is none":  {[]string{"tenants", "plan", empty + "/none.yaml", "--data", empty}, "no such file"},
		"a folder without any":    {[]string{"ledger", "list", "--data", empty}, `start "providerdesk up"`},
		"nobody's release":        {[]string{"cases", "release", "--all"}, "say --by"},
		"a release of nothing":    {[]string{"cases", "release", "--by", "a"}, "say one of --incident, --desk and --all"},
		"a release of two things": {[]string{"cases", "release", "--by", "a", "--all", "--desk", "google"}, "say one of --incident, --desk and --all"},
		"a release of no folder":  {[]string{"cases", "release", "--by", "a", "--all", "--data", empty}, `start "providerdesk up"`},
		"no configuration":        {[]string{"cases", "list", "--data", empty}, "there is no configuration"},
		"no configuration there":  {[]string{"check", "--config", empty + "/none.yaml"}, "there is no configuration"},
		"up without its file":     {[]string{"up", "--config", empty + "/none.yaml", "--data", empty}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			r := cli{}.run(t, tc.args...)
			if r.code != exitUsage || r.out != "" || !strings.Contains(r.err, tc.says) {
				t.Errorf("exit code %d, out %q, err %q; want 2 and %q", r.code, r.out, r.err, tc.says)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	if out := (cli{}).ok(t, "version"); !strings.HasPrefix(out, "providerdesk ") || !strings.Contains(out, " go1.") {
		t.Errorf("got %q", out)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := (cli{}).ok(t, "completion", shell); !strings.Contains(out, "providerdesk") {
			t.Errorf("%s: %d bytes without our name", shell, len(out))
		}
	}
	for line, want := range map[string]string{
		"send ":                    "alertmanager\ngrafana\nmonitoring\nservicehealth\nbudget\nsecuritycommandcenter\ncloudevents\nplain\nany\n",
		"ledger decide 3f9a ":      "approve\nveto\nadopt\n",
		"ledger list --state ":     "pending\ncalling\nunknown\nsucceeded\nfailed\nparked\ncompensated\n",
		"ledger decide 3f9a veto ": "",
		"check --function ":        "casewebhook\ntenantonboard\nbillingexport\n",
		"tenants plan a --form ":   "yaml\njson\ncsv\n",
		"tenants plan ":            "yaml\nyml\njson\ncsv\n",
		"tenants show ":            "", // nothing runs here
	} {
		out := cli{}.ok(t, append([]string{"__complete"}, strings.Split(line, " ")...)...)
		if got, _, _ := strings.Cut(out, ":"); got != want {
			t.Errorf("%q completes to %q, want %q", line, got, want)
		}
	}
}
