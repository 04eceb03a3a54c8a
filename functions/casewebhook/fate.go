package casewebhook

import (
	"context"
	"strings"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// fate is what has become of an incident's case.
type fate struct {
	state ledger.State // of the effect that opens it; empty: nobody remembers it
	gone  bool         // it is closed, or was never opened and never will be
	desk  desk.Desk    // nil: it is not open yet, or never was
	kase  desk.Case
}

// fateOf asks the ledger, and the desk for a case that was opened.
func (f *Function) fateOf(ctx context.Context, s incident) (fate, error) {
	rec, err := f.ledger.Get(ctx, s.Case)
	switch {
	case fault.Is(err, fault.Missing):
		return fate{gone: true}, nil
	case err != nil:
		return fate{}, err
	case rec.State != ledger.Succeeded:
		return fate{state: rec.State, gone: rec.State == ledger.Failed || rec.State == ledger.Compensated}, nil
	}
	opened, err := f.kinds.Open.Result(rec)
	if err != nil {
		return fate{}, err
	}
	d, err := f.Desks.Desk(opened.Result.Desk)
	if err != nil {
		return fate{}, err
	}
	c, err := d.Case(ctx, opened.ID)
	if fault.Is(err, fault.Missing) {
		return fate{state: rec.State, gone: true}, nil
	}
	return fate{rec.State, c.State == desk.Closed, d, c}, act.Healing(err)
}

// gone reports whether the case of an incident is closed, or was never opened and never will be.
func (f *Function) gone(ctx context.Context, s incident) (bool, error) {
	was, err := f.fateOf(ctx, s)
	return was.gone, err
}

// look finds out whether something can be said on an incident's case, and if not, whether people want no other one.
func (f *Function) look(ctx context.Context, s incident, r route, known *facts) error {
	was, err := f.fateOf(ctx, s)
	if err != nil {
		return err
	}
	known.gone = was.gone
	if asks := r.Refire.WontFix == "suppress" || r.Refire.WontFix == "comment"; !asks || !was.gone || was.desk == nil {
		return nil
	}
	all, err := was.desk.Comments(ctx, was.kase.Name)
	if fault.Is(err, fault.Missing) {
		return nil
	}
	known.wont = wont(all, was.kase.Creator, r.Refire.WontFixWords)
	return act.Healing(err)
}

// wont reports whether a person said one of the words, in any case of letters.
func wont(all []desk.Comment, we desk.Actor, words []string) bool {
	for _, said := range all {
		ours := !said.Author.Desk && said.Author.Email != "" && said.Author.Email == we.Email
		if ours && !spoken(said.Body) {
			continue
		}
		body := strings.ToLower(strings.ReplaceAll(said.Body, "\u2019", "'"))
		for _, w := range words {
			if strings.Contains(body, strings.ToLower(w)) {
				return true
			}
		}
	}
	return false
}

// spoken reports whether a comment of our own account passes on what a person said elsewhere: its head names them, as package commands
// writes it. What is written of alerts has no such head, whatever the alerts are called.
func spoken(body string) bool {
	head, _, ok := strings.Cut(body, ":\n\n")
	return ok && strings.Contains(head, ", by ") && !strings.Contains(head, "\n") && !strings.Contains(head, ": ")
}
