package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// What one call answers, and where that leaves the effect: for every class of remote.
func TestOutcomes(t *testing.T) {
	const s = time.Second
	all := []ledger.Class{ledger.Keyed, ledger.Natural, ledger.Desired, ledger.Marked, ledger.Blind}
	repeatable, other := all[:3], all[3:]
	for _, tt := range []struct {
		name     string
		err      error
		there    bool // something of the name is at the remote
		classes  []ledger.Class
		outcome  ledger.Outcome
		state    ledger.State
		next     time.Duration // from the call; 0: none
		refusals int
		doubts   int
	}{
		{name: "done", classes: all, outcome: ledger.Executed, state: ledger.Succeeded},
		{name: "refused connection", err: errRefused, classes: all, outcome: ledger.NotExecuted, state: ledger.Pending, next: 10 * s, refusals: 1},
		{name: "denied for now, unsent", err: fault.Unsent(fault.New(fault.Denied, "quota")), classes: all, outcome: ledger.NotExecuted, state: ledger.Pending, next: 10 * s, refusals: 1},
		{name: "throttled", err: fault.New(fault.Throttled, "slow"), classes: all, outcome: ledger.NotExecuted, state: ledger.Pending, next: 10 * s, refusals: 1},
		{name: "throttled, retry after a minute", err: fault.After(fault.New(fault.Throttled, "slow"), time.Minute), classes: all, outcome: ledger.NotExecuted, state: ledger.Pending, next: time.Minute, refusals: 1},
		{name: "throttled, retry after a week", err: fault.After(fault.New(fault.Throttled, "slow"), 7*24*time.Hour), classes: all, outcome: ledger.NotExecuted, state: ledger.Pending, next: time.Hour, refusals: 1},
		{name: "throttled, retry after less than nothing", err: fault.After(fault.New(fault.Throttled, "slow"), -time.Hour), classes: all, outcome: ledger.NotExecuted, state: ledger.Pending, next: 10 * s, refusals: 1},
		{name: "invalid", err: errInvalid, classes: all, outcome: ledger.Rejected, state: ledger.Failed},
		{name: "denied", err: fault.New(fault.Denied, "no"), classes: all, outcome: ledger.Rejected, state: ledger.Failed},
		{name: "missing", err: fault.New(fault.Missing, "no project"), classes: all, outcome: ledger.Rejected, state: ledger.Failed},
		{name: "conflict, ours", err: errExists, there: true, classes: repeatable, outcome: ledger.Executed, state: ledger.Succeeded},
		{name: "conflict, somebody else's", err: errExists, classes: repeatable, outcome: ledger.Rejected, state: ledger.Failed},
		{name: "conflict", err: errExists, there: true, classes: other, outcome: ledger.Rejected, state: ledger.Failed},
		{name: "no answer", err: errMaybe, classes: all, outcome: ledger.Ambiguous, state: ledger.Unknown, next: 30 * s, doubts: 1},
		{name: "unclassified", err: errors.New("EOF"), classes: all, outcome: ledger.Ambiguous, state: ledger.Unknown, next: 30 * s, doubts: 1},
	} {
		for _, c := range tt.classes {
			t.Run(tt.name+"/"+string(c), func(t *testing.T) {
				bubble(t, func(r *rig) {
					in := r.begin(string(c))
					if tt.there {
						r.put(marker(in), "there")
					}
					r.say(answer{err: tt.err})
					start := time.Now()
					got := r.do(in)
					if stored := r.want(in, tt.state); stored.State != got.State {
						t.Errorf("Do says %s", got.State)
					}
					if got.Refusals != tt.refusals || got.Doubts != tt.doubts || got.Attempts[0].Outcome != tt.outcome {
						t.Errorf("refusals %d, doubts %d, outcome %s; want %d, %d, %s", got.Refusals, got.Doubts, got.Attempts[0].Outcome, tt.refusals, tt.doubts, tt.outcome)
					}
					if next := got.NextAt; tt.next == 0 != next.IsZero() || tt.next > 0 && next.Sub(start) != tt.next {
						t.Errorf("next visit %v after the call, want %v", next.Sub(start), tt.next)
					}
				})
			})
		}
	}
}

