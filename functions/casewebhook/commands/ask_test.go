package commands_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
)

const second = "second_approver: [close]"

// step is a word, or a click, of somebody, and what they are told.
type step struct {
	who, does, told string
	wait            time.Duration
	platform        chat.Platform // Slack if empty; a click is where the question is
}

// TestQuestions: who can answer what, when, and how often; the case is closed exactly if it should be.
func TestQuestions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		chat   string
		steps  []step
		closed bool
	}{
		{"a click", "", []step{{who: "Anna", does: "Confirm", told: "Closed case"}}, true},
		{"a word in the thread", "", []step{{who: "Anna", does: "confirm", told: "Closed case"}}, true},
		{"a slash command", "", []step{{who: "Anna", does: "/confirm", told: "Closed case"}}, true},
		{"a double click", "", []step{{who: "Anna", does: "Confirm", told: "Closed case"}, {who: "Anna", does: "Confirm", told: "answered by Anna Example already"}}, true},
		{"somebody else", "", []step{{who: "Bob", does: "Confirm", told: "Only Anna Example"}}, false},
		{"somebody unknown", "", []step{{who: "Eve", does: "Confirm", told: "I do not know you"}}, false},
		{"cancel, then confirm", "", []step{{who: "Anna", does: "Cancel", told: "Cancelled by Anna Example. Nothing was done"}, {who: "Anna", does: "Confirm", told: "Cancelled by"}}, false},
		{"somebody else cancels", "", []step{{who: "Bob", does: "Cancel", told: "Only Anna Example"}, {who: "Anna", does: "Confirm", told: "Closed case"}}, true},
		{"just in time", "", []step{{who: "Anna", does: "Confirm", told: "Closed case", wait: 14*time.Minute + 59*time.Second}}, true},
		{"too late", "", []step{{who: "Anna", does: "Confirm", told: "Nobody answered in time", wait: 15*time.Minute + time.Second},
			{who: "Anna", does: "Confirm", told: "Nobody answered in time"}}, false},
		{"approve what needs no approval", "", []step{{who: "Carol", does: "approve", told: "Nothing waits"}}, false},
		{"a second person", second, []step{{who: "Anna", does: "Confirm", told: "Approve?"}, {who: "Carol", does: "Approve", told: "Closed case"}}, true},
		{"a second person's word", second, []step{{who: "Anna", does: "Confirm", told: "Approve?"}, {who: "Carol", does: "approve", told: "Closed case"}}, true},
		{"the same person twice", second, []step{{who: "Anna", does: "Confirm", told: "Approve?"}, {who: "Anna", does: "Approve", told: "A second person must"}, {who: "Anna", does: "Confirm", told: "approval of a second person"}}, false},
		{"the same person's other account", second, []step{{who: "Anna", does: "Confirm", told: "Approve?"}, {who: "Anna", does: "Approve", told: "A second person must", platform: chat.Google}}, false},
		{"a second person without the right", second, []step{{who: "Anna", does: "Confirm", told: "Approve?"}, {who: "Bob", does: "Approve", told: `not have the right "approve"`}}, false},
		{"approved before it is confirmed", second, []step{{who: "Carol", does: "approve", told: "Nothing waits"}}, false},
		{"an approver cancels", second, []step{{who: "Anna", does: "Confirm", told: "Approve?"}, {who: "Carol", does: "Cancel", told: "Cancelled by Carol"}, {who: "Carol", does: "Approve", told: "Cancelled by Carol"}}, false},
		{"the approval has its own time", second, []step{{who: "Anna", does: "Confirm", told: "Approve?", wait: 14 * time.Minute}, {who: "Carol", does: "Approve", told: "Closed case", wait: 14 * time.Minute}}, true},
		{"approved too late", second, []step{{who: "Anna", does: "Confirm", told: "Approve?"}, {who: "Carol", does: "Approve", told: "Nobody answered", wait: 16 * time.Minute}}, false},
		{"approved twice", second, []step{{who: "Anna", does: "Confirm", told: "Approve?"}, {who: "Carol", does: "Approve", told: "Closed case"}, {who: "Carol", does: "Approve", told: "answered by Carol Example already"}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{chat: tt.chat})
				name, at := w.file("google", "Disk full")
				here := at[chat.Slack]
				buttons := map[string]chat.Button{}
				note := func(p chat.Post) {
					for _, b := range p.Buttons {
						buttons[b.Text] = b
					}
				}
				note(w.one(w.does(here, "Anna", "close")))
				for _, s := range tt.steps {
					time.Sleep(s.wait)
					post := w.one(w.stepped(s, here, buttons))
					if note(post); !strings.Contains(text(post), s.told) {
						t.Fatalf("%s %s: told %q, want %q", s.who, s.does, text(post), s.told)
					}
				}
				w.sweepFor(20 * time.Minute)
				asked := w.rig[chat.Slack].visible()[0].post
				if over := strings.Fields(asked.Title)[0]; len(asked.Buttons) > 0 || over != "Confirmed" && over != "Cancelled" && over != "Nobody" || (over == "Confirmed") != (tt.closed || tt.chat != "" && len(tt.steps) > 1) {
					t.Errorf("the question shows %q with %d buttons", asked.Title, len(asked.Buttons))
				}
				for _, m := range w.rig[chat.Slack].visible() {
					if len(m.post.Buttons) > 0 {
						t.Errorf("%q still has buttons", text(m.post))
					}
				}
				if closed := w.at("google", name).State == desk.Closed; closed != tt.closed {
					t.Errorf("closed %v", closed)
				}
				if n := w.states()["case.end SUCCEEDED"]; n > 1 || n == 0 && tt.closed {
					t.Errorf("%d closings", n)
				}
				for s, n := range w.states() {
					if !strings.HasSuffix(s, " SUCCEEDED") {
						t.Errorf("%d effects are %s", n, s)
					}
				}
			})
		})
	}
}

