package act

import (
	"context"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Ending is a case to be closed because a person wants it, or because it is solved and quiet.
type Ending struct {
	Target
	By    string `json:"by,omitempty"`
	Quiet *Quiet `json:"quiet,omitempty"` // close only what still is as it was
}

// Quiet is how a solved case stood when nobody was seen to talk on it.
type Quiet struct {
	Comments int `json:"comments"`
}

func ended(c desk.Case) bool { return c.State == desk.Closed }

type endEffect struct{ desks Desks }

func (e endEffect) Call(ctx context.Context, p Ending, t ledger.Token) (ledger.Act[Opened], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return ledger.Act[Opened]{}, fault.Unsent(err)
	}
	if p.Quiet != nil {
		if why, err := p.Quiet.over(ctx, d, at); err != nil || why != "" {
			return ledger.Act[Opened]{ID: at.Case, Result: Opened{Desk: at.Desk, Case: at.Case, Left: why}}, asked(err)
		}
	}
	return end(ctx, d, at)
}

// over returns why a case must not be closed any more, "" if it may.
func (q Quiet) over(ctx context.Context, d desk.Desk, at Target) (string, error) {
	c, err := d.Case(ctx, at.Case)
	if err != nil {
		return "", err
	}
	if c.State != desk.Solved && c.State != desk.Closed {
		return "the desk no longer calls it solved", nil
	}
	all, err := d.Comments(ctx, at.Case)
	if len(all) != q.Comments {
		return "somebody talks on it", err
	}
	return "", err
}

func (e endEffect) Find(ctx context.Context, p Ending, t ledger.Token, _ bool) ([]ledger.Act[Opened], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return nil, err
	}
	return already(ctx, d, at, ended)
}

// end closes a case that is not closed.
func end(ctx context.Context, d desk.Desk, at Target) (ledger.Act[Opened], error) {
	if done, err := already(ctx, d, at, ended); err != nil || len(done) > 0 {
		return first(done), asked(err)
	}
	c, err := d.Close(ctx, at.Case)
	return opened(at.Desk, c), err
}

// Twin is a second case of one name, to be closed.
type Twin struct {
	Desk string `json:"desk"`
	Case string `json:"case"`
	Kept string `json:"kept"`
}

type twinEffect struct{ desks Desks }

func (e twinEffect) Call(ctx context.Context, p Twin, t ledger.Token) (ledger.Act[Opened], error) {
	d, err := e.desks.Desk(p.Desk)
	if err != nil {
		return ledger.Act[Opened]{}, fault.Unsent(err)
	}
	at := Target{p.Desk, p.Case}
	if done, err := already(ctx, d, at, ended); err != nil || len(done) > 0 {
		return first(done), asked(err)
	}
	if err := explain(ctx, d, p, t); err != nil {
		return ledger.Act[Opened]{}, err
	}
	c, err := d.Close(ctx, p.Case)
	return opened(p.Desk, c), err
}

func (e twinEffect) Find(ctx context.Context, p Twin, _ ledger.Token, _ bool) ([]ledger.Act[Opened], error) {
	d, err := e.desks.Desk(p.Desk)
	if err != nil {
		return nil, err
	}
	return already(ctx, d, Target{p.Desk, p.Case}, ended)
}

// explain says once on the second case which one is kept.
func explain(ctx context.Context, d desk.Desk, p Twin, t ledger.Token) error {
	all, err := d.Comments(ctx, p.Case)
	if err != nil {
		return asked(err)
	}
	for _, c := range all {
		if Carries(c.Body, t.Marker) {
			return nil
		}
	}
	_, err = d.Comment(ctx, p.Case, Signed("This case is a duplicate of "+p.Kept+" and is closed. Please work there.", t))
	return err
}

func first[R any](acts []ledger.Act[R]) (a ledger.Act[R]) {
	if len(acts) > 0 {
		a = acts[0]
	}
	return a
}
