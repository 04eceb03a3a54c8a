package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

// On a terminal a person sees how it goes without asking for it, in colour, and what was checked leaves only the result.
func TestExportsOnATerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	up := start(t, dir, 0)
	control(t, http.MethodPost, up.base+"/sim/hub/faults", `{"op":"usage.report","fault":"status:503","times":1000}`)
	p := onTerminal(t, "exports", "run", "--data", dir)
	proctest.Until(t, "a bar that is not full", func() bool { return strings.Contains(p.text(), "░") })
	control(t, http.MethodDelete, up.base+"/sim/hub/faults", "")
	if code := p.exit(); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, p.text())
	}
	for _, want := range []string{"█", "░", "A\x1b[J", "2 of 2 tenants", "\x1b[1mMONTH", "\x1b[32m1 published\x1b[0m"} {
		if !strings.Contains(p.text(), want) {
			t.Errorf("no %q in\n%q", want, p.text())
		}
	}
	var listed []struct{ Month string }
	decode(t, cli{}.ok(t, "exports", "list", "--json", "--data", dir), &listed)
	p = onTerminal(t, "exports", "verify", listed[0].Month, "--data", dir)
	if code := p.exit(); code != exitOK || !strings.Contains(p.text(), "█") || !strings.Contains(p.text(), "\x1b[J\x1b[32mok\x1b[0m  "+listed[0].Month) {
		t.Errorf("exit code %d\n%q", code, p.text())
	}
}
