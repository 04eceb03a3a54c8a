package casewebhook

import (
	"context"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/evidence"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// kinds are the effects of this function: what is done at desks, and the close that waits for a quiet period.
type kinds struct {
	act.Kinds
	close    ledger.Kind[closing, closed]
	evidence evidence.Kinds
}

func (k *kinds) register(ctx context.Context, l *ledger.Ledger, f *Function) (err error) {
	if k.Kinds, err = act.Register(l, f.Desks, keptCase); err != nil {
		return err
	}
	if k.evidence, err = f.registerEvidence(ctx, l); err != nil {
		return err
	}
	k.close, err = ledger.Register(l, ledger.Spec{Kind: "case.close", Class: ledger.Desired}, ledger.Effect[closing, closed](closeEffect{f}))
	return err
}

// closing is a case to be closed after a quiet period, unless its incident fires again or people talk on it.
type closing struct {
	Incident string `json:"incident"`
	Episode  int    `json:"episode"`
	News     int    `json:"news"` // of the incident when it was decided: any later news makes it void
}

// closed is how a closing ended.
type closed struct {
	Left string `json:"left,omitempty"` // why the case was left open; empty: it is closed
}

type closeEffect struct{ f *Function }

func (e closeEffect) Call(ctx context.Context, p closing, t ledger.Token) (ledger.Act[closed], error) {
	d, at, err := act.Target{}.Of(e.f.Desks, t)
	if err != nil {
		return ledger.Act[closed]{}, fault.Unsent(err)
	}
	why, err := e.voided(ctx, p, d, at)
	if err != nil {
		return ledger.Act[closed]{}, fault.Unsent(act.Healing(err)) // only questions were asked
	}
	if why == "" {
		_, err = d.Close(ctx, at.Case)
	}
	return ledger.Act[closed]{ID: at.Case, Result: closed{Left: why}}, err
}

// voided returns why the case must stay open, or need not be closed any more.
func (e closeEffect) voided(ctx context.Context, p closing, d desk.Desk, at act.Target) (string, error) {
	i, err := e.f.readIncident(ctx, p.Incident)
	if err != nil && !fault.Is(err, fault.Missing) {
		return "", err
	}
	if err == nil && (i.Status != alert.Resolved || i.Episode != p.Episode || i.News != p.News) {
		return "there was news of the incident in the quiet period", nil
	}
	c, err := d.Case(ctx, at.Case)
	if err != nil {
		return "", err
	}
	if c.State == desk.Closed {
		return "it was closed already", nil
	}
	all, err := d.Comments(ctx, at.Case)
	for _, said := range all {
		if said.Author.Desk || said.Author.Email == "" || said.Author.Email != c.Creator.Email { // nobody's is somebody's
			return "somebody talks on it", nil
		}
	}
	return "", err
}

func (e closeEffect) Find(ctx context.Context, _ closing, t ledger.Token, _ bool) ([]ledger.Act[closed], error) {
	d, at, err := act.Target{}.Of(e.f.Desks, t)
	if err != nil {
		return nil, err
	}
	c, err := d.Case(ctx, at.Case)
	if err != nil || c.State != desk.Closed {
		return nil, err
	}
	return []ledger.Act[closed]{{ID: at.Case}}, nil
}
