package casewebhook

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// kinds are the effects of this package.
type kinds struct {
	open      ledger.Kind[opening, opened]
	comment   ledger.Kind[comment, said]
	close     ledger.Kind[closing, closed]
	duplicate ledger.Kind[twin, closed]
}

func (k *kinds) register(l *ledger.Ledger, f *Function) (err error) {
	if k.duplicate, err = ledger.Register(l, ledger.Spec{Kind: "case.duplicate", Class: ledger.Desired}, ledger.Effect[twin, closed](twinEffect{f})); err != nil {
		return err
	}
	if k.open, err = ledger.Register(l, ledger.Spec{Kind: "case.open", Class: ledger.Marked, Keep: keptCase}, ledger.Effect[opening, opened](openEffect{f})); err != nil {
		return err
	}
	if k.comment, err = ledger.Register(l, ledger.Spec{Kind: "case.comment", Class: ledger.Marked}, ledger.Effect[comment, said](commentEffect{f})); err != nil {
		return err
	}
	k.close, err = ledger.Register(l, ledger.Spec{Kind: "case.close", Class: ledger.Desired}, ledger.Effect[closing, closed](closeEffect{f}))
	return err
}

// signed puts the marker of an effect under a text. It is how the act is found again.
func signed(text string, t ledger.Token) string {
	return fmt.Sprintf("%s\n\n[%s attempt=%d]", strings.TrimSpace(text), t.Marker, t.Attempt)
}

// opening is a case to be opened.
type opening struct {
	Desk  string     `json:"desk"`
	Draft desk.Draft `json:"draft"` // the description without the marker
}

// opened is what later effects need of a case.
type opened struct {
	Desk string `json:"desk"`
	Case string `json:"case"`
	URL  string `json:"url,omitempty"`
}

func actOf(deskName string, c desk.Case) ledger.Act[opened] {
	return ledger.Act[opened]{ID: c.Name, Result: opened{Desk: deskName, Case: c.Name, URL: c.URL}}
}

type openEffect struct{ f *Function }

func (e openEffect) Call(ctx context.Context, p opening, t ledger.Token) (ledger.Act[opened], error) {
	d, err := e.f.desk(p.Desk)
	if err != nil {
		return ledger.Act[opened]{}, err
	}
	p.Draft.Description = signed(p.Draft.Description, t)
	c, err := d.Open(ctx, p.Draft)
	return actOf(p.Desk, c), err
}

func (e openEffect) Find(ctx context.Context, p opening, t ledger.Token, thorough bool) ([]ledger.Act[opened], error) {
	d, err := e.f.desk(p.Desk)
	if err != nil {
		return nil, err
	}
	cases, err := d.Find(ctx, t.Marker, thorough)
	acts := make([]ledger.Act[opened], len(cases))
	for i, c := range cases {
		acts[i] = actOf(p.Desk, c)
	}
	return acts, err
}

// Undo closes a second case of the same incident, and says on it which one is kept.
func (e openEffect) Undo(_ opening, kept, extra ledger.Act[opened]) ([]ledger.Intent, error) {
	in, err := e.f.kinds.duplicate.Intent("", extra.ID, twin{Desk: extra.Result.Desk, Case: extra.ID, Kept: kept.ID})
	return []ledger.Intent{in}, err
}

// comment is a text to be said on the case that the effect waits for.
type comment struct {
	Body string `json:"body"`
}

// said is a comment that was made.
type said struct {
	Case string `json:"case"`
}

type commentEffect struct{ f *Function }

// target returns the desk and the name of the case that the effect before this one opened.
func (f *Function) target(t ledger.Token) (desk.Desk, opened, error) {
	var o opened
	if t.After == nil {
		return nil, o, fault.New(fault.Invalid, "the effect names no case to act on")
	}
	if err := json.Unmarshal(t.After.Result, &o); err != nil {
		return nil, o, fault.Wrap(fault.Invalid, err, "read the case to act on")
	}
	d, err := f.desk(o.Desk)
	return d, o, err
}

func (e commentEffect) Call(ctx context.Context, p comment, t ledger.Token) (ledger.Act[said], error) {
	d, o, err := e.f.target(t)
	if err != nil {
		return ledger.Act[said]{}, fault.Unsent(err)
	}
	c, err := d.Comment(ctx, o.Case, signed(p.Body, t))
	return ledger.Act[said]{ID: c.Name, Result: said{Case: o.Case}}, err
}

