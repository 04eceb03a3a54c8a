package tenantonboard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// The effects on a test case.
const (
	kindCaseOpen  = "google.case.open"
	kindCaseClose = "google.case.close"
)

// computeEngine is what the guide classifies its test case as.
const computeEngine = "Technical Issue > Compute > Compute Engine"

var needCases = need{"the support cases", "cloudsupport.googleapis.com", "roles/cloudsupport.techSupportEditor"}

// lookTestCase decides whether a case is still to be opened, or to be closed. A case carries the tenant's word, so one that an earlier run
// left open is closed and no second one is opened.
func (f *Function) lookTestCase(ctx context.Context, s *onboarding) (part, error) {
	g := s.Wanted.Google
	if g == nil || !g.TestCase || s.Tested {
		return part{}, nil
	}
	w := testWish{Parent: g.Parent, Draft: f.testDraft(s.Wanted), Mode: s.Mode, Planning: s.planning()}
	have, hidden, err := f.testCases(ctx, s)
	if err != nil {
		return part{}, err
	}
	p, tested := decideTestCase(w, have)
	s.Tested = tested
	return p.hiding(hidden), nil
}

// testCases are the tenant's cases: as the run knows them, or else as the desk finds them.
func (f *Function) testCases(ctx context.Context, s *onboarding) (have []desk.Case, hidden string, err error) {
	if have = s.cases(); s.Mode != Offboarding && len(have) > 0 {
		return have, "", nil
	}
	d, err := f.Cases(s.Wanted.Google.Parent)
	if err != nil {
		return nil, "", err
	}
	found, err := d.Find(ctx, f.testWord(s.Wanted.Key), true)
	if hidden, err = f.looked(ctx, s, needCases, err); err != nil {
		return nil, "", err
	}
	for _, c := range found {
		if !slices.ContainsFunc(have, func(o desk.Case) bool { return o.Name == c.Name }) {
			have = append(have, c)
		}
	}
	return have, hidden, nil
}

// cases are those that the run has opened or closed: its own word is newer than any search.
func (s *onboarding) cases() (all []desk.Case) {
	for _, w := range s.Work {
		if w.State != ledger.Succeeded {
			continue
		}
		switch w.Step.Kind {
		case kindCaseOpen:
			all = append(all, desk.Case{Name: w.Result.Name, State: desk.New})
		case kindCaseClose:
			all = slices.DeleteFunc(all, func(c desk.Case) bool { return c.Name == w.Result.Name })
			all = append(all, desk.Case{Name: w.Result.Name, State: desk.Closed})
		}
	}
	return all
}

// testWord is in the description of every test case of a tenant.
func (f *Function) testWord(tenant string) string {
	return strings.ReplaceAll(tagOf(f.master(), tenant), "-", "")
}

// testDraft is the case of Google's guide, with the settings of the configured desk.
func (f *Function) testDraft(t Tenant) desk.Draft {
	d := f.Config.Desks[f.Config.Onboarding.Desk]
	return desk.Draft{Title: "Test issue", Description: fmt.Sprintf("Test message\n\n[tenant %s, %s]", t.Key, f.testWord(t.Key)), Priority: "P4",
		Classification: cmp.Or(d.Classification, computeEngine), Subscribers: d.Subscribers, TimeZone: d.TimeZone, Language: d.Language, Test: true}
}

// testWish is what decideTestCase is to bring about.
type testWish struct {
	Parent   string
	Draft    desk.Draft
	Mode     Mode
	Planning bool
}

// decideTestCase is pure: an open case is closed; with none, open or closed, one is opened. A plan shows both; a run closes only once it has
// opened, because an effect that waits for one that is refused would be parked, and only a person could let the run end.
func decideTestCase(w testWish, have []desk.Case) (p part, tested bool) {
	open := slices.IndexFunc(have, func(c desk.Case) bool { return c.State != desk.Closed })
	switch {
	case open >= 0:
		p.Steps = append(p.Steps, closing(w.Parent, have[open].Name))
	case w.Mode == Offboarding:
	case len(have) > 0:
		return p, true
	default:
		p.Steps = append(p.Steps, step(StageTestCase, kindCaseOpen, "case/open", "open a test case on "+w.Parent, openArgs{Parent: w.Parent, Draft: w.Draft}))
		if w.Planning {
			after := closing(w.Parent, "")
			after.After = "case/open"
			p.Steps = append(p.Steps, after)
		}
	}
	if w.Mode == Offboarding {
		taking(p.Steps...)
	}
	return p, false
}

