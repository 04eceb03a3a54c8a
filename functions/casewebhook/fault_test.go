package casewebhook_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// scenario is one incident that fires, grows and ends, with one fault of the desk, one death of the process and a pattern of delivery.
type scenario struct {
	op, fault string
	lag       bool
	crash     ledger.Point
	twice     bool
}

func scenarios() (all []scenario) {
	faults := []string{"commit_then_drop", "commit_then_status:503", "status:500", "status:429", "drop", "garbage", "delay:40s", "late:4m"}
	points := append([]ledger.Point{""}, ledger.Points[:]...)
	for _, op := range []string{"cases.create", "cases.comments.create"} {
		for _, f := range append(faults, "") {
			for _, lag := range []bool{false, true} {
				for _, p := range points {
					all = append(all, scenario{op, f, lag, p, false}, scenario{op, f, lag, p, true})
				}
			}
		}
	}
	return all
}

// Whatever fails and dies: one case, one opening marker, every comment once, nothing left to do, and sweeps that have nothing to complain of.
func TestOneCaseUnderFaults(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a bubble runs one goroutine at a time
	all := scenarios()
	if len(all) < 500 {
		t.Fatalf("%d scenarios, want at least 500", len(all))
	}
	deaths, calls, bad := 0, 0, 0
	for _, s := range all {
		synctest.Test(t, func(t *testing.T) {
			v := play(t, s)
			deaths += v.deaths
			calls += v.calls
			if v.wrong != "" {
				bad++
				t.Errorf("%+v: %s", s, v.wrong)
			}
		})
		if bad > 5 {
			t.Fatal("and more")
		}
	}
	t.Logf("%d scenarios: %d wrong, %d deaths, %d calls of the desk", len(all), bad, deaths, calls)
}

type verdict struct {
	deaths, calls int
	wrong         string
}

func play(t *testing.T, s scenario) (v verdict) {
	var mu sync.Mutex
	var armed ledger.Point
	w := newWorld(t, setup{quiet: true, crash: func(p ledger.Point) {
		mu.Lock()
		defer mu.Unlock()
		if p == armed {
			armed, v.deaths = "", v.deaths+1
			panic("crash " + p)
		}
	}})
	arm := func(op string) {
		if op != s.op {
			return
		}
		mu.Lock()
		armed = s.crash
		mu.Unlock()
		if s.fault != "" {
			w.arm(op, s.fault, 1)
		}
	}
	if s.lag {
		w.arm("cases.search", "search_lag:5m", 0)
	}
	began := time.Now()
	a, b := firing("a", began), firing("b", began.Add(20*time.Minute))
	arm("cases.create")
	w.insist("m1", group("eu", a), s.twice)
	w.sweepFor(30 * time.Minute)
	arm("cases.comments.create")
	w.insist("m2", group("eu", a, b), s.twice)
	w.sweepFor(30 * time.Minute)
	w.insist("m3", group("eu", ended(a, time.Now()), ended(b, time.Now())), s.twice)
	w.sweepFor(90 * time.Minute)
	v.calls = w.allCalls()
	v.wrong = w.verdict()
	return v
}

// A priority is raised once whatever fails and dies: one change, one comment that tells it, nothing left to do.
func TestOneRaiseUnderFaults(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	played, deaths, bad := 0, 0, 0
	for _, op := range []string{"cases.get", "cases.patch", "cases.comments.create"} {
		for _, s := range scenarios() {
			if s.op != "cases.create" || s.lag {
				continue // of those only the fault, the death and the delivery count here
			}
			s.op = op
			synctest.Test(t, func(t *testing.T) {
				d, wrong := raise(t, s)
				played, deaths = played+1, deaths+d
				if wrong != "" {
					bad++
					t.Errorf("%+v: %s", s, wrong)
				}
			})
			if bad > 5 {
				t.Fatal("and more")
			}
		}
	}
	t.Logf("%d scenarios: %d wrong, %d deaths", played, bad, deaths)
}

// raise plays an incident whose second message raises its priority; the rest comes when that happens.
func raise(t *testing.T, s scenario) (deaths int, wrong string) {
	var mu sync.Mutex
	var armed ledger.Point
	w := newWorld(t, setup{quiet: true, routes: rails(""), crash: func(p ledger.Point) {
		mu.Lock()
		defer mu.Unlock()
		if p == armed {
			armed, deaths = "", deaths+1
			panic("crash " + p)
		}
	}})
	began := time.Now()
	w.insist("m1", group("eu", alerts(1, began)...), s.twice)
	w.sweepFor(2 * time.Minute)
	mu.Lock()
	armed = s.crash
	mu.Unlock()
	if s.fault != "" {
		w.arm(s.op, s.fault, 1)
	}
	w.insist("m2", group("eu", alerts(3, began)...), s.twice)
	w.sweepFor(90 * time.Minute)
	told := 0
	c := w.one()
	for _, body := range c.comments {
		told += strings.Count(body, "Priority P1, was P")
	}
	got := w.states()
	if c.priority != "P1" || told != 1 || len(c.comments) < 2 || got["case.change SUCCEEDED"] < 1 || len(got) != 3 {
		return deaths, fmt.Sprintf("%s, told %d times, %d comments, effects %v", c.priority, told, len(c.comments), got)
	}
	if failed := w.sweepFor(40 * time.Minute); failed > 0 {
		return deaths, fmt.Sprintf("%d sweeps fail although nothing is left to do: %v", failed, w.sweep())
	}
	return deaths, ""
}

func (w *world) arm(op, fault string, times int) {
	w.Helper()
	if err := w.sim.ArmFault(op, fault, times); err != nil {
		w.Fatal(err)
	}
}

// insist delivers until it is acknowledged, as the bus does; twice: two copies at once, and a third one later.
func (w *world) insist(id string, in alert.Incident, twice bool) {
	e := message(w, id, in)
	once := func() {
		for w.deliver(e) != nil {
			time.Sleep(10 * time.Second)
		}
	}
	if !twice {
		once()
		return
	}
	var wg sync.WaitGroup
	wg.Go(once)
	wg.Go(once)
	wg.Wait()
	once()
}

// verdict says what is wrong at the end, "" if nothing is.
func (w *world) verdict() string {
	all := w.cases()
	if len(all) != 1 {
		return fmt.Sprintf("%d cases, effects %v", len(all), w.states())
	}
	c := all[0]
	if n := len(markers.FindAllString(c.description, -1)); n != 1 {
		return fmt.Sprintf("%d opening markers", n)
	}
	slices.Sort(c.comments) // their order is not promised
	if len(c.comments) != 2 || !strings.HasPrefix(c.comments[0], "News:") || !strings.HasPrefix(c.comments[1], "Resolved:") {
		return fmt.Sprintf("comments %.60q, effects %v", c.comments, w.states())
	}
	if got := w.states(); len(got) != 2 || got["case.open SUCCEEDED"] != 1 || got["case.comment SUCCEEDED"] != 2 {
		return fmt.Sprintf("effects %v", got)
	}
	if failed := w.sweepFor(40 * time.Minute); failed > 0 {
		return fmt.Sprintf("%d sweeps fail although nothing is left to do: %v", failed, w.sweep())
	}
	return ""
}
