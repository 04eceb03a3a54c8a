package ledger_test

import (
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
)

// window is the time from a call's mark to the end of its settle window.
const window = ledger.DefaultCallTimeout + ledger.DefaultSettle

// An effect that is only marked is called again exactly when the window is over, and not before a thorough search.
func TestSettleWindow(t *testing.T) {
	for name, begin := range map[string]func(r *rig){
		"doubt":  func(r *rig) { r.say(answer{err: errMaybe}); r.do(r.begin("marked")) },
		"crash":  func(r *rig) { r.died(r.begin("marked"), ledger.Recorded) },
		"silent": func(r *rig) { r.findErr = errMaybe; r.say(answer{err: errMaybe}); r.do(r.begin("marked")) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				start := time.Now()
				begin(r)
				before := len(r.calls)
				for time.Since(start) < window-time.Second {
					r.pass(time.Second)
				}
				r.wantCalls(before)
				for _, thorough := range r.thorough {
					if thorough {
						t.Error("a thorough search within the window")
					}
				}
				searches := len(r.finds)
				if searches < 4 || searches > 7 {
					t.Errorf("%d searches in the window", searches)
				}
				r.findErr = nil
				r.pass(time.Second)
				r.wantCalls(before + 1)
				if !r.calls[before].at.Equal(start.Add(window)) {
					t.Errorf("called again %v after the mark, want %v", r.calls[before].at.Sub(start), window)
				}
				if !r.thorough[len(r.thorough)-1] {
					t.Error("called again without a thorough search")
				}
				if c := r.calls[before]; c.Attempt != 2 || c.Marker != marker(r.begin("marked")) {
					t.Errorf("token %+v", c.Token)
				}
				r.want(r.begin("marked"), ledger.Succeeded)
			})
		})
	}
}

// A hit is conclusive at once.
func TestAdoption(t *testing.T) {
	bubble(t, func(r *rig) {
		r.say(answer{err: errMaybe, makes: true})
		r.do(r.begin("marked"))
		r.pass(30 * time.Second)
		rec := r.want(r.begin("marked"), ledger.Succeeded)
		r.wantCalls(1)
		if rec.Result.ID != r.objects[rec.Marker][0] || len(rec.Duplicates) > 0 || !rec.Audited {
			t.Errorf("record %+v", rec)
		}
	})
}

// What comes after doubt, class by class: when there is the next call, and where it ends when nothing is ever found.
func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		kind  string
		again time.Duration // 0: never
		end   ledger.State
		calls int
	}{
		{"keyed", 30 * time.Second, ledger.Parked, 144},
		{"natural", 30 * time.Second, ledger.Parked, 144},
		{"desired", 30 * time.Second, ledger.Parked, 144},
		{"marked", window, ledger.Parked, 5},
		{"careful", 0, ledger.Parked, 1},
		{"blind", 0, ledger.Parked, 1},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			bubble(t, func(r *rig) {
				for range 200 {
					r.say(answer{err: errMaybe})
				}
				start := time.Now()
				r.do(r.begin(tt.kind))
				for range 26 * 60 * 2 {
					r.pass(30 * time.Second)
				}
				rec := r.want(r.begin(tt.kind), tt.end)
				r.wantCalls(tt.calls)
				if tt.again > 0 && r.calls[1].at.Sub(start) != tt.again {
					t.Errorf("again after %v, want %v", r.calls[1].at.Sub(start), tt.again)
				}
				if rec.LastError == "" || !rec.NextAt.IsZero() {
					t.Errorf("parked with reason %q, next visit %v", rec.LastError, rec.NextAt)
				}
				if len(rec.Attempts) > 10 || rec.Attempt != tt.calls {
					t.Errorf("%d attempts kept of %d", len(rec.Attempts), rec.Attempt)
				}
			})
		})
	}
}

// A search that fails for hours only waits; the effect is neither called nor parked.
func TestSearchFailsForHours(t *testing.T) {
	bubble(t, func(r *rig) {
		r.say(answer{err: errMaybe, makes: true})
		in := r.begin("marked")
		r.do(in)
		r.findErr = errMaybe
		for range 12 * 60 {
			r.pass(time.Minute)
		}
		r.want(in, ledger.Unknown)
		r.findErr = nil
		r.pass(10 * time.Minute)
		r.want(in, ledger.Succeeded)
		r.wantCalls(1)
	})
}
