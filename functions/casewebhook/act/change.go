package act

import (
	"context"
	"slices"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Change is what a case should become. What is empty stays as it is.
type Change struct {
	Target
	Priority  desk.Priority `json:"priority,omitempty"`
	From      desk.Priority `json:"from,omitempty"`      // the priority is left alone unless it is still this one
	Subscribe []string      `json:"subscribe,omitempty"` // added to the list, which is never replaced by less
	By        string        `json:"by,omitempty"`
}

func (c Change) done(have desk.Case) bool {
	return !c.turns(have) && len(c.missing(have)) == 0
}

// turns reports whether the priority is to be changed.
func (c Change) turns(have desk.Case) bool {
	return c.Priority != "" && have.Priority != c.Priority && (c.From == "" || have.Priority == c.From)
}

func (c Change) missing(have desk.Case) (addresses []string) {
	for _, a := range c.Subscribe {
		if !slices.Contains(have.Subscribers, a) {
			addresses = append(addresses, a)
		}
	}
	return addresses
}

// from returns the fields to send: only those that differ.
func (c Change) from(have desk.Case) (send desk.Change) {
	if c.turns(have) {
		send.Priority = &c.Priority
	}
	if add := c.missing(have); len(add) > 0 {
		all := append(slices.Clone(have.Subscribers), add...)
		send.Subscribers = &all
	}
	return send
}

type changeEffect struct{ desks Desks }

func (e changeEffect) Call(ctx context.Context, p Change, t ledger.Token) (ledger.Act[Opened], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return ledger.Act[Opened]{}, fault.Unsent(err)
	}
	have, err := d.Case(ctx, at.Case)
	if err != nil {
		return ledger.Act[Opened]{}, asked(err)
	}
	if p.done(have) {
		return opened(at.Desk, have), nil
	}
	c, err := d.Change(ctx, at.Case, p.from(have))
	return opened(at.Desk, c), err
}

func (e changeEffect) Find(ctx context.Context, p Change, t ledger.Token, _ bool) ([]ledger.Act[Opened], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return nil, err
	}
	return already(ctx, d, at, p.done)
}

// Escalation asks a desk's management for attention. It reaches people, on test cases too.
type Escalation struct {
	Target
	Reason        string `json:"reason"` // see desk.Escalation
	Justification string `json:"justification"`
	By            string `json:"by,omitempty"`
}

func escalated(c desk.Case) bool { return c.Escalated }

type escalateEffect struct{ desks Desks }

func (e escalateEffect) Call(ctx context.Context, p Escalation, t ledger.Token) (ledger.Act[Opened], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return ledger.Act[Opened]{}, fault.Unsent(err)
	}
	if done, err := already(ctx, d, at, escalated); err != nil || len(done) > 0 {
		return first(done), asked(err)
	}
	c, err := d.Escalate(ctx, at.Case, desk.Escalation{Reason: p.Reason, Justification: p.Justification})
	return opened(at.Desk, c), err
}

func (e escalateEffect) Find(ctx context.Context, p Escalation, t ledger.Token, _ bool) ([]ledger.Act[Opened], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return nil, err
	}
	return already(ctx, d, at, escalated)
}
