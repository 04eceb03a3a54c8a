package tenantonboard

import (
	"slices"
	"testing"
	"testing/synctest"
)

// A tenant leaves as it came: whatever its remotes do, everything that was asked for is gone, and nothing else.
func TestSagaOffboarding(t *testing.T) {
	ops := map[string]bool{}
	leave := func(tr trial) (p *player) {
		synctest.Test(t, func(t *testing.T) {
			p = newPlay(t, tr, nil)
			p.leave()
			for op, n := range p.counts() {
				ops[op] = ops[op] || n > p.armedAt[op]
			}
			if p.judge(); p.s.Status != Offboarded {
				p.bad(other, "the tenant is "+string(p.s.Status)+": "+p.s.Waiting)
			}
		})
		return p
	}
	if p := leave(trial{origin: fromNothing}); len(p.wrong) > 0 {
		t.Fatalf("without any fault: %v", p.wrong)
	}
	var sum tally
	called := []string{}
	for op, was := range ops {
		if was {
			called = append(called, op)
		}
	}
	slices.Sort(called)
	for n, op := range called {
		for k, kind := range faultKinds {
			if tr := (trial{origin: fromNothing, op: op, fault: kind, times: 1 + 2*((n+k)%2)}); (n*len(faultKinds)+k)%stride == 0 {
				sum.add(tr, leave(tr))
			}
		}
	}
	t.Logf("offboarding: %d scenarios with a fault at %d ops: %d wrong, %d retries, %d decisions", sum.Played, len(called), sum.bad(), sum.Retried, sum.Parked)
	sum.check(t)
}

// A remote that leaves it open too often is a person's: who approves has it looked for first, and a retry gets there.
func TestSagaParked(t *testing.T) {
	var sum tally
	for o, all := range created {
		for _, op := range all {
			for _, fault := range []string{"status:500", "drop"} {
				tr := trial{origin: o, op: op, fault: fault, times: 12}
				sum.add(tr, play(t, tr, nil))
			}
		}
	}
	t.Logf("%d scenarios of remotes that stay silent: %d decisions on parked effects, %d retries, %d wrong", sum.Played, sum.Parked, sum.Retried, sum.bad())
	sum.check(t)
	if sum.Parked == 0 {
		t.Error("nothing is parked")
	}
}
