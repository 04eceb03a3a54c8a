package commands_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
)

var update = flag.Bool("update", false, "write the golden files")

// script is what is said to us, in order, in the thread of a case (">") or in its room.
var script = []string{
	"",
	"help escalate",
	"reboot the server",
	"> is it the disk? (plain words to us)",
	"list",
	"list all P2",
	"report",
	"show #NUMBER",
	"> show",
	"> comment \"Looks like \"the disk\".\"",
	"comment #NUMBER From outside.",
	"comment #99999999 Nowhere.",
	"priority #NUMBER P3",
	"> priority P1",
	"confirm",
	"> subscribe anna@example.com bob@example.com",
	"> escalate BUSINESS_IMPACT The shop is down.",
	"cancel",
	"> escalate BUSINESS_IMPACT The shop is down.",
	"confirm",
	"create P3 A new case\nIts text.",
	"create at google P3 A new case\nIts text.",
	"create at google P1 An urgent case",
	"confirm",
	"release all",
	"attach #NUMBER",
	"approve",
	"> close",
	"confirm",
	"confirm",
}

// TestAnswers holds what everybody is answered on each platform and at each desk to golden files.
func TestAnswers(t *testing.T) {
	for _, p := range []chat.Platform{chat.Slack, chat.Google} {
		for _, deskName := range []string{"google", "hub"} {
			for _, who := range []string{"Anna", "Bob", "Carol", "Eve"} {
				name := strings.ToLower(fmt.Sprintf("%s-%s-%s", p, deskName, who))
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { golden(t, name, play(t, p, deskName, who)) })
				})
			}
		}
	}
}

func play(t *testing.T, p chat.Platform, deskName, who string) string {
	w := newWorld(t, setup{})
	name, at := w.file(deskName, "Disk full")
	var b strings.Builder
	for _, line := range script {
		time.Sleep(time.Second)
		line = strings.ReplaceAll(line, "at google", "at "+deskName)
		fmt.Fprintf(&b, "%s: %s\n", who, line)
		line, here := strings.ReplaceAll(line, "NUMBER", number(name)), place(p)
		if rest, ok := strings.CutPrefix(line, "> "); ok {
			line, here = rest, at[p]
		}
		for _, post := range w.answers(w.does(here, who, line)) {
			for l := range strings.Lines(text(post) + "\n") {
				b.WriteString("        " + l)
			}
		}
	}
	c := w.at(deskName, name)
	fmt.Fprintf(&b, "\nthe case: %s %s escalated=%v\n", c.Priority, c.State, c.Escalated)
	for _, s := range w.said(deskName, name) {
		fmt.Fprintf(&b, "- %q\n", s)
	}
	fmt.Fprintf(&b, "%d cases\n", len(w.cases(deskName)))
	for _, e := range w.audit() {
		fmt.Fprintf(&b, "audit: %s: %s: %s\n", e.Who, e.What, e.Reason)
	}
	return w.named(b.String(), deskName)
}

// named gives the cases names that do not change.
func (w *world) named(s, deskName string) string {
	for i, c := range w.cases(deskName) {
		s = strings.ReplaceAll(s, number(c.Name), fmt.Sprintf("NUMBER%d", i+1))
	}
	return s
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", file, got)
	}
}
