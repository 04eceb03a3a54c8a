package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

func TestCheckLive(t *testing.T) {
	dir, _ := running(t, time.Now)
	out := cli{}.ok(t, "check", "--live", "--data", dir)
	for _, want := range []string{"ok  hub: the provider's token lists the tenants\n", "ok  hub: our own account is a member\n", ", onboarding with 1 token\n",
		"ok  desk google: projects/acme-prod is readable\n", "ok  desk google: a search works\n", "ok  desk google: classification "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	path := filepath.Join(dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.NewReplacer("> Compute Engine\"", "> Compute Engines\"", "me: owner@", "me: nobody@").Replace(string(text))
	if err := os.WriteFile(path, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	r := cli{}.run(t, "check", "--live", "--data", dir)
	if r.code != exitUsage || !strings.Contains(r.out, "the desk does not list it") || !strings.Contains(r.out, "correct onboarding.me") ||
		!strings.Contains(r.err, "2 checks failed") {
		t.Errorf("exit code %d, out %q, err %q", r.code, r.out, r.err)
	}
}
