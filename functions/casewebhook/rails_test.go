package casewebhook

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
)

// railed compiles a route of priority P3 at line 12 with rails.
func railed(t testing.TB, c config.Route) route {
	t.Helper()
	c.When, c.Desk, c.Line = "true", "d", 12
	if c.Priority == "" {
		c.Priority = "P3"
	}
	c.Updates = []string{config.UpdateComment, config.UpdatePriority}
	c.Refire, c.Resolve = config.Refire{Within: 24 * time.Hour, Do: "comment"}, config.Resolve{Do: "comment", After: 10 * time.Minute}
	r, err := newRouter(&config.Config{Routes: []config.Route{c}})
	if err != nil {
		t.Fatal(err)
	}
	return r.routes[0]
}

// office is Monday to Friday, 8 to 18 o'clock in Berlin; otherwise P4.
func office(always bool) *config.Hours {
	return &config.Hours{TimeZone: "Europe/Berlin", Days: []time.Weekday{1, 2, 3, 4, 5}, From: 8 * time.Hour, To: 18 * time.Hour, Otherwise: "P4", Always: always}
}

func clock(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestBusinessHours(t *testing.T) {
	night := &config.Hours{TimeZone: "Europe/Berlin", Days: []time.Weekday{0, 1}, From: 2*time.Hour + 30*time.Minute, To: 24 * time.Hour}
	for _, tt := range []struct {
		name  string
		hours *config.Hours
		utc   string
		open  bool
		opens string // when they begin next
	}{
		{"Monday before eight", office(false), "2026-03-23 06:59", false, "2026-03-23 07:00"},
		{"Monday at eight, in winter", office(false), "2026-03-23 07:00", true, "2026-03-23 07:01"},
		{"Friday at six in the evening", office(false), "2026-03-27 17:00", false, "2026-03-30 06:00"},
		{"Monday at eight, in summer", office(false), "2026-03-30 06:00", true, "2026-03-30 06:01"},
		{"a minute before", office(false), "2026-03-30 05:59", false, "2026-03-30 06:00"},
		{"Saturday", office(false), "2026-10-24 10:00", false, "2026-10-26 07:00"},
		{"the clock leaps over the beginning", night, "2026-03-29 00:59", false, "2026-03-29 01:00"},
		{"it has leapt", night, "2026-03-29 01:00", true, "2026-03-29 01:01"},
		{"the beginning comes twice, the first", night, "2026-10-25 00:30", true, "2026-10-25 00:31"},
		{"then the clock goes back", night, "2026-10-25 01:00", false, "2026-10-25 01:30"},
		{"until midnight", night, "2026-10-26 22:59", true, "2026-11-01 01:30"},
	} {
		h, err := hoursOf(tt.hours)
		if err != nil {
			t.Fatal(err)
		}
		at := clock(t, tt.utc)
		if got, next := h.open(at), h.opens(at); got != tt.open || !next.Equal(clock(t, tt.opens)) {
			t.Errorf("%s: open %v, opens %v; want %v and %s", tt.name, got, next, tt.open, tt.opens)
		}
	}
	if h, err := hoursOf(nil); err != nil || !h.open(day) {
		t.Error("without hours every hour is one")
	}
}

// What a case is opened with, and how that changes if nothing more is heard.
func TestGradeAndCourse(t *testing.T) {
	byCount := config.Raise{To: "P1", When: "incident.alerts >= 2"}
	byAge := config.Raise{To: "P2", When: `incident.age > duration("30m")`}
	byLong := config.Raise{To: "P0", When: `duration("2h") <= incident.age && incident.severity == "error"`}
	monday, evening, friday := clock(t, "2026-03-23 10:00"), clock(t, "2026-03-23 20:00"), clock(t, "2026-03-27 16:45")
	for _, tt := range []struct {
		name   string
		route  config.Route
		at     time.Time
		alerts string
		severe bool
		want   string
	}{
		{"no rails", config.Route{}, monday, "a+0", false, "P3"},
		{"a count that holds", config.Route{Raise: []config.Raise{byCount}}, monday, "a+0 b+0", false, "P1: 2 alerts (route line 12)"},
		{"one that does not", config.Route{Raise: []config.Raise{byCount}}, monday, "a+0", false, "P3"},
		{"what was left out counts", config.Route{Raise: []config.Raise{byCount}}, monday, "a+0 …1", false, "P1: 2 alerts (route line 12)"},
		{"what was left out counts once", config.Route{Raise: []config.Raise{byCount}}, monday, "…1", false, "P3"},
		{"what has ended does not", config.Route{Raise: []config.Raise{byCount}}, monday, "a+0 b-0:1", false, "P3"},
		{"an age", config.Route{Raise: []config.Raise{byAge}}, monday, "a+0", false, "P3; 30m P2: firing for 30m (route line 12)"},
		{"two ages", config.Route{Raise: []config.Raise{byAge, byLong}}, monday, "a+0", false,
			"P3; 30m P2: firing for 30m (route line 12); 120m P0: firing for 2h, severity error (route line 12)"},
		{"an age that is passed", config.Route{Raise: []config.Raise{byAge}}, monday, "a+-40", false, "P2: firing for 41m (route line 12)"},
		{"the highest wins, whatever the order", config.Route{Raise: []config.Raise{byAge, byCount}}, monday, "a+-40 b+0", false, "P1: 2 alerts (route line 12)"},
		{"in business hours", config.Route{Hours: office(false)}, monday, "a+0", false, "P3"},
		{"outside", config.Route{Hours: office(false)}, evening, "a+0", false,
			"P4: outside business hours; in them P3 (route line 12); 661m P3: the business hours have begun (route line 12)"},
		{"outside, with a reason", config.Route{Hours: office(false), Raise: []config.Raise{byCount}}, evening, "a+0 b+0", false,
			"P4: outside business hours; in them P1 for 2 alerts (route line 12); 661m P1: 2 alerts (route line 12)"},
		{"outside, critical", config.Route{Hours: office(true)}, evening, "a+0", true, "P3"},
		{"outside, critical, not always", config.Route{Hours: office(false)}, evening, "a+0", true,
			"P4: outside business hours; in them P3 (route line 12); 661m P3: the business hours have begun (route line 12)"},
		{"an age passed when nobody works", config.Route{Hours: office(false), Raise: []config.Raise{byAge}}, friday, "a+0", false,
			"P3; 3676m P2: firing for 61h16m (route line 12)"}, // Monday at eight, in summer time
		{"a reason that goes with age, and lower", config.Route{Raise: []config.Raise{{To: "P1", When: `incident.age < duration("10m")`}}, Lower: 30 * time.Minute}, monday, "a+0", false,
			"P1: firing for 1m (route line 12); 40m P3: no more reason for P1 for 30m (route line 12)"},
		{"a reason that goes with age, never lower", config.Route{Raise: []config.Raise{{To: "P1", When: `incident.age < duration("10m")`}}}, monday, "a+0", false,
			"P1: firing for 1m (route line 12)"},
		{"a condition that cannot be evaluated", config.Route{Raise: []config.Raise{{To: "P1", When: `incident.labels.nosuch == "x"`}}}, monday, "a+0", false, "P3"},
		{"a condition without words", config.Route{Raise: []config.Raise{{To: "P1", When: `"a" in incident.names`}}}, monday, "a+0", false,
			`P1: "a" in incident.names (route line 12)`},
	} {
		r := railed(t, tt.route)
		in := shifted(msg(1, tt.alerts), tt.at.Sub(at(1)))
		if tt.severe {
			in.Severity = alert.Critical
		}
		p := decide(incident{}, in, r, facts{now: tt.at})
		got := p.Grade.Priority
		if p.Grade.Why != "" {
			got += ": " + p.Grade.Why
		}
		for _, c := range p.Next.Course {
			got += fmt.Sprintf("; %.0fm %s: %s", c.At.Sub(tt.at.Add(-time.Minute)).Truncate(time.Minute).Minutes(), c.To, c.Why)
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		if tt.route.Raise == nil && tt.route.Hours == nil && strings.Contains(p.Reason, "priority") {
			t.Errorf("%s: %s", tt.name, p.Reason)
		}
	}
}

// shifted moves a message in time.
func shifted(in alert.Incident, by time.Duration) alert.Incident {
	in.Received = in.Received.Add(by)
	for i := range in.Alerts {
		a := &in.Alerts[i]
		if a.Starts = a.Starts.Add(by); !a.Ends.IsZero() {
			a.Ends = a.Ends.Add(by)
		}
	}
	return in
}

// A priority whose time has come: what is done depends on what the case is like.
func TestTurned(t *testing.T) {
	up := []turn{{at(10), "P1", "why (route line 12)"}, {at(60), "P0", "later"}}
	down := []turn{{at(10), "P3", "no more reason"}}
	capped := map[string]budget{"P1": {limit: 1, Cases: 1, until: at(1440)}}
	for _, tt := range []struct {
		name   string
		have   string
		course []turn
		sight  sight
		set    string // what is set at the desk; empty: nothing
		reason string
		next   int // turns left
		theirs bool
	}{
		{"a raise", "P2", up, sight{priority: "P2"}, "P1", "priority P1: why (route line 12)", 1, false},
		{"a lowering", "P2", down, sight{priority: "P2"}, "P3", "priority P3: no more reason", 0, false},
		{"two raises at once", "P2", up, sight{now: at(61), priority: "P2"}, "P0", "priority P0: later", 0, false},
		{"the case is closed", "P2", up, sight{gone: true}, "", "its case is closed", 0, false},
		{"an earlier change is under way", "P2", up, sight{busy: true}, "", "an earlier effect on its case is under way", 2, false},
		{"a person raised it", "P2", down, sight{priority: "P1"}, "", "people have set its priority to P1, so it stays", 0, true},
		{"a person lowered it", "P2", up, sight{priority: "P4"}, "", "people have set its priority to P4, so it stays", 0, true},
		{"it is so already", "P1", up, sight{priority: "P1"}, "", "its priority is right", 1, false},
		{"the cap is reached", "P2", up, sight{priority: "P2", caps: capped}, "",
			"it stays at P2: the desk has had its 1 case of P1 until 2026-03-02 00:00 UTC, else P1 for why (route line 12)", 1, false},
		{"the cap is reached, and there is one between", "P3", up, sight{priority: "P3", caps: capped}, "P2", "priority P1: why (route line 12)", 1, false},
		{"a cap is none for a lowering", "P0", []turn{{at(10), "P1", "calm"}}, sight{priority: "P0", caps: capped}, "P1", "priority P1: calm", 0, false},
		{"a desk with its own scale", "P2", up, sight{}, "P1", "priority P1: why (route line 12)", 1, false},
	} {
		if tt.sight.now.IsZero() {
			tt.sight.now = at(10)
		}
		p := incident{Status: alert.Firing, Case: "c", Priority: tt.have, Course: tt.course}.turned(tt.sight)
		if p.Grade.Priority != tt.set || p.Reason != tt.reason || len(p.Next.Course) != tt.next || p.Next.Theirs != tt.theirs {
			t.Errorf("%s: set %q because %q, %d left, theirs %v", tt.name, p.Grade.Priority, p.Reason, len(p.Next.Course), p.Next.Theirs)
		}
		if len(p.Next.Course) > 0 && !p.Next.Course[0].At.After(tt.sight.now) {
			t.Errorf("%s: it is still due", tt.name)
		}
	}
}

func TestReasonsToRaiseThatAreProblems(t *testing.T) {
	for when, want := range map[string]string{
		`incident.age`:                                            "true or false, this one is",
		`incident.age > 30`:                                       "no matching overload",
		`incident.age > duration("x")`:                            "",
		`incident.age.getMinutes() > 30`:                          `incident.age must be compared with a duration, such as incident.age > duration("30m")`,
		`incident.age + duration("1m") > duration("30m")`:         "must be compared with a duration",
		`incident.age == duration("30m")`:                         "must be compared with a duration",
		`incident.age > incident.age`:                             "must be compared with a duration",
		`incident.names.exists(n, n == "x" && incident.ag == 3)`:  "undeclared reference",
		`incident.severity = "critical"`:                          "Syntax error",
		`incident.age > duration(incident.labels.long)`:           "must be compared with a duration",
		`incident.names.exists(n, incident.age > duration(n))`:    "must be compared with a duration",
		`incident.alerts > 3 || !(incident.age < duration("1h"))`: "fine",
	} {
		p := Check(&config.Config{Routes: []config.Route{{When: "true", Line: 3, Raise: []config.Raise{{To: "P1", When: when, Line: 5}}}}})
		switch {
		case want == "fine" && len(p) > 0:
			t.Errorf("%s: %v", when, p)
		case want != "fine" && (len(p) != 1 || p[0].Line != 5 || p[0].Key != "routes[0].raise[0].when" || !strings.Contains(p[0].Message, want)):
			t.Errorf("%s: %v, want %q in line 5", when, p, want)
		}
	}
	if p := Check(&config.Config{Routes: []config.Route{{When: `incident.age > duration("1m")`, Line: 3}}}); len(p) != 1 {
		t.Errorf("an age in when: %v", p)
	}
}
