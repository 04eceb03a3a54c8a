package casewebhook

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// tries is how often one delivery decides again because somebody else changed what it had read. A storm may need many; after them the
// bus brings the message back.
const tries = 20

// FileCase handles one message of topic "alerts". It returns an error only when a redelivery can heal it: nothing was recorded yet. What can
// never succeed is parked with its reason.
func (f *Function) FileCase(ctx context.Context, e event.Envelope) error {
	from := ledger.Source{Event: e.ID, Attempt: e.Attempt, Traceparent: e.Traceparent}
	d, err := decode(e, f.senders)
	if err != nil {
		return f.park(ctx, e, from, err)
	}
	f.keepDelivered(d.incidents, e)
	for _, in := range d.incidents {
		f.heard(ctx, in.Sender)
		if err := f.file(ctx, in, d.alone, from); err != nil {
			if fault.Healing(err) {
				return err
			}
			return f.park(ctx, e, from, err)
		}
	}
	return nil
}

// park records a message that can never succeed, so that it can be acknowledged.
func (f *Function) park(ctx context.Context, e event.Envelope, from ledger.Source, why error) error {
	reason := fault.Public(why)
	if reason == "" {
		reason = why.Error()
	}
	_, err := f.ledger.Park(ctx, "", TopicAlerts+"/"+e.ID, reason, e.Data, from)
	return err
}

// file decides on one incident and does what follows.
func (f *Function) file(ctx context.Context, in alert.Incident, alone bool, from ledger.Source) error {
	routes, err := f.routes()
	if err != nil {
		return fault.Wrap(fault.Bug, err, "route") // the configuration is at fault, not the message: it waits for a better one
	}
	r, err := routes.match(in)
	if err != nil {
		return err
	}
	if r.OneCasePer == "alert" && !alone {
		return f.takeApart(ctx, in, from)
	}
	for range tries {
		if err = f.step(ctx, in, r, from); !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return fault.Wrap(fault.Transient, err, "decide on an incident that keeps changing")
}

// takeApart files a group's alerts one by one: a single one here, several as messages of their own.
func (f *Function) takeApart(ctx context.Context, in alert.Incident, from ledger.Source) error {
	parts := alert.Split(in)
	if in.Omitted > 0 {
		f.Log.WarnContext(ctx, "alerts that the sender left out have no case, because their route opens one for each", "sender", in.Sender,
			"tenant", in.Tenant, "omitted", in.Omitted)
	}
	if len(parts) == 1 {
		return f.file(ctx, parts[0], true, from)
	}
	msgs, _ := messages(alert.NoticesOf(parts), map[string]string{attrAlone: "1"}, nil)
	_, err := f.publish(ctx, msgs)
	return err
}

// step reads, decides, records and acts, once.
func (f *Function) step(ctx context.Context, in alert.Incident, r route, from ledger.Source) error {
	s, err := f.incidentOf(ctx, in)
	if err != nil {
		return err
	}
	p, err := f.plan(ctx, s, in, r)
	if err != nil {
		return err
	}
	f.Log.InfoContext(ctx, "decided", "incident", s.id, "sender", in.Sender, "tenant", in.Tenant, "reason", p.Reason, "acts", p.Acts)
	if !p.Write {
		return nil
	}
	writes, intents, err := f.record(ctx, s, &p, in, r)
	if err != nil {
		return err
	}
	for i := range intents {
		intents[i] = intents[i].Because(p.Reason).From(from)
	}
	if err = f.commit(ctx, writes, intents); err == nil && p.Next.turns(f.Now()) {
		f.turnNow(ctx, s.id)
	}
	return err
}

// commit records writes and intents together, and carries the intents out.
func (f *Function) commit(ctx context.Context, writes []store.Write, intents []ledger.Intent) (err error) {
	if len(intents) == 0 {
		_, err = f.DB.Commit(ctx, writes...)
		return err
	}
	recs, err := f.ledger.Do(ctx, writes, intents...)
	f.follow.Begin(ctx, recs)
	return err
}

// plan decides, and looks at the case's fate, the budget and the caps only when the decision hangs on them.
func (f *Function) plan(ctx context.Context, s incident, in alert.Incident, r route) (plan, error) {
	known := facts{now: f.Now().UTC()}
	p := decide(s, in, r, known)
	if p.Look {
		err := f.look(ctx, s, r, &known)
		if err != nil && len(p.Change.fresh) > 0 {
			return p, err
		} // good news need no answer: on a closed case they are refused, and nothing is lost
		known.looked = true
		p = decide(s, in, r, known)
	}
	if p.opens(openCase) {
		var err error
		if known.budget, err = f.budgetOf(ctx, r.Desk, known.now); err != nil {
			return p, err
		}
		p = decide(s, in, r, known)
	}
	if _, capped := f.Config.Desks[r.Desk].PriorityCaps[p.Grade.Priority]; capped {
		var err error
		if known.caps, err = f.capsOf(ctx, r.Desk, p.Grade.Priority, known.now); err != nil {
			return p, err
		}
		p = decide(s, in, r, known)
	}
	return p, nil
}

// record turns a plan into writes and intents. It completes the plan's next state with the names of the effects.
func (f *Function) record(ctx context.Context, s incident, p *plan, in alert.Incident, r route) (writes []store.Write, intents []ledger.Intent, err error) {
	loc := f.location(p.Next.Desk, r.Route)
	for _, a := range p.Acts {
		var some []ledger.Intent
		switch a {
		case openCase:
			if some, err = f.openIntent(ctx, s, p, in, r, loc); err == nil {
				some, writes, err = f.withEvidence(some, p, in, loc)
			}
		case openUmbrella:
			some, err = f.umbrellaIntent(ctx, p, r, loc)
		case closeCase:
			some, err = f.closeIntent(p, r)
		default:
			some, err = f.commentIntents(ctx, p.Next, fmt.Sprintf("news/%d", p.Next.News), newsOf(a, p.Change, in, loc))
		}
		if err != nil {
			return nil, nil, err
		}
		intents = append(intents, some...)
		if a == openCase || a == openUmbrella {
			if some, err = f.tracked(p.Next.Tenant, p.Next.Case, r.Desk, r.Rooms); err != nil {
				return nil, nil, err
			}
			intents = append(intents, some...)
		}
	}
	if p.Next.Draft = nil; p.Next.waits() {
		g := r.grade(subjectOf(p.Next, in), f.Now())
		title, description := f.texts(ctx, r, in, g, "", loc)
		d := f.draft(r.Route, title, description, g.Priority)
		p.Next.Draft = &d
	}
	state, err := p.writes()
	return append(writes, state...), intents, err
}

// writes are what a plan stores: the incident and the counts that it uses up.
func (p plan) writes() (all []store.Write, err error) {
	w, err := p.Next.write()
	if err != nil {
		return nil, err
	}
	all = append(all, w)
	for _, b := range []*budget{p.Budget, p.Quota} {
		if b == nil {
			continue
		}
		if w, err = b.write(); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// location returns the zone in which the people who read of a route's cases read times.
func (f *Function) location(deskName string, r config.Route) *time.Location {
	return locationOf(f.Config.Desks[deskName], r)
}

func locationOf(d config.Desk, r config.Route) *time.Location {
	loc, err := time.LoadLocation(cmp.Or(r.TimeZone, d.TimeZone))
	if err != nil {
		return time.UTC // config.Load has checked it
	}
	return loc
}
