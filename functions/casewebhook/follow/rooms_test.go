package follow_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

func desksEvent(kind, name string) event.Envelope {
	return event.Envelope{ID: "e", Attributes: map[string]string{"notificationType": kind, "resourceName": name}, Data: []byte("{}")}
}

// Two replicas get the same events at once: one of them tells, the other finds that it is told.
func TestTwoReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup{desk: inBoth}
		w := newWorld(t, s)
		w.subscribe()
		name := w.open(1)
		w.minutes(2 * time.Minute)
		one := w.Follower
		w.replica(s)
		w.lose()
		var want []string
		for i := range 20 {
			body := fmt.Sprintf("answer %02d", i)
			want = append(want, body)
			w.reply(name, body, "")
			var wg sync.WaitGroup
			for _, f := range []interface {
				Look(ctx context.Context, id string) error
			}{one, w.Follower} {
				for range 2 {
					wg.Go(func() {
						for f.Look(t.Context(), id(name)) != nil {
							time.Sleep(time.Second)
						}
					})
				}
			}
			wg.Wait()
		}
		w.minutes(time.Hour)
		if wrong := w.verdict(want...); wrong != "" {
			t.Error(wrong)
		}
	})
}

// said makes a comment as a person does who says it in a chat.
func (w *world) said(name, body string, from chat.Place, known bool) {
	w.Helper()
	in, err := w.acts.Comment.Intent("acme", "said/"+body, act.Comment{Target: act.Target{Desk: "google", Case: name}, Body: body})
	if err != nil {
		w.Fatal(err)
	}
	if known {
		c, err := w.ByName(w.Context(), "google", name)
		if err != nil {
			w.Fatal(err)
		}
		write, err := c.Said(ledger.Marker(in.ID()), in.ID(), from, time.Now())
		if err != nil {
			w.Fatal(err)
		}
		if _, err := w.db.Commit(w.Context(), write); err != nil {
			w.Fatal(err)
		}
	}
	if _, err := w.ledger.Do(w.Context(), nil, in); err != nil {
		w.Fatal(err)
	}
}

// What is said in one room is told in the others, without its marker. News of an alert is told as ours. Who quotes a marker is told like
// anybody, and so is a colleague at the desk's pages.
func TestLoopGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inBoth, sim: cloudsupport.Options{Tokens: map[string]string{"t": ourLogin, "p": "ann@example.com"}}})
		name := w.open(1)
		w.minutes(2 * time.Minute)
		w.said(name, "Ann says: it is still broken", chat.Place{Platform: chat.Slack, Space: cases, Thread: w.thread(w.slack, cases).place.Thread}, true)
		w.said(name, "News: another alert", chat.Place{}, false)
		w.minutes(2 * time.Minute)
		all := strings.Join(w.comments(name), "\n")
		quote := "> Ann says: it is still broken\n" + all[strings.Index(all, "["):strings.Index(all, "]")+1]
		w.reply(name, quote, "")
		time.Sleep(time.Second)
		w.write("p", name, quote)
		w.minutes(20 * time.Minute)
		slack := []string{"Ours: News: another alert", vendor + ": " + quote, "ann@example.com: " + quote}
		if got := w.thread(w.slack, cases).bodies(); !slices.Equal(got, slack) {
			t.Errorf("Slack is told %q, want %q", got, slack)
		}
		google := append([]string{"Ours: Ann says: it is still broken"}, slack...)
		if got := w.thread(w.google, space).bodies(); !slices.Equal(got, google) {
			t.Errorf("Google Chat is told %q, want %q", got, google)
		}
		if c, err := w.ByName(t.Context(), "google", name); err != nil || len(c.Spoken) != 0 {
			t.Errorf("still waiting for %v, %v", c.Spoken, err)
		}
	})
}

// On a case that somebody else opened our account is not known, and the marker alone counts, once.
func TestLoopGuardOnForeignCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inBoth, sim: cloudsupport.Options{Tokens: map[string]string{"t": ourLogin, "p": "ann@example.com"}}})
		name := w.stranger(1)
		if _, err := w.Follow(t.Context(), "", "google", name, []chat.Place{{Platform: chat.Slack, Space: cases, Thread: "t"}, {Platform: chat.Google, Space: space}}); err != nil {
			t.Fatal(err)
		}
		w.minutes(2 * time.Minute)
		w.said(name, "said in Slack", chat.Place{Platform: chat.Slack, Space: cases, Thread: "t"}, true)
		w.minutes(2 * time.Minute)
		if s, g := w.thread(w.slack, cases).bodies(), w.thread(w.google, space).bodies(); len(s) != 0 || !slices.Equal(g, []string{"Ours: said in Slack"}) {
			t.Errorf("Slack is told %q, Google Chat %q", s, g)
		}
	})
}

