package casewebhook_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// withPeople is a desk that persons call too.
func withPeople(s setup) setup {
	s.sim.Tokens = map[string]string{"t": cloudsupport.DefaultCaller, "p": "person@example.com"}
	return s
}

// rails is a route of priority P3 with rules on it; its line is 17.
func rails(more string) string {
	return `  - {when: "true", desk: google, priority: P3, raise: [{to: P1, when: "incident.alerts >= 3"}, {to: P2, when: 'incident.age > duration("30m")'}]` + more + `}`
}

// alerts are n alerts of a group that began together.
func alerts(n int, began time.Time) (all []alert.Alert) {
	for i := range n {
		all = append(all, firing(fmt.Sprint("a", i), began))
	}
	return all
}

// repriced sets the priority of a case by hand.
func (w *world) repriced(c shownCase, priority string) {
	w.Helper()
	w.person(http.MethodPatch, "/v2/"+c.name+"?updateMask=priority", `{"priority":"`+priority+`"}`)
}

// The priority of a case through the life of its incident: the steps of each row, and the priority after each.
func TestPriorityOfALife(t *testing.T) {
	type step struct {
		do   func(w *world, began time.Time)
		want string
	}
	had := 0
	fires := func(n int) func(*world, time.Time) {
		return func(w *world, began time.Time) {
			in := group("eu", alerts(n, began)...)
			for ; had > n; had-- {
				in.Alerts = append(in.Alerts, ended(firing(fmt.Sprint("a", had-1), began), time.Now()))
			}
			had = n
			w.file(in)
		}
	}
	passes := func(d time.Duration) func(*world, time.Time) { return func(w *world, _ time.Time) { w.sweepFor(d) } }
	by := func(priority string) func(*world, time.Time) {
		return func(w *world, _ time.Time) { w.repriced(w.one(), priority) }
	}
	for _, tt := range []struct {
		name, route string
		steps       []step
		comments    int // that tell of the priority
		failed      int // effects
	}{
		{"by a message", "", []step{{fires(1), "P3"}, {fires(3), "P1"}}, 1, 0},
		{"by time alone", "", []step{{fires(1), "P3"}, {passes(29 * time.Minute), "P3"}, {passes(3 * time.Minute), "P2"}}, 1, 0},
		{"by time, then by a message", "", []step{{fires(1), "P3"}, {passes(33 * time.Minute), "P2"}, {fires(4), "P1"}}, 2, 0},
		{"never lower", "", []step{{fires(3), "P1"}, {passes(time.Minute), "P1"}, {fires(1), "P1"}, {passes(3 * time.Hour), "P1"}}, 0, 0},
		{"lower after a calm", ", lower: {after: 30m}", []step{{fires(3), "P1"}, {passes(40 * time.Minute), "P1"}, {fires(1), "P1"},
			{passes(29 * time.Minute), "P1"}, {passes(3 * time.Minute), "P2"}, {passes(3 * time.Hour), "P2"}}, 1, 0},
		{"a calm that is interrupted", ", lower: {after: 30m}", []step{{fires(3), "P1"}, {fires(1), "P1"}, {passes(20 * time.Minute), "P1"},
			{fires(3), "P1"}, {passes(time.Minute), "P1"}, {fires(1), "P1"}, {passes(20 * time.Minute), "P1"}, {passes(13 * time.Minute), "P2"}}, 1, 0},
		{"a calm goes on through news", ", lower: {after: 25m}", []step{{fires(4), "P1"}, {fires(2), "P1"}, {passes(20 * time.Minute), "P1"}, {fires(1), "P1"},
			{passes(3 * time.Minute), "P1"}, {passes(3 * time.Minute), "P3"}}, 1, 0},
		{"a person raised it", ", lower: {after: 30m}", []step{{fires(3), "P1"}, {by("P0"), "P0"}, {fires(1), "P0"}, {passes(time.Hour), "P0"}}, 0, 0},
		{"a person lowered it", "", []step{{fires(1), "P3"}, {by("P4"), "P4"}, {fires(3), "P4"}, {passes(time.Hour), "P4"}}, 0, 0},
		{"a person set it back", "", []step{{fires(1), "P3"}, {fires(3), "P1"}, {by("P3"), "P3"}, {fires(4), "P3"}, {passes(time.Hour), "P3"}}, 1, 0},
		{"later messages may only comment", ", updates: [comment]", []step{{fires(1), "P3"}, {fires(3), "P3"}, {passes(time.Hour), "P3"}}, 0, 0},
		{"later messages may only set the priority", ", updates: [priority]", []step{{fires(1), "P3"}, {fires(3), "P1"}}, 0, 0},
		{"it ended", "", []step{{fires(1), "P3"}, {fires(0), "P3"}, {passes(time.Hour), "P3"}}, 0, 0},
		{"its case is closed", "", []step{{fires(1), "P3"}, {func(w *world, _ time.Time) { w.person(http.MethodPost, "/v2/"+w.one().name+":close", "{}") }, "P3"}, {passes(time.Hour), "P3"}}, 0, 0},
		{"outside business hours", `, hours: {time_zone: UTC, days: [sun, mon, tue, wed, thu, fri, sat], from: "08:00", to: "09:00", otherwise: P4}`,
			[]step{{fires(3), "P4"}, {passes(7*time.Hour + 58*time.Minute), "P4"}, {passes(3 * time.Minute), "P1"}, {passes(2 * time.Hour), "P1"}}, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, withPeople(setup{routes: rails(tt.route)}))
				began := time.Now() // midnight
				had = 0
				for n, s := range tt.steps {
					time.Sleep(time.Second)
					s.do(w, began)
					if got := w.one().priority; got != s.want {
						t.Fatalf("after step %d it is %s, want %s; effects %v", n+1, got, s.want, w.states())
					}
				}
				told := 0
				for _, c := range w.one().comments {
					if strings.HasPrefix(c, "Priority P") && strings.Contains(c, "(route line 17)") {
						told++
					}
				}
				if told != tt.comments {
					t.Errorf("told %d times, want %d: %q", told, tt.comments, w.one().comments)
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

// A desk that does not answer delays a raise; it does not lose it, and does not make it twice.
func TestRaiseWhileTheDeskIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, withPeople(setup{routes: rails(""), quiet: true}))
		began := time.Now()
		w.file(group("eu", alerts(1, began)...))
		w.arm("cases.get", "status:503", 3)
		w.arm("cases.patch", "commit_then_drop", 1)
		time.Sleep(time.Minute)
		w.file(group("eu", alerts(3, began)...))
		w.sweepFor(20 * time.Minute)
		c := w.one()
		n := 0
		for _, body := range c.comments {
			if strings.HasPrefix(body, "Priority P1, was P3: 3 alerts (route line 17)") {
				n++
			}
		}
		if got := w.states(); c.priority != "P1" || n != 1 || got["case.change SUCCEEDED"] != 1 {
			t.Errorf("%s, told %d times, effects %v", c.priority, n, got)
		}
	})
}

