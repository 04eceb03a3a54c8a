package ledger_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
)

var seedFlag = flag.Uint64("seed", 0, "play only this seed of TestMultiFault")

// TestMultiFault plays many faults at once: up to three crashes, two stalls of up to an hour, three faults of the remote, fifteen
// of the store, and four deliveries, all drawn from a seed. A failing seed is printed; play it alone with -seed.
//
// One process plays on one thread (see measure), so the seeds are divided among as many processes as there are cores.
func TestMultiFault(t *testing.T) {
	if *seedFlag != 0 {
		v := playSeed(t, *seedFlag, settle)
		t.Logf("seed %d: %+v", *seedFlag, v)
		if v.objects > 1 || v.lost() {
			t.Error("duplicated or lost")
		}
		return
	}
	if part := os.Getenv("MULTIFAULT_PART"); part != "" {
		playPart(t, part)
		return
	}
	start, sum := time.Now(), multi{}
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
	t.Logf("%d seeds, settle 15m: %d duplicates, %d lost, %d parked (%s), %.3f calls each, wall time %v",
		sum.Seeds, sum.Duplicated, sum.Lost, sum.Parked, strconv.FormatFloat(100*float64(sum.Parked)/float64(sum.Seeds), 'f', 3, 64)+" %",
		float64(sum.Calls)/float64(sum.Seeds), time.Since(start).Round(time.Second))
	if sum.Seeds != seeds || sum.Duplicated > 0 || sum.Lost > 0 || sum.Parked*1000 > sum.Seeds {
		t.Errorf("want %d seeds, 0 duplicates, 0 lost, at most 0.1 %% parked; failing seeds: %v", seeds, sum.Failing)
	}
}

// multi is what a part of the seeds came to.
type multi struct {
	Seeds, Duplicated, Lost, Parked, Calls int
	Failing                                []uint64
}

func (m *multi) merge(o multi) {
	m.Seeds += o.Seeds
	m.Duplicated += o.Duplicated
	m.Lost += o.Lost
	m.Parked += o.Parked
	m.Calls += o.Calls
	m.Failing = append(m.Failing, o.Failing...)
}

const partLine = "part: "

// child plays every parts-th seed from i in a process of its own.
func child(t *testing.T, i, parts int) (m multi) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestMultiFault$", "-test.v")
	cmd.Env = append(os.Environ(), "MULTIFAULT_PART="+strconv.Itoa(i)+"/"+strconv.Itoa(parts), "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("part %d: %v\n%s", i, err, out)
	}
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		if _, line, ok := bytes.Cut(sc.Bytes(), []byte(partLine)); ok {
			if err := json.Unmarshal(line, &m); err != nil {
				t.Error(err)
			}
		}
	}
	return m
}

func playPart(t *testing.T, part string) {
	var m multi
	from, parts, _ := cutInts(part)
	for seed := from; seed < seeds; seed += parts {
		v := playSeed(t, uint64(seed)+1, settle)
		m.Seeds++
		m.Calls += v.calls
		if v.objects > 1 {
			m.Duplicated++
		}
		if v.lost() {
			m.Lost++
		}
		if v.state == ledger.Parked {
			m.Parked++
		}
		if (v.objects > 1 || v.lost()) && len(m.Failing) < 10 {
			m.Failing = append(m.Failing, uint64(seed)+1)
		}
	}
	line, err := json.Marshal(m)
	t.Logf("%s%s", partLine, line)
	if err != nil {
		t.Error(err)
	}
}

func cutInts(s string) (a, b int, err error) {
	for i, c := range s {
		if c == '/' {
			a, err = strconv.Atoi(s[:i])
			b, _ = strconv.Atoi(s[i+1:])
		}
	}
	return a, b, err
}

// playSeed runs the scenario that a seed draws.
func playSeed(t *testing.T, seed uint64, settle time.Duration) (v verdict) {
	r := rand.New(rand.NewPCG(seed, 7))
	synctest.Test(t, func(t *testing.T) {
		faults := map[string][]string{}
		for _, op := range []string{"intent", "mark", "success", "other"} {
			for range r.IntN(4) {
				faults[op] = append(faults[op], []string{"", "lost", "err"}[r.IntN(3)])
			}
		}
		rem := &remote{lag: time.Duration(r.IntN(300)) * time.Second}
		for range r.IntN(4) {
			rem.faults = append(rem.faults, apiFaults[r.IntN(len(apiFaults))])
		}
		w := newWorld(faults, rem)
		w.hook = nemesis(r, r.IntN(4), r.IntN(3))
		var at []time.Duration
		for range 1 + r.IntN(4) {
			at = append(at, []time.Duration{0, 3 * time.Millisecond, 50 * time.Millisecond, 20 * time.Second, 2 * time.Hour}[r.IntN(5)])
		}
		v = w.run(theLedger(settle, ledger.Spec{}), at)
	})
	return v
}

// nemesis crashes and stalls at every third point that it meets, until it has done enough.
func nemesis(r *rand.Rand, crashes, stalls int) func(ledger.Point) {
	var mu sync.Mutex
	return func(ledger.Point) {
		mu.Lock()
		var stall time.Duration
		crash := crashes > 0 && r.IntN(3) == 0
		if crash {
			crashes--
		} else if stalls > 0 && r.IntN(3) == 0 {
			stalls--
			stall = time.Duration(r.IntN(3600)) * time.Second
		}
		mu.Unlock()
		if crash {
			panic(errDied)
		}
		time.Sleep(stall)
	}
}