// comments are the bodies of a case's comments at the desk.
func (w *world) comments(name string) (all []string) {
	w.Helper()
	body := w.call("t", http.MethodGet, "/v2/"+name+"/comments?pageSize=100", "")
	for _, line := range strings.Split(string(body), "\n") {
		if _, text, ok := strings.Cut(line, `"body":`); ok {
			all = append(all, text)
		}
	}
	return all
}

// A room that refuses for good is left out, with one alarm; the other room and later news do not wait for it.
func TestRoomRefuses(t *testing.T) {
	for _, when := range []string{"root", "later"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, setup{desk: inBoth})
			if when == "root" {
				w.slack.closed[cases] = true
			}
			name := w.open(1)
			w.minutes(2 * time.Minute)
			w.slack.closed[cases] = true
			for i := range 3 {
				w.reply(name, fmt.Sprint("answer ", i), "")
				w.minutes(12 * time.Minute)
			}
			if got := len(w.thread(w.google, space).posts); got != 3 {
				t.Errorf("%s: the other room is told %d of 3", when, got)
			}
			c, err := w.ByName(t.Context(), "google", name)
			if err != nil || len(c.Rooms) != 1 || c.Rooms[0].Space != space {
				t.Errorf("%s: rooms %v, %v", when, c.Rooms, err)
			}
			if got := w.slack.threads(alarms); len(got) != 1 || !strings.Contains(got[0].root.Body, cases) {
				t.Errorf("%s: alarms %+v", when, got)
			}
			if _, err := w.ByThread(t.Context(), chat.Place{Platform: chat.Slack, Space: cases, Thread: "x"}); !fault.Is(err, fault.Missing) {
				t.Errorf("%s: another thread of the room: %v", when, err)
			}
			w.slack.closed[cases] = false
			if _, err := w.Follow(t.Context(), "acme", "google", name, []chat.Place{{Platform: chat.Slack, Space: cases}}); err != nil {
				t.Fatal(err)
			}
			w.minutes(2 * time.Minute)
			w.reply(name, "again", "")
			w.minutes(12 * time.Minute)
			all := w.slack.threads(cases)
			if len(all) == 0 || !slices.Equal(all[len(all)-1].bodies(), []string{vendor + ": again"}) {
				t.Errorf("%s: the room came back and is told %+v", when, all)
			}
		})
	}
}

// While it is open whether the first message is there, nobody is told that its thread is about nothing.
func TestThreadInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack})
		w.slack.arm("post", "lost")
		w.slack.arm("find", "drop")
		w.slack.arm("find", "drop")
		name := w.open(1)
		doubts := 0
		for range 10 {
			w.minute()
			for _, th := range w.slack.threads(cases) {
				switch c, err := w.ByThread(t.Context(), th.place); {
				case fault.Is(err, fault.Transient):
					doubts++
				case err != nil || c.Name != name:
					t.Fatalf("a thread that people see is about %q, %v", c.Name, err)
				}
			}
			if _, err := w.ByThread(t.Context(), chat.Place{Platform: chat.Slack, Space: "C0ELSE", Thread: "1"}); !fault.Is(err, fault.Missing) {
				t.Fatalf("another room: %v", err)
			}
		}
		if c, err := w.ByThread(t.Context(), w.thread(w.slack, cases).place); err != nil || c.Name != name || doubts == 0 {
			t.Errorf("in the end it is about %q, %v; %d doubts", c.Name, err, doubts)
		}
	})
}

// A long comment comes in pages, in order and whole.
func TestLongComment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack})
		name := w.open(1)
		w.minutes(2 * time.Minute)
		var long strings.Builder
		for i := 0; long.Len() < 12700; i++ {
			fmt.Fprintf(&long, "line %d é\n", i)
		}
		body := strings.TrimSpace(long.String())
		w.reply(name, body, "")
		w.reply(name, "and another", "")
		w.minutes(12 * time.Minute)
		var got strings.Builder
		posts := w.thread(w.slack, cases).posts
		for _, p := range posts[:len(posts)-1] {
			got.WriteString(p.Body)
		}
		if len(posts) < 3 || got.String() != body || posts[len(posts)-1].Body != "and another" {
			t.Errorf("%d pages, %d of %d bytes", len(posts)-1, got.Len(), len(body))
		}
	})
}

// Much news at once is told in several looks, and all of it.
func TestMuchNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inBoth})
		name := w.open(1)
		var want []string
		for i := range 130 {
			want = append(want, fmt.Sprintf("answer %03d", i))
			w.reply(name, want[i], "")
			time.Sleep(time.Second)
		}
		w.minutes(30 * time.Minute)
		if wrong := w.verdict(want...); wrong != "" {
			t.Error(wrong)
		}
	})
}

