package warehouse

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/sim/bigquery"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// trial is a month's life, a first publication, two restatements and a repeat, with one fault of BigQuery, one death and maybe a second visitor.
type trial struct {
	op     string
	fault  string // of the op; "" none; "job:REASON" is one of a job
	times  int
	step   int // at which it is armed: the revision
	crash  ledger.Point
	second bool // another process does the same at the same time
	slow   bool // jobs take longer than a visit
}

// steps are what is published, one after the other.
var steps = []struct {
	of          costs
	corrections []string
	appended    int64 // rows that were ever appended, after it
}{
	{costs{"a": {"1.000000000000000001", "2.5"}, "b": {"10"}, "c": nil}, nil, 3},
	{costs{"a": {"1.000000000000000001", "3.25"}, "b": {"10"}, "c": nil}, []string{"-2.5", "3.25"}, 5},
	{costs{"a": {"1.000000000000000001", "3.25"}, "b": nil, "c": {"0.1"}}, []string{"-10", "0.1"}, 7},
}

var (
	ops    = []string{"jobs.get", "jobs.insert", "tables.get", "tables.insert", "tables.patch"}
	faults = []string{"status:400", "status:403", "status:404", "status:409", "status:429", "status:500", "status:503", "drop", "commit_then_drop",
		"commit_then_status:500", "garbage", "cut:20", "delay:40s", "late:2m", "late_drop:2m"}
	failures = []string{"job:backendError", "job:quotaExceeded", "job:accessDenied", "job:stopped"}
)

// trials are every fault at every op and every step, once or three times, in turn alone or with a second visitor, with quick jobs or slow ones. At which points a
// process could die is known once a trial has been played without.
func trials() (all []trial) {
	add := func(t trial) {
		t.second, t.slow = len(all)&1 != 0, len(all)&2 != 0
		all = append(all, t)
	}
	for range 4 {
		add(trial{times: 3})
	}
	for step := 1; step <= len(steps); step++ {
		for _, times := range []int{1, 3} {
			if step > 1 && times == 1 {
				continue // what one fault does to a first publication it does to a restatement
			}
			for _, op := range ops {
				if step > 1 && (op == "tables.insert" || op == "tables.patch") {
					continue // tables are made once
				}
				for _, f := range faults {
					add(trial{op: op, fault: f, times: times, step: step})
				}
			}
			for _, f := range failures {
				add(trial{fault: f, times: times, step: step})
			}
		}
	}
	return all
}

// verdict is what a trial came to.
type verdict struct {
	deaths   int
	approved int
	jobs     int
	passed   map[ledger.Point]bool // after the fault was armed
}

// player plays a trial.
type player struct {
	*world
	trial
	db *storetest.Memory

	mu    sync.Mutex
	armed bool
	v     verdict
}

// hook notes the points that are passed, and dies at the first of its kind.
func (p *player) hook(at ledger.Point) {
	p.mu.Lock()
	die := p.armed && at == p.crash && p.v.deaths == 0
	if p.armed {
		p.v.passed[at] = true
	}
	if die {
		p.v.deaths++
	}
	p.mu.Unlock()
	if die {
		panic(errDied)
	}
}

func play(t *testing.T, tr trial) (v verdict) {
	synctest.Test(t, func(t *testing.T) {
		o := bigquery.Options{}
		if tr.slow {
			o.JobPolls, o.JobTime = 1<<20, 4*time.Minute
		}
		p := &player{world: newWorld(t, o), trial: tr, db: storetest.NewMemory(time.Now)}
		p.v.passed = map[ledger.Point]bool{}
		if tr.op == "tables.patch" { // there is one of an older version
			p.table(ofMonth, func(t *api.Table) { t.Schema.Fields = t.Schema.Fields[:40] })
		}
		for rev := 1; rev <= len(steps); rev++ {
			p.play(rev)
		}
		p.play(len(steps)) // once more
		v = p.v
		v.jobs = p.calls("jobs.insert")
		if t.Failed() {
			t.Logf("trial %+v", tr)
		}
	})
	return v
}

// play publishes a revision and sees to it that it is loaded, whoever dies.
func (p *player) play(rev int) {
	p.Helper()
	s := steps[rev-1]
	p.publish(september, rev, rev-1, s.of, s.corrections...)
	if rev == p.step || p.step == 0 && rev == 1 {
		p.strike()
	}
	var wg sync.WaitGroup
	if p.second {
		wg.Go(func() { p.visit(rev) })
	}
	p.visit(rev)
	wg.Wait()
	p.complete(rev)
	p.judge(rev, s.of, s.appended)
}

// strike arms what goes wrong.
func (p *player) strike() {
	p.mu.Lock()
	p.armed = true
	p.mu.Unlock()
	var reason string
	if n, _ := fmt.Sscanf(p.fault, "job:%s", &reason); n == 1 {
		p.sim.FailJobs(reason, p.times)
	} else if p.fault != "" {
		p.arm(p.op, p.fault, p.times)
	}
}

// visit is what a process does with the message that a revision is published; one that dies gets it again.
func (p *player) visit(rev int) {
	for range 20 {
		if err := p.process(p.db, p.hook).publishes(september, rev); err == nil {
			return
		}
		time.Sleep(10 * time.Second)
	}
	p.Errorf("revision %d cannot be recorded", rev)
}

// complete sweeps with one process or two until the load has ended.
func (p *player) complete(rev int) {
	p.Helper()
	one := p.process(p.db, p.hook)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	if p.second {
		wg.Go(func() { p.sweeping(stop) })
	}
	r := one.finish(september, rev, 5)
	close(stop)
	wg.Wait()
	p.v.approved += len(r.Decisions)
	if r.State != ledger.Succeeded {
		p.Errorf("revision %d is %s: %s", rev, r.State, r.LastError)
	}
}

// sweeping is another process's sweeper.
func (p *player) sweeping(stop <-chan struct{}) {
	other := p.process(p.db, p.hook)
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Minute):
			_, _ = other.l.Sweep(p.Context(), 100) // it may die there
		}
	}
}

// judge compares the tables with what was published, once everything that is late has come.
func (p *player) judge(rev int, of costs, appended int64) {
	p.Helper()
	time.Sleep(5 * time.Minute)
	p.want(september, of, appended)
	v, err := p.sim.Table("billing.focus_provider_ledger")
	if p.must(err); len(v.Jobs) != rev {
		p.Errorf("revision %d: appended by %v", rev, v.Jobs)
	}
}

// TestMatrix plays every trial, and half of them again with a death at points of the ledger that are passed after the fault.
func TestMatrix(t *testing.T) {
	start, played, deaths, approved, jobs := time.Now(), 0, 0, 0, 0
	count := func(v verdict) {
		played, deaths, approved, jobs = played+1, deaths+v.deaths, approved+v.approved, jobs+v.jobs
	}
	for i, tr := range trials() {
		if i%stride != 0 {
			continue
		}
		v := play(t, tr)
		count(v)
		for n, at := range ledger.Points {
			if tr.crash = at; v.passed[at] && tr.times == 3 && (i/stride+n)%deadly == 0 {
				count(play(t, tr))
			}
		}
		if t.Failed() {
			t.Fatalf("after %d trials: %+v", played, tr)
		}
	}
	t.Logf("%d lives of a month, %d deaths, %d approvals by hand, %d jobs: current and ledger as published after every one of %d revisions, "+
		"every revision appended once; %v", played, deaths, approved, jobs, 4*played, time.Since(start).Round(time.Second))
	if played < leastLives || deaths < leastLives/4 {
		t.Errorf("%d lives, %d deaths", played, deaths)
	}
}
