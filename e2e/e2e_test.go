// Package e2e uses the product as its users do: the built command with its embedded broker and simulated desk, and the real Alertmanager in
// front of it, each a process of its own on loopback ports that were free. Nothing in here looks into the command: what it says is what
// HTTP answers, the log it writes, and the support desk's own listing.
//
// It takes minutes, because a real settle window has to pass after a real kill. It runs with E2E=1; `e2e/run` sets it.
package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// enabled skips a test of a plain "go test ./...".
func enabled(t *testing.T) {
	t.Helper()
	if os.Getenv("E2E") != "1" {
		t.Skip("takes minutes and needs Alertmanager: run e2e/run, or set E2E=1")
	}
}

var bin string // where the command is built to

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "providerdesk-e2e-*")
	if err != nil {
		panic(err)
	}
	bin = filepath.Join(dir, "providerdesk")
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var build = sync.OnceValues(func() (output []byte, err error) {
	return exec.Command("go", "build", "-o", bin, "../cmd/providerdesk").CombinedOutput()
})

// command returns the path of the command, built once.
func command(t *testing.T) string {
	t.Helper()
	if out, err := build(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	return bin
}

// eventually looks at a condition until it holds. What it sees meanwhile is told when it never does.
func eventually(t *testing.T, limit time.Duration, what string, holds func() (ok bool, seen any)) {
	t.Helper()
	looks := time.NewTicker(50 * time.Millisecond)
	defer looks.Stop()
	patience := time.NewTimer(limit)
	defer patience.Stop()
	for {
		ok, seen := holds()
		if ok {
			return
		}
		select {
		case <-looks.C:
		case <-patience.C:
			t.Fatalf("not within %v: %s; seen: %v", limit, what, seen)
		}
	}
}
