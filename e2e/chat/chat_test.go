//go:build unix

// Package chat has three people and the desk's staff talk about a case with the product as its users have it, kills it twice at the worst
// moments, and reads what stands on both sides in the end: every message once, in order.
//
//	chat_test.go       the conversation, turn by turn, and the reading
//	talk_test.go       what people do, and what can be waited for
//	remotes_test.go    the chat platforms and the support desk, simulators that live on when their caller dies, and choose when it does
//
// Slack and Google Chat have the same conversation. Slack tells us whatever is written in a channel, Google only what is said to us, so there
// everybody mentions the app.
package chat

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/e2e/installed"
	"github.com/providerdesk/providerdesk/shared/proctest"
	sim "github.com/providerdesk/providerdesk/shared/sim/chat"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

func TestMain(m *testing.M) {
	dir, err := installed.Build()
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// people of the conversation, by platform. Anna may do everything, Ben comment, list, show and approve, Chen list and show.
var people = map[string]map[string]string{
	sim.Slack:  {"anna": "U0ANNA", "ben": "U0BEN", "chen": "U0CHEN"},
	sim.Google: {"anna": "users/1001", "ben": "users/1002", "chen": "users/1003"},
}

// The moments: the remote has done what was asked, and the process dies before it learns that.
var (
	aComment = installed.Moment{Method: http.MethodPost, Ends: []string{"/comments"}, Executed: true}
	aMessage = installed.Moment{Method: http.MethodPost, Ends: []string{"/chat.postMessage", "/messages"}, Executed: true}
)

var spaces = map[string]string{sim.Slack: sim.Channel, sim.Google: sim.Space}

func TestConversation(t *testing.T) {
	for _, c := range []struct {
		name, platform string
		addOn          bool
	}{{"slack", sim.Slack, false}, {"google", sim.Google, false}, {"google add-on", sim.Google, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			converse(t, c.platform, c.addOn)
		})
	}
}

// converse is the conversation of thirty turns.
func converse(t *testing.T, platform string, addOn bool) {
	talk := open(t, platform, addOn)

	talk.command("anna", "create P3 \"Disk full on db-1\" All writes fail since ten o'clock.") // 1
	talk.untilCase()
	talk.desk("Answer 1: which zone is it in?") // 2
	talk.says("anna", "It is in zone b (1)")    // 3
	talk.says("ben", "And in zone c too (2)")   // 4
	talk.desk("Answer 2: thank you.")           // 5
	talk.says("chen", "I am not allowed (x)")   // 6
	talk.untilSaid("Anna Example, Ben Example")

	killed := talk.killAt(aComment)
	talk.says("anna", "This one is made while the process dies (3)") // 7
	talk.restart(killed)
	talk.says("ben", "And this one right after (4)") // 8
	talk.untilCommented("(4)")

	killed = talk.killAt(aMessage)
	talk.desk("Answer 3: told while the process dies.") // 9
	talk.restart(killed)
	talk.desk("Answer 4: and told after it.") // 10
	talk.untilSaid("Answer 4")

	talk.mentions("anna", "priority P2") // 11
	talk.until("the priority is P2", func(c cloudsupport.CaseView) bool { return c.Priority == "P2" })
	talk.mentions("ben", "priority P1") // 12: he may not
	talk.mentions("ben", "show")        // 13
	talk.untilSaid("All writes fail")
	talk.mentions("chen", "list")                      // 14
	talk.says("anna", "Still with us (5)")             // 15
	talk.mentions("anna", "subscribe ops@example.com") // 16
	talk.until("ops is subscribed", func(c cloudsupport.CaseView) bool { return slices.Contains(c.Subscribers, "ops@example.com") })
	talk.command("anna", "frobnicate") // 17
	talk.untilSaid("do not know this command")
	talk.twice()
	talk.says("ben", "Delivered twice by the platform (6)") // 18
	talk.untilCommented("(6)")
	talk.desk("Answer 5: please send a log.") // 19
	talk.says("anna", "Here it is (7)")       // 20
	talk.attaches("anna", "db-1.log")         // 21
	talk.until("the log is attached", func(c cloudsupport.CaseView) bool { return len(c.Attachments) == 1 })
	talk.desk("Answer 6: got it.")                                           // 22
	talk.says("ben", "Good (8)")                                             // 23
	talk.says("anna", "(9a) "+strings.Repeat("a long story, ", 780)+" (9b)") // 24: two comments
	talk.says("chen", "I am still not allowed (y)")                          // 25
	talk.untilCommented("(9b)")

	talk.mentions("anna", "escalate BUSINESS_IMPACT The shop is down.") // 26
	talk.twice()
	talk.clicks("anna", "Confirm") // 27
	talk.until("the case is escalated", func(c cloudsupport.CaseView) bool { return c.Escalations > 0 })
	talk.mentions("anna", "close") // 28
	talk.clicks("anna", "Confirm") // 29
	talk.clicks("ben", "Approve")  // 30: a close wants a second person here
	talk.until("the case is closed", func(c cloudsupport.CaseView) bool { return c.State == "CLOSED" })

	talk.untilSaid("Closed case")

	talk.read()
}

// read compares both sides with what was said.
func (k *talk) read() {
	proctest.Until(k.T, "nothing is left to do", func() bool { return len(k.site.Unfinished()) == 0 })
	c := k.theCase()
	if c.Escalations != 1 || c.Priority != "P2" {
		k.Errorf("escalated %d times, priority %s", c.Escalations, c.Priority)
	}
	var said []string
	for _, comment := range c.Comments {
		if !comment.Google {
			said = append(said, marks(comment.Body)...)
		}
	}
	want := []string{"(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9a)", "(9b)"}
	if !slices.Equal(said, want) {
		k.Errorf("at the desk stand %v, want %v", said, want)
	}
	var told []string
	answers := 0
	for _, m := range k.remotes.chat.Messages(k.platform, k.space, k.thread) {
		if !m.Bot {
			continue
		}
		answers++
		if author, text, _ := strings.Cut(m.Text, "\n"); strings.HasPrefix(author, "Google Cloud Support") { // "show" quotes one, too
			told = append(told, text[:len("Answer 1")])
		}
		if slices.Contains(marks(m.Text), "(1)") {
			k.Errorf("a comment is told where it was made: %q", m.Text)
		}
	}
	if want := []string{"Answer 1", "Answer 2", "Answer 3", "Answer 4", "Answer 5", "Answer 6"}; !slices.Equal(told, want) {
		k.Errorf("in the thread stand %v, want %v", told, want)
	}
	k.site.CheckLedger()
	k.Logf("%s: 30 turns, 3 people, %d kills: %d comments at the desk, %d answers of the desk and %d messages of ours in the thread, each once and in order",
		k.Name(), k.site.Kills, len(said), len(told), answers)
}

// marks are the numbers in a text that tell the messages apart.
func marks(text string) (all []string) {
	for _, m := range []string{"(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9a)", "(9b)", "(x)", "(y)"} {
		for range strings.Count(text, m) {
			all = append(all, m)
		}
	}
	return all
}
