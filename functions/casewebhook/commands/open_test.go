package commands_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// opening is a case that a person opens with a file and confirms, at one desk, with one fault and one death.
type opening struct {
	desk, op, fault string
	crash           ledger.Point
	twice           bool
}

func openings() (all []opening) {
	for _, p := range append([]ledger.Point{""}, ledger.Points[:]...) {
		for _, twice := range []bool{false, true} {
			for _, f := range []string{"commit_then_drop", "commit_then_status:503", "status:500", "status:429", "drop", "garbage", "delay:40s", "late:4m"} {
				all = append(all, opening{"google", "cases.create", f, p, twice}, opening{"google", "media.upload", f, p, twice})
			}
			for _, f := range []string{"commit_then_drop", "status:500", "drop", "delay:40s"} {
				all = append(all, opening{"hub", "support.create", f, p, twice})
			}
			for _, f := range []string{"commit_then_drop", "drop", "throttle", "late:4m"} {
				all = append(all, opening{"google", "post", f, p, twice})
			}
		}
	}
	return all
}

// However often the request and its confirmation come, and whatever fails and dies: one case, one file on it, one outcome.
func TestOpenOnceUnderFaults(t *testing.T) {
	playAll(t, openings(), open)
}

func open(t *testing.T, s opening) (deaths int, wrong string) {
	armed := ledger.Point("")
	crash := setup{crash: dies(&armed, &deaths)}
	w := newWorld(t, crash)
	first := w.Commands
	w.replica(crash)
	both := []*commands.Commands{first, w.Commands}
	w.rig[chat.Google].files = map[string]string{"F1": "one"}
	e := w.does(place(chat.Google), "Anna", "create at "+s.desk+" P1 All is down")
	e.Files = []chat.File{{Name: "a.txt", Ref: "F1"}}
	w.insist(both, e, s.twice)
	w.sweepFor(10 * time.Minute)
	asked := w.rig[chat.Google].visible()
	if len(asked) != 1 || len(asked[0].post.Buttons) != 2 {
		return deaths, fmt.Sprintf("asked %+v", asked)
	}
	if err := w.fault(s); err != nil {
		t.Fatal(err)
	}
	armed = s.crash
	w.insist(both, w.clicks(asked[0].sent.Place, "Anna", asked[0].post.Buttons[0]), s.twice)
	w.sweepFor(2 * time.Hour)
	all := w.cases(s.desk)
	if len(all) != 1 {
		return deaths, fmt.Sprintf("%d cases, effects %v", len(all), w.states())
	}
	if n := len(w.attached(s.desk, all[0].Name)); n != 1 {
		return deaths, fmt.Sprintf("%d files, effects %v", n, w.states())
	}
	told := w.rig[chat.Google].visible()
	if len(told) != 2 || !strings.HasPrefix(told[1].post.Body, "Opened case "+number(all[0].Name)) {
		return deaths, fmt.Sprintf("told %+v, effects %v", told, w.states())
	}
	return deaths, ""
}

func (w *world) fault(s opening) error {
	switch {
	case s.op == "post":
		w.rig[chat.Google].arm(s.fault)
		return nil
	case s.desk == "hub":
		return w.hub.ArmFault(s.op, s.fault, 1)
	}
	return w.google.ArmFault(s.op, s.fault, 1)
}