// A raise that comes while an earlier one is on its way waits for it, and does not take it for a person's doing.
func TestRaiseAfterARaise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, withPeople(setup{routes: rails(""), quiet: true}))
		began := time.Now()
		w.file(group("eu", alerts(1, began)...))
		w.arm("cases.patch", "status:429", 2)
		time.Sleep(31 * time.Minute)
		if err := w.sweep(); err != nil {
			t.Fatal(err)
		}
		w.file(group("eu", alerts(3, began)...))
		w.sweepFor(20 * time.Minute)
		if c, got := w.one(), w.states(); c.priority != "P1" || got["case.change SUCCEEDED"] != 2 {
			t.Errorf("%s, effects %v", c.priority, got)
		}
	})
}

// A person sets a priority while ours is on its way: theirs stays.
func TestPersonBetweenDecisionAndChange(t *testing.T) {
	for _, fault := range []string{"status:429", "status:500", "drop"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, withPeople(setup{routes: rails(", lower: {after: 10m}"), quiet: true}))
			began := time.Now()
			w.file(group("eu", alerts(1, began)...))
			w.arm("cases.patch", fault, 1)
			time.Sleep(time.Second)
			w.file(group("eu", alerts(3, began)...))
			if c := w.one(); c.priority != "P3" {
				t.Fatalf("%s: %s before a person comes", fault, c.priority)
			}
			w.repriced(w.one(), "P4")
			w.sweepFor(time.Hour)
			w.file(group("eu", alerts(4, began)...))
			w.sweepFor(2 * time.Hour)
			if c, got := w.one(), w.states(); c.priority != "P4" || got["case.change SUCCEEDED"] != 1 || len(got) != 3 {
				t.Errorf("%s: %s, effects %v", fault, c.priority, got)
			}
		})
	}
}

