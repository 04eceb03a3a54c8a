package ledger_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// waiting records n effects that are due at once.
func (r *rig) waiting(kind string, n int) (all []ledger.Intent) {
	r.Helper()
	for i := range n {
		in := r.intent(kind, fmt.Sprint(i), "").At(r.clock())
		r.do(in)
		all = append(all, in)
	}
	return all
}

func TestSweepLimit(t *testing.T) {
	bubble(t, func(r *rig) {
		r.waiting("marked", 25)
		for _, want := range []int{10, 10, 5, 0} {
			s, err := r.l.Sweep(r.Context(), 10)
			if err != nil || s.Due != want || s.States[ledger.Succeeded] != want {
				t.Fatalf("%+v, %v; want %d", s, err, want)
			}
		}
		if _, err := r.l.Sweep(r.Context(), 0); err == nil {
			t.Error("a sweep of nothing")
		}
	})
}

// Sweeps of several processes at once call every effect once.
func TestConcurrentSweeps(t *testing.T) {
	bubble(t, func(r *rig) {
		all := r.waiting("marked", 100)
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				if _, err := r.l.Sweep(r.Context(), 100); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		r.wantCalls(100)
		called := map[string]int{}
		for _, c := range r.calls {
			called[c.ID]++
		}
		for _, in := range all {
			if called[in.ID()] != 1 {
				t.Errorf("%d calls of one effect", called[in.ID()])
			}
		}
	})
}

// A defect of one effect, in its call or its search, does not end the others or the sweep.
func TestSweepSurvivesPanics(t *testing.T) {
	bubble(t, func(r *rig) {
		all := r.waiting("marked", 20)
		for i := range 20 {
			if i%2 == 0 {
				r.say(answer{panics: "defect"})
			} else {
				r.say(answer{})
			}
		}
		s := r.pass(0)
		if s.States[ledger.Unknown] != 10 || s.States[ledger.Succeeded] != 10 {
			t.Errorf("%+v", s)
		}
		r.finish()
		for _, in := range all {
			r.want(in, ledger.Succeeded)
		}
	})
}

// What does not fit before the deadline is left, untouched, to the next sweep; also when the time was spent waiting for a place.
func TestSweepDeadline(t *testing.T) {
	bubble(t, func(r *rig) {
		r.waiting("marked", 20)
		for range 20 {
			r.say(answer{takes: 20 * time.Second})
		}
		ctx, cancel := context.WithTimeout(r.Context(), 45*time.Second)
		defer cancel()
		s, err := r.l.Sweep(ctx, 100)
		if err != nil || s.Due != 20 || s.States[ledger.Succeeded] != 8 || len(s.States) != 1 {
			t.Fatalf("%+v, %v", s, err)
		}
		r.wantCalls(8)
		if s := r.pass(0); s.Due != 12 || s.States[ledger.Succeeded] != 12 {
			t.Errorf("the next sweep: %+v", s)
		}
	})
}

// F2: when no sweeper ran for a day, the first one finishes what there is.
func TestSweeperWasDown(t *testing.T) {
	bubble(t, func(r *rig) {
		r.say(answer{err: errMaybe}, answer{err: errMaybe, makes: true}, answer{err: errRefused})
		var all []ledger.Intent
		for i := range 3 {
			all = append(all, r.intent("marked", fmt.Sprint(i), ""))
			r.do(all[i])
		}
		all = append(all, r.begin("marked"))
		r.died(all[3], ledger.Recorded)
		r.pass(20 * time.Hour)
		for _, in := range all {
			r.want(in, ledger.Succeeded)
			if n := r.open(marker(in)); n != 1 {
				t.Errorf("%d objects", n)
			}
		}
	})
}

// Records of other processes' kinds, and such as cannot be read, stand before ours for ever; ours are visited all the same.
func TestSweepOfASharedStore(t *testing.T) {
	bubble(t, func(r *rig) {
		ours := r.waiting("marked", 3)
		old := time.Now().Add(-time.Hour)
		for i := range 120 {
			r.foreign(fmt.Sprintf("foreign-%d", i), old, `{"v":1,"id":"x","kind":"somebody.elses","state":"UNKNOWN","nextAt":"2000-01-01T00:00:00Z"}`)
		}
		s, err := r.l.Sweep(r.Context(), 10)
		if err != nil || s.Due != 3 || s.Foreign != 120 || s.States[ledger.Succeeded] != 3 {
			t.Errorf("%+v, %v", s, err)
		}
		for _, in := range ours {
			r.want(in, ledger.Succeeded)
		}
	})
	bubble(t, func(r *rig) {
		ours := r.waiting("marked", 3)
		old := time.Now().Add(-time.Hour)
		r.foreign("newer", old, `{"v":99,"secret":"s3cret"}`)
		r.foreign("broken", old, `{"v":"s3cret"`)
		s, err := r.l.Sweep(r.Context(), 2)
		if s.States[ledger.Succeeded] != 2 || err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v, %v", s, err)
		}
		if s, _ := r.l.Sweep(r.Context(), 2); s.States[ledger.Succeeded] != 1 {
			t.Errorf("%+v", s)
		}
		list, err := r.l.List(r.Context(), "", "", 10)
		if len(list) != 3 || err == nil {
			t.Errorf("%d listed, %v", len(list), err)
		}
		for _, in := range ours {
			r.want(in, ledger.Succeeded)
		}
	})
}

// foreign puts a document among the effects.
func (r *rig) foreign(id string, due time.Time, data string) {
	r.Helper()
	d := store.Doc{Key: store.Key{Collection: ledger.Collection, ID: id}, Data: []byte(data), State: "UNKNOWN", Due: due}
	if _, err := r.mem.Commit(r.Context(), store.Create(d)); err != nil {
		r.Fatal(err)
	}
}
