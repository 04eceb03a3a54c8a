package casewebhook_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
)

// policies are what a route may say of a new occurrence.
var policies = []struct{ name, route string }{
	{"comment", ""},
	{"new", ", refire: {do: new}"},
	{"suppress", ", refire: {wont_fix: suppress}"},
	{"comment on won't fix", ", refire: {wont_fix: comment}"},
}

// happenings are what may happen to an incident whose first case is open, and what comes of it under each policy, in the order of policies.
var happenings = []struct {
	name string
	play func(w *world, a alert.Alert)
	want [4]string
}{
	{"it fires again within the window", func(w *world, a alert.Alert) { w.ends(a); w.again() },
		[4]string{"1: Resolved, Fires again", "1: Resolved | 2 names 1", "1: Resolved, Fires again", "1: Resolved, Fires again"}},
	{"it fires again after the window", func(w *world, a alert.Alert) { w.ends(a); time.Sleep(25 * time.Hour); w.again() },
		[4]string{"1: Resolved | 2 names 1", "1: Resolved | 2 names 1", "1: Resolved | 2 names 1", "1: Resolved | 2 names 1"}},
	{"a person closed the case, and it fires again", func(w *world, a alert.Alert) { w.ends(a); w.closes(""); w.again() },
		[4]string{"1 closed: Resolved | 2 names 1", "1 closed: Resolved | 2 names 1", "1 closed: Resolved | 2 names 1", "1 closed: Resolved | 2 names 1"}},
	{"a person closed the case, and more of it fires", func(w *world, a alert.Alert) { w.closes(""); w.file(group("eu", a, firing("b", time.Now()))) },
		[4]string{"1 closed | 2 names 1", "1 closed | 2 names 1", "1 closed | 2 names 1", "1 closed | 2 names 1"}},
	{"a person will not fix it, and it fires again", func(w *world, a alert.Alert) { w.ends(a); w.closes("This is working As Designed."); w.again() },
		[4]string{"1 closed: Resolved, person | 2 names 1", "1 closed: Resolved, person | 2 names 1", "1 closed: Resolved, person", "1 closed: Resolved, person, Fires again"}},
	{"a person will not fix it, and more of it fires", func(w *world, a alert.Alert) {
		w.closes("We won\u2019t fix that.")
		w.file(group("eu", a, firing("b", time.Now())))
	}, [4]string{"1 closed: person | 2 names 1", "1 closed: person | 2 names 1", "1 closed: person", "1 closed: person, Fires again"}},
	{"a person will not fix it, and it fires again after the window", func(w *world, a alert.Alert) { w.ends(a); w.closes("wontfix"); time.Sleep(25 * time.Hour); w.again() },
		[4]string{"1 closed: Resolved, person | 2 names 1", "1 closed: Resolved, person | 2 names 1", "1 closed: Resolved, person | 2 names 1", "1 closed: Resolved, person | 2 names 1"}},
	{"a person says in a chat that they will not fix it", func(w *world, a alert.Alert) {
		w.ends(a)
		w.call(http.MethodPost, "/v2/"+w.one().name+"/comments", `{"body":"Anna, by Slack:\n\nThis is a won't fix.\n\n[REF attempt=1]"}`)
		w.closes("")
		w.again()
	}, [4]string{"1 closed: Resolved, Anna, by Slack | 2 names 1", "1 closed: Resolved, Anna, by Slack | 2 names 1", "1 closed: Resolved, Anna, by Slack",
		"1 closed: Resolved, Anna, by Slack, Fires again"}},
	{"a person says so and does not close it", func(w *world, a alert.Alert) { w.ends(a); w.says("wontfix"); w.again() },
		[4]string{"1: Resolved, person, Fires again", "1: Resolved, person | 2 names 1", "1: Resolved, person, Fires again", "1: Resolved, person, Fires again"}},
	{"the alert says so itself", func(w *world, a alert.Alert) {
		b := firing("wontfix", time.Now())
		w.file(group("eu", a, b))
		time.Sleep(time.Minute)
		w.file(group("eu", ended(a, time.Now()), ended(b, time.Now())))
		w.closes("")
		w.again()
	}, [4]string{"1 closed: News, Resolved | 2 names 1", "1 closed: News, Resolved | 2 names 1", "1 closed: News, Resolved | 2 names 1", "1 closed: News, Resolved | 2 names 1"}},
	{"another incident ended before it was seen firing", func(w *world, a alert.Alert) {
		w.file(group("us", ended(firing("x", time.Now().Add(-time.Minute)), time.Now())))
	}, [4]string{"1", "1", "1", "1"}},
	{"two replicas tell at once that it fires again", func(w *world, a alert.Alert) {
		w.ends(a)
		time.Sleep(time.Hour)
		in := group("eu", firing("a", time.Now()))
		var wg sync.WaitGroup
		for n := range 2 {
			wg.Go(func() { w.insist(fmt.Sprint("r", n), in, true) })
		}
		wg.Wait()
	}, [4]string{"1: Resolved, Fires again", "1: Resolved | 2 names 1", "1: Resolved, Fires again", "1: Resolved, Fires again"}},
}