// A search that fails after a conflict proves nothing, and one that takes long leaves time to record what it found.
func TestConflictIsSearchedInItsOwnTime(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("natural")
		r.say(answer{err: errExists})
		r.findErr = errMaybe
		r.do(in)
		r.want(in, ledger.Unknown)
	})
	bubble(t, func(r *rig) {
		in := r.begin("natural")
		r.put(marker(in), "there")
		r.say(answer{err: errExists})
		r.findTake = 20 * time.Second
		r.do(in)
		r.want(in, ledger.Succeeded)
	})
}

// The search behind a conflict, and the audit, are given what the call was given.
func TestSearchesKnowThePredecessor(t *testing.T) {
	bubble(t, func(r *rig) {
		before := r.do(r.intent("marked", "before", ""))
		r.put(marker(r.begin("natural")), "there")
		r.say(answer{err: errExists})
		r.do(r.begin("natural").Following(before))
		r.do(r.begin("audited").Following(before))
		r.pass(time.Hour)
		if len(r.finds) != 2 {
			t.Fatalf("%d searches, want 2", len(r.finds))
		}
		for i, f := range r.finds {
			if f.After == nil || f.After.ID != before.Result.ID {
				t.Errorf("search %d does not know the predecessor: %v", i, f.After)
			}
		}
	})
}

// A search has a deadline of its own, not that of a call long over.
func TestSearchDeadline(t *testing.T) {
	bubble(t, func(r *rig) {
		r.say(answer{err: errMaybe})
		r.do(r.begin("marked"))
		r.pass(time.Minute)
		if left := time.Until(r.finds[0].Deadline); left != ledger.DefaultCallTimeout {
			t.Errorf("the search has %v", left)
		}
	})
}

// Refusals are in a row: a doubt between them begins a new one. Only after a day of nothing else a person is asked.
func TestPatience(t *testing.T) {
	bubble(t, func(r *rig) {
		for range 1000 {
			r.say(answer{err: errRefused})
		}
		in := r.begin("marked")
		start := time.Now()
		r.do(in)
		r.finish()
		rec := r.want(in, ledger.Parked)
		if took := time.Since(start); took < 24*time.Hour || took > 25*time.Hour {
			t.Errorf("parked after %v", took)
		}
		if !strings.Contains(rec.LastError, "24h") || !strings.Contains(rec.LastError, "connection refused") {
			t.Errorf("the reason is %q", rec.LastError)
		}
		if gap := rec.Attempts[9].Started.Sub(rec.Attempts[8].Started); gap > 11*time.Minute {
			t.Errorf("calls %v apart", gap)
		}
	})
	bubble(t, func(r *rig) {
		in := r.begin("keyed")
		r.say(answer{err: errRefused}, answer{err: errMaybe}, answer{err: errRefused})
		r.do(in)
		r.pass(time.Minute)
		r.pass(25 * time.Hour)
		if rec := r.want(in, ledger.Pending); rec.Refusals != 1 {
			t.Errorf("%d refusals in a row", rec.Refusals)
		}
	})
}

// A refused call leaves no doubt, so that older doubts, whose window is over, do not make the next one wait again.
func TestRefusalAfterDoubt(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("marked")
		r.say(answer{err: errMaybe}, answer{err: errRefused})
		r.do(in)
		r.pass(20 * time.Minute)
		r.want(in, ledger.Pending)
		r.pass(10 * time.Second)
		r.want(in, ledger.Succeeded)
		r.wantCalls(3)
		if n := r.open(marker(in)); n != 1 {
			t.Errorf("%d objects", n)
		}
	})
}

