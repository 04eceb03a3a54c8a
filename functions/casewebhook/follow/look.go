package follow

import (
	"context"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

const (
	tries   = 20  // how often one look begins again because somebody else changed what it had read
	writes  = 300 // of one commit that are news: a room takes up to two pages of each, a receiver and the topic one
	stretch = 5   // looks in a row at a case with much news; the next tick goes on
)

// again is how long after a failure a case is looked at again at first; it doubles up to updates.every.
const again = time.Minute

// later is how long a case is left alone that failed, or that has something in a queue, so many times in a row.
func later(times int, every time.Duration) time.Duration { return min(again<<min(times, 10), every) }

// hint says what may be new on a case.
type hint string

const (
	anything hint = ""
	comments hint = "comments"
	files    hint = "files"
)

// Look compares a case with its desk and tells what is new.
func (f *Follower) Look(ctx context.Context, id string) error { return f.look(ctx, id, anything) }

func (f *Follower) look(ctx context.Context, id string, h hint) error {
	for range stretch {
		more, err := f.insist(ctx, id, h)
		if err != nil || !more || !f.unhurried(ctx) {
			return err
		}
	}
	return nil
}

// insist looks until nobody else has changed what is known meanwhile. Lists only grow, so one that was read is good for the next try; how a case
// stands is not.
func (f *Follower) insist(ctx context.Context, id string, h hint) (more bool, err error) {
	var s snapshot
	for range tries {
		more, err = f.once(ctx, id, h, &s)
		if !fault.Is(err, fault.Conflict) {
			return more, err
		}
		s.Case = nil
	}
	return false, fault.Wrap(fault.Transient, err, "look at a case that keeps changing")
}

// once reads, decides, records and tells.
func (f *Follower) once(ctx context.Context, id string, h hint, s *snapshot) (more bool, err error) {
	c, err := f.read(ctx, id)
	if err != nil {
		return false, err
	}
	kept, alarms, err := f.settle(ctx, &c)
	if err != nil {
		return false, err
	}
	if !c.Begun || c.Final {
		h = anything
	}
	if err := f.fetch(ctx, c, h, s); err != nil {
		return false, err
	}
	now, p := f.Now().UTC(), f.policy(c.Desk)
	p.most = max(1, min(most, writes/(2*len(c.Rooms)+1+len(f.hooks))))
	d := decide(c, *s, now, p)
	if h != anything && !d.shown && kept && len(d.next.Comments) == len(c.Comments) && len(d.next.Files) == len(c.Files) && !d.more {
		return false, nil // an event that says what we know
	}
	return d.more, f.record(ctx, c, d, alarms)
}

// policy is what the configuration says of a desk's cases.
func (f *Follower) policy(deskName string) policy {
	c := f.Config.Desks[deskName]
	p := policy{watch: c.Watch, every: c.Updates.Every, zone: f.location(deskName)}
	if p.every == 0 {
		p.every = 10 * time.Minute
	}
	return p
}

// fetch reads what a hint says, unless it was read already.
func (f *Follower) fetch(ctx context.Context, c Case, h hint, s *snapshot) error {
	d, err := f.Desks.Desk(c.Desk)
	if err != nil {
		return err
	}
	if h == anything && s.Case == nil {
		have, err := d.Case(ctx, c.Name)
		if err != nil {
			return fault.Wrap(fault.Of(err), err, "look at a case")
		}
		s.Case = &have
	}
	if h != files && s.Comments == nil {
		if s.Comments, err = d.Comments(ctx, c.Name); err != nil {
			return fault.Wrap(fault.Of(err), err, "look at the comments of a case")
		}
		s.Comments = append([]desk.Comment{}, s.Comments...)
	}
	if h != comments && s.Files == nil {
		if s.Files, err = d.Attachments(ctx, c.Name); err != nil && !fault.Is(err, fault.Invalid) { // some desks have none
			return fault.Wrap(fault.Of(err), err, "look at the attachments of a case")
		}
		s.Files = append([]desk.Attachment{}, s.Files...)
	}
	return nil
}

// record commits what is known next with all that is to be told, and tells it.
func (f *Follower) record(ctx context.Context, was Case, d decision, alarms []ledger.Intent) error {
	commit, intents, err := f.compose(was, &d)
	if err != nil {
		return err
	}
	w, err := d.next.write()
	if err != nil {
		return err
	}
	intents = append(intents, alarms...)
	commit = append([]store.Write{w}, commit...)
	for _, n := range d.news {
		f.Log.InfoContext(ctx, "decided", "case", was.id, "desk", was.Desk, "tenant", was.Tenant, "news", n.Type, "reason", n.Why)
	}
	if len(intents) == 0 {
		_, err = f.DB.Commit(ctx, commit...)
		return err
	}
	recs, err := f.Ledger.Do(ctx, commit, intents...)
	if err != nil {
		return err
	}
	if !f.drive(ctx, recs) {
		f.soon(ctx, was.id)
	}
	return nil
}

// drive carries out what had to wait for what was carried out just now. It reports whether all that was to be told in rooms is told; what is
// not is the sweep's, and the next look's.
func (f *Follower) drive(ctx context.Context, recs []ledger.Record) (all bool) {
	all = true
	for _, r := range recs {
		if r.State == ledger.Pending && r.Attempt == 0 && f.unhurried(ctx) {
			got, err := f.Ledger.Visit(ctx, r.ID)
			if err != nil {
				f.Log.WarnContext(ctx, "left to the sweep", "effect", r.ID, "kind", r.Kind, "error", err)
			} else {
				r = got
			}
		}
		all = all && (r.State == ledger.Succeeded || r.Kind != "chat.post" && r.Kind != "case.root")
	}
	return all
}

// soon lets a case be looked at again in a minute. It is a courtesy to what waits in a queue.
func (f *Follower) soon(ctx context.Context, id string) {
	c, err := f.read(ctx, id)
	if soon := f.Now().UTC().Add(again); err == nil && (c.due.IsZero() || soon.Before(c.due)) {
		c.due = soon
		if w, err := c.write(); err == nil {
			_, _ = f.DB.Commit(ctx, w) // whoever was quicker looks too
		}
	}
}

// endIntent closes a case that is solved and quiet.
func (f *Follower) endIntent(c Case, n news, e act.Ending) (ledger.Intent, error) {
	in, err := f.Acts.End.Intent(c.Tenant, c.id+"/"+n.Key, e)
	return in.Because(n.Why), err
}
