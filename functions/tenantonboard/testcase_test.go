package tenantonboard

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

func TestDecideTestCase(t *testing.T) {
	open := desk.Case{Name: "projects/1/cases/1", State: desk.InProgress}
	closed := desk.Case{Name: "projects/1/cases/2", State: desk.Closed}
	for name, c := range map[string]struct {
		w      testWish
		have   []desk.Case
		steps  []string
		tested bool
	}{
		"a plan, nothing there":        {w: testWish{Mode: Onboarding, Planning: true}, steps: []string{"case/open", "case/close"}},
		"a plan, one was left open":    {w: testWish{Mode: Onboarding, Planning: true}, have: []desk.Case{open}, steps: []string{"case/close"}},
		"a run, nothing there":         {w: testWish{Mode: Onboarding}, steps: []string{"case/open"}},
		"a run has opened":             {w: testWish{Mode: Onboarding}, have: []desk.Case{open}, steps: []string{"case/close"}},
		"a run has closed":             {w: testWish{Mode: Onboarding}, have: []desk.Case{closed}, tested: true},
		"one open, one closed":         {w: testWish{Mode: Onboarding}, have: []desk.Case{closed, open}, steps: []string{"case/close"}},
		"offboarding, nothing there":   {w: testWish{Mode: Offboarding}},
		"offboarding, left open":       {w: testWish{Mode: Offboarding}, have: []desk.Case{closed, open}, steps: []string{"case/close"}},
		"offboarding, all were closed": {w: testWish{Mode: Offboarding}, have: []desk.Case{closed}},
	} {
		t.Run(name, func(t *testing.T) {
			c.w.Parent = acmeProject
			p, tested := decideTestCase(c.w, c.have)
			wantPart(t, p, 0, 0, c.steps...)
			if tested != c.tested {
				t.Errorf("tested is %t", tested)
			}
			for _, s := range p.Steps {
				a, err := argsOf[closeArgs](s.Args)
				switch {
				case err != nil || s.Takes != (c.w.Mode == Offboarding):
					t.Errorf("%+v, %v", s, err)
				case s.ID != "case/close":
				case len(c.have) > 0 && a.Case != open.Name, len(c.have) == 0 && s.After != "case/open":
					t.Errorf("closes %q after %q", a.Case, s.After)
				}
			}
		})
	}
}

func (r *rig) mustCarry(stage Stage) {
	r.Helper()
	r.must(r.carry(stage))
}

func newCaseRig(t *testing.T) *rig {
	return newRig(t, Google{Parent: acmeProject, TestCase: true}, simgoogle.Options{})
}

// TestTestCase shows what the desk gets: the case of Google's guide, once, closed at once, and not again in a later run.
func TestTestCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCaseRig(t)
		began := time.Now()
		r.mustCarry(StageTestCase)
		if took := time.Since(began); took > 0 || !r.s.Tested {
			t.Errorf("took %s; tested is %t", took, r.s.Tested)
		}
		c := r.desk.Cases()[0]
		if !strings.HasPrefix(c.Description, "Test message\n\n[tenant acme, onb") || !strings.HasSuffix(c.Description, " attempt=1]") ||
			c.Classification != computeEngine || c.Parent != "projects/415104041262" {
			t.Errorf("%+v", c)
		}
		_, before := r.desk.Calls()
		if before["cases.create"] != 1 || before["cases.close"] != 1 || before["cases.search"] != 1 {
			t.Errorf("calls %v", before)
		}
		r.s = r.s.next(r.s.Wanted, Onboarding)
		r.wantPart(r.mustLook(StageTestCase), 0, 0)
		if _, after := r.desk.Calls(); !maps.Equal(before, after) {
			t.Errorf("a later run asks the desk: %v, then %v", before, after)
		}
	})
}

// TestTestCaseSettings shows that the case has the settings of the configured desk.
func TestTestCaseSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCaseRig(t)
		r.Config.Desks["google"] = config.Desk{Kind: "google", Classification: "Technical Issue > Compute > Cloud Run", Subscribers: []string{"oncall@acme.example"}, Language: "fr"}
		r.mustCarry(StageTestCase)
		if c := r.desk.Cases()[0]; c.Classification != "Technical Issue > Compute > Cloud Run" || !slices.Equal(c.Subscribers, []string{"oncall@acme.example"}) {
			t.Errorf("%+v", c)
		}
	})
}

// TestOpenOnce shows that a case whose answer was lost is found by its marker, and none is opened beside it.
func TestOpenOnce(t *testing.T) {
	for _, fault := range []string{"commit_then_drop", "commit_then_status:504", "garbage", "late:2m", "late_drop:10m"} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newCaseRig(t)
				r.spoil("cases.create", fault)
				r.mustCarry(StageTestCase)
				time.Sleep(time.Hour) // virtual
				if _, counts := r.desk.Calls(); counts["cases.create"] != 1 || len(r.desk.Cases()) != 1 {
					t.Errorf("%d calls, %d cases", counts["cases.create"], len(r.desk.Cases()))
				}
			})
		})
	}
}

// TestSecondCase shows that a case that comes after everybody had given it up is closed, too.
func TestSecondCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCaseRig(t)
		r.spoil("cases.create", "late:20m") // longer than the settle window
		r.mustCarry(StageTestCase)
		for range 120 {
			r.pass()
		}
		cases := r.desk.Cases()
		if len(cases) != 2 || slices.ContainsFunc(cases, func(c cloudsupport.CaseView) bool { return c.State != "CLOSED" }) {
			t.Errorf("%+v", cases)
		}
	})
}

