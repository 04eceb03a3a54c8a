package casewebhook

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
)

var (
	seed    = flag.Uint64("seed", 1, "the first history of TestHistories")
	seeds   = flag.Int("histories", histories, "how many histories TestHistories plays")
	verbose = flag.Bool("history", false, "print each history of TestHistories")
)

// notice is a notification of a true history, and the truth when it was sent.
type notice struct {
	in     alert.Incident
	fires  bool // anything of the group
	plain  bool // it says what the one before said
	starts bool // the first of an episode
	stops  bool // the last of an episode
}

func (n notice) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%7.2f", n.in.Received.Sub(day).Minutes())
	for _, a := range n.in.Alerts {
		if fmt.Fprintf(&b, " %s+%.2f", a.Fingerprint, a.Starts.Sub(day).Minutes()); a.Status == alert.Resolved {
			fmt.Fprintf(&b, ":%.2f", a.Ends.Sub(day).Minutes())
		}
	}
	if n.in.Omitted > 0 {
		fmt.Fprintf(&b, " …%d", n.in.Omitted)
	}
	return fmt.Sprintf("%s (fires %v)", b.String(), n.fires)
}

// history is what really happens to the alerts of one group, and what an Alertmanager sends of it: a flush every five minutes when there is
// news, and a repeat every half hour.
func history(r *rand.Rand, truncate int) (sent []notice) {
	type real struct {
		a    alert.Alert
		on   bool
		told bool // its end was sent
	}
	all := map[string]*real{}
	names := []string{"a", "b", "c", "d"}[:1+r.IntN(4)]
	var last string
	lastSent, was := day, false
	for flush := day; flush.Before(day.Add(8 * time.Hour)); flush = flush.Add(5 * time.Minute) {
		for _, fp := range names {
			switch x := all[fp]; {
			case r.IntN(6) > 0:
			case x == nil || !x.on:
				all[fp] = &real{alert.Alert{Fingerprint: fp, Name: fp, Status: alert.Firing, Severity: alert.Error, Starts: flush.Add(-time.Duration(r.IntN(200)) * time.Second)}, true, false}
			default:
				x.a.Status, x.a.Ends, x.on = alert.Resolved, flush.Add(-time.Duration(r.IntN(30))*time.Second), false
				x.a.Ends = later(x.a.Ends, x.a.Starts.Add(time.Second))
			}
		}
		n := notice{in: msg(flush.Add(time.Second).Sub(day).Minutes(), "")}
		var said strings.Builder
		for _, fp := range names {
			if x := all[fp]; x != nil && (x.on || !x.told) {
				n.in.Alerts, n.fires = append(n.in.Alerts, x.a), n.fires || x.on
				fmt.Fprint(&said, fp, x.a.Starts, x.on)
			}
		}
		n.plain = said.String() == last
		if len(n.in.Alerts) == 0 || !n.fires && !was || n.plain && flush.Sub(lastSent) < 30*time.Minute {
			continue
		}
		for _, x := range all {
			x.told = !x.on
		}
		if truncate > 0 && len(n.in.Alerts) > truncate {
			n.in.Omitted = len(n.in.Alerts) - truncate
			n.in.Alerts = n.in.Alerts[:truncate]
		}
		n.starts, n.stops = n.fires && !was, was && !n.fires
		last, lastSent, was = said.String(), flush, n.fires
		sent = append(sent, n)
	}
	return sent
}

// redundant adds what the other of a pair sends: the same a few seconds later, with beginnings that differ a little.
func redundant(r *rand.Rand, sent []notice) (all []notice) {
	for _, n := range sent {
		all = append(all, n)
		if r.IntN(3) > 0 {
			continue
		}
		n.in.Alerts = slices.Clone(n.in.Alerts)
		n.in.Received = n.in.Received.Add(time.Duration(1+r.IntN(20)) * time.Second)
		for i := range n.in.Alerts {
			n.in.Alerts[i].Starts = n.in.Alerts[i].Starts.Add(time.Millisecond)
		}
		n.plain, n.starts, n.stops = true, false, false
		all = append(all, n)
	}
	return all
}

// disordered delays each message by at most an hour, and delivers some more than once.
func disordered(r *rand.Rand, sent []notice) []notice {
	type delivery struct {
		at time.Time
		notice
	}
	var all []delivery
	for _, n := range sent {
		for range 1 + r.IntN(3)/2 {
			all = append(all, delivery{n.in.Received.Add(time.Duration(r.IntN(3600)) * time.Second), n})
		}
	}
	slices.SortStableFunc(all, func(a, b delivery) int { return a.at.Compare(b.at) })
	out := make([]notice, len(all))
	for i, d := range all {
		out[i] = d.notice
	}
	return out
}

