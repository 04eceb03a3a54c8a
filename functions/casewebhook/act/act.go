// Package act is what is done at support desks, each thing once: the ledger's effects on cases. Alerts, people in chats and the clock all act
// through it, so one marker, one way to search and one way to undo serve them all.
//
//	case.open        marked    a case; a second one of the same name is closed by case.duplicate
//	case.comment     marked    a comment
//	case.attach      marked    a file
//	case.change      desired   priority, subscribers
//	case.escalate    desired   the desk's management is asked for attention
//	case.end         desired   the case is closed because a person wants it
//	case.duplicate   desired   a second case is explained and closed
//
// Guaranteed: every text that is sent carries the effect's marker, every effect is one send a call, a question that fails never counts as an
// act. Not promised: that a state which was reached stays; people change cases at the desk itself.
package act

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Kinds are the effects of this package, registered on a ledger.
type Kinds struct {
	Open      ledger.Kind[Opening, Opened]
	Comment   ledger.Kind[Comment, Said]
	Change    ledger.Kind[Change, Opened]
	Escalate  ledger.Kind[Escalation, Opened]
	End       ledger.Kind[Ending, Opened]
	Duplicate ledger.Kind[Twin, Opened]
}

// Desks are the configured support desks by name.
type Desks map[string]desk.Desk

// Register makes the effects known to a ledger. keepOpen is how long the record of an opened case is kept.
func Register(l *ledger.Ledger, desks Desks, keepOpen time.Duration) (k Kinds, err error) {
	if k.Duplicate, err = ledger.Register(l, ledger.Spec{Kind: "case.duplicate", Class: ledger.Desired}, ledger.Effect[Twin, Opened](twinEffect{desks})); err != nil {
		return k, err
	}
	open := openEffect{desks, k.Duplicate}
	if k.Open, err = ledger.Register(l, ledger.Spec{Kind: "case.open", Class: ledger.Marked, Keep: keepOpen}, ledger.Effect[Opening, Opened](open)); err != nil {
		return k, err
	}
	if k.Comment, err = ledger.Register(l, ledger.Spec{Kind: "case.comment", Class: ledger.Marked}, ledger.Effect[Comment, Said](commentEffect{desks})); err != nil {
		return k, err
	}
	if k.Change, err = ledger.Register(l, ledger.Spec{Kind: "case.change", Class: ledger.Desired}, ledger.Effect[Change, Opened](changeEffect{desks})); err != nil {
		return k, err
	}
	if k.Escalate, err = ledger.Register(l, ledger.Spec{Kind: "case.escalate", Class: ledger.Desired}, ledger.Effect[Escalation, Opened](escalateEffect{desks})); err != nil {
		return k, err
	}
	k.End, err = ledger.Register(l, ledger.Spec{Kind: "case.end", Class: ledger.Desired}, ledger.Effect[Ending, Opened](endEffect{desks}))
	return k, err
}

// Desk returns a configured desk.
func (d Desks) Desk(name string) (desk.Desk, error) {
	one, ok := d[name]
	if !ok {
		return nil, fault.Unsent(fault.New(fault.Transient, "no desk %q is configured here", name))
	}
	return one, nil
}

// Target is the case to act on. The zero value is the case that the effect before this one opened.
type Target struct {
	Desk string `json:"desk,omitempty"`
	Case string `json:"case,omitempty"` // the desk's resource name
}

// Of returns the desk and the name of the case to act on.
func (t Target) Of(desks Desks, token ledger.Token) (desk.Desk, Target, error) {
	if t == (Target{}) {
		var err error
		if t, err = openedBefore(token); err != nil {
			return nil, t, err
		}
	}
	d, err := desks.Desk(t.Desk)
	return d, t, err
}

func openedBefore(token ledger.Token) (Target, error) {
	if token.After == nil {
		return Target{}, fault.New(fault.Invalid, "the effect names no case to act on")
	}
	var o Opened
	err := json.Unmarshal(token.After.Result, &o)
	return Target{o.Desk, o.Case}, fault.Wrap(fault.Invalid, err, "read the case to act on")
}

// Signed puts the marker of an effect under a text. It is how the act is found again.
func Signed(text string, t ledger.Token) string {
	return fmt.Sprintf("%s\n\n[%s attempt=%d]", strings.TrimSpace(text), t.Marker, t.Attempt)
}

// Carries reports whether a text was signed by the effect with the marker.
func Carries(text, marker string) bool { return strings.Contains(text, "["+marker+" ") }

// Healing makes of a desk's refusal to answer a question something to try again: no question of ours is at fault.
func Healing(err error) error {
	if err == nil || fault.Healing(err) {
		return err
	}
	return fault.Wrap(fault.Transient, err, "ask the desk")
}

// asked is the error of a call that has only asked so far.
func asked(err error) error { return fault.Unsent(Healing(err)) }

func opened(deskName string, c desk.Case) ledger.Act[Opened] {
	return ledger.Act[Opened]{ID: c.Name, Result: Opened{Desk: deskName, Case: c.Name, URL: c.URL}}
}

// already returns the act of a case that is as it is wanted, and none of one that is not.
func already(ctx context.Context, d desk.Desk, t Target, wanted func(desk.Case) bool) ([]ledger.Act[Opened], error) {
	c, err := d.Case(ctx, t.Case)
	if err != nil || !wanted(c) {
		return nil, err
	}
	return []ledger.Act[Opened]{opened(t.Desk, c)}, nil
}