func (e commentEffect) Find(ctx context.Context, _ comment, t ledger.Token, _ bool) ([]ledger.Act[said], error) {
	d, o, err := e.f.target(t)
	if err != nil {
		return nil, err
	}
	all, err := d.Comments(ctx, o.Case)
	var acts []ledger.Act[said]
	for _, c := range all {
		if strings.Contains(c.Body, "["+t.Marker+" ") {
			acts = append(acts, ledger.Act[said]{ID: c.Name, Result: said{Case: o.Case}})
		}
	}
	return acts, err
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
	d, o, err := e.f.target(t)
	if err != nil {
		return ledger.Act[closed]{}, fault.Unsent(err)
	}
	why, err := e.voided(ctx, p, d, o)
	if err != nil {
		return ledger.Act[closed]{}, fault.Unsent(healing(err)) // only questions were asked
	}
	if why == "" {
		_, err = d.Close(ctx, o.Case)
	}
	return ledger.Act[closed]{ID: o.Case, Result: closed{Left: why}}, err
}

// voided returns why the case must stay open, or need not be closed any more.
func (e closeEffect) voided(ctx context.Context, p closing, d desk.Desk, o opened) (string, error) {
	i, err := e.f.readIncident(ctx, p.Incident)
	if err != nil && !fault.Is(err, fault.Missing) {
		return "", err
	}
	if err == nil && (i.Status != alert.Resolved || i.Episode != p.Episode || i.News != p.News) {
		return "there was news of the incident in the quiet period", nil
	}
	c, err := d.Case(ctx, o.Case)
	if err != nil {
		return "", err
	}
	if c.State == desk.Closed {
		return "it was closed already", nil
	}
	all, err := d.Comments(ctx, o.Case)
	for _, said := range all {
		if said.Author.Desk || said.Author.Email == "" || said.Author.Email != c.Creator.Email { // nobody's is somebody's
			return "somebody talks on it", nil
		}
	}
	return "", err
}

func (e closeEffect) Find(ctx context.Context, _ closing, t ledger.Token, _ bool) ([]ledger.Act[closed], error) {
	d, o, err := e.f.target(t)
	if err != nil {
		return nil, err
	}
	return closedAlready(ctx, d, o.Case)
}

func closedAlready(ctx context.Context, d desk.Desk, name string) ([]ledger.Act[closed], error) {
	c, err := d.Case(ctx, name)
	if err != nil || c.State != desk.Closed {
		return nil, err
	}
	return []ledger.Act[closed]{{ID: name}}, nil
}

// twin is a second case of one incident, to be closed.
type twin struct {
	Desk string `json:"desk"`
	Case string `json:"case"`
	Kept string `json:"kept"`
}

type twinEffect struct{ f *Function }

func (e twinEffect) Call(ctx context.Context, p twin, t ledger.Token) (ledger.Act[closed], error) {
	d, err := e.f.desk(p.Desk)
	if err != nil {
		return ledger.Act[closed]{}, fault.Unsent(err)
	}
	done, err := closedAlready(ctx, d, p.Case)
	if err != nil || len(done) > 0 {
		return first(done), fault.Unsent(healing(err))
	}
	if err := e.explain(ctx, d, p, t); err != nil {
		return ledger.Act[closed]{}, err
	}
	_, err = d.Close(ctx, p.Case)
	return ledger.Act[closed]{ID: p.Case}, err
}

// explain says once on the second case which one is kept.
func (e twinEffect) explain(ctx context.Context, d desk.Desk, p twin, t ledger.Token) error {
	all, err := d.Comments(ctx, p.Case)
	if err != nil {
		return fault.Unsent(healing(err))
	}
	for _, c := range all {
		if strings.Contains(c.Body, t.Marker) {
			return nil
		}
	}
	_, err = d.Comment(ctx, p.Case, signed("This case is a duplicate of "+p.Kept+" and is closed. Please work there.", t))
	return err
}

func (e twinEffect) Find(ctx context.Context, p twin, _ ledger.Token, _ bool) ([]ledger.Act[closed], error) {
	d, err := e.f.desk(p.Desk)
	if err != nil {
		return nil, err
	}
	return closedAlready(ctx, d, p.Case)
}

func first[R any](acts []ledger.Act[R]) (a ledger.Act[R]) {
	if len(acts) > 0 {
		a = acts[0]
	}
	return a
}
