package follow

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// settle finds out what became of what rooms were told, and leaves out rooms that refuse for good. kept says that nothing has to be stored
// for it; alarms are to be recorded with the case.
func (f *Follower) settle(ctx context.Context, c *Case) (kept bool, alarms []ledger.Intent, err error) {
	kept = true
	c.Told = slices.Clone(c.Told)
	for _, at := range places(c.Told) {
		t := c.toldAt(at)
		failed, err := f.advance(ctx, c, t)
		if err != nil {
			return kept, nil, err
		}
		switch {
		case failed == nil:
		case failed.State == ledger.Parked && !t.Stuck:
			kept, t.Stuck = false, true
			alarms = append(alarms, f.Alarms(ctx, "stuck/"+failed.ID, fmt.Sprintf("Case %s: what is to be told in %s %s waits for a person: %s",
				c.Name, at.Platform, at.Space, failed.LastError))...)
		case failed.State == ledger.Failed:
			kept = false
			if failed.ID == t.Root {
				err = f.unbind(ctx, t.Root)
			}
			c.leave(at)
			alarms = append(alarms, f.Alarms(ctx, "left/"+failed.ID, fmt.Sprintf("Case %s is no longer told in %s %s, which refuses: %s",
				c.Name, at.Platform, at.Space, failed.LastError))...)
		}
		if err != nil {
			return kept, nil, err
		}
	}
	return kept, alarms, nil
}

func places(all []told) []chat.Place {
	some := make([]chat.Place, len(all))
	for i, t := range all {
		some[i] = t.Place
	}
	return some
}

// advance takes from a room's queue what is done. It returns the effect that blocks the rest for good, or until a person decides.
func (f *Follower) advance(ctx context.Context, c *Case, t *told) (*ledger.Record, error) {
	for len(t.Queue) > 0 {
		r, err := f.Ledger.Get(ctx, t.Queue[0])
		if err == nil && !r.State.Terminal() && r.State != ledger.Parked {
			r, err = f.Ledger.Hasten(ctx, r.ID) // the one before it is done
		}
		switch {
		case fault.Is(err, fault.Missing): // done so long ago that it is forgotten
		case err != nil:
			return nil, err
		case r.State == ledger.Failed || r.State == ledger.Parked:
			return &r, nil
		case r.State != ledger.Succeeded && r.State != ledger.Compensated:
			return nil, nil
		case r.ID == t.Root:
			if err := f.learn(ctx, c, t, r); err != nil {
				return nil, err
			}
		}
		t.Queue, t.Stuck = slices.Clone(t.Queue[1:]), false
	}
	return nil, nil
}

// learn notes the first message of a thread. A person may have adopted it, and then nobody has noted its thread.
func (f *Follower) learn(ctx context.Context, c *Case, t *told, r ledger.Record) error {
	a, err := f.kinds.root.Result(r)
	if err != nil {
		return err
	}
	t.Sent = &a.Result
	return f.bind(ctx, c.id, r.ID, a.Result)
}

// compose turns news into intents, room by room, so that each room's stand in order.
func (f *Follower) compose(was Case, d *decision) (writes []store.Write, intents []ledger.Intent, err error) {
	c := &d.next
	c.Told = slices.Clone(c.Told)
	zone := f.location(c.Desk)
	anew := !reflect.DeepEqual(rootPost(was, was.Desk, zone), rootPost(*c, c.Desk, zone))
	for _, at := range c.Rooms {
		some, w, err := f.tell(c, at, d.news, anew)
		if err != nil {
			return nil, nil, err
		}
		intents, writes = append(intents, some...), append(writes, w...)
	}
	for _, n := range d.news {
		some, err := f.announce(*c, n)
		if err != nil {
			return nil, nil, err
		}
		intents = append(intents, some...)
	}
	return writes, intents, nil
}

// tell is what a room hears: the first message or its new content, then each piece of news in the thread.
func (f *Follower) tell(c *Case, at chat.Place, all []news, anew bool) (intents []ledger.Intent, writes []store.Write, err error) {
	room, err := f.Rooms.Room(at.Platform)
	if err != nil { // taken out of the configuration: the other rooms do not wait for it
		f.Log.Warn("a room is not told", "case", c.id, "platform", at.Platform, "error", err)
		return nil, nil, nil
	}
	t := c.toldAt(at)
	switch {
	case t == nil:
		in, w, err := f.begin(c, at)
		if err != nil {
			return nil, nil, err
		}
		intents, writes, t = append(intents, in), append(writes, w), c.toldAt(at)
	case anew:
		in, err := f.refreshIntent(*c, *t)
		if err != nil {
			return nil, nil, err
		}
		intents = append(intents, in)
	}
	for _, n := range all {
		if n.Except == at || n.Post.Title == "" {
			continue
		}
		for i, page := range room.Pages(n.Post) {
			in, err := f.Say.Intent(c.Tenant, fmt.Sprintf("%s/%s/%s/%d", name(*c, at), t.Root[:16], n.Key, i), say.Saying{At: t.thread(), Post: page})
			if err != nil {
				return nil, nil, err
			}
			if len(t.Queue) > 0 {
				in = in.After(t.Queue[len(t.Queue)-1])
			}
			intents = append(intents, in.Because(n.Why))
			t.Queue = append(t.Queue[:len(t.Queue):len(t.Queue)], in.ID())
		}
	}
	return intents, writes, nil
}

