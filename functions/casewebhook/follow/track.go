package follow

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// recent is how old a comment may be when a case that exists already is followed from now on: the one that made somebody ask is told.
const recent = 15 * time.Minute

// tracking is a case that was just opened and is to be followed.
type tracking struct {
	Tenant string       `json:"tenant,omitempty"`
	Rooms  []chat.Place `json:"rooms,omitempty"`
}

// followed is a case that is followed.
type followed struct {
	Case string `json:"case"` // its document
}

// Wants reports whether there is anybody to follow a desk's cases for, and in which rooms: those of the route, or else of the desk.
func (f *Follower) Wants(deskName string, route []config.Room) (rooms []chat.Place, ok bool) {
	d := f.Config.Desks[deskName]
	if len(route) == 0 {
		route = d.Rooms
	}
	heard := slices.ContainsFunc(f.Config.Webhooks, func(w config.Webhook) bool { return len(w.Desks) == 0 || slices.Contains(w.Desks, deskName) })
	return Places(route), len(route) > 0 || heard || d.Watch != config.Watch{} || d.Updates.All
}

// Track is the intent to follow the case that an effect opens, by the id of that effect. It waits for it.
func (f *Follower) Track(tenant, opening string, rooms []chat.Place) (ledger.Intent, error) {
	in, err := f.kinds.track.Intent(tenant, opening, tracking{tenant, plain(rooms)})
	return in.After(opening).Because("the case is followed from its beginning"), err
}

type trackEffect struct{ f *Follower }

func (e trackEffect) Call(ctx context.Context, p tracking, t ledger.Token) (ledger.Act[followed], error) {
	var o act.Opened
	if t.After == nil {
		return ledger.Act[followed]{}, fault.New(fault.Invalid, "no case was opened before")
	}
	if err := json.Unmarshal(t.After.Result, &o); err != nil {
		return ledger.Act[followed]{}, fault.Wrap(fault.Invalid, err, "read which case was opened")
	}
	c := Case{V: 1, Tenant: p.Tenant, Desk: o.Desk, Name: o.Case, URL: o.URL, Rooms: p.Rooms, id: ID(o.Desk, o.Case)}
	err := e.f.begins(ctx, c)
	if fault.Is(err, fault.Conflict) {
		_, err = e.f.join(ctx, c.id, p.Rooms)
	}
	return ledger.Act[followed]{ID: c.id, Result: followed{c.id}}, fault.Wrap(fault.Transient, err, "follow a case")
}

// Begin follows at once the cases that were opened just now and are to be followed. What does not get ready is the next sweep's.
func (f *Follower) Begin(ctx context.Context, recs []ledger.Record) {
	open := map[string]bool{}
	for _, r := range recs {
		open[r.ID] = r.State == ledger.Succeeded
	}
	for _, r := range recs {
		if r.Kind != "case.track" || !open[r.After] || !f.unhurried(ctx) {
			continue
		}
		got, err := f.Ledger.Visit(ctx, r.ID)
		if err == nil && got.State == ledger.Succeeded {
			err = f.Look(ctx, got.Result.ID)
		}
		if err != nil {
			f.Log.WarnContext(ctx, "a case is followed a little later", "effect", r.ID, "error", err)
		}
	}
}

// Find finds nothing: following a case that is followed does no harm.
func (trackEffect) Find(context.Context, tracking, ledger.Token, bool) ([]ledger.Act[followed], error) {
	return nil, nil
}

func (f *Follower) begins(ctx context.Context, c Case) error {
	w, err := c.Wanting(f.Now().UTC())
	if err == nil {
		_, err = f.DB.Commit(ctx, w)
	}
	return err
}

// Follow follows a case that exists already, or adds rooms to one that is followed. What was said on it before is not told; call Look to tell
// at once how it stands.
func (f *Follower) Follow(ctx context.Context, tenant, deskName, name string, rooms []chat.Place) (Case, error) {
	now := f.Now().UTC()
	c := Case{V: 1, Tenant: tenant, Desk: deskName, Name: name, Rooms: plain(rooms), Since: now.Add(-recent), id: ID(deskName, name)}
	err := f.begins(ctx, c)
	if fault.Is(err, fault.Conflict) {
		return f.join(ctx, c.id, rooms)
	}
	if err != nil {
		return Case{}, err
	}
	return f.read(ctx, c.id)
}

// plain are places without threads, each once.
func plain(rooms []chat.Place) (all []chat.Place) {
	for _, at := range rooms {
		if at.Thread = ""; !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	return all
}

// join adds rooms to a case that is followed.
func (f *Follower) join(ctx context.Context, id string, rooms []chat.Place) (Case, error) {
	for range tries {
		c, err := f.read(ctx, id)
		if err != nil {
			return c, err
		}
		all := plain(append(slices.Clone(c.Rooms), rooms...))
		if len(all) == len(c.Rooms) {
			return c, nil
		}
		c.Rooms = all
		w, err := c.Wanting(f.Now().UTC())
		if err != nil {
			return c, err
		}
		if _, err = f.DB.Commit(ctx, w); err == nil {
			return f.read(ctx, id)
		}
		if !fault.Is(err, fault.Conflict) {
			return c, err
		}
	}
	return Case{}, fault.New(fault.Transient, "the case keeps changing")
}
