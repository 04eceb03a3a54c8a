package commands

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// ordersIn is the collection of what was asked.
const ordersIn = "orders"

// order is what was asked, and what became of it.
type order struct {
	V       int        `json:"v"`
	At      chat.Place `json:"at,omitzero"` // where the outcome is told
	Who     string     `json:"who"`
	Via     string     `json:"via"`
	What    string     `json:"what"`
	Job     *summary   `json:"job,omitempty"`
	Effects []string   `json:"effects,omitempty"` // that the outcome tells of
	Asked   time.Time  `json:"asked"`
	Told    bool       `json:"told,omitempty"`
	Outcome string     `json:"outcome,omitempty"`

	id      string
	version store.Version
}

// summary is what the outcome needs of a job.
type summary struct {
	Verb   string `json:"verb"`
	Target target `json:"target"`
	Short  string `json:"short"`
	Plain  bool   `json:"plain,omitempty"` // something said in a case's thread: told only when it is not on the case
}

const (
	firstLook = 10 * time.Second // after which an order is looked at, should nobody have finished it
	longest   = 10 * time.Minute // between two looks
	keptWhat  = 500              // characters
)

// order returns what was asked, or fault.Missing.
func (c *Commands) order(ctx context.Context, id string) (order, error) {
	d, err := c.DB.Get(ctx, store.Key{Collection: ordersIn, ID: id})
	if err != nil {
		return order{}, err
	}
	return decodeOrder(d)
}

func decodeOrder(d store.Doc) (order, error) {
	var o order
	if err := json.Unmarshal(d.Data, &o); err != nil {
		return o, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	o.id, o.version = d.ID, d.Version
	return o, nil
}

// write returns the write that stores o. One that is not told yet is looked at again, the less often the older it is.
func (o order) write(now time.Time) (store.Write, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return store.Write{}, fault.Wrap(fault.Bug, err, "encode order "+o.id)
	}
	d := store.Doc{Key: store.Key{Collection: ordersIn, ID: o.id}, Data: data}
	if o.Told {
		d.Expire = now.Add(remembered)
	} else {
		d.Due = now.Add(min(max(now.Sub(o.Asked)/4, firstLook), longest))
	}
	if o.version == "" {
		return store.Create(d), nil
	}
	return store.Replace(d, o.version), nil
}

// record records a plan in one commit, carries out what can be carried out at once, and tells the outcome if it is known then. Once the commit
// is made the message may be acknowledged: whatever is left, the sweeper does.
func (c *Commands) record(ctx context.Context, in input, p plan, from ledger.Source) error {
	w, err := c.prepare(ctx, in, p)
	if err != nil {
		return err
	}
	for i := range w.intents {
		w.intents[i] = w.intents[i].Because(p.Reason).From(from)
	}
	c.Log.InfoContext(ctx, "decided", "order", in.order, "verb", in.cmd.Verb, "reason", p.Reason, "effects", len(w.intents))
	if err := c.commit(ctx, w); err != nil {
		return err
	}
	o, err := c.order(ctx, in.order)
	if err == nil {
		err = c.finish(ctx, o)
	}
	if err != nil {
		c.Log.WarnContext(ctx, "an order is left to the sweeper", "order", in.order, "error", err)
	}
	return nil
}

// prepare makes everything that follows from a plan: what is to be done, what is said, and the documents that go with it.
func (c *Commands) prepare(ctx context.Context, in input, p plan) (w work, err error) {
	now := c.Now().UTC()
	o := order{V: 1, At: in.at, Who: in.who.Name, Via: in.who.Via, What: in.cmd.short(), Asked: now, Told: p.Job == nil, id: in.order}
	if p.Job != nil {
		o.What = p.Job.Cmd.short()
		o.Job = &summary{p.Job.Cmd.Verb, p.Job.Target, p.Job.short(), p.Job.Plain}
		if w, err = c.work(ctx, *p.Job); err != nil {
			return w, err
		}
		o.Effects = w.effects
	}
	said, err := c.saying(ctx, in.order, "said", in.at, p)
	if err != nil {
		return w, err
	}
	w.intents = append(w.intents, said...)
	if p.Ask != nil {
		shown, err := c.settled(ctx, *p.Ask)
		if err != nil {
			return w, err
		}
		w.intents = append(shown, w.intents...) // first: until then people can click again
	}
	err = c.writes(&w, o, in, p, said, now)
	return w, err
}

