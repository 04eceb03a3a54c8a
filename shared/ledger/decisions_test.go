package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// refused expects that a decision is not taken and changes nothing.
func (r *rig) refused(in ledger.Intent, d ledger.Decision, want fault.Kind) {
	r.Helper()
	before := r.get(in)
	if _, err := r.l.Decide(r.Context(), in.ID(), d); !fault.Is(err, want) {
		r.Errorf("%s of an effect that is %s: %v, want %s", d.Verdict, before.State, err, want)
	}
	if after := r.get(in); len(after.Decisions) != len(before.Decisions) || after.State != before.State || !after.NextAt.Equal(before.NextAt) {
		r.Errorf("%s is refused and changes the record", d.Verdict)
	}
}

// An effect that wants approval is not called without, whatever time passes and however often it is asked for; an approval releases it.
func TestApproval(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("approved")
		for range 3 {
			r.do(in)
			r.pass(48 * time.Hour)
		}
		r.want(in, ledger.Pending)
		r.wantCalls(0)
		r.decide(in, ledger.Approve)
		r.wantCalls(0)
		r.pass(0)
		rec := r.want(in, ledger.Succeeded)
		if len(rec.Decisions) != 1 || rec.Decisions[0].Who != "anna" || rec.Decisions[0].At.IsZero() {
			t.Errorf("decisions %+v", rec.Decisions)
		}
	})
}

// A time that was set for the first call is no approval, and an approval does not bring it forward.
func TestApprovalWithATime(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("approved").At(time.Now().Add(time.Hour))
		r.do(in)
		r.pass(2 * time.Hour)
		r.want(in, ledger.Pending)
		r.wantCalls(0)
		r.decide(in, ledger.Approve)
		r.pass(0)
		r.want(in, ledger.Succeeded)
	})
	bubble(t, func(r *rig) {
		in := r.begin("approved").At(time.Now().Add(time.Hour))
		r.do(in)
		r.decide(in, ledger.Approve)
		r.pass(59 * time.Minute)
		r.wantCalls(0)
		r.pass(time.Minute)
		r.wantCalls(1)
	})
}

// An effect that wants approval and follows another one waits for both.
func TestApprovalAfter(t *testing.T) {
	bubble(t, func(r *rig) {
		first, second := r.begin("marked").At(time.Now().Add(time.Hour)), r.begin("approved")
		r.do(first)
		r.do(second.After(first.ID()))
		r.decide(second, ledger.Approve)
		r.pass(time.Minute)
		r.want(second, ledger.Pending)
		r.finish()
		if r.want(second, ledger.Succeeded); r.calls[1].After == nil {
			t.Error("the call does not know what it followed")
		}
	})
}

// One veto denies: nobody's approval releases the effect afterwards.
func TestVeto(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("approved")
		r.do(in)
		r.decide(in, ledger.Approve)
		r.decide(in, ledger.Veto)
		r.refused(in, ledger.Decision{Who: "bert", Verdict: ledger.Approve}, fault.Conflict)
		r.pass(time.Hour)
		r.do(in)
		r.wantCalls(0)
		if rec := r.want(in, ledger.Failed); len(rec.Decisions) != 2 {
			t.Errorf("decisions %+v", rec.Decisions)
		}
	})
}

// An approval of what was parked after a doubt leads to a search and then to a call, whatever the class and the policy.
func TestApprovalOfTheDoubtful(t *testing.T) {
	for _, tt := range []struct {
		kind     string
		searches bool
	}{{"careful", true}, {"marked", true}, {"keyed", true}, {"blind", false}} {
		t.Run(tt.kind, func(t *testing.T) {
			bubble(t, func(r *rig) {
				in := r.begin(tt.kind)
				for range 200 {
					r.say(answer{err: errMaybe})
				}
				r.do(in)
				for r.get(in).State != ledger.Parked {
					r.pass(time.Minute)
				}
				r.answers = nil
				calls, finds := len(r.calls), len(r.finds)
				r.decide(in, ledger.Approve)
				r.pass(0)
				r.want(in, ledger.Succeeded)
				r.wantCalls(calls + 1)
				if searched := len(r.finds) > finds; searched != tt.searches {
					t.Errorf("searched before the call: %v", searched)
				}
			})
		})
	}
}

// What a search finds after an approval is adopted and not made again.
func TestApprovalFindsIt(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.released()
		r.put(marker(in), "there all along")
		r.pass(0)
		r.wantCalls(1)
		if rec := r.want(in, ledger.Succeeded); rec.Result.ID != "there all along" {
			t.Errorf("result %v", rec.Result)
		}
	})
}

