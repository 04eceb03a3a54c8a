package follow_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

// step is something that happens on a case, and how long nothing follows.
type step struct {
	do   string // "": nothing; "desk:TEXT", "state:STATE", "person:TEXT", "chat:TEXT", "alert:TEXT", "escalate"
	then time.Duration
}

const toProgress = "state:IN_PROGRESS_GOOGLE_SUPPORT"

// A policy, what happens, and what is said of it in the thread: the titles of the reminders and proposals, and whether the case is closed in the
// end.
var watched = []struct {
	name   string
	watch  string
	steps  []step
	said   []string
	closed bool
}{
	{"nothing is watched", "", []step{{"", 50 * time.Hour}}, nil, false},
	{"no answer: not yet", "answer: 2h", []step{{"", 119 * time.Minute}}, nil, false},
	{"no answer: a reminder", "answer: 2h", []step{{"", 123 * time.Minute}}, []string{"Reminder"}, false},
	{"no answer: one reminder", "answer: 2h", []step{{"", 50 * time.Hour}}, []string{"Reminder"}, false},
	{"an answer in time", "answer: 2h", []step{{toProgress, time.Hour}, {"desk:hello", 50 * time.Hour}}, nil, false},
	{"a state is no answer", "answer: 2h", []step{{toProgress, 3 * time.Hour}}, []string{"Reminder"}, false},
	{"we ask again: the wait begins anew", "answer: 2h", []step{{"", time.Hour}, {"person:and?", 119 * time.Minute}}, nil, false},
	{"we ask again, from chat", "answer: 2h", []step{{"", time.Hour}, {"chat:and?", 119 * time.Minute}}, nil, false},
	{"we ask again, and nobody answers", "answer: 2h", []step{{"", 3 * time.Hour}, {"person:and?", 5 * time.Hour}}, []string{"Reminder", "Reminder"}, false},
	{"an alert asks nothing", "answer: 2h", []step{{"", time.Hour}, {"alert:news", 65 * time.Minute}}, []string{"Reminder"}, false},
	{"answered after the reminder", "answer: 2h, propose: 1h", []step{{"", 150 * time.Minute}, {"desk:hello", 9 * time.Hour}}, []string{"Reminder"}, false},
	{"a proposal", "answer: 2h, propose: 1h", []step{{"", 50 * time.Hour}}, []string{"Reminder", "Escalate?"}, false},
	{"a proposal: not yet", "answer: 2h, propose: 1h", []step{{"", 178 * time.Minute}}, []string{"Reminder"}, false},
	{"no proposal for what is escalated", "answer: 2h, propose: 1h", []step{{"escalate", 9 * time.Hour}}, []string{"Reminder"}, false},
	{"a proposal for each wait", "answer: 2h, propose: 1h", []step{{"", 4 * time.Hour}, {"person:and?", 4 * time.Hour}},
		[]string{"Reminder", "Escalate?", "Reminder", "Escalate?"}, false},
	{"our turn", "our_turn: 1h, propose: 1h", []step{{toProgress, time.Minute}, {"desk:and you?", time.Minute}, {"state:ACTION_REQUIRED", 9 * time.Hour}},
		[]string{"Reminder"}, false},
	{"our turn: not yet", "our_turn: 1h", []step{{toProgress, time.Minute}, {"state:ACTION_REQUIRED", 59 * time.Minute}}, nil, false},
	{"our turn, and we answer", "our_turn: 1h", []step{{toProgress, time.Minute}, {"state:ACTION_REQUIRED", 30 * time.Minute}, {"person:here", 9 * time.Hour}},
		nil, false},
	{"our turn twice", "our_turn: 1h", []step{{toProgress, time.Minute}, {"state:ACTION_REQUIRED", 2 * time.Hour}, {"person:here", time.Hour},
		{"state:ACTION_REQUIRED", 2 * time.Hour}}, []string{"Reminder", "Reminder"}, false},
	{"while the desk waits for us it need not answer", "answer: 1h", []step{{toProgress, time.Minute}, {"state:ACTION_REQUIRED", 9 * time.Hour}}, nil, false},
	{"solved and quiet", "close: 3h", []step{{toProgress, time.Minute}, {"state:SOLUTION_PROVIDED", 4 * time.Hour}}, nil, true},
	{"solved: not yet", "close: 3h", []step{{toProgress, time.Minute}, {"state:SOLUTION_PROVIDED", 175 * time.Minute}}, nil, false},
	{"solved, and the desk talks", "close: 3h", []step{{toProgress, time.Minute}, {"state:SOLUTION_PROVIDED", 2 * time.Hour}, {"desk:by the way", 2 * time.Hour}}, nil, false},
	{"solved, talked, quiet", "close: 3h", []step{{toProgress, time.Minute}, {"state:SOLUTION_PROVIDED", 2 * time.Hour}, {"desk:by the way", 4 * time.Hour}}, nil, true},
	{"solved, and we disagree", "close: 3h", []step{{toProgress, time.Minute}, {"state:SOLUTION_PROVIDED", 2 * time.Hour}, {"person:no", 50 * time.Hour}}, nil, false},
	{"in progress is never closed", "close: 3h", []step{{toProgress, 50 * time.Hour}}, nil, false},
}