// Where a repeat is harmless an outage of hours parks nothing, and is not hammered.
func TestOutageOfARepeatableRemote(t *testing.T) {
	for _, kind := range []string{"keyed", "natural", "desired"} {
		bubble(t, func(r *rig) {
			for range 40 {
				r.say(answer{err: errMaybe})
			}
			in := r.begin(kind)
			start := time.Now()
			r.do(in)
			r.finish()
			r.want(in, ledger.Succeeded)
			r.wantCalls(41)
			if took := time.Since(start); took < 3*time.Hour {
				t.Errorf("%s: 41 calls in %v", kind, took)
			}
			for _, c := range r.calls {
				if c.ID != in.ID() || c.Marker != marker(in) {
					t.Errorf("%s: a call has another token", kind)
				}
			}
		})
	}
}

// A call ends by the deadline in its token, which is that of its context too.
func TestDeadline(t *testing.T) {
	bubble(t, func(r *rig) {
		start := time.Now()
		r.do(r.begin("marked"))
		c := r.calls[0]
		if want := start.Add(ledger.DefaultCallTimeout); !c.Deadline.Equal(want) || !c.ctx.Equal(want) {
			t.Errorf("token until %v, context until %v, want %v", c.Deadline, c.ctx, want)
		}
		if c.Attempt != 1 || c.After != nil {
			t.Errorf("token %+v", c.Token)
		}
	})
}

// When the clock jumps between the mark and the call, nothing is sent after the deadline and nothing twice; a clock set back does not
// lengthen a call.
func TestClockJumps(t *testing.T) {
	calls, late, doubles := 0, 0, 0
	for _, first := range []answer{{}, {err: errMaybe, makes: true}, {err: errMaybe}, {err: errRefused}} {
		for _, jump := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
			for _, p := range ledger.Points {
				bubble(t, func(r *rig) {
					r.say(first)
					in := r.begin("marked")
					jumped := false
					r.l = jumpy(r, func(at ledger.Point) {
						if at == p && !jumped {
							jumped = true
							r.skew += jump
						}
					})
					r.do(in)
					r.finish()
					r.want(in, ledger.Succeeded)
					for _, c := range r.calls {
						calls++
						if !c.at.Before(c.Deadline) {
							late++
						}
						if left := c.ctx.Sub(c.at.Add(-r.skewAt(c))); left > ledger.DefaultCallTimeout {
							t.Errorf("%s, %v: a call may take %v", p, jump, left)
						}
					}
					if len(r.objects[marker(in)]) != 1 {
						doubles++
					}
				})
			}
		}
	}
	t.Logf("%d calls, %d after their deadline, %d scenarios with a duplicate", calls, late, doubles)
	if late > 0 || doubles > 0 {
		t.Error("a jump of the clock shows")
	}
}

// skewAt is what the clock of the rig was ahead when the call was made: the whole jump or nothing.
func (r *rig) skewAt(c sent) time.Duration {
	if c.at.Sub(c.ctx).Abs() < time.Minute {
		return 0
	}
	return r.skew
}

// jumpy is the rig's ledger with another hook.
func jumpy(r *rig, hook func(ledger.Point)) *ledger.Ledger {
	l := ledger.New(r.db, ledger.Options{Now: r.clock, Crash: hook})
	for _, s := range specs {
		k, err := ledger.Register[string, string](l, s, making{r.script, r.undo})
		if err != nil {
			r.Fatal(err)
		}
		r.kinds[s.Kind] = k
	}
	return l
}

// A panic in an effect is a doubt about that effect, whose value is told to nobody.
func TestPanics(t *testing.T) {
	for _, p := range []any{"secret", errors.New("secret"), fmt.Errorf("wrapped: %w", errors.New("secret"))} {
		bubble(t, func(r *rig) {
			in := r.begin("marked")
			r.say(answer{panics: p})
			r.do(in)
			rec := r.want(in, ledger.Unknown)
			if strings.Contains(rec.LastError+r.log.String(), "secret") || rec.LastKind != string(fault.Bug) {
				t.Errorf("last error %q of kind %q, log %s", rec.LastError, rec.LastKind, r.log.String())
			}
			r.panics = true
			r.pass(time.Minute)
			if rec := r.want(in, ledger.Unknown); !rec.NextAt.After(time.Now()) {
				t.Error("a search that panics stays at the head of every sweep")
			}
			r.panics = false
			r.finish()
			r.want(in, ledger.Succeeded)
		})
	}
}
