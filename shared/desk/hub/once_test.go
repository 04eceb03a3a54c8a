package hub_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// opening is the effect that a function makes of a draft.
type opening struct{ d desk.Desk }

func (o opening) Call(ctx context.Context, d desk.Draft, t ledger.Token) (ledger.Act[string], error) {
	d.Description += fmt.Sprintf("\n\n[%s attempt=%d]", t.Marker, t.Attempt)
	c, err := o.d.Open(ctx, d)
	return ledger.Act[string]{ID: c.Name, Result: c.Name}, err
}

func (o opening) Find(ctx context.Context, _ desk.Draft, t ledger.Token, thorough bool) (acts []ledger.Act[string], err error) {
	found, err := o.d.Find(ctx, t.Marker, thorough)
	for _, c := range found {
		acts = append(acts, ledger.Act[string]{ID: c.Name, Result: c.Name})
	}
	return acts, err
}

// scenario is what goes wrong while one support request is created.
type scenario struct {
	fault, answer string // of support.create, and what comes with 201
	crash         ledger.Point
	lag           time.Duration // of the listing
	deliveries    int           // at once
}

func scenarios() (all []scenario) {
	for _, f := range []string{"", "drop", "commit_then_drop", "commit_then_status:500", "commit_then_status:503", "status:500", "status:503", "status:429",
		"garbage", "cut:10", "delay:40s", "late:90s", "late_drop:5m"} {
		for _, answer := range []string{"location", "body", "both", "none"} {
			for _, crash := range append([]ledger.Point{""}, ledger.Points[:]...) {
				for _, lag := range []time.Duration{0, 5 * time.Minute} {
					for _, n := range []int{1, 2} {
						all = append(all, scenario{f, answer, crash, lag, n})
					}
				}
			}
		}
	}
	return all
}

// Whatever goes wrong, the ledger makes one support request of one event on this desk, and knows it by name in the end.
func TestOneRequestWhateverGoesWrong(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // in a bubble one goroutine runs at a time
	duplicated, lost := 0, 0
	all := scenarios()
	for _, s := range all {
		synctest.Test(t, func(t *testing.T) {
			requests, known := s.play(t)
			switch {
			case requests > 1:
				duplicated++
				t.Errorf("%d requests: %+v", requests, s)
			case requests == 0 || !known:
				lost++
				t.Errorf("%d requests, known %v: %+v", requests, known, s)
			}
		})
	}
	t.Logf("%d scenarios: %d duplicates, %d lost", len(all), duplicated, lost)
}

// play returns how many requests there are two hours after the event, and whether the ledger knows the only one.
func (s scenario) play(t *testing.T) (requests int, known bool) {
	b := newBench(t, simhub.Options{Switches: simhub.Switches{CreateReply: s.answer}}, hub.Options{})
	if s.fault != "" {
		b.arm(t, "support.create", s.fault, 1)
	}
	if s.lag > 0 {
		b.arm(t, "support.list", "search_lag:"+s.lag.String(), 0)
	}
	var once sync.Once
	l := ledger.New(storetest.NewMemory(time.Now), ledger.Options{Crash: func(p ledger.Point) {
		if p == s.crash {
			once.Do(func() { panic("died") })
		}
	}})
	k, err := ledger.Register(l, ledger.Spec{Kind: "case.open", Class: ledger.Marked}, ledger.Effect[desk.Draft, string](opening{b}))
	if err != nil {
		t.Fatal(err)
	}
	in, err := k.Intent("acme", "incident/1", draft())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range s.deliveries {
		all.Go(func() { deliver(t.Context(), l, in) })
	}
	all.Wait()
	for range 120 {
		time.Sleep(time.Minute) // virtual
		survive(func() error { _, err := l.Sweep(t.Context(), 100); return err })
	}
	rec, err := l.Get(t.Context(), in.ID())
	if err != nil {
		t.Fatal(err)
	}
	made := b.sim.SupportRequests()
	known = rec.State == ledger.Succeeded && len(made) == 1 && rec.Result.ID == "orgs/"+simhub.Provider+"/support-requests/"+made[0].ID
	return len(made), known
}

// deliver delivers the event until it is acknowledged.
func deliver(ctx context.Context, l *ledger.Ledger, in ledger.Intent) {
	for !survive(func() error { _, err := l.Do(ctx, nil, in); return err }) {
		time.Sleep(10 * time.Second) // virtual
	}
}

// survive reports whether f ended well; a process that died has not.
func survive(f func() error) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	return f() == nil
}