func (w *world) ends(a alert.Alert) {
	time.Sleep(time.Minute)
	w.file(group("eu", ended(a, time.Now())))
}
func (w *world) again() { time.Sleep(time.Hour); w.file(group("eu", firing("a", time.Now()))) }
func (w *world) says(words string) {
	w.person(http.MethodPost, "/v2/"+w.one().name+"/comments", fmt.Sprintf(`{"body":%q}`, words))
}

// closes is a person who says something, if anything, and closes the case.
func (w *world) closes(words string) {
	time.Sleep(time.Minute)
	if words != "" {
		w.says(words)
	}
	w.person(http.MethodPost, "/v2/"+w.one().name+":close", "{}")
}

// shape is what the desk has, in few words.
func (w *world) shape() string {
	w.Helper()
	var all []string
	cases := w.cases()
	for n, c := range cases {
		one := fmt.Sprint(n + 1)
		if c.state == "CLOSED" {
			one += " closed"
		}
		if n > 0 && strings.Contains(c.description, "Fired before: see case "+cases[n-1].name) {
			one += fmt.Sprint(" names ", n)
		}
		var said []string
		for _, body := range c.comments {
			word, _, ours := strings.Cut(body, ":")
			if !ours {
				word = "person"
			}
			said = append(said, word)
		}
		if len(said) > 0 {
			one += ": " + strings.Join(said, ", ")
		}
		all = append(all, one)
	}
	return strings.Join(all, " | ")
}

// What comes of a new occurrence, for each policy and each thing that may have happened; printed as a table.
func TestRefirePolicies(t *testing.T) {
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "what happens\tpolicy\tcases and what is said on them")
	for _, h := range happenings {
		for n, p := range policies {
			t.Run(h.name+"/"+p.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := withPeople(setup{quiet: true, routes: `  - {when: "true", desk: google, priority: P2` + p.route + `}`})
					s.sim.CommentsOnClosed = true
					w := newWorld(t, s)
					a := firing("a", time.Now())
					w.file(group("eu", a))
					h.play(w, a)
					w.sweepFor(5 * time.Minute)
					got := w.shape()
					if got != h.want[n] {
						t.Errorf("%q, want %q; effects %v", got, h.want[n], w.states())
					}
					for s, n := range w.states() {
						if !strings.HasSuffix(s, " SUCCEEDED") {
							t.Errorf("%d effects are %s", n, s)
						}
					}
					fmt.Fprintf(out, "%s\t%s\t%s\n", h.name, p.name, got)
				})
			})
		}
	}
	out.Flush()
	t.Logf("%d policies x %d happenings\n%s", len(policies), len(happenings), table.String())
}

// A desk that takes no comments on a closed case refuses the one that "wont_fix: comment" asks for: that is told as a failure, not hidden.
func TestCommentOnAClosedCaseIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, withPeople(setup{quiet: true, routes: `  - {when: "true", desk: google, priority: P2, refire: {wont_fix: comment}}`}))
		a := firing("a", time.Now())
		w.file(group("eu", a))
		w.ends(a)
		w.closes("won't fix")
		w.again()
		if got := w.states(); got["case.comment FAILED"] != 1 || got["case.open SUCCEEDED"] != 1 || len(w.cases()) != 1 {
			t.Errorf("effects %v", got)
		}
	})
}