// TestOpenRefused shows that a desk that refuses the case ends the run, with nothing parked, so that a person need not decide anything.
func TestOpenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCaseRig(t)
		r.spoil("cases.create", "status:403")
		if err := r.carry(StageTestCase); err == nil || len(r.s.Work) != 1 || r.s.Work[0].State != ledger.Failed {
			t.Errorf("%v%s", err, r.journal(r.s))
		}
		r.must(r.takeBack())
	})
}

// TestCloseRefused shows that a later run closes the case that an earlier one could not close, and opens none; so does an offboarding.
func TestCloseRefused(t *testing.T) {
	for _, m := range []Mode{Onboarding, Offboarding} {
		t.Run(string(m), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newCaseRig(t)
				r.spoil("cases.close", "status:403")
				if err := r.carry(StageTestCase); err == nil || r.s.Tested {
					t.Fatalf("%v; tested is %t", err, r.s.Tested)
				}
				r.s = r.s.next(r.s.Wanted, m)
				r.s.Plan.Steps = r.mustLook(StageTestCase).Steps
				r.mustCarry(StageTestCase)
				if cases := r.desk.Cases(); len(cases) != 1 || cases[0].State != "CLOSED" || r.s.Tested != (m == Onboarding) {
					t.Errorf("%+v; tested is %t", cases, r.s.Tested)
				}
			})
		})
	}
}

// TestUndoOpen shows that an undo closes the case that its run could not close.
func TestUndoOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCaseRig(t)
		r.spoil("cases.close", "status:403")
		if err := r.carry(StageTestCase); err == nil {
			t.Fatal("the case is closed although the desk refused")
		}
		r.must(r.takeBack())
		if cases := r.desk.Cases(); len(cases) != 1 || cases[0].State != "CLOSED" {
			t.Errorf("%+v", cases)
		}
	})
}

// TestOffboardClosesAll shows that an offboarding closes every case that was left open, and no other tenant's.
func TestOffboardClosesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCaseRig(t)
		d, err := r.Cases(acmeProject)
		r.must(err)
		other := r.s.Wanted
		other.Key = "other"
		for _, tenant := range []Tenant{r.s.Wanted, r.s.Wanted, other} {
			_, err := d.Open(r.Context(), r.testDraft(tenant))
			r.must(err)
		}
		r.must(r.offboard(StageTestCase))
		var states []string
		for _, c := range r.desk.Cases() {
			states = append(states, c.State)
		}
		if !slices.Equal(states, []string{"CLOSED", "CLOSED", "NEW"}) {
			t.Errorf("cases are %v", states)
		}
	})
}

// TestCloseAfter shows that a close without a name closes the case that the effect before it has opened, and none without one.
func TestCloseAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCaseRig(t)
		e, token := openEffect{r.Function}, ledger.Token{Marker: "REF01234567890123456789", Attempt: 1}
		act, err := e.Call(r.Context(), openArgs{Parent: acmeProject, Draft: r.testDraft(r.s.Wanted)}, token)
		r.must(err)
		found, err := e.Find(r.Context(), openArgs{Parent: acmeProject}, token, false)
		if err != nil || len(found) != 1 || found[0].ID != act.ID {
			t.Errorf("found %+v, %v", found, err)
		}
		result, err := json.Marshal(act.Result)
		r.must(err)
		token.After = &ledger.Done{ID: act.ID, Result: result}
		for range 2 {
			_, err = closeEffect{r.Function}.Call(r.Context(), closeArgs{Parent: acmeProject}, token)
			r.must(err)
		}
		if _, counts := r.desk.Calls(); counts["cases.close"] != 1 || r.desk.Cases()[0].State != "CLOSED" {
			t.Errorf("%d calls to close; the case is %s", counts["cases.close"], r.desk.Cases()[0].State)
		}
		for _, after := range []*ledger.Done{nil, {ID: "x", Result: []byte(`{}`)}, {ID: "x", Result: []byte(`[`)}} {
			token.After = after
			if _, err := (closeEffect{r.Function}).Call(r.Context(), closeArgs{Parent: acmeProject}, token); !fault.Is(err, fault.Invalid) {
				t.Errorf("a close of nothing: %v", err)
			}
		}
	})
}

// TestCasesOfARun shows that a run knows its own cases, the newest word last.
func TestCasesOfARun(t *testing.T) {
	done := func(kind, name string, state ledger.State) work {
		return work{Step: Step{Kind: kind}, State: state, Result: Result{Name: name}}
	}
	s := &onboarding{Work: []work{
		done(kindCaseOpen, "a", ledger.Succeeded), done(kindCaseOpen, "b", ledger.Succeeded), done(kindCaseOpen, "", ledger.Failed),
		done(kindContact, "c", ledger.Succeeded), done(kindCaseClose, "a", ledger.Succeeded), done(kindCaseClose, "b", ledger.Failed),
	}}
	want := []desk.Case{{Name: "b", State: desk.New}, {Name: "a", State: desk.Closed}}
	if got := s.cases(); !slices.EqualFunc(got, want, func(a, b desk.Case) bool { return a.Name == b.Name && a.State == b.State }) {
		t.Errorf("cases %+v", got)
	}
}
