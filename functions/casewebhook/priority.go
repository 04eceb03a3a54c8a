package casewebhook

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
)

// grade is a priority, and why it is not simply the route's.
type grade struct{ Priority, Why string }

// higher reports whether a is the higher priority. P0 is the highest.
func higher(a, b string) bool { return a < b }

// turn is a change of a priority that is due when nothing is heard until then.
type turn struct {
	At  time.Time `json:"at"`
	To  string    `json:"to"`
	Why string    `json:"why"`
}

// grade is the priority with which a case is opened at a time, before the desk's caps.
func (r route) grade(x subject, t time.Time) grade { return r.inHours(r.wish(x, t), x, t) }

// wish is the highest of the route's priority and those that it has a reason for.
func (r route) wish(x subject, t time.Time) grade {
	g := grade{Priority: r.Priority}
	for _, one := range r.raise {
		if higher(one.To, g.Priority) && one.holds(x, t) {
			g = grade{one.To, fmt.Sprintf("%s (route line %d)", one.why(x, t), r.Line)}
		}
	}
	return g
}

// inHours lowers a wish to what is allowed outside business hours.
func (r route) inHours(g grade, x subject, t time.Time) grade {
	if r.hours.open(t) || r.hours.Always && x.severe || !higher(g.Priority, r.hours.Otherwise) {
		return g
	}
	return grade{r.hours.Otherwise, fmt.Sprintf("outside business hours; in them %s", g.said(r.Line))}
}

// said is a grade in words.
func (g grade) said(line int) string {
	if g.Why == "" {
		return fmt.Sprintf("%s (route line %d)", g.Priority, line)
	}
	return g.Priority + " for " + g.Why
}

// spell is a change of the calm: from At on there is less reason for a priority since Since, or enough reason if that is zero.
type spell struct {
	At    time.Time `json:"at"`
	Since time.Time `json:"since,omitzero"`
}

// calmAt is since when there is less reason for a priority, zero if there is enough.
func calmAt(all []spell, t time.Time) (since time.Time) {
	for _, s := range all {
		if !s.At.After(t) {
			since = s.Since
		}
	}
	return since
}

// course returns how the priority of a case is to change from now on if nothing more is heard of its incident, which fires, and how the calm
// does. have is what the priority is, and calm since when there has been less reason for it. Pure: the clock is walked, not waited for.
func (r route) course(have string, calm time.Time, x subject, now time.Time) (turns []turn, calms []spell) {
	for _, t := range r.moments(calm, x, now) {
		w := r.wish(x, t)
		g := r.inHours(w, x, t)
		switch {
		case higher(g.Priority, have):
			turns, have, calm = append(turns, turn{t, g.Priority, cmp.Or(g.Why, r.own())}), g.Priority, time.Time{}
		case !higher(have, w.Priority):
			calm = time.Time{}
		case calm.IsZero():
			calm = t
		case r.Lower > 0 && !t.Before(calm.Add(r.Lower)):
			why := fmt.Sprintf("no more reason for %s for %s (route line %d)", have, short(t.Sub(calm)), r.Line)
			turns, have, calm = append(turns, turn{t, w.Priority, why}), w.Priority, time.Time{}
		}
		if r.Lower > 0 && !calm.Equal(calmAt(calms, t)) {
			calms = append(calms, spell{t, calm})
		}
	}
	return turns, calms
}

// own is why a case gets the route's own priority.
func (r route) own() string {
	if r.hours != nil {
		return fmt.Sprintf("the business hours have begun (route line %d)", r.Line)
	}
	return fmt.Sprintf("the route's own (line %d)", r.Line)
}

// moments are the times from now on at which a priority may have to change: when an age is passed, when the business hours begin, and when
// a calm that began at one of these has lasted long enough.
func (r route) moments(calm time.Time, x subject, now time.Time) []time.Time {
	all := []time.Time{now}
	for _, one := range r.raise {
		for _, age := range one.steps {
			all = append(all, x.since.Add(age+time.Millisecond))
		}
	}
	for _, t := range slices.Clone(all) {
		if t = later(t, now); !r.hours.open(t) {
			all = append(all, r.hours.opens(t))
		}
	}
	if r.Lower > 0 {
		for _, t := range append(slices.Clone(all), calm) {
			all = append(all, t.Add(r.Lower))
		}
	}
	all = slices.DeleteFunc(all, func(t time.Time) bool { return t.Before(now) })
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// railed reports whether a route has rules on its priority.
func (r route) railed() bool { return len(r.raise) > 0 || r.hours != nil }

// steers reports whether a route ever changes the priority of a case that is there.
func (r route) steers() bool { return r.railed() && slices.Contains(r.Updates, config.UpdatePriority) }

// steer sets the priority of what a plan opens, and the course of the priority from here on.
func (p *plan) steer(s incident, in alert.Incident, r route, f facts) {
	if !p.Write {
		return
	}
	n := &p.Next
	n.Silent = !r.tells()
	if n.Umbrella && n.Episode > s.Episode {
		n.Desk = r.Desk
	}
	var x subject
	if r.railed() {
		x = subjectOf(*n, in)
	}
	switch {
	case p.opens(openCase):
		wanted := r.grade(x, f.now)
		p.graded(wanted, r, f)
		n.Priority, n.PrioritySet, n.Theirs, n.Course, n.Calms = p.Grade.Priority, "", false, nil, nil
		if r.steers() {
			n.Course, n.Calms = r.course(wanted.Priority, time.Time{}, x, f.now)
		}
	case p.opens(openUmbrella):
		p.graded(grade{Priority: r.Priority}, r, f)
		n.Course = nil
	case n.Status != alert.Firing || n.Umbrella || n.Case == "" || n.Theirs || !r.steers():
		n.Course, n.Calms = nil, nil
	default:
		n.Priority = cmp.Or(n.Priority, r.Priority) // what was stored before priorities were
		n.Course, n.Calms = r.course(n.Priority, calmAt(n.Calms, f.now), x, f.now)
	}
}

// graded gives the plan's case its priority, within the desk's caps.
func (p *plan) graded(wanted grade, r route, f facts) {
	p.Grade, p.Quota = wanted.within(f.caps, r.Line)
	if p.Grade.Why != "" {
		p.Reason += fmt.Sprintf("; priority %s: %s", p.Grade.Priority, p.Grade.Why)
	}
}

// opens reports whether the plan opens such a case.
func (p *plan) opens(a want) bool { return len(p.Acts) > 0 && p.Acts[0] == a }
