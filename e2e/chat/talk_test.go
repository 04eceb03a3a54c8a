//go:build unix

package chat

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/e2e/installed"
	"github.com/providerdesk/providerdesk/shared/proctest"
	sim "github.com/providerdesk/providerdesk/shared/sim/chat"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

// talk is one conversation.
type talk struct {
	*testing.T
	platform, space string
	thread          string          // of the case
	clicked         map[string]bool // labels and messages
	remotes         *remotes
	site            *installed.Site
}

func open(t *testing.T, platform string, addOn bool) *talk {
	t.Helper()
	addr := proctest.FreeAddress(t)
	r := openRemotes(t, "http://"+addr+"/ChatWebhook", addOn)
	s := installed.Start(t, addr, configured(addr, r.url, platform, addOn), "CHAT_TOKEN=xoxb-0123456789-chat", "CHAT_SIGNING="+sim.DefaultSign)
	r.listenTo(s)
	k := &talk{T: t, platform: platform, space: spaces[platform], clicked: map[string]bool{}, remotes: r, site: s}
	t.Cleanup(func() {
		if t.Failed() {
			k.tell()
		}
	})
	return k
}

// tell logs what everybody sees.
func (k *talk) tell() {
	if k.site.Lives() {
		k.Logf("unfinished: %q", k.site.Unfinished())
	}
	for _, m := range k.remotes.chat.Messages(k.platform, k.space, "") {
		k.Logf("%s %s: %.300q %v", m.Thread, m.By, m.Text, m.Buttons)
	}
	for _, c := range k.remotes.desk.Cases() {
		k.Logf("%s %s %s", c.Name, c.Priority, c.State)
		for _, one := range c.Comments {
			k.Logf("  %s: %.200q", one.Author, one.Body)
		}
	}
}

// says has somebody write into the case's thread.
func (k *talk) says(who, text string) { k.say(who, text, k.platform == sim.Google) }

// mentions has somebody write to us there.
func (k *talk) mentions(who, text string) { k.say(who, text, true) }

func (k *talk) say(who, text string, mention bool, files ...sim.Upload) {
	k.Helper()
	said, err := k.remotes.chat.Say(k.Context(), sim.Saying{
		Platform: k.platform, Space: k.space, Thread: k.thread, Person: people[k.platform][who], Text: text, Mention: mention, Files: files,
	})
	k.delivered(said, err)
}

func (k *talk) attaches(who, name string) {
	k.say(who, "", k.platform == sim.Google, sim.Upload{Name: name, Type: "text/plain", Content: []byte("disk full\n")})
}

// command has somebody type a slash command outside every thread.
func (k *talk) command(who, text string) {
	k.Helper()
	said, err := k.remotes.chat.Command(k.Context(), sim.Commanding{Platform: k.platform, Space: k.space, Person: people[k.platform][who], Text: text})
	k.delivered(said, err)
}

// clicks has somebody click on a button that nobody has clicked yet, when it is there.
func (k *talk) clicks(who, label string) {
	k.Helper()
	var on sim.View
	k.wait("there is a new button "+label, func() bool {
		for _, m := range k.remotes.chat.Messages(k.platform, k.space, "") {
			if slices.Contains(m.Buttons, label) && !k.clicked[label+m.Name] {
				on = m
			}
		}
		return on.Name != ""
	})
	k.clicked[label+on.Name] = true
	said, err := k.remotes.chat.Click(k.Context(), sim.Clicking{
		Platform: k.platform, Space: k.space, Message: on.Name, Person: people[k.platform][who], Button: label,
	})
	k.delivered(said, err)
}

// delivered sees that every request of the platform was taken.
func (k *talk) delivered(said sim.Said, err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
	for _, d := range said.Deliveries {
		if d.Status != http.StatusOK {
			k.Fatalf("the webhook answers %+v", d)
		}
	}
}

// twice has the platform deliver the next request twice.
func (k *talk) twice() { k.remotes.chat.Disturb(1, 0) }

// desk has the desk's staff write a comment.
func (k *talk) desk(text string) {
	k.Helper()
	number := k.theCase().Name
	number = number[strings.LastIndex(number, "/")+1:]
	answer, err := http.Post(k.remotes.url+"/desk/cases/"+number+"/reply", "application/json", strings.NewReader(fmt.Sprintf(`{"body":%q}`, text)))
	if err != nil {
		k.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		k.Fatalf("the desk's staff cannot answer: %d", answer.StatusCode)
	}
}

func (k *talk) theCase() cloudsupport.CaseView {
	k.Helper()
	all := k.remotes.desk.Cases()
	if len(all) != 1 {
		k.Fatalf("there are %d cases", len(all))
	}
	return all[0]
}

// untilCase waits for the case and its thread.
func (k *talk) untilCase() {
	k.Helper()
	k.wait("the case is opened", func() bool { return len(k.remotes.desk.Cases()) == 1 })
	number := k.theCase().Name
	number = number[strings.LastIndex(number, "/")+1:]
	k.wait("the case has a thread", func() bool {
		for _, m := range k.remotes.chat.Messages(k.platform, k.space, "") {
			if m.Bot && slices.Contains(m.Buttons, "Close") && strings.Contains(m.Text, number) {
				k.thread = m.Thread
			}
		}
		return k.thread != ""
	})
}

// until waits for something to be true of the case.
func (k *talk) until(what string, holds func(cloudsupport.CaseView) bool) {
	k.Helper()
	k.wait(what, func() bool { return holds(k.theCase()) })
}

func (k *talk) untilCommented(mark string) {
	k.Helper()
	k.until(mark+" stands at the desk", func(c cloudsupport.CaseView) bool {
		return slices.ContainsFunc(c.Comments, func(one cloudsupport.CommentView) bool { return strings.Contains(one.Body, mark) })
	})
}

// untilSaid waits for a message of ours that holds all the pieces.
func (k *talk) untilSaid(pieces ...string) {
	k.Helper()
	k.wait(fmt.Sprintf("we say %q", pieces), func() bool {
		return slices.ContainsFunc(k.remotes.chat.Messages(k.platform, k.space, ""), func(m sim.View) bool {
			return m.Bot && !slices.ContainsFunc(pieces, func(p string) bool { return !strings.Contains(m.Text, p) })
		})
	})
}

// wait lets time pass for the platform and the bus of the desk, too.
func (k *talk) wait(what string, holds func() bool) {
	k.Helper()
	proctest.Until(k.T, what, func() bool {
		k.remotes.chat.Send(k.Context())
		k.remotes.again()
		return holds()
	})
}

// killAt has the process killed at a moment.
func (k *talk) killAt(m installed.Moment) <-chan struct{} { return k.remotes.Await(m, k.site.Kill) }

// restart starts the process when it is dead.
func (k *talk) restart(killed <-chan struct{}) {
	k.Helper()
	k.wait("the process is killed", func() bool {
		select {
		case <-killed:
			return true
		default:
			return false
		}
	})
	k.site.Restart()
}
