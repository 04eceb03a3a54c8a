package casewebhook

import (
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
)

// want is one thing that a plan wants done. The order of a plan's acts is the order of its effects.
type want string

const (
	openCase     want = "open"     // a case for this incident
	openUmbrella want = "umbrella" // the umbrella case of the desk's window, for this and every further incident
	tellNews     want = "news"     // a comment: what fires now and what has ended
	tellAgain    want = "again"    // a comment: it fires again
	tellEnd      want = "end"      // a comment: it is over
	closeCase    want = "close"    // after the quiet period, if it stays quiet and nobody talks on it
)

// facts is what decide knows beside the incident and the message.
type facts struct {
	now    time.Time
	budget budget
	caps   map[string]budget // the desk's counts of cases by priority, of those priorities that have a cap
	looked bool              // gone is known
	gone   bool              // the incident's case is closed, or was never opened: nothing can be said on it
	wont   bool              // and people said on it that they will not fix it
}

// plan is what follows from a message: the incident's next state, and acts.
type plan struct {
	Reason string // why, for the ledger and the log
	Look   bool   // decide again when it is known whether the case is gone
	Write  bool   // Next is news to the store
	Next   incident
	Budget *budget // the budget's next state
	Grade  grade   // of the case that is opened
	Quota  *budget // the next state of the count of cases of that priority
	Acts   []want
	Change change
}

// decide says what a message wants done. It is pure: the same incident, message, route and facts give the same plan.
func decide(s incident, in alert.Incident, r route, f facts) plan {
	if in.Test {
		return plan{Reason: "the sender's test notification opens no case"}
	}
	c := compare(s, in)
	p := plan{Change: c, Next: s.after(c, in, r, f.now), Write: c.any()}
	switch fresh := len(c.fresh) > 0; {
	case !c.any() && c.late:
		p.Reason = "older than what is known"
	case !c.any():
		p.Reason = "a repeat"
	case fresh && s.Case == "":
		p.open("it fires", f)
	case fresh:
		p.refire(s, r, f)
	case s.Case == "":
		p.Reason = "it ended before it was seen firing"
	case c.over && s.Status == alert.Firing:
		p.end(s, r, f)
	case len(c.ended) > 0 && s.Umbrella:
		p.Reason, p.Next.held = "part of an incident on an umbrella case ended", true
	case len(c.ended) > 0 && !r.tells():
		p.Reason = "part of it ended; its route wants no comments on news"
	case len(c.ended) > 0:
		p.good("part of it ended", f, tellNews)
	default:
		p.Reason = "only its times changed"
	}
	p.steer(s, in, r, f)
	return p
}

// after returns the incident as it is once the message is taken in.
func (s incident) after(c change, in alert.Incident, r route, now time.Time) incident {
	n := s
	n.Alerts, n.Title, n.Heard = c.alerts, in.Title, later(s.Heard, in.Received)
	switch {
	case c.over && n.Status != alert.Resolved:
		n.Status, n.ResolvedAt = alert.Resolved, now
	case len(c.fresh) > 0:
		n.Status, n.ResolvedAt = alert.Firing, time.Time{}
	}
	if n.Desk == "" || len(c.fresh) > 0 && n.Case == "" {
		n.Desk = r.Desk
	}
	if in.Severity.Rank() > n.Severity.Rank() || n.Severity == "" {
		n.Severity = in.Severity
	}
	return n
}

// open opens a case of its own, or holds the incident for the umbrella when the desk's budget is spent.
func (p *plan) open(reason string, f facts) {
	p.Reason = reason
	p.Next.Episode++
	p.Next.Umbrella = f.budget.spent()
	switch {
	case f.budget.spent() && f.budget.Umbrella == "":
		b := f.budget
		p.Budget, p.Acts = &b, append(p.Acts, openUmbrella)
		p.hold()
	case f.budget.spent():
		p.Next.Case = f.budget.Umbrella
		p.hold()
	case f.budget.limit > 0:
		b := f.budget
		b.Cases++
		p.Budget = &b
		fallthrough
	default:
		p.Next.held = false // its own case tells of it now
		p.Acts = append(p.Acts, openCase)
	}
}

// hold leaves the incident to be listed on the umbrella case by the sweeper.
func (p *plan) hold() {
	p.Reason += "; the desk's budget of cases is spent, so it is listed on the umbrella case"
	p.Next.held = true
}

// refire decides what a newly firing alert does to an incident that has had a case.
func (p *plan) refire(s incident, r route, f facts) {
	over := s.Status == alert.Resolved
	late := over && f.now.After(s.ResolvedAt.Add(r.Refire.Within))
	switch {
	case s.Umbrella && !over:
		p.Reason, p.Next.held = "news of an incident on an umbrella case", true
	case s.Umbrella:
		p.open("it fires again, and its last case was an umbrella", f)
	case late:
		p.open("it fires again after the window of its last case", f)
	case over && r.Refire.Do == "new":
		p.open("it fires again, and its route wants a new case", f)
	case !f.looked:
		p.Look = true
	case f.gone && f.wont && r.Refire.WontFix == "suppress":
		p.Reason = "it fires, and people closed its case and said that they will not fix it"
	case f.gone && f.wont && r.Refire.WontFix == "comment":
		p.tell("it fires, and people closed its case and said that they will not fix it", tellAgain)
	case f.gone:
		p.open("it fires, and its last case is closed", f)
	case over:
		p.tell("it fires again", tellAgain)
	case !r.tells():
		p.Reason = "more of it fires; its route wants no comments on news"
	default:
		p.tell("more of it fires", tellNews)
	}
}

// end decides what the end of an incident does.
func (p *plan) end(s incident, r route, f facts) {
	switch {
	case s.Umbrella:
		p.Reason, p.Next.held = "an incident on an umbrella case ended", true
	case r.Resolve.Do == "nothing":
		p.Reason = "it ended; its route wants nothing done"
	case r.Resolve.Do == "close":
		p.good("it ended, and its case is closed after the quiet period", f, tellEnd, closeCase)
	default:
		p.good("it ended", f, tellEnd)
	}
}

// good tells good news, which nobody needs on a case that people have closed.
func (p *plan) good(reason string, f facts, a want, more ...want) {
	switch {
	case !f.looked:
		p.Look = true
	case f.gone:
		p.Reason = reason + "; its case is closed, so nothing is said"
	default:
		p.tell(reason, a)
		p.Acts = append(p.Acts, more...)
	}
}

// tell comments.
func (p *plan) tell(reason string, a want) {
	p.Reason = reason
	p.Next.News++
	p.Acts = append(p.Acts, a)
}

// tells reports whether a route wants comments on news.
func (r route) tells() bool { return slices.Contains(r.Updates, config.UpdateComment) }