func TestWatch(t *testing.T) {
	for _, tt := range watched {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				watch := ""
				if tt.watch != "" {
					watch = "\n    watch: {" + tt.watch + "}"
				}
				w := newWorld(t, setup{desk: inSlack + watch, sim: cloudsupport.Options{Tokens: map[string]string{"t": ourLogin, "p": "ann@example.com"}}})
				w.subscribe()
				name := w.open(1)
				for _, s := range tt.steps {
					w.happens(name, s.do)
					w.push()
					w.minutes(s.then)
				}
				th := w.thread(w.slack, cases)
				var said []string
				for _, p := range th.posts {
					if p.Title == "Reminder" || p.Title == "Escalate?" {
						said = append(said, p.Title)
					}
					if p.Title == "Escalate?" && (len(p.Buttons) != 1 || p.Buttons[0].Action != follow.ActionEscalate || p.Buttons[0].Value != id(name)) {
						t.Errorf("buttons %+v", p.Buttons)
					}
				}
				if !slices.Equal(said, tt.said) {
					t.Errorf("said %q, want %q", th.bodies(), tt.said)
				}
				if closed := strings.Contains(strings.Join(th.bodies(), "\n"), "→ closed: It was solved"); closed != tt.closed {
					t.Errorf("closed %v: %q", closed, th.bodies())
				}
			})
		})
	}
}

// happens does a step.
func (w *world) happens(name, do string) {
	w.Helper()
	what, text, _ := strings.Cut(do, ":")
	switch what {
	case "desk":
		w.reply(name, text, "")
	case "state":
		w.reply(name, "", text)
	case "person":
		w.write("p", name, text)
	case "chat":
		w.said(name, text, chat.Place{Platform: chat.Slack, Space: cases}, true)
	case "alert":
		w.said(name, text, chat.Place{}, false)
	case "escalate":
		w.call("t", http.MethodPost, "/v2/"+name+":escalate", `{"escalation":{"reason":"RESOLUTION_TIME","justification":"j"}}`)
	}
}

// A closing that was decided is void when somebody talks before it is carried out.
func TestClosingIsVoid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack + "\n    watch: {close: 1h}"})
		name := w.open(1)
		w.reply(name, "", "IN_PROGRESS_GOOGLE_SUPPORT")
		w.reply(name, "", "SOLUTION_PROVIDED")
		if err := w.sim.ArmFault("cases.close", "status:429", 1); err != nil {
			t.Fatal(err)
		}
		_, counts := w.sim.Calls()
		for counts["cases.close"] == 0 {
			w.minute()
			_, counts = w.sim.Calls()
		}
		w.reply(name, "one thing more", "")
		w.minutes(30 * time.Minute)
		if got := w.thread(w.slack, cases).bodies(); got[len(got)-1] != vendor+": one thing more" {
			t.Errorf("told %q", got)
		}
		if got := w.states()["case.end SUCCEEDED"]; got != 1 {
			t.Errorf("effects %v", w.states())
		}
	})
}
