package casewebhook

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/store"
)

// day is when every history begins; times in tables are minutes of it.
var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func at(minute float64) time.Time { return day.Add(time.Duration(minute * float64(time.Minute))) }

// msg reads a message: its minute of receipt and its alerts, "a+10" for a firing since minute 10, "a-10:30" for one that ended at minute
// 30, "…2" for two that were left out.
func msg(received float64, alerts string) alert.Incident {
	in := alert.Incident{Source: alert.SourceAlertmanager, Sender: "s", Tenant: "t", Key: "k", Title: "T", Severity: alert.Error, Received: at(received)}
	for _, w := range strings.Fields(alerts) {
		var from, to float64
		a := alert.Alert{Fingerprint: w[:1], Name: w[:1], Severity: alert.Error, Status: alert.Firing}
		switch {
		case strings.HasPrefix(w, "…"):
			fmt.Sscanf(w, "…%d", &in.Omitted)
			continue
		case w[1] == '-':
			fmt.Sscanf(w[2:], "%g:%g", &from, &to)
			a.Status, a.Ends = alert.Resolved, at(to)
		default:
			fmt.Sscanf(w[2:], "%g", &from)
		}
		a.Starts = at(from)
		in.Alerts = append(in.Alerts, a)
	}
	return in
}

func monitoring(received float64, alerts string) alert.Incident {
	in := msg(received, alerts)
	in.Source = alert.SourceMonitoring
	return in
}

func endless(in alert.Incident) alert.Incident { in.Alerts[0].Ends = time.Time{}; return in }

func test(in alert.Incident) alert.Incident { in.Test = true; return in }

// model drives decide as Function.step does, on state in memory.
type model struct {
	incident
	route  route
	budget budget
	closed bool // people have closed the case
	cases  int
	shown  string      // the priority at the desk
	shifts []shift     // of that priority, by us
	people func() bool // nil, or whether a person sets another priority now
	theirs bool        // a person has, on this case
}

// shift is a change of a priority.
type shift struct {
	at       time.Time
	from, to string
}

func newModel() *model {
	return &model{route: route{Route: config.Route{Desk: "d", Priority: "P2", Updates: []string{config.UpdateComment, config.UpdatePriority},
		Refire: config.Refire{Within: 24 * time.Hour, Do: "comment", WontFix: "new"}, Resolve: config.Resolve{Do: "comment", After: 10 * time.Minute}}}}
}

func (m *model) step(in alert.Incident, now time.Time) plan {
	f := facts{now: now}
	p := decide(m.incident, in, m.route, f)
	if p.Look {
		f.looked, f.gone = true, m.closed
		p = decide(m.incident, in, m.route, f)
	}
	if slices.Contains(p.Acts, openCase) {
		f.budget = m.budget
		p = decide(m.incident, in, m.route, f)
	}
	if !p.Write {
		return p
	}
	m.incident = p.Next
	if p.opens(openCase) {
		m.shown, m.theirs = p.Grade.Priority, false
	}
	for _, a := range p.Acts {
		if a == openCase || a == openUmbrella {
			m.cases++
			m.closed = false
			m.Case = fmt.Sprint("case", m.cases)
		}
		if a == openUmbrella {
			p.Budget.Umbrella = m.Case
		}
	}
	if p.Budget != nil {
		m.budget = *p.Budget
	}
	m.sweep(now)
	return p
}

// sweep changes the priorities that are due, as Function.turn does, each at its time.
func (m *model) sweep(now time.Time) {
	for m.turns(now) {
		at := later(m.Course[0].At, m.Heard)
		p := m.turned(sight{now: at, gone: m.closed, priority: m.shown})
		if m.incident = p.Next; p.Grade.Priority != "" {
			m.shifts = append(m.shifts, shift{at, m.shown, p.Grade.Priority})
			m.shown = p.Grade.Priority
		}
	}
}

