package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/functions/tenantonboard"
)

const question = "Do this? Only yes will do: "

// On a terminal a person sees the plan, is asked, and then sees how it goes until the tenants rest.
func TestOnATerminalAPersonIsAsked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	start(t, dir, 0)
	for _, no := range []string{"no\n", "\n", "y\n", "\x04"} {
		p := onTerminal(t, "tenants", "apply", example(dir), "--data", dir)
		p.answer(t, question, no)
		if code := p.exit(); code != exitRefused || !strings.Contains(p.text(), "nothing was done") {
			t.Errorf("answered %q: exit code %d\n%s", no, code, p.text())
		}
	}
	if got := standings(t, dir); len(got) != 0 {
		t.Fatalf("nobody agreed, and there are %v", got)
	}
	p := onTerminal(t, "tenants", "apply", example(dir), "--data", dir)
	p.answer(t, question, "yes\n")
	if code := p.exit(); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	for _, want := range []string{"\x1b[32m+\x1b[0m create the organization of tenant acme", "░", "A\x1b[J", "2 of 2 tenants", "1 INVITED, 1 READY", "\x1b[32mREADY"} {
		if !strings.Contains(p.text(), want) {
			t.Errorf("no %q in\n%q", want, p.text())
		}
	}
}

// What is done is what was shown: here somebody else was faster.
func TestAPlanThatHasChangedIsNotApplied(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	start(t, dir, 0)
	p := onTerminal(t, "tenants", "apply", example(dir), "--data", dir)
	p.answer(t, question, "")
	cli{}.ok(t, "tenants", "apply", example(dir), "--data", dir, "--yes", "--wait")
	p.answer(t, question, "yes\n")
	if code := p.exit(); code != exitRefused || !strings.Contains(p.text(), "As it is now:") || !strings.Contains(p.text(), "nothing to do") {
		t.Errorf("exit code %d\n%s", code, p.text())
	}
	p = onTerminal(t, "tenants", "offboard", "beta", "--data", dir)
	p.answer(t, "Take this away? Only yes will do: ", "yes\n")
	if code := p.exit(); code != exitOK || standings(t, dir)["beta"] != tenantonboard.Offboarded {
		t.Errorf("offboarding: exit code %d\n%s", code, p.text())
	}
}
