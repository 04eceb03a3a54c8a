package casewebhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// turnWait is how long a priority waits that cannot be changed yet: an earlier change is under way, or the desk does not answer.
const turnWait = 2 * time.Minute

// turns reports whether the priority of an incident's case is due for a change.
func (i incident) turns(now time.Time) bool { return len(i.Course) > 0 && !i.Course[0].At.After(now) }

// due returns the latest turn whose time has come, which says what should be now, and those after it.
func (i incident) due(now time.Time) (due turn, rest []turn) {
	for rest = i.Course; len(rest) > 0 && !rest[0].At.After(now); rest = rest[1:] {
		due = rest[0]
	}
	return due, rest
}

// sight is what is known of a case before its priority is changed.
type sight struct {
	now      time.Time
	gone     bool
	busy     bool   // it is not open yet, or an earlier change is under way
	priority string // at the desk; empty: the desk's own scale, which cannot be compared
	caps     map[string]budget
}

// turned decides on a priority whose time has come. It is pure. A plan whose Grade is empty changes nothing at the desk.
func (i incident) turned(v sight) plan {
	p := plan{Write: true, Next: i}
	n := &p.Next
	if v.busy {
		n.Course = append([]turn{{v.now.Add(turnWait), i.Course[0].To, i.Course[0].Why}}, i.Course[1:]...)
		p.Reason = "an earlier effect on its case is under way"
		return p
	}
	var due turn
	due, n.Course = i.due(v.now)
	raise := higher(due.To, i.Priority)
	switch {
	case v.gone:
		n.Course, p.Reason = nil, "its case is closed"
	case v.priority != "" && v.priority != i.Priority:
		n.Course, n.Theirs = nil, true
		p.Reason = fmt.Sprintf("people have set its priority to %s, so it stays", v.priority)
	case due.To == i.Priority:
		p.Reason = "its priority is right"
	default:
		p.Grade = grade{due.To, due.Why}
		if p.Reason = "priority " + due.To + ": " + due.Why; raise {
			p.Grade, p.Quota = p.Grade.within(v.caps, 0)
		}
	}
	if raise && p.Grade.Priority != "" && !higher(p.Grade.Priority, i.Priority) {
		p.Reason, p.Grade, p.Quota = "it stays at "+i.Priority+": "+p.Grade.Why, grade{}, nil
	}
	if p.Grade.Priority != "" {
		n.Priority, n.Turns = p.Grade.Priority, i.Turns+1
	}
	return p
}

// turnDue changes the priorities whose time has come.
func (f *Function) turnDue(ctx context.Context) (turned int, err error) {
	docs, err := f.DB.Query(ctx, store.Query{Collection: incidentsIn, DueBy: f.Now(), Limit: sweepTurns})
	for _, d := range docs {
		i, derr := decodeIncident(d)
		if derr == nil {
			derr = f.turn(ctx, i)
		}
		turned++
		err = errors.Join(err, unlessConflict(derr))
	}
	return turned, err
}

// turnNow is turn after a message that was recorded. Whatever fails, the sweep does it.
func (f *Function) turnNow(ctx context.Context, id string) {
	i, err := f.readIncident(ctx, id)
	if err == nil {
		err = unlessConflict(f.turn(ctx, i))
	}
	if err != nil {
		f.Log.WarnContext(ctx, "a priority is not changed yet; the sweep does it", "incident", id, "error", err)
	}
}

// turn looks at an incident's case and changes its priority if it is time.
func (f *Function) turn(ctx context.Context, i incident) error {
	if !i.turns(f.Now()) {
		return nil
	}
	v, err := f.sightOf(ctx, i)
	if err != nil {
		return errors.Join(err, f.putOff(ctx, i))
	}
	p := i.turned(v)
	f.Log.InfoContext(ctx, "decided", "incident", i.id, "sender", i.Sender, "tenant", i.Tenant, "reason", p.Reason)
	intents, err := f.turnIntents(ctx, i, &p)
	if err != nil {
		return err
	}
	writes, err := p.writes()
	if err != nil {
		return err
	}
	return f.commit(ctx, writes, intents)
}

// putOff leaves a turn to a later sweep, so that those behind it are not kept waiting.
func (f *Function) putOff(ctx context.Context, i incident) error {
	i.Course[0].At = f.Now().Add(turnWait).UTC()
	w, err := i.write()
	if err == nil {
		_, err = f.DB.Commit(ctx, w)
	}
	return unlessConflict(err)
}

// sightOf asks the ledger and the desk.
func (f *Function) sightOf(ctx context.Context, i incident) (sight, error) {
	v := sight{now: f.Now().UTC()}
	was, err := f.fateOf(ctx, i)
	if err != nil {
		return v, err
	}
	if v.gone, v.busy = was.gone, !was.gone && was.desk == nil; v.gone || v.busy {
		return v, nil
	}
	if v.busy, err = f.underWay(ctx, i.PrioritySet); v.busy || err != nil {
		return v, err
	}
	if !f.fixed(i.Desk) {
		v.priority = string(was.kase.Priority)
	}
	due, _ := i.due(v.now)
	v.caps, err = f.capsOf(ctx, i.Desk, due.To, v.now)
	return v, err
}

// underWay reports whether an effect may still be carried out.
func (f *Function) underWay(ctx context.Context, id string) (bool, error) {
	if id == "" {
		return false, nil
	}
	rec, err := f.ledger.Get(ctx, id)
	if fault.Is(err, fault.Missing) {
		return false, nil
	}
	return !rec.State.Terminal(), err
}

// fixed reports whether a desk lets nobody but its own people change a priority.
func (f *Function) fixed(deskName string) bool { return f.Config.Desks[deskName].Kind == "hub" }

// turnIntents are the change at the desk and the comment that says why. Where only the desk's people can change it, the comment asks them.
func (f *Function) turnIntents(ctx context.Context, i incident, p *plan) ([]ledger.Intent, error) {
	if p.Grade.Priority == "" {
		return nil, nil
	}
	opened, err := f.ledger.Get(ctx, i.Case)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s/%d/priority/%d", i.id, i.Episode, p.Next.Turns)
	var all []ledger.Intent
	if !f.fixed(i.Desk) {
		in, err := f.kinds.Change.Intent(i.Tenant, name, act.Change{Priority: desk.Priority(p.Grade.Priority), From: desk.Priority(i.Priority)})
		if err != nil {
			return nil, err
		}
		p.Next.PrioritySet = in.ID()
		all = append(all, in.Following(opened).Because(p.Reason))
	}
	if i.Silent && !f.fixed(i.Desk) {
		return all, nil
	}
	in, err := f.kinds.Comment.Intent(i.Tenant, name, act.Comment{Body: turnText(i.Priority, p.Grade, f.fixed(i.Desk))})
	return append(all, in.Following(opened).Because(p.Reason)), err
}

// turnText tells why a priority changes.
func turnText(from string, g grade, ask bool) string {
	if ask {
		return fmt.Sprintf("Please set the priority to %s, it was %s: %s", g.Priority, cmp.Or(from, "another"), clip(g.Why, 1000))
	}
	return fmt.Sprintf("Priority %s, was %s: %s", g.Priority, cmp.Or(from, "another"), clip(g.Why, 1000))
}