// writes adds the documents that go with a plan.
func (c *Commands) writes(w *work, o order, in input, p plan, said []ledger.Intent, now time.Time) error {
	write, err := o.write(now)
	w.writes = append(w.writes, write)
	if p.Ask != nil {
		if p.Ask.open() && len(said) > 0 {
			p.Ask.Said = said[len(said)-1].ID()
		}
		write, aerr := p.Ask.write()
		w.writes, err = append(w.writes, write), errors.Join(err, aerr)
	}
	write, eerr := asked(in, p, w.effects, now).write()
	w.writes = append(w.writes, write)
	return errors.Join(err, eerr)
}

func (c *Commands) commit(ctx context.Context, w work) error {
	if len(w.intents) == 0 {
		_, err := c.DB.Commit(ctx, w.writes...)
		return err
	}
	_, err := c.Ledger.Do(ctx, w.writes, w.intents...)
	return err
}

// saying makes the messages that say a plan's post, each after the one before and in its thread. Nobody listens to a system's answer.
func (c *Commands) saying(ctx context.Context, id, what string, at chat.Place, p plan) ([]ledger.Intent, error) {
	if p.Post == nil || at.Space == "" {
		return nil, nil
	}
	name := "chat/" + id + "/" + what
	if p.Once != "" {
		name = "chat/" + p.Once
	}
	room, err := c.Rooms.Room(at.Platform)
	if err != nil {
		return nil, err
	}
	var all []ledger.Intent
	for n, page := range room.Pages(*p.Post) {
		in, err := c.Say.Intent("", name+"/"+itoa(n), say.Saying{At: at, Post: page})
		if err != nil {
			return nil, err
		}
		if n > 0 {
			in = in.After(all[n-1].ID())
		}
		if p.Once != "" {
			if _, err := c.Ledger.Get(ctx, in.ID()); err == nil {
				return nil, nil // it was said before
			} else if !fault.Is(err, fault.Missing) {
				return nil, err
			}
		}
		all = append(all, in)
	}
	return all, nil
}

// finish carries out what is left of an order, in order, and tells its outcome when all of it has ended.
func (c *Commands) finish(ctx context.Context, o order) error {
	if o.Told {
		return nil
	}
	recs := make([]ledger.Record, len(o.Effects))
	over := true
	for i, id := range o.Effects {
		var err error
		recs[i], err = c.Ledger.Visit(ctx, id)
		switch {
		case fault.Is(err, fault.Missing):
			recs[i] = ledger.Record{State: ledger.Parked, LastError: "the record of it is gone"}
		case err != nil:
			return err
		}
		over = over && ended(recs[i])
	}
	if !over {
		return c.later(ctx, o)
	}
	return unlessConflict(c.tell(ctx, o, recs))
}

// ended reports whether an effect has come to what is told of it. One that is parked waits for a person, who may take long.
func ended(r ledger.Record) bool { return r.State.Terminal() || r.State == ledger.Parked }

// later leaves an order to the next look. When it is not yet due nothing is written: the first look is planned already.
func (c *Commands) later(ctx context.Context, o order) error {
	now := c.Now().UTC()
	if now.Before(o.Asked.Add(firstLook)) {
		return nil
	}
	w, err := o.write(now)
	if err == nil {
		_, err = c.DB.Commit(ctx, w)
	}
	return unlessConflict(err)
}

// quiet reports whether success goes without saying: people who talk in a case's thread are not interrupted. That a text became several
// comments or a file, and that files are there, is told.
func (o order) quiet(recs []ledger.Record) bool {
	return o.Job.Plain && len(recs) == 1 && recs[0].Kind == "case.comment"
}

// tell records the outcome together with the messages that tell it. Of several who do it at once one wins.
func (c *Commands) tell(ctx context.Context, o order, recs []ledger.Record) error {
	now := c.Now().UTC()
	out := c.outcome(o, recs)
	o.Told, o.Outcome = true, out.reason
	p := plan{Post: &out.post}
	if o.quiet(recs) && out.reason == done {
		p.Post = nil
	}
	said, err := c.saying(ctx, o.id, "told", o.At, p)
	if err != nil {
		return err
	}
	w := work{intents: said}
	write, err := o.write(now)
	if err != nil {
		return err
	}
	entry, err := concluded(o, out, now).write()
	if err != nil {
		return err
	}
	w.writes = []store.Write{write, entry}
	for i := range w.intents {
		w.intents[i] = w.intents[i].Because("the outcome of an order")
	}
	return c.commit(ctx, w)
}

func unlessConflict(err error) error {
	if fault.Is(err, fault.Conflict) {
		return nil // somebody else does it
	}
	return err
}

// short is a command as the records have it: long texts are left out, they stand at the desk.
func (c Command) short() string {
	return chat.Line(c.String(), keptWhat)
}