func closing(parent, name string) Step {
	return step(StageTestCase, kindCaseClose, "case/close", "close the test case on "+parent, closeArgs{Parent: parent, Case: name})
}

// openArgs is a case to be opened; the description is without the marker.
type openArgs struct {
	Parent string     `json:"parent"`
	Draft  desk.Draft `json:"draft"`
}

// closeArgs is a case to be closed; without a name it is the one that the effect before this one opened.
type closeArgs struct {
	Parent string `json:"parent"`
	Case   string `json:"case,omitempty"`
}

func (f *Function) registerTestCase() error {
	open := ledger.Spec{Kind: kindCaseOpen, Class: ledger.Marked}
	if err := registerKind(f, open, ledger.Effect[openArgs, Result](openEffect{f}), undoOpen); err != nil {
		return err
	}
	return registerKind(f, ledger.Spec{Kind: kindCaseClose, Class: ledger.Desired}, ledger.Effect[closeArgs, Result](closeEffect{f}), nil)
}

// openEffect opens a case. The desk has no request id, so the description carries the marker.
type openEffect struct{ f *Function }

func (e openEffect) Call(ctx context.Context, p openArgs, t ledger.Token) (ledger.Act[Result], error) {
	d, err := e.f.Cases(p.Parent)
	if err != nil {
		return ledger.Act[Result]{}, asking(err)
	}
	p.Draft.Description = signed(p.Draft.Description, t)
	c, err := d.Open(ctx, p.Draft)
	if err != nil {
		return ledger.Act[Result]{}, err
	}
	return openedAct(c), nil
}

// signed puts the marker of an effect under a text. It is how the act is found again.
func signed(text string, t ledger.Token) string {
	return fmt.Sprintf("%s\n\n[%s attempt=%d]", strings.TrimSpace(text), t.Marker, t.Attempt)
}

func openedAct(c desk.Case) ledger.Act[Result] {
	return ledger.Act[Result]{ID: c.Name, Result: Result{Name: c.Name, Made: []string{c.Name}}}
}

func (e openEffect) Find(ctx context.Context, p openArgs, t ledger.Token, thorough bool) ([]ledger.Act[Result], error) {
	d, err := e.f.Cases(p.Parent)
	if err != nil {
		return nil, err
	}
	found, err := d.Find(ctx, t.Marker, thorough)
	acts := make([]ledger.Act[Result], len(found))
	for i, c := range found {
		acts[i] = openedAct(c)
	}
	return acts, err
}

// Undo closes a second case of the same run.
func (e openEffect) Undo(p openArgs, _, extra ledger.Act[Result]) ([]ledger.Intent, error) {
	in, err := e.f.kinds[kindCaseClose].intent("", extra.ID, closing(p.Parent, extra.ID).Args)
	return []ledger.Intent{in}, err
}

// undoOpen closes the case: it cannot be deleted.
func undoOpen(p openArgs, r Result) (Step, bool) { return closing(p.Parent, r.Name), true }

// closeEffect closes a case. What the desk answers for one that is closed already is not published, so it is asked first.
type closeEffect struct{ f *Function }

func (e closeEffect) Call(ctx context.Context, p closeArgs, t ledger.Token) (ledger.Act[Result], error) {
	found, err := e.Find(ctx, p, t, true)
	if err != nil {
		return ledger.Act[Result]{}, asking(err)
	}
	if len(found) > 0 {
		return found[0], nil
	}
	d, name, err := e.target(p, t)
	if err == nil {
		_, err = d.Close(ctx, name)
	}
	return closedAct(name), err
}

func closedAct(name string) ledger.Act[Result] {
	return ledger.Act[Result]{ID: name, Result: Result{Name: name}}
}

func (e closeEffect) Find(ctx context.Context, p closeArgs, t ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	d, name, err := e.target(p, t)
	if err != nil {
		return nil, err
	}
	c, err := d.Case(ctx, name)
	if err != nil || c.State != desk.Closed {
		return nil, err
	}
	return []ledger.Act[Result]{closedAct(name)}, nil
}

// target returns the desk and the name of the case to close.
func (e closeEffect) target(p closeArgs, t ledger.Token) (desk.Desk, string, error) {
	if p.Case == "" && t.After != nil {
		var opened Result
		if err := json.Unmarshal(t.After.Result, &opened); err != nil {
			return nil, "", fault.Wrap(fault.Invalid, err, "read the case to close")
		}
		p.Case = opened.Name
	}
	if p.Case == "" {
		return nil, "", fault.New(fault.Invalid, "the effect names no case to close")
	}
	d, err := e.f.Cases(p.Parent)
	return d, p.Case, err
}