// name is how effects on a room of a case are called.
func name(c Case, at chat.Place) string {
	return fmt.Sprintf("%s/%s/%s", c.id, at.Platform, strings.TrimPrefix(at.Space, "spaces/"))
}

// thread is where a room is told: in its thread if that is known, else after the message that begins it.
func (t told) thread() chat.Place {
	if t.Sent != nil {
		return t.Sent.Place
	}
	return t.Place
}

// rooting is the first message of a case's thread.
type rooting struct {
	Case string `json:"case"` // its document
	say.Saying
}

// begin opens the thread of a case in a room.
func (f *Follower) begin(c *Case, at chat.Place) (ledger.Intent, store.Write, error) {
	post := rootPost(*c, c.Desk, f.location(c.Desk))
	in, err := f.kinds.root.Intent(c.Tenant, fmt.Sprintf("%s/root/%d", name(*c, at), c.Rev), rooting{c.id, say.Saying{At: at, Post: post}})
	if err != nil {
		return in, store.Write{}, err
	}
	c.Told = append(c.Told, told{Place: at, Root: in.ID(), Queue: []string{in.ID()}})
	open := store.Doc{Key: store.Key{Collection: rootsIn, ID: in.ID()}, Data: []byte(`{}`), State: spaceID(at), Expire: f.Now().UTC().Add(doubtful)}
	return in.Because("a thread for the case"), store.Create(open), nil
}

type rootEffect struct{ f *Follower }

func (e rootEffect) Call(ctx context.Context, p rooting, t ledger.Token) (ledger.Act[chat.Sent], error) {
	room, err := e.f.Rooms.Room(p.At.Platform)
	if err != nil {
		return ledger.Act[chat.Sent]{}, err
	}
	s, err := room.Post(ctx, p.At, p.Post, t.Marker)
	if err != nil {
		return ledger.Act[chat.Sent]{}, err
	}
	return say.Act(s), healing(e.f.bind(ctx, p.Case, t.ID, s))
}

func (e rootEffect) Find(ctx context.Context, p rooting, t ledger.Token, _ bool) ([]ledger.Act[chat.Sent], error) {
	room, err := e.f.Rooms.Room(p.At.Platform)
	if err != nil {
		return nil, err
	}
	all, err := room.Find(ctx, p.At, t.Marker, t.Deadline.Add(-say.Back))
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if err := e.f.bind(ctx, p.Case, t.ID, s); err != nil {
			return nil, err
		}
	}
	return say.Acts(all), nil
}

// healing makes a doubt of a failure to note what was posted: it was.
func healing(err error) error {
	return fault.Wrap(fault.Transient, err, "note the thread of a message")
}

// refreshing shows in the first message how the case stands.
type refreshing struct {
	Case string     `json:"case"`
	At   chat.Place `json:"at"`
	Root string     `json:"root"`
}

// shown is what a first message shows.
type shown struct {
	Rev int `json:"rev"`
}

func (f *Follower) refreshIntent(c Case, t told) (ledger.Intent, error) {
	in, err := f.kinds.refresh.Intent(c.Tenant, fmt.Sprintf("%s/%s/shown/%d", name(c, t.Place), t.Root[:16], c.Rev), refreshing{c.id, t.Place, t.Root})
	if t.Sent == nil {
		in = in.After(t.Root)
	}
	return in.Because("the case stands otherwise"), err
}

type refreshEffect struct{ f *Follower }

// Call renders the case as it is known now. When that changes while it is shown, another one may have shown the newer state before this one
// the older: it is done again.
func (e refreshEffect) Call(ctx context.Context, p refreshing, t ledger.Token) (ledger.Act[shown], error) {
	c, sent, err := e.target(ctx, p, t)
	if err != nil || sent == nil {
		return ledger.Act[shown]{ID: p.Root}, fault.Unsent(err)
	}
	room, err := e.f.Rooms.Room(p.At.Platform)
	if err != nil {
		return ledger.Act[shown]{}, err
	}
	if err := room.Edit(ctx, *sent, rootPost(c, c.Desk, e.f.location(c.Desk)), ledger.Marker(p.Root)); err != nil {
		return ledger.Act[shown]{}, err
	}
	again, err := e.f.read(ctx, p.Case)
	if err == nil && again.Rev != c.Rev {
		err = fault.New(fault.Transient, "the case changed while it was shown")
	}
	return ledger.Act[shown]{ID: sent.Name, Result: shown{c.Rev}}, err
}

// target returns the message to be edited; none when the room was left meanwhile.
func (e refreshEffect) target(ctx context.Context, p refreshing, t ledger.Token) (Case, *chat.Sent, error) {
	c, err := e.f.read(ctx, p.Case)
	if fault.Is(err, fault.Missing) {
		return c, nil, nil
	}
	at := c.toldAt(p.At)
	if err != nil || at == nil || at.Root != p.Root {
		return c, nil, err
	}
	if at.Sent != nil || t.After == nil {
		return c, at.Sent, nil
	}
	var s chat.Sent
	err = json.Unmarshal(t.After.Result, &s)
	return c, &s, fault.Wrap(fault.Invalid, err, "read which message to edit")
}

// Find finds nothing: what a message shows cannot be read, and showing it again does no harm.
func (refreshEffect) Find(context.Context, refreshing, ledger.Token, bool) ([]ledger.Act[shown], error) {
	return nil, nil
}
