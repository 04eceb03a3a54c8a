package tenantonboard

import (
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var seedFlag = flag.Uint64("seed", 0, "play only this seed of TestSagaSeeds")

// TestSagaSeeds plays random histories: up to five faults of any remotes at any times, up to four deaths, an undoing or none, and two processes
// that are given the same message at once. A failing seed is printed; play it alone with -seed.
func TestSagaSeeds(t *testing.T) {
	if *seedFlag != 0 {
		p := playSeed(t, *seedFlag, vocabulary(t))
		t.Logf("seed %d: %+v: %v, %d deaths, %d retries, %v", *seedFlag, *p.history, p.s.Status, p.deaths, p.retried, p.wrong)
		if len(p.wrong) > 0 {
			t.Error("wrong")
		}
		return
	}
	if part := os.Getenv(partEnv); part != "" {
		i, parts := cutPart(t, part)
		var sum tally
		words := vocabulary(t)
		for n := i; n < seeds; n += parts {
			sum.add(uint64(n)+1, playSeed(t, uint64(n)+1, words))
		}
		report(t, sum)
		return
	}
	start := time.Now()
	sum := divided(t)
	t.Logf("saga histories: %d seeds (%d undone), %d deaths: %d twin tenants, %d duplicates, %d orphans, %d compensated before reconciled, %d otherwise wrong; "+
		"%d decisions on parked effects, %d retries, wall time %v", sum.Played, sum.Undone, sum.Deaths, sum.Wrong[twin], sum.Wrong[double], sum.Wrong[orphan],
		sum.Wrong[early], sum.Wrong[other], sum.Parked, sum.Retried, time.Since(start).Round(time.Second))
	sum.check(t)
	if sum.Played != seeds {
		t.Errorf("%d seeds, want %d", sum.Played, seeds)
	}
}

// atUndo is the time of a strike that waits for the beginning of an undoing.
const atUndo = -1

// strike is a fault at a time.
type strike struct {
	minute    int
	op, fault string
	times     int
}

// history is what befalls an onboarding.
type history struct {
	strikes []strike
	over    bool // the remotes are healthy again
	deaths  int
	twice   bool // every delivery is made to two processes at once
	r       *rand.Rand
}

// strike arms the faults whose time has come.
func (h *history) strike(p *player, minute int) {
	for _, s := range h.strikes {
		if s.minute == minute && !h.over {
			p.spoil(s.op, s.fault, s.times)
		}
	}
}

// kills decides whether the process dies here.
func (h *history) kills() bool {
	if h.over || h.deaths == 0 || h.r.IntN(5) > 0 {
		return false
	}
	h.deaths--
	return true
}

// vocabulary are the ops that can be spoiled, of each origin.
func vocabulary(t *testing.T) map[origin][]string {
	t.Helper()
	words := map[origin][]string{}
	for _, o := range []origin{fromNothing, fromSome} {
		all := append(opsOf(t, trial{origin: o}), opsOf(t, trial{origin: o, undo: true})...)
		slices.Sort(all)
		words[o] = slices.Compact(all)
	}
	return words
}

func playSeed(t *testing.T, seed uint64, words map[origin][]string) (p *player) {
	r := rand.New(rand.NewPCG(seed, 11))
	tr := trial{origin: []origin{fromNothing, fromSome}[r.IntN(2)], undo: r.IntN(2) == 0}
	h := &history{r: r, deaths: r.IntN(5), twice: r.IntN(2) == 0}
	kinds := append(slices.Clone(faultKinds), "late:6m", "late_drop:9m") // as late as the settle window can bear
	for range 1 + r.IntN(5) {
		minute := []int{0, 0, 0, 1, 2, 5, 17, atUndo, atUndo}[r.IntN(9)]
		op := words[tr.origin][r.IntN(len(words[tr.origin]))]
		h.strikes = append(h.strikes, strike{minute, op, kinds[r.IntN(len(kinds))], 1 + r.IntN(3)})
	}
	synctest.Test(t, func(t *testing.T) {
		p = newPlay(t, tr, func(p *player) { p.history = h })
		p.run()
		p.judge()
	})
	return p
}

// deliverTwice gives the message to two processes at once.
func (p *player) deliverTwice() error {
	other := *p.world
	other.open(p.at)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, f := range []*Function{p.Function, other.Function} {
		wg.Go(func() {
			defer func() {
				if got := recover(); got == any(errCrashed) {
					errs[i] = errCrashed
				} else if got != nil {
					panic(got)
				}
			}()
			errs[i] = f.OnboardTenant(p.Context(), message(p.wanted.Key))
		})
	}
	wg.Wait()
	return errors.Join(append(errs, p.living(func() error { return nil }))...)
}
