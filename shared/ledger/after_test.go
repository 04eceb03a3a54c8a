package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// A chain recorded in one commit is called in its order, each with the result of the one before.
func TestAfter(t *testing.T) {
	bubble(t, func(r *rig) {
		r.say(answer{err: errMaybe})
		a, b, c := r.intent("keyed", "a", ""), r.intent("marked", "b", ""), r.intent("desired", "c", "")
		if _, err := r.l.Do(r.Context(), nil, a, b.After(a.ID()), c.After(b.ID())); err != nil {
			t.Fatal(err)
		}
		r.wantCalls(1)
		r.finish()
		r.wantCalls(4)
		for i, in := range []ledger.Intent{a, a, b, c} {
			if r.calls[i].ID != in.ID() {
				t.Errorf("call %d is of another effect", i)
			}
		}
		for i, before := range map[int]ledger.Intent{2: a, 3: b} {
			if got := r.calls[i].After; got == nil || got.ID != r.get(before).Result.ID {
				t.Errorf("call %d knows %v of the one before", i, got)
			}
		}
	})
}

// What follows a success does not wait.
func TestFollowing(t *testing.T) {
	bubble(t, func(r *rig) {
		first := r.do(r.intent("marked", "first", ""))
		r.do(r.begin("marked").Following(first))
		r.want(r.begin("marked"), ledger.Succeeded)
		if r.calls[1].After == nil || r.calls[1].After.ID != first.Result.ID {
			t.Errorf("the call knows %v", r.calls[1].After)
		}
		waiting := r.do(r.intent("approved", "slow", ""))
		r.do(r.intent("marked", "third", "").Following(waiting))
		r.want(r.intent("marked", "third", ""), ledger.Pending)
	})
}

// What has waited for long need not wait on when somebody knows that the one before it is done; what has a time of its own does.
func TestHasten(t *testing.T) {
	bubble(t, func(r *rig) {
		slow := r.intent("approved", "slow", "")
		r.do(slow)
		next, late := r.intent("marked", "next", "").After(slow.ID()), r.intent("marked", "late", "").After(slow.ID()).At(time.Now().Add(48*time.Hour))
		r.do(next)
		r.do(late)
		r.pass(6 * time.Hour)
		r.decide(slow, ledger.Approve)
		if _, err := r.l.Visit(r.Context(), slow.ID()); err != nil {
			t.Fatal(err)
		}
		if got, err := r.l.Visit(r.Context(), next.ID()); err != nil || got.State != ledger.Pending {
			t.Fatalf("without haste it is %s, %v", got.State, err)
		}
		for in, want := range map[string]ledger.State{next.ID(): ledger.Succeeded, late.ID(): ledger.Pending, slow.ID(): ledger.Succeeded} {
			if got, err := r.l.Hasten(r.Context(), in); err != nil || got.State != want {
				t.Errorf("it is %s, %v, want %s", got.State, err, want)
			}
		}
		r.wantCalls(2)
	})
}

// What becomes of an effect whose predecessor does not succeed.
func TestAfterWithoutSuccess(t *testing.T) {
	for _, tt := range []struct {
		name   string
		first  func(r *rig) ledger.Intent
		state  ledger.State
		reason string
	}{
		{"failed", func(r *rig) ledger.Intent {
			r.say(answer{err: errInvalid})
			r.do(r.intent("marked", "first", ""))
			return r.intent("marked", "first", "")
		}, ledger.Parked, "is FAILED"},
		{"undone", func(r *rig) ledger.Intent { return r.compensated("marked") }, ledger.Parked, "is COMPENSATED"},
		{"never recorded", func(r *rig) ledger.Intent { return r.intent("marked", "nobody", "") }, ledger.Parked, "is MISSING"},
		{"parked", func(r *rig) ledger.Intent { return r.parked() }, ledger.Pending, ""},
		{"wants approval", func(r *rig) ledger.Intent {
			r.do(r.intent("approved", "first", ""))
			return r.intent("approved", "first", "")
		}, ledger.Pending, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				first, second := tt.first(r), r.intent("keyed", "second", "")
				calls := len(r.calls)
				r.do(second.After(first.ID()))
				for range 24 * 60 {
					r.pass(time.Minute)
				}
				rec := r.want(second, tt.state)
				if !strings.HasSuffix(rec.LastError, tt.reason) {
					t.Errorf("reason %q", rec.LastError)
				}
				r.wantCalls(calls)
			})
		})
	}
}

