package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
)

var set = map[string]string{"SET": "s3cret-of-the-sender"}

func TestCheckSaysAllThatIsWrong(t *testing.T) {
	for _, name := range []string{"bad", "badcel", "onboarding"} {
		r := cli{env: set}.run(t, "check", "--config", "testdata/"+name+".yaml")
		if r.code != exitUsage || r.out != "" {
			t.Errorf("%s: exit code %d, out %q", name, r.code, r.out)
		}
		golden(t, "check-"+name+".golden", r.err)
	}
}

func TestCheckOfAGoodFile(t *testing.T) {
	want := "ok  testdata/good.yaml: 1 desk, 1 sender, 1 route\n"
	if out := (cli{env: set}).ok(t, "check", "--config", "testdata/good.yaml"); out != want {
		t.Errorf("got %q", out)
	}
	named := cli{env: map[string]string{"SET": "x", "PROVIDERDESK_CONFIG": "testdata/good.yaml"}}
	if out := named.ok(t, "check"); out != want {
		t.Errorf("named by the environment: %q", out)
	}
}

// What up refuses is what check refuses, before anything listens and before there is a folder.
func TestUpRefusesABadConfigurationAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	r := cli{env: set}.run(t, "up", "--config", "testdata/bad.yaml", "--data", dir, "--addr", "127.0.0.1:0")
	if r.code != exitUsage || r.out != "" {
		t.Errorf("exit code %d, out %q", r.code, r.out)
	}
	golden(t, "check-bad.golden", r.err)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder: %v", err)
	}
}

// answers runs check --live and returns the results, by part and question.
func answers(t *testing.T, wantCode int, args ...string) map[string]probe.Result {
	t.Helper()
	r := cli{}.run(t, append([]string{"check", "--live", "--json"}, args...)...)
	if r.code != wantCode {
		t.Fatalf("exit code %d, want %d\n%s%s", r.code, wantCode, r.out, r.err)
	}
	var all []probe.Result
	if err := json.Unmarshal([]byte(r.out), &all); err != nil {
		t.Fatal(err)
	}
	by := map[string]probe.Result{}
	for _, one := range all {
		by[one.Part+": "+one.What] = one
	}
	return by
}

// The first configuration of an installation passes everywhere, but for what nobody can tell: there is no case yet, and tokens do not say their age.
func TestCheckLive(t *testing.T) {
	dir, _ := running(t, time.Now)
	got := answers(t, exitOK, "--data", dir)
	want := []string{"desk google: the support plan of projects/acme-prod answers",
		`desk google: classification "Technical Issue > Compute > Compute Engine" can be used`, "desk google: events of organizations/123456789012 come",
		"desk google: we may work on cases", "chat slack: the token is the bot's", "chat slack: we are in channel C0CASES", "chat google: we are in spaces/CASES",
		"onboarding: the provider's token lists the tenants", "onboarding: our own account is a member", "onboarding: the API token of the provider is not old",
		"secrets: the secret of push can be read", "secrets: the secret of sender prod-alertmanager can be read", "secrets: the secret of sender cloud-monitoring can be read",
		"secrets: the secret of Slack's requests can be read", "billing: the bucket can be read", "billing: the folder can be written", "billing: the API token of the provider is not old"}
	for _, what := range want {
		verdict := probe.Pass
		if strings.Contains(what, "support plan") || strings.Contains(what, "not old") || strings.Contains(what, "chat google") {
			verdict = got[what].Verdict
		}
		if r, ok := got[what]; !ok || r.Verdict != verdict || r.Verdict == probe.Fail {
			t.Errorf("%s: %+v", what, r)
		}
	}
	if r := got["desk google: the support plan of projects/acme-prod answers"]; r.Verdict != probe.Unclear {
		t.Errorf("a desk without a case: %+v", r)
	}
	only := answers(t, exitOK, "--data", dir, "--function", "billingexport")
	for what := range only {
		if !strings.HasPrefix(what, "billing: ") {
			t.Errorf("of billingexport alone: %s", what)
		}
	}
	if len(only) == 0 || len(got) < len(want) {
		t.Errorf("%d answers, of billingexport %d", len(got), len(only))
	}
}

func TestCheckLiveSaysWhatIsWrong(t *testing.T) {
	dir, _ := running(t, time.Now)
	path := filepath.Join(dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.NewReplacer("> Compute Engine\"", "> Compute Engines\"", "me: owner@", "me: nobody@", "team: T0DESK", "team: T0OTHER").Replace(string(text))
	if err := os.WriteFile(path, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	r := cli{}.run(t, "check", "--live", "--data", dir)
	for _, want := range []string{"VERDICT", "the desk does not list it", "correct onboarding.me", "correct chat.slack.team"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	if r.code != exitUsage || !strings.Contains(r.err, "3 checks failed") {
		t.Errorf("exit code %d, err %q", r.code, r.err)
	}
}

// A desk that does not answer is nobody's mistake: the exit code says to try again.
func TestCheckLiveOfADeskThatIsDown(t *testing.T) {
	dir, s := running(t, time.Now)
	arm(t, s, `{"op":"*","fault":"drop","times":1000}`)
	r := cli{}.run(t, "check", "--live", "--data", dir, "--function", "casewebhook")
	if r.code != exitFailed || !strings.Contains(r.out, "cannot tell  desk google") || !strings.Contains(r.err, "had no answer: try again") {
		t.Errorf("exit code %d, out %q, err %q", r.code, r.out, r.err)
	}
}

// arm arms a fault at the simulated desk of an installation.
func arm(t *testing.T, s *site.Site, fault string) {
	t.Helper()
	resp, err := http.Post(s.Simulator()+"/faults", "application/json", strings.NewReader(fault))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("the fault is not armed: %s", resp.Status)
	}
}
