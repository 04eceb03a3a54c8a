package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	began := time.Now()
	out := cli{env: map[string]string{"PROVIDERDESK_CONFIG": "/nowhere", "PUBSUB_EMULATOR_HOST": "127.0.0.1:1", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}}.ok(t, "demo")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := len(regexp.MustCompile(`(?m)^   ok desk: cases `).FindAllString(out, -1)); n != 7 {
		t.Errorf("%d figures are as they must be, want 7", n)
	}
	for _, want := range []string{
		"ok desk: cases 1, calls of cases.create 1, comments 0; ledger: done 1, in doubt 0",
		"ok desk: cases 2, calls of cases.create 2, comments 0; ledger: done 1, in doubt 1",
		"ok desk: cases 3, calls of cases.create 3, comments 1; ledger: done 4, in doubt 0",
		"200 accepted and handled in ",
		"refused with 401 Unauthorized: ",
		"$ providerdesk cases list\nCASE ",
		"$ providerdesk ledger list\nID ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