// Once a person has settled what it waits for, the effect goes on.
func TestAfterAParkedOne(t *testing.T) {
	for verdict, want := range map[ledger.Verdict]ledger.State{ledger.Approve: ledger.Succeeded, ledger.Adopt: ledger.Succeeded, ledger.Veto: ledger.Parked} {
		bubble(t, func(r *rig) {
			first, second := r.parked(), r.intent("marked", "second", "")
			r.do(second.After(first.ID()))
			r.pass(time.Hour)
			r.want(second, ledger.Pending)
			r.decide(first, verdict)
			r.finish()
			r.want(second, want)
		})
	}
}

// A call in doubt is not repeated when what it followed was undone meanwhile.
func TestNotCalledAgainAfterWhatWasUndone(t *testing.T) {
	bubble(t, func(r *rig) {
		first := r.do(r.begin("marked"))
		r.say(answer{err: errMaybe})
		second := r.intent("marked", "second", "")
		r.do(second.Following(first))
		undo := r.intent("undo", "u", first.Result.ID)
		r.do(undo)
		if _, err := r.l.Undone(r.Context(), first.ID, undo.ID()); err != nil {
			t.Fatal(err)
		}
		r.finish()
		if rec := r.want(second, ledger.Parked); !strings.Contains(rec.LastError, "COMPENSATED") {
			t.Errorf("reason %q", rec.LastError)
		}
		r.wantCalls(2)
	})
}

// Intents and the caller's own writes are recorded together or not at all.
func TestDoIsOneCommit(t *testing.T) {
	mine := store.Doc{Key: store.Key{Collection: "things", ID: "mine"}, Data: []byte(`{}`)}
	bubble(t, func(r *rig) {
		a, b := r.intent("marked", "a", ""), r.intent("marked", "b", "")
		recs, err := r.l.Do(r.Context(), []store.Write{store.Create(mine)}, a, b)
		if err != nil || len(recs) != 2 || recs[0].State != ledger.Succeeded || recs[1].State != ledger.Succeeded {
			t.Fatalf("%v, %v", recs, err)
		}
		c := r.intent("marked", "c", "")
		other := mine
		other.ID = "other"
		for name, do := range map[string]func() ([]ledger.Record, error){
			"own write": func() ([]ledger.Record, error) { return r.l.Do(r.Context(), []store.Write{store.Create(mine)}, c) },
			"intent":    func() ([]ledger.Record, error) { return r.l.Do(r.Context(), []store.Write{store.Create(other)}, a, c) },
		} {
			if _, err := do(); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s is there: %v", name, err)
			}
		}
		if _, err := r.l.Get(r.Context(), c.ID()); !fault.Is(err, fault.Missing) {
			t.Errorf("recorded all the same: %v", err)
		}
		if _, err := r.db.Get(r.Context(), other.Key); !fault.Is(err, fault.Missing) {
			t.Errorf("written all the same: %v", err)
		}
		r.wantCalls(2)
	})
}

// Several intents without writes of the caller never conflict: a redelivery does what is missing and meets the rest.
func TestSeveralIntentsAgain(t *testing.T) {
	bubble(t, func(r *rig) {
		a, b, c := r.intent("marked", "a", ""), r.intent("marked", "b", ""), r.intent("marked", "c", "")
		r.do(b)
		for range 3 {
			recs, err := r.l.Do(r.Context(), nil, a, b, c.After(a.ID()))
			if err != nil || len(recs) != 3 || recs[0].ID != a.ID() || recs[1].ID != b.ID() || recs[2].ID != c.ID() {
				t.Fatalf("%v, %v", recs, err)
			}
		}
		r.finish()
		r.wantCalls(3)
	})
	bubble(t, func(r *rig) { // one that cannot be done does not keep the others from being recorded
		r.do(r.begin("marked"))
		c := r.intent("marked", "c", "")
		recs, err := r.l.Do(r.Context(), nil, r.intent("marked", "one", "other"), c)
		if !fault.Is(err, fault.Invalid) || len(recs) != 2 {
			t.Errorf("%d records, %v", len(recs), err)
		}
		r.want(c, ledger.Succeeded)
	})
}

// Calls come one after the other; one whose time is over before its turn is certainly not executed, and costs no settle window.
func TestSlowCallsBeforeIt(t *testing.T) {
	bubble(t, func(r *rig) {
		r.say(answer{takes: 40 * time.Second})
		a, b := r.intent("marked", "a", ""), r.intent("marked", "b", "")
		if _, err := r.l.Do(r.Context(), nil, a, b); err != nil {
			t.Fatal(err)
		}
		r.want(b, ledger.Pending)
		r.pass(10 * time.Second)
		r.want(b, ledger.Succeeded)
		r.wantCalls(2)
	})
}