// handed lets a person set another priority, if one feels like it.
func (m *model) handed() {
	if m.people != nil && m.Case != "" && m.people() {
		m.shown, m.theirs = "P4", true
	}
}

func TestDecide(t *testing.T) {
	type line struct {
		in     alert.Incident
		acts   string // "" none
		reason string
	}
	closes := func(m *model) { m.route.Resolve.Do = "close" }
	spent := func(m *model) { m.budget = budget{limit: 1, Cases: 1} }
	for _, tt := range []struct {
		name   string
		prep   func(*model)
		lines  []line
		people int // the message before which people close the case; 0: never
		end    string
	}{
		{name: "fire", lines: []line{{msg(1, "a+0"), "open", "it fires"}}, end: "firing"},
		{name: "repeat", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a+0"), "", "a repeat"}, {msg(1, "a+0"), "", "a repeat"}}, end: "firing"},
		{name: "a new alert in the group", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a+0 b+8"), "news", "more of it fires"}, {msg(15, "a+0 b+8"), "", "a repeat"}}, end: "firing"},
		{name: "a part ends", lines: []line{{msg(1, "a+0 b+0"), "open", "it fires"}, {msg(9, "a-0:8 b+0"), "news", "part of it ended"}, {msg(9, "a-0:8 b+0"), "", "a repeat"}}, end: "firing"},
		{name: "all ends", lines: []line{{msg(1, "a+0 b+0"), "open", "it fires"}, {msg(9, "a-0:8 b-0:8"), "end", "it ended"}, {msg(9, "a-0:8 b-0:8"), "", "a repeat"}}, end: "resolved"},
		{name: "end before fire", lines: []line{{msg(9, "a-0:8"), "", "it ended before it was seen firing"}, {msg(1, "a+0"), "", "older than what is known"}}, end: "resolved"},
		{name: "late fire after the end", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(5, "a+0"), "", "older than what is known"}}, end: "resolved"},
		{name: "late end after the refire", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(20, "a+19"), "", "only its times changed"}, {msg(9, "a-0:8"), "", "older than what is known"}}, end: "firing"},
		{name: "refire within the window", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(20, "a+19"), "again", "it fires again"}, {msg(30, "a-19:29"), "end", "it ended"}}, end: "resolved"},
		{name: "refire after the window", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(1500, "a+1499"), "open", "it fires again after the window of its last case"}}, end: "firing"},
		{name: "refire, and the route wants a new case", prep: func(m *model) { m.route.Refire.Do = "new" }, lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(20, "a+19"), "open", "it fires again, and its route wants a new case"}}, end: "firing"},
		{name: "refire with the same beginning, received later", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(14, "a+0"), "again", "it fires again"}}, end: "firing"},
		{name: "the other of a pair still says it fires", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(9.5, "a+0"), "", "older than what is known"}}, end: "resolved"},
		{name: "a repeated end after a refire with the same beginning", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(14, "a+0"), "again", "it fires again"}, {msg(9, "a-0:8"), "", "older than what is known"}}, end: "firing"},
		{name: "a group left out says it is resolved", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8 …2"), "news", "part of it ended"}, {msg(15, "b+7 …1"), "news", "more of it fires"}}, end: "firing"},
		{name: "the first message lists only what has ended", lines: []line{{msg(1, "a-0:1 …1"), "open", "it fires"}, {msg(1, "a-0:1 …1"), "", "a repeat"}, {msg(9, "b-0:8"), "end", "it ended"}}, end: "resolved"},
		{name: "the refire lists only what has ended", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(20, "b-18:19 …1"), "again", "it fires again"}, {msg(2, "b-1:1 …1"), "", "a repeat"}}, end: "firing"},
		{name: "an old end is no end of what was left out", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(5, "a-0:4"), "end", "it ended"}, {msg(9, "a+8 …1"), "again", "it fires again"}, {msg(12, "a-8:11 …1"), "news", "part of it ended"}, {msg(5, "a-0:4"), "", "a repeat"}}, end: "firing"},
		{name: "nothing listed", lines: []line{{msg(1, "…3"), "open", "it fires"}, {msg(5, "…3"), "", "a repeat"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(5, "…3"), "", "a repeat"}}, end: "resolved"},
		{name: "a pair with different beginnings", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(1.1, "a+0.1"), "", "only its times changed"}, {msg(5, "a+0"), "", "a repeat"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(9.1, "a-0.1:8"), "", "a repeat"}}, end: "resolved"},
		{name: "an end by one of a pair that did not know the newest", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8 b+8"), "news", "more of it fires"}, {msg(9.1, "a-0:8"), "", "a repeat"}}, end: "firing"},
		{name: "an end that does not list what began long ago", lines: []line{{msg(1, "a+0 b+0"), "open", "it fires"}, {msg(9, "a-0:8 …1"), "news", "part of it ended"}, {msg(15, "c-9:14"), "end", "it ended"}, {msg(15.5, "b+0"), "again", "it fires again"}}, end: "firing"},
		{name: "a late fire of the other of a pair, with a later beginning", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(1.2, "a+0.1"), "", "older than what is known"}}, end: "resolved"},
		{name: "the end of a refire before its beginning", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(30, "a-20:29"), "", "only its times changed"}, {msg(21, "a+20"), "", "older than what is known"}}, end: "resolved"},
		{name: "Monitoring opens and closes", lines: []line{{monitoring(1, "a+0"), "open", "it fires"}, {monitoring(2, "a+0"), "", "a repeat"}, {monitoring(9, "a-0:8"), "end", "it ended"}, {monitoring(30, "a+0"), "", "older than what is known"}}, end: "resolved"},
		{name: "Monitoring closes before it opens", lines: []line{{monitoring(2, "a-0:1"), "", "it ended before it was seen firing"}, {monitoring(9, "a+0"), "", "older than what is known"}}, end: "resolved"},
		{name: "Monitoring's close arrives first and is read last", lines: []line{{monitoring(9, "a+0"), "open", "it fires"}, {monitoring(2, "a-0:1"), "end", "it ended"}}, end: "resolved"},
		{name: "an end a moment before the other of a pair", lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9.2, "a+0.1"), "", "only its times changed"}, {msg(9, "a-0:8"), "end", "it ended"}}, end: "resolved"},
		{name: "a clock that is ahead, and an end without a time", lines: []line{{msg(1, "a+5"), "open", "it fires"}, {endless(msg(2, "a-5:5")), "end", "it ended"}, {endless(msg(2, "a-5:5")), "", "a repeat"}, {msg(1, "a+5"), "", "older than what is known"}}, end: "resolved"},
		{name: "a test notification", lines: []line{{test(msg(1, "a+0")), "", "the sender's test notification opens no case"}}, end: ""},
		{name: "budget left", prep: func(m *model) { m.budget = budget{limit: 1} }, lines: []line{{msg(1, "a+0"), "open", "it fires"}}, end: "firing"},
		{name: "budget spent", prep: spent, lines: []line{{msg(1, "a+0"), "umbrella", "it fires; the desk's budget of cases is spent, so it is listed on the umbrella case"}}, end: "firing held"},
		{name: "budget spent, umbrella there", prep: func(m *model) { spent(m); m.budget.Umbrella = "u" }, lines: []line{{msg(1, "a+0"), "", "it fires; the desk's budget of cases is spent, so it is listed on the umbrella case"}}, end: "firing held"},
		{name: "news of a held incident", prep: spent, lines: []line{{msg(1, "a+0 b+0"), "umbrella", "it fires; the desk's budget of cases is spent, so it is listed on the umbrella case"}, {msg(9, "a+0 b+0 c+8"), "", "news of an incident on an umbrella case"}, {msg(12, "a-0:11 b+0 c+8"), "", "part of an incident on an umbrella case ended"}, {msg(15, "b-0:14 c-8:14"), "", "an incident on an umbrella case ended"}}, end: "resolved held"},
		{name: "a held incident fires again, with budget", prep: spent, lines: []line{{msg(1, "a+0"), "umbrella", "it fires; the desk's budget of cases is spent, so it is listed on the umbrella case"}, {msg(15, "a-0:14"), "", "an incident on an umbrella case ended"}, {msg(90, "a+89"), "open", "it fires again, and its last case was an umbrella"}}, end: "firing"},
		{name: "people closed the case, more fires", people: 2, lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a+0 b+8"), "open", "it fires, and its last case is closed"}}, end: "firing"},
		{name: "people closed the case, it fires again", people: 3, lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end", "it ended"}, {msg(20, "a+19"), "open", "it fires, and its last case is closed"}}, end: "firing"},
		{name: "people closed the case, it ends", people: 2, prep: closes, lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "", "it ended, and its case is closed after the quiet period; its case is closed, so nothing is said"}}, end: "resolved"},
		{name: "people closed the case, a part ends", people: 2, lines: []line{{msg(1, "a+0 b+0"), "open", "it fires"}, {msg(9, "a-0:8 b+0"), "", "part of it ended; its case is closed, so nothing is said"}}, end: "firing"},
		{name: "resolve does nothing", prep: func(m *model) { m.route.Resolve.Do = "nothing" }, lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "", "it ended; its route wants nothing done"}}, end: "resolved"},
		{name: "resolve closes", prep: closes, lines: []line{{msg(1, "a+0"), "open", "it fires"}, {msg(9, "a-0:8"), "end close", "it ended, and its case is closed after the quiet period"}}, end: "resolved"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newModel()
			if tt.prep != nil {
				tt.prep(m)
			}
			m.budget.until = at(60)
			for n, l := range tt.lines {
				m.closed = m.closed || n+1 == tt.people
				if l.in.Received.After(m.budget.until) {
					m.budget = budget{limit: m.budget.limit}
				}
				p := m.step(l.in, l.in.Received)
				acts := make([]string, len(p.Acts))
				for i, a := range p.Acts {
					acts[i] = string(a)
				}
				if got := strings.Join(acts, " "); got != l.acts || p.Reason != l.reason {
					t.Errorf("message %d: acts %q because %q, want %q because %q", n+1, got, p.Reason, l.acts, l.reason)
				}
				if p.Reason == "a repeat" && p.Write {
					t.Errorf("message %d: a repeat writes", n+1)
				}
			}
			state := string(m.Status)
			if m.held {
				state += " held"
			}
			if state != tt.end {
				t.Errorf("in the end it is %q, want %q", state, tt.end)
			}
		})
	}
}

// An incident outlives any number of alerts: those that ended the longest ago are forgotten, and a new one is never overlooked.
func TestManyAlertsInALongLife(t *testing.T) {
	m := newModel()
	m.step(msg(0, "a+0"), at(0))
	for n := range maxSeen {
		m.Alerts[fmt.Sprintf("%016x", n)] = seen{Starts: at(float64(n) + 0.123456), Ended: at(float64(n) + 10.123456), Heard: at(float64(n) + 11.123456)}
	}
	if p := m.step(msg(9000, "a+0 b+8999"), at(9000)); len(p.Change.fresh) != 1 || len(p.Acts) != 1 {
		t.Fatalf("a new alert is overlooked: %s", p.Reason)
	}
	if _, oldest := m.Alerts[fmt.Sprintf("%016x", 0)]; oldest || !m.Alerts["a"].firing() || !m.Alerts["b"].firing() {
		t.Error("not the one that ended the longest ago is forgotten")
	}
	m.id = strings.Repeat("a", 64)
	w, err := m.write()
	if err == nil {
		err = store.Check([]store.Write{w})
	}
	if err != nil || len(m.Alerts) > maxSeen+1 {
		t.Errorf("an incident of %d alerts: %v", len(m.Alerts), err)
	}
}
