package commands_test

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// scenario is a conversation of three comments, a priority and a close, with one fault of the desk or the chat, one death of the process and a
// pattern of delivery.
type scenario struct {
	op, fault string
	crash     ledger.Point
	twice     bool
}

func scenarios() (all []scenario) {
	desk := []string{"commit_then_drop", "commit_then_status:503", "status:500", "status:503", "status:429", "drop", "garbage", "delay:40s", "late:4m"}
	room := []string{"commit_then_drop", "commit_then_status", "status", "throttle", "drop", "garbage", "delay:40s", "late:4m"}
	points := append([]ledger.Point{""}, ledger.Points[:]...)
	for _, p := range points {
		for _, twice := range []bool{false, true} {
			for _, op := range []string{"cases.comments.create", "cases.patch", "cases.close"} {
				for _, f := range desk {
					all = append(all, scenario{op, f, p, twice})
				}
			}
			for _, f := range room {
				all = append(all, scenario{"post", f, p, twice})
			}
			for _, f := range []string{"drop", "throttle", "commit_then_drop"} {
				all = append(all, scenario{"edit", f, p, twice})
			}
			all = append(all, scenario{"", "", p, twice})
		}
	}
	return all
}

// slowly lets every call take a moment, so that no two comments are of the same one.
type slowly struct{ http.RoundTripper }

func (s slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Millisecond)
	return s.RoundTripper.RoundTrip(r)
}

// Whatever fails, dies and repeats: each comment is on the case once and in order, each answer is given once, and nothing is left to do.
func TestOnceUnderFaults(t *testing.T) {
	playAll(t, scenarios(), converse)
}

// playAll plays scenarios and says what is wrong in the end. Under the race detector some of them are enough.
func playAll[S any](t *testing.T, all []S, one func(*testing.T, S) (deaths int, wrong string)) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a bubble runs one goroutine at a time
	played, deaths, bad := 0, 0, 0
	for n, s := range all {
		if n%thinned != 0 {
			continue
		}
		played++
		synctest.Test(t, func(t *testing.T) {
			died, wrong := one(t, s)
			deaths += died
			if wrong != "" {
				bad++
				t.Errorf("%+v: %s", s, wrong)
			}
		})
		if bad > 5 {
			t.Fatal("and more")
		}
	}
	t.Logf("%d scenarios: %d wrong, %d deaths", played, bad, deaths)
}

// dies returns a crash hook that ends the process once at the armed point, and counts it.
func dies(armed *ledger.Point, deaths *int) func(ledger.Point) {
	var mu sync.Mutex
	return func(p ledger.Point) {
		mu.Lock()
		defer mu.Unlock()
		if p == *armed {
			*armed = ""
			*deaths++
			panic("crash " + p)
		}
	}
}

func converse(t *testing.T, s scenario) (deaths int, wrong string) {
	armed := s.crash
	crash := setup{crash: dies(&armed, &deaths)}
	w := newWorld(t, crash)
	first := w.Commands
	w.replica(crash)
	both := []*commands.Commands{first, w.Commands}
	name, at := w.file("google", "Disk full")
	if s.op == "post" {
		w.rig[chat.Slack].arm(s.fault)
	} else if s.op == "edit" {
		w.rig[chat.Slack].failing = s.fault
	} else if s.op != "" {
		if err := w.google.ArmFault(s.op, s.fault, 1); err != nil {
			t.Fatal(err)
		}
	}
	here := at[chat.Slack]
	for n := range 3 {
		w.insist(both, w.event(chat.Message, here, "Anna", fmt.Sprintf("message %d", n+1)), s.twice)
		time.Sleep(time.Second)
	}
	w.insist(both, w.does(here, "Anna", "priority P3"), s.twice)
	if s.op == "cases.patch" {
		w.sweepFor(30 * time.Minute) // a change may be overtaken by a close, and is refused then
	}
	w.insist(both, w.does(here, "Anna", "close"), s.twice)
	w.insist(both, w.does(here, "Anna", "confirm"), false) // a second confirm would be another act
	w.sweepFor(2 * time.Hour)
	return deaths, w.verdict(name)
}

// insist delivers until it is acknowledged, as the bus does; twice: a copy to each of two replicas at once, and a third one later.
func (w *world) insist(both []*commands.Commands, e chat.Event, twice bool) {
	sent := envelope(w, commands.Message{Chat: &e})
	once := func(c *commands.Commands) {
		for {
			err := func() (err error) {
				defer func() {
					if p := recover(); p != nil {
						err = fmt.Errorf("died: %v", p)
					}
				}()
				return c.Handle(w.Context(), sent)
			}()
			if err == nil {
				return
			}
			time.Sleep(10 * time.Second)
		}
	}
	if !twice {
		once(both[0])
		return
	}
	var wg sync.WaitGroup
	for _, c := range both {
		wg.Go(func() { once(c) })
	}
	wg.Wait()
	once(both[0])
}

// verdict says what is wrong at the end, "" if nothing is.
func (w *world) verdict(name string) string {
	want := []string{"Anna Example, by Slack:\n\nmessage 1", "Anna Example, by Slack:\n\nmessage 2", "Anna Example, by Slack:\n\nmessage 3"}
	if got := w.said("google", name); !slices.Equal(got, want) {
		return fmt.Sprintf("comments %q, effects %v", got, w.states())
	}
	c := w.at("google", name)
	if c.Priority != "P3" || c.State != "CLOSED" {
		return fmt.Sprintf("priority %s, state %s, effects %v", c.Priority, c.State, w.states())
	}
	told := map[string]int{}
	for _, m := range w.rig[chat.Slack].visible() {
		told[strings.TrimPrefix(text(m.post), "* ")]++
	}
	number := number(name)
	for words, n := range map[string]int{"Done: set case " + number + " to P3.": 1, "Closed case " + number + ".": 1} {
		if told[words] != n {
			return fmt.Sprintf("%q is said %d times, want %d: %v, effects %v", words, told[words], n, told, w.states())
		}
	}
	if len(w.rig[chat.Slack].visible()) != 3 { // and the question
		return fmt.Sprintf("%d posts: %v", len(w.rig[chat.Slack].visible()), told)
	}
	for s := range w.states() {
		if !strings.HasSuffix(s, " SUCCEEDED") {
			return fmt.Sprintf("effects %v", w.states())
		}
	}
	if failed := w.sweepFor(40 * time.Minute); failed > 0 {
		return fmt.Sprintf("%d sweeps fail although nothing is left to do", failed)
	}
	return ""
}