// Eight sweeps find the same priority due at the same time: one changes it and tells it.
func TestManySweepsRaiseOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{routes: rails(""), quiet: true})
		w.file(group("eu", alerts(1, time.Now())...))
		time.Sleep(31 * time.Minute)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := w.sweep(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if c, got := w.one(), w.states(); c.priority != "P2" || len(c.comments) != 1 || got["case.change SUCCEEDED"] != 1 || w.calls("cases.patch") != 1 {
			t.Errorf("%s, %d comments, effects %v, %d calls", c.priority, len(c.comments), got, w.calls("cases.patch"))
		}
	})
}

// What a route says of its cases, over what its desk says.
func TestWhatARouteSaysOfItsCases(t *testing.T) {
	w := newWorld(t, setup{desk: "language: en", routes: `  - {when: "true", desk: google, priority: P3, test: true, language: ja, time_zone: Asia/Tokyo, subscribers: [db@example.com]}`})
	in := group("eu", firing("a", time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	w.file(in)
	if c := w.one(); !c.test || c.language != "ja" || !slices.Equal(c.subscribers, []string{"db@example.com"}) || !strings.Contains(c.description, "2026-03-01 21:00:00 JST (UTC+09:00)") {
		t.Errorf("%+v", c)
	}
}

// The cap of a desk holds whoever files at the same time, and the texts of what goes beyond it say so.
func TestPriorityCap(t *testing.T) {
	w := newWorld(t, setup{desk: "priority_caps: {P1: {cases: 3, per: 24h}, P2: {cases: 2, per: 24h}}", routes: `  - {when: "true", desk: google, priority: P1}`, quiet: true})
	began := time.Now()
	var wg sync.WaitGroup
	for n := range 12 {
		wg.Go(func() { w.insist(fmt.Sprint("m", n), group(cluster(n), firing("a", began)), false) })
	}
	wg.Wait()
	got := map[string]int{}
	for _, c := range w.cases() {
		got[c.priority]++
		said := strings.Contains(c.description, "Priority "+c.priority+": the desk has had its ") && strings.Contains(c.description, "3 cases of P1 until ")
		if said != (c.priority != "P1") {
			t.Errorf("a case of %s says\n%s", c.priority, c.description)
		}
	}
	if got["P1"] != 3 || got["P2"] != 2 || got["P3"] != 7 {
		t.Errorf("priorities %v", got)
	}
}

// A cap costs nothing where it does not apply, and one read and one write where it does.
func TestPriceOfACap(t *testing.T) {
	cost := func(desk, priority string) storetest.Counts {
		w := newWorld(t, setup{desk: desk, routes: fmt.Sprintf(`  - {when: "true", desk: google, priority: %s}`, priority)})
		w.file(group("eu", firing("a", time.Now())))
		return w.db.Counts()
	}
	none, capped := cost("", "P2"), "priority_caps: {P1: {cases: 3, per: 24h}}"
	if got := cost(capped, "P2"); got != none {
		t.Errorf("a priority without a cap costs %+v, without any cap %+v", got, none)
	}
	if got := cost(capped, "P1"); got.Reads != none.Reads+1 || got.Writes != none.Writes+1 {
		t.Errorf("a priority with a cap costs %+v, without %+v", got, none)
	}
}

// A raise uses up the cap too, and one that goes beyond it is not made.
func TestRaiseBeyondTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: "priority_caps: {P1: {cases: 1, per: 24h}}", routes: rails("")})
		began := time.Now()
		for n := range 3 {
			w.file(group(cluster(n), alerts(1, began)...))
		}
		time.Sleep(time.Second)
		for n := range 3 {
			w.file(group(cluster(n), alerts(3, began)...))
		}
		var got []string
		for _, c := range w.cases() {
			got = append(got, c.priority)
		}
		if slices.Sort(got); !slices.Equal(got, []string{"P1", "P2", "P2"}) {
			t.Errorf("priorities %v", got)
		}
	})
}