func (w *world) stepped(s step, here chat.Place, buttons map[string]chat.Button) chat.Event {
	if s.platform != "" {
		here = chat.Place{Platform: s.platform, Space: "spaces/ops", Thread: "elsewhere"}
	}
	switch b, ok := buttons[s.does]; {
	case ok:
		return w.clicks(here, s.who, b)
	case strings.HasPrefix(s.does, "/"):
		here.Thread = ""
		return w.event(chat.Command, here, s.who, s.does[1:])
	}
	return w.does(here, s.who, s.does)
}

// A question that nobody answers ends by itself, and says so once where it was asked.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		name, at := w.file("google", "Disk full")
		post := w.one(w.does(place(chat.Slack), "Anna", "create at google P0 All is down"))
		w.one(w.does(at[chat.Slack], "Anna", "close"))
		if failed := w.sweepFor(20 * time.Minute); failed > 0 {
			t.Errorf("%d sweeps fail", failed)
		}
		over := 0
		for _, m := range w.rig[chat.Slack].visible() {
			if strings.HasPrefix(m.post.Body, "Nobody answered in time") {
				over++
				if m.sent.Place.Thread == "" || m.sent.Place.Thread != at[chat.Slack].Thread && m.sent.Place.Thread != w.rig[chat.Slack].visible()[0].sent.Place.Thread {
					t.Errorf("said elsewhere: %+v", m.sent.Place)
				}
			}
		}
		if over != 2 || len(w.cases("google")) != 1 || w.at("google", name).State == desk.Closed {
			t.Errorf("said %d times; %d cases", over, len(w.cases("google")))
		}
		if told := text(w.one(w.clicks(place(chat.Slack), "Anna", post.Buttons[0]))); !strings.Contains(told, "Nobody answered in time") {
			t.Error(told)
		}
	})
}

// Two clicks at once, at two replicas: one closing; the other click says that it was answered.
func TestClicksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		first := w.Commands
		w.replica(setup{})
		_, at := w.file("google", "Disk full")
		b := w.one(w.does(at[chat.Slack], "Anna", "close")).Buttons[0]
		var wg sync.WaitGroup
		for n := range 10 {
			e := envelope(t, commands.Message{Chat: new(w.clicks(at[chat.Slack], "Anna", b))})
			c := []*commands.Commands{first, w.Commands}[n%2]
			wg.Go(func() {
				if err := c.Handle(t.Context(), e); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		told := map[string]int{}
		for _, m := range w.rig[chat.Slack].visible()[1:] {
			told[strings.Fields(m.post.Body)[0]]++
		}
		if told["Closed"] != 1 || told["This"] != 9 || w.states()["case.end SUCCEEDED"] != 1 {
			t.Errorf("%v, %v", told, w.states())
		}
	})
}

// A question that began a thread is answered there by a plain word. The same word elsewhere is what it would be anyway.
func TestPlainWords(t *testing.T) {
	w := newWorld(t, setup{})
	name, at := w.file("google", "Disk full")
	w.one(w.does(place(chat.Slack), "Anna", "close #"+number(name)))
	asked := w.rig[chat.Slack].visible()[0].sent.Place
	other := asked
	other.Thread = "another"
	if posts := w.answers(w.event(chat.Message, other, "Anna", "confirm")); len(posts) != 0 {
		t.Errorf("outside: %+v", posts)
	}
	if told := w.answers(w.event(chat.Message, at[chat.Slack], "Anna", "Confirm")); len(told) != 0 {
		t.Errorf("what is on the case is told: %+v", told)
	}
	if told := text(w.one(w.event(chat.Message, asked, "Anna", "Confirm"))); !strings.HasPrefix(told, "Closed case") {
		t.Error(told)
	}
	if got := w.said("google", name); len(got) != 1 || !strings.HasSuffix(got[0], "Confirm") {
		t.Errorf("%q", got)
	}
}

// Rights are those of the moment: who has lost one between a question and its answer does nothing.
func TestRightsAreLost(t *testing.T) {
	w := newWorld(t, setup{})
	name, at := w.file("google", "Disk full")
	b := w.one(w.does(at[chat.Slack], "Bob", "close")).Buttons[0]
	w.config.People[1].May = []string{"show"}
	if told := text(w.one(w.clicks(at[chat.Slack], "Bob", b))); !strings.Contains(told, `not have the right "close" at desk google`) {
		t.Error(told)
	}
	if w.at("google", name).State == desk.Closed {
		t.Error("closed")
	}
}
