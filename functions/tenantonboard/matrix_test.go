package tenantonboard

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// trial is one onboarding with one fault of a remote, and at most one death of the process after it.
type trial struct {
	origin origin
	undo   bool // the last stage is refused, the run is undone, and the fault is met by what takes it back
	op     string
	fault  string
	times  int
	crash  ledger.Point
}

// faultKinds are all that a remote can do to a call; delay is longer than a call may take.
var faultKinds = []string{"status:400", "status:403", "status:429", "status:500", "status:503", "drop", "commit_then_drop", "commit_then_status:500",
	"commit_then_status:503", "garbage", "delay:40s", "late:2m", "late_drop:2m"}

// trials are a fault of every kind at every op that an onboarding, and an undoing, calls. Which deaths there are to add to each is known once it
// has been played without.
func trials(t *testing.T) (all []trial) {
	t.Helper()
	for _, o := range []origin{fromNothing, fromSome} {
		for _, undo := range []bool{false, true} {
			for _, op := range opsOf(t, trial{origin: o, undo: undo}) {
				for _, kind := range faultKinds {
					for _, times := range []int{1, 3} {
						all = append(all, trial{origin: o, undo: undo, op: op, fault: kind, times: times})
					}
				}
			}
		}
	}
	return all
}

// opsOf are the ops that are called from where a trial would arm its fault.
func opsOf(t *testing.T, tr trial) (ops []string) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlay(t, tr, nil)
		p.run()
		for op, n := range p.counts() {
			if n > p.armedAt[op] {
				ops = append(ops, op)
			}
		}
		if p.judge(); len(p.wrong) > 0 {
			t.Fatalf("without any fault: %v", p.wrong)
		}
	})
	slices.Sort(ops)
	return ops
}

// TestSagaMatrix plays every trial, and half of them again with a death at every point that the ledger passes after the fault.
func TestSagaMatrix(t *testing.T) {
	if part := os.Getenv(partEnv); part != "" {
		i, parts := cutPart(t, part)
		report(t, playMatrix(t, i, parts))
		return
	}
	start := time.Now()
	sum := divided(t)
	t.Logf("saga fault matrix: %d scenarios (%d forward, %d compensating), %d deaths: %d twin tenants, %d duplicate users, contacts or cases, %d orphans, "+
		"%d compensated before reconciled, %d otherwise wrong; %d decisions on parked effects, %d retries, wall time %v", sum.Played, sum.Played-sum.Undone,
		sum.Undone, sum.Deaths, sum.Wrong[twin], sum.Wrong[double], sum.Wrong[orphan], sum.Wrong[early], sum.Wrong[other], sum.Parked, sum.Retried,
		time.Since(start).Round(time.Second))
	sum.check(t)
	if sum.Played < leastTrials {
		t.Errorf("%d scenarios, want at least %d", sum.Played, leastTrials)
	}
}

// deadly is how many faults in a row are combined with a death. With both numbers in both origins it takes twice as long, and found no more.
var deadly = map[origin]int{fromNothing: 3, fromSome: 1}

func playMatrix(t *testing.T, i, parts int) (sum tally) {
	all := trials(t)
	for n := i * stride; n < len(all); n += parts * stride {
		tr := all[n]
		v := play(t, tr, nil)
		sum.add(tr, v)
		for _, at := range ledger.Points {
			if tr.crash = at; v.passed[at] && tr.times == deadly[tr.origin] {
				sum.add(tr, play(t, tr, nil))
			}
		}
	}
	return sum
}

// play plays a trial to its end and says what is wrong then.
func play(t *testing.T, tr trial, change func(*player)) (p *player) {
	synctest.Test(t, func(t *testing.T) {
		p = newPlay(t, tr, change)
		p.run()
		p.judge()
	})
	return p
}

// tally is what many trials came to.
type tally struct {
	Played, Undone, Deaths, Parked, Retried int
	Wrong                                   map[sort]int
	First                                   []string
}

func (s *tally) add(tr any, p *player) {
	s.Played, s.Deaths, s.Parked, s.Retried = s.Played+1, s.Deaths+p.deaths, s.Parked+p.parked, s.Retried+p.retried
	if p.trial.undo {
		s.Undone++
	}
	if s.Wrong == nil {
		s.Wrong = map[sort]int{}
	}
	for kind, why := range p.wrong {
		s.Wrong[kind]++
		if len(s.First) < 12 {
			s.First = append(s.First, fmt.Sprintf("%+v: %s: %s", tr, kind, why))
		}
	}
}

func (s *tally) merge(o tally) {
	s.Played, s.Undone, s.Deaths, s.Parked, s.Retried = s.Played+o.Played, s.Undone+o.Undone, s.Deaths+o.Deaths, s.Parked+o.Parked, s.Retried+o.Retried
	if s.Wrong == nil {
		s.Wrong = map[sort]int{}
	}
	for kind, n := range o.Wrong {
		s.Wrong[kind] += n
	}
	s.First = append(s.First, o.First...)
}

func (s *tally) bad() (n int) {
	for _, k := range s.Wrong {
		n += k
	}
	return n
}

func (s *tally) check(t *testing.T) {
	t.Helper()
	for _, why := range s.First {
		t.Error(why)
	}
	if s.bad() > 0 {
		t.Errorf("%d scenarios are wrong", s.bad())
	}
}

// A bubble runs one goroutine at a time, so scenarios are divided among as many processes as there are cores.
const (
	partEnv  = "SAGA_PART"
	partLine = "part: "
)

func divided(t *testing.T) (sum tally) {
	t.Helper()
	parts := runtime.NumCPU()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range parts {
		wg.Go(func() {
			got := child(t, i, parts)
			mu.Lock()
			defer mu.Unlock()
			sum.merge(got)
		})
	}
	wg.Wait()
	return sum
}

// child plays a part of this test in a process of its own.
func child(t *testing.T, i, parts int) (sum tally) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d/%d", partEnv, i, parts), "GOMAXPROCS=1", "GOGC=400")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("part %d: %v\n%s", i, err, out)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if _, line, ok := bytes.Cut(lines.Bytes(), []byte(partLine)); ok {
			if err := json.Unmarshal(line, &sum); err != nil {
				t.Error(err)
			}
		}
	}
	return sum
}

func report(t *testing.T, sum tally) {
	t.Helper()
	line, err := json.Marshal(sum)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s%s", partLine, line)
}

func cutPart(t *testing.T, part string) (i, parts int) {
	t.Helper()
	a, b, _ := strings.Cut(part, "/")
	i, err := strconv.Atoi(a)
	if err == nil {
		parts, err = strconv.Atoi(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return i, parts
}

// parsed is the configuration of all worlds, read once.
var parsed = sync.OnceValues(func() (*config.Config, error) {
	return config.Parse("providerdesk.yaml", []byte(settings), func(string) (string, bool) { return "a-token-of-the-test", true })
})