// A released call that ends in doubt again is weighed anew: a careful kind parks again.
func TestDoubtAfterApproval(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.parked()
		r.say(answer{err: errMaybe})
		r.decide(in, ledger.Approve)
		r.pass(0)
		r.want(in, ledger.Unknown)
		r.finish()
		r.want(in, ledger.Parked)
		r.wantCalls(2)
	})
}

// An adoption names the result; what a doubtful call made beside it is found by the audit and undone.
func TestAdoptionByHand(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.parked()
		if rec := r.decide(in, ledger.Adopt); rec.Result.ID != "by hand" || rec.Decisions[0].Object == nil {
			t.Errorf("record %+v", rec)
		}
		r.put(marker(in), "ghost")
		r.finish()
		if rec := r.want(in, ledger.Succeeded); len(rec.Duplicates) != 1 || !r.undone["ghost"] {
			t.Errorf("duplicates %v", rec.Duplicates)
		}
	})
}

func TestDecisionsRefused(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.parked()
		object := &ledger.Done{ID: "case-1"}
		for name, d := range map[string]ledger.Decision{
			"nobody":                 {Verdict: ledger.Approve},
			"no verdict":             {Who: "anna"},
			"misspelt":               {Who: "anna", Verdict: "aprove"},
			"adopts nothing":         {Who: "anna", Verdict: ledger.Adopt},
			"adopts an empty name":   {Who: "anna", Verdict: ledger.Adopt, Object: &ledger.Done{}},
			"approves an object":     {Who: "anna", Verdict: ledger.Approve, Object: object},
			"long note":              {Who: "anna", Verdict: ledger.Veto, Note: strings.Repeat("x", 3000)},
			"long name":              {Who: strings.Repeat("x", 3000), Verdict: ledger.Veto},
			"long object":            {Who: "anna", Verdict: ledger.Adopt, Object: &ledger.Done{ID: strings.Repeat("x", 3000)}},
			"object that is no JSON": {Who: "anna", Verdict: ledger.Adopt, Object: &ledger.Done{ID: "x", Result: json.RawMessage("{")}},
		} {
			t.Log(name)
			r.refused(in, d, fault.Invalid)
		}
		event := r.parkEvent()
		if _, err := r.l.Decide(r.Context(), event.ID, ledger.Decision{Who: "anna", Verdict: ledger.Approve}); !fault.Is(err, fault.Conflict) {
			t.Errorf("approval of an event: %v", err)
		}
		if rec, err := r.l.Decide(r.Context(), event.ID, ledger.Decision{Who: "anna", Verdict: ledger.Veto}); err != nil || rec.State != ledger.Failed {
			t.Errorf("veto of an event: %s, %v", rec.State, err)
		}
		done := r.begin("marked")
		r.do(done)
		waiting := r.intent("marked", "later", "").At(time.Now().Add(time.Hour))
		r.do(waiting)
		for _, v := range []ledger.Verdict{ledger.Approve, ledger.Veto} {
			r.refused(done, ledger.Decision{Who: "anna", Verdict: v}, fault.Conflict)
			r.refused(waiting, ledger.Decision{Who: "anna", Verdict: v}, fault.Conflict)
		}
		r.refused(done, ledger.Decision{Who: "anna", Verdict: ledger.Adopt, Object: object}, fault.Conflict)
	})
}

// However often people approve, the record keeps room for its facts, and for the veto that ends it.
func TestDecisionsAreBounded(t *testing.T) {
	bubble(t, func(r *rig) {
		r.result = strings.Repeat("<", 30<<10)
		in := r.intent("approved", "one", strings.Repeat("<", 10<<10))
		r.do(in)
		d := ledger.Decision{Who: strings.Repeat("\x01", 1<<10), Note: strings.Repeat("\x01", 2<<10), Verdict: ledger.Approve}
		var err error
		for range 1000 {
			if _, err = r.l.Decide(r.Context(), in.ID(), d); err != nil {
				break
			}
		}
		if !fault.Is(err, fault.Conflict) {
			t.Fatalf("after %d decisions: %v", len(r.get(in).Decisions), err)
		}
		r.pass(0)
		r.want(in, ledger.Succeeded)
		if size := r.size(in); size > store.MaxData {
			t.Errorf("the record has %d bytes", size)
		}
	})
}

// size of a stored record.
func (r *rig) size(in ledger.Intent) int {
	r.Helper()
	d, err := r.db.Get(r.Context(), store.Key{Collection: ledger.Collection, ID: in.ID()})
	if err != nil {
		r.Fatal(err)
	}
	return len(d.Data)
}