// Ten thousand true histories, each sent in order and in disorder. Run one again with -seed N -histories 1 -history.
func TestHistories(t *testing.T) {
	var messages, opens, ends, shifts int
	rails := railed(t, config.Route{Lower: calmFor, Raise: []config.Raise{{To: "P1", When: "incident.alerts >= 3"}, {To: "P2", When: `incident.age > duration("45m")`}}})
	rails.Refire = config.Refire{Within: 24 * time.Hour, Do: "new"}
	for s := *seed; s < *seed+uint64(*seeds); s++ {
		r := rand.New(rand.NewPCG(s, 0))
		truncate := max(0, r.IntN(5)-2)
		sent := history(r, truncate)
		if err := inOrder(sent, truncate > 0); err != nil {
			t.Fatalf("seed %d, in order: %v", s, err)
		}
		mixed := disordered(r, redundant(r, sent))
		if *verbose {
			for _, n := range mixed {
				t.Log(n)
			}
		}
		o, e, err := inDisorder(mixed)
		if err != nil {
			t.Fatalf("seed %d, in disorder: %v", s, err)
		}
		messages, opens, ends = messages+len(sent)+len(mixed), opens+o, ends+e
		if s%5 != *seed%5 {
			continue // conditions take their time
		}
		n, err := priorities(rand.New(rand.NewPCG(s, 1)), rails, sent, truncate > 0)
		if err != nil {
			t.Fatalf("seed %d, priorities: %v", s, err)
		}
		n2, err := priorities(rand.New(rand.NewPCG(s, 2)), rails, mixed, true)
		if err != nil {
			t.Fatalf("seed %d, priorities in disorder: %v", s, err)
		}
		shifts += n + n2
	}
	t.Logf("%d histories, %d messages; in disorder %d cases and %d ends; %d priorities changed", *seeds, messages, opens, ends, shifts)
}

// inOrder holds that every episode opens one case and ends once, and that what says nothing new writes nothing. What a sender leaves out
// may hide an end, never a beginning.
func inOrder(sent []notice, truncated bool) error {
	m := newModel()
	m.route.Refire = config.Refire{Within: 24 * time.Hour, Do: "new"}
	for i, n := range sent {
		p := m.step(n.in, n.in.Received)
		opened, over := slices.Contains(p.Acts, openCase), slices.Contains(p.Acts, tellEnd)
		switch {
		case over && n.fires:
			return fmt.Errorf("message %d %v: an end while something fires", i, n)
		case n.plain && p.Write && !truncated:
			return fmt.Errorf("message %d %v: a repeat writes: %s", i, n, p.Reason)
		case n.fires && m.Status != alert.Firing:
			return fmt.Errorf("message %d %v: something fires and nobody is told: %s", i, n, p.Reason)
		case !truncated && (opened != n.starts || over != n.stops):
			return fmt.Errorf("message %d %v: opened %v, over %v: %s", i, n, opened, over, p.Reason)
		}
	}
	return nil
}

// inDisorder holds that no occurrence opens two cases and nothing ends while the newest message that came says it fires, and that in the
// end, when all has come, what fires is known.
func inDisorder(sent []notice) (opens, ends int, err error) {
	m := newModel()
	m.route.Refire = config.Refire{Within: 24 * time.Hour, Do: "new"}
	had := map[string]bool{}
	newest := notice{}
	for i, n := range sent {
		if n.in.Received.After(newest.in.Received) {
			newest = n
		}
		p := m.step(n.in, n.in.Received)
		if slices.Contains(p.Acts, openCase) {
			opens++
			for _, a := range p.Change.fresh {
				if a.Fingerprint == unlisted {
					continue
				}
				key := a.Fingerprint + a.Starts.Truncate(time.Second).String()
				if had[key] {
					return 0, 0, fmt.Errorf("message %d %v: a second case for %s", i, n, key)
				}
				had[key] = true
			}
		}
		if slices.Contains(p.Acts, tellEnd) {
			if ends++; newest.fires {
				return 0, 0, fmt.Errorf("message %d %v: an end, and the newest message %v fires", i, n, newest)
			}
		}
	}
	if newest.fires && m.Status != alert.Firing {
		return 0, 0, fmt.Errorf("at last %v fires and nobody knows", newest)
	}
	return opens, ends, nil
}

// calmFor is how long the reasons to raise must be gone in the histories.
const calmFor = 40 * time.Minute

// priorities holds what the rails promise through a history, with people who set a priority by hand in one of ten: never below the route's own,
// never lower sooner than the calm has lasted, nothing changed once a person has, and, when all that is true is known, never below what there
// is reason for.
func priorities(r *rand.Rand, rails route, sent []notice, partly bool) (shifts int, err error) {
	m := newModel()
	m.route = rails
	if r.IntN(10) == 0 {
		m.people = func() bool { return r.IntN(8) == 0 }
	}
	var reason time.Time // the last time at which there was a reason for what the priority was, as far as was known
	at := day
	for i, n := range sent {
		at = later(at, n.in.Received) // what comes late comes now
		m.sweep(at)
		was, owned, known := len(m.shifts), m.theirs, m.Status == alert.Firing && m.Case != ""
		x := subjectOf(m.incident, n.in)
		m.handed()
		m.step(n.in, at)
		for _, s := range m.shifts[was:] {
			if owned && m.theirs {
				return 0, fmt.Errorf("message %d %v: %v after a person set it", i, n, s)
			}
			if higher(s.from, s.to) && s.at.Sub(reason) < calmFor {
				return 0, fmt.Errorf("message %d %v: lowered %v only %v after there was a reason", i, n, s, s.at.Sub(reason))
			}
		}
		if m.Case != "" && !m.theirs && higher("P3", m.shown) {
			return 0, fmt.Errorf("message %d %v: %s is below the route's own", i, n, m.shown)
		}
		now := subjectOf(m.incident, n.in)
		if !partly && n.fires && !m.theirs && higher(rails.wish(now, at).Priority, m.shown) {
			return 0, fmt.Errorf("message %d %v: %s, and there is reason for %s", i, n, m.shown, rails.wish(now, at).Priority)
		}
		if known && !higher(m.shown, rails.wish(x, at).Priority) || !higher(m.shown, rails.wish(now, at).Priority) {
			reason = at
		}
	}
	return len(m.shifts), nil
}