// meddling does something once, after the desk has answered a request and before the caller has the answer.
type meddling struct {
	http.RoundTripper
	path string
	once func()
}

func (m *meddling) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.RoundTripper.RoundTrip(r)
	if do := m.once; do != nil && strings.HasSuffix(r.URL.Path, m.path) {
		m.once = nil
		do()
	}
	return resp, err
}

// Somebody else tells of a change between a look's reading and its recording: how the case stood before is told by nobody.
func TestStaleLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup{desk: inBoth}
		w := newWorld(t, s)
		name := w.open(1)
		w.minutes(2 * time.Minute)
		other := w.Follower
		m := &meddling{RoundTripper: w.sim.Transport(), path: "/attachments", once: func() {
			w.reply(name, "now", "IN_PROGRESS_GOOGLE_SUPPORT")
			if err := other.Look(t.Context(), id(name)); err != nil {
				t.Error(err)
			}
		}}
		s.wire = m
		w.replica(s)
		if err := w.Look(t.Context(), id(name)); err != nil || m.once != nil {
			t.Fatal(err)
		}
		want := []string{vendor + ": now", "State: new → in progress:"}
		if got := w.thread(w.slack, cases).bodies(); !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// A first message that is edited late, by a retry, shows how the case stands then.
func TestLateEdit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inSlack})
		name := w.open(1)
		w.minutes(2 * time.Minute)
		for range 3 {
			w.slack.arm("edit", "throttle")
		}
		for _, state := range []string{"IN_PROGRESS_GOOGLE_SUPPORT", "ACTION_REQUIRED", "SOLUTION_PROVIDED"} {
			w.reply(name, "", state)
			if err := w.Look(t.Context(), id(name)); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			w.minute()
			shows := fmt.Sprint(w.thread(w.slack, cases).root.Fields)
			if !strings.Contains(shows, "{State new}") && !strings.Contains(shows, "{State solved}") {
				t.Fatalf("it shows an old state: %s", shows)
			}
		}
		if shows := fmt.Sprint(w.thread(w.slack, cases).root.Fields); !strings.Contains(shows, "{State solved}") {
			t.Errorf("it shows %s", shows)
		}
	})
}

// Two edits of one message cross: the older one, which the platform executed last, is followed by another.
func TestEditsCross(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup{desk: inSlack}
		w := newWorld(t, s)
		name := w.open(1)
		w.minutes(2 * time.Minute)
		other := w.Follower
		w.replica(s)
		w.slack.before = func() {
			w.reply(name, "", "ACTION_REQUIRED")
			if err := other.Look(t.Context(), id(name)); err != nil {
				t.Error(err)
			}
		}
		w.reply(name, "", "IN_PROGRESS_GOOGLE_SUPPORT")
		if err := w.Look(t.Context(), id(name)); err != nil || w.slack.before != nil {
			t.Fatal(err)
		}
		w.minutes(2 * time.Minute)
		if shows := fmt.Sprint(w.thread(w.slack, cases).root.Fields); !strings.Contains(shows, "{State waiting for us}") {
			t.Errorf("it shows %s", shows)
		}
	})
}

// A room that cannot be reached for a day waits for a person, with one alarm, while the other room goes on; what a person releases brings the
// rest with it, in order.
func TestRoomIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inBoth})
		name := w.open(1)
		w.minutes(2 * time.Minute)
		w.slack.away = map[string]bool{cases: true}
		var want []string
		for i := range 3 {
			want = append(want, fmt.Sprint("answer ", i))
			w.reply(name, want[i], "")
			w.minutes(20 * time.Hour)
		}
		if got := len(w.thread(w.google, space).posts); got != 3 {
			t.Errorf("the other room is told %d of 3", got)
		}
		var told []string
		for _, th := range w.slack.threads(alarms) {
			if strings.Contains(th.root.Body, cases) {
				told = append(told, th.root.Body)
			}
		}
		if len(told) != 1 || !strings.Contains(told[0], "waits for a person") {
			t.Errorf("alarms %q", told)
		}
		w.slack.away = nil
		parked, err := w.ledger.List(t.Context(), ledger.Parked, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range parked {
			if _, err := w.ledger.Decide(t.Context(), r.ID, ledger.Decision{Who: "ann", Verdict: ledger.Approve}); err != nil {
				t.Fatal(err)
			}
		}
		w.minutes(time.Hour)
		if wrong := w.verdict(want...); wrong != "" || len(parked) == 0 {
			t.Errorf("%d parked; %s", len(parked), wrong)
		}
	})
}
