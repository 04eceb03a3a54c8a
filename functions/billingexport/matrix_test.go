package billingexport

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// A script is what happens to a month in every scenario: it is published, restated, and left alone.
var script = []struct {
	at      time.Duration // after the morning
	restate string        // a tenant, before it is asked for
}{
	{1 * time.Hour, ""},
	{12 * time.Hour, simhub.TenantLorem},
	{24 * time.Hour, ""},
}

// advance plays the next step of the script.
func (w *world) advance() bool {
	if w.step == len(script) {
		return false
	}
	s := script[w.step]
	w.step++
	time.Sleep(time.Until(morning.Add(s.at)))
	if s.restate != "" {
		w.must(w.hub.Restate(s.restate, october.String()))
	}
	w.ask(`{"months":["2026-10"]}`)
	w.settle()
	return true
}

// second is what another process does in the middle of a write of the first one.
type second string

const (
	nobody   second = ""
	same     second = "same"     // it is delivered the same message
	sweeping second = "sweeping" // it sweeps
	takeover second = "takeover" // the first one hangs for so long that the second does all of its work
	overtake second = "overtake" // and the next run as well
)

// scenario is a disturbance of the script.
type scenario struct {
	habit habit
	death int          // after that write
	point ledger.Point // or at that point of the ledger
	nth   int          // that time
	who   second
	write int // of the first process, in whose middle the second one comes
	fault string
	op    string
	times int
	spoil func(*rules) // a mutant
}

func (s scenario) String() string {
	return fmt.Sprintf("%+v death %d point %s/%d second %s at %d fault %s %s ×%d", s.habit, s.death, s.point, s.nth, s.who, s.write, s.op, s.fault, s.times)
}

// undisturbed is what the script comes to.
type undisturbed struct {
	objects   map[string]string
	announced map[string]string
	pointed   []string
	writes    int
	points    map[ledger.Point]int
	calls     map[string]int
}

// hubOptions are a small hub: a scenario is about order, not about size.
var hubOptions = simhub.Options{Rows: 4, Skus: 1}

// play plays the script with a disturbance, and returns what broke a promise.
func play(t *testing.T, s scenario, want *undisturbed) (wrong []string, deaths int) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.habit = s.habit
		w.spoil(s.spoil)
		p := w.p
		p.fatal, p.point, p.nth = s.death, s.point, s.nth
		if s.who != nobody {
			p.before = func(n int) {
				if n == s.write {
					w.interfere(s.who)
				}
			}
		}
		if s.fault != "" {
			w.must(w.hub.ArmFault(s.op, s.fault, s.times))
		}
		for w.advance() {
		}
		if want.objects == nil {
			_, calls := w.hub.Calls()
			*want = undisturbed{w.snapshot(), maps.Clone(w.announced), w.pointed, p.writes, maps.Clone(p.points), calls}
		}
		w.compare(want.objects)
		if !maps.Equal(w.announced, want.announced) {
			w.complain("announced were %v, not %v", w.announced, want.announced)
		}
		if fmt.Sprint(w.pointed) != fmt.Sprint(want.pointed) {
			w.complain("current.json named %v, not %v", w.pointed, want.pointed)
		}
		w.audit(october, simhub.TenantCoke, simhub.TenantLorem)
		wrong, deaths = w.wrong, w.deaths
	})
	return wrong, deaths
}

// spoil breaks a rule of every process.
func (w *world) spoil(what func(*rules)) {
	if what == nil {
		return
	}
	w.change = func(f *Function) {
		what(&f.rules)
		if b, ok := f.maker.(*workshop); ok {
			b.blind = f.rules.blind
		}
	}
	w.start()
}

// interfere lets a second process do something now.
func (w *world) interfere(who second) {
	first, d := w.p, w.delivered
	b := w.start()
	switch who {
	case same:
		_ = w.deliver(b, delivery{d.topic, d.Envelope, time.Time{}})
	case sweeping:
		_, _ = b.sweep(w.Context())
	case takeover, overtake:
		time.Sleep(13 * time.Minute) // longer than any lease
		again := d
		again.due = time.Now()
		w.queue = append(w.queue, again)
		w.settle()
		if who == overtake {
			w.advance()
		}
		return // the first one goes on with what it had begun, and no more
	}
	w.p = first
}

// outcome counts scenarios.
type outcome struct {
	mu                  sync.Mutex
	played, deaths, bad int
	first               []string
}

func (o *outcome) add(s scenario, wrong []string, deaths int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.played++
	o.deaths += deaths
	if len(wrong) == 0 {
		return
	}
	o.bad++
	if len(o.first) < 10 {
		o.first = append(o.first, fmt.Sprintf("%s: %d wrong: %.400s", s, len(wrong), wrong))
	}
}

// all plays scenarios, one a core.
func all(t *testing.T, scenarios []scenario, want *undisturbed) *outcome {
	t.Helper()
	o := &outcome{}
	t.Run("scenarios", func(t *testing.T) {
		const shards = 2
		for i := range shards {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for n := i; n < len(scenarios); n += shards {
					wrong, deaths := play(t, scenarios[n], want)
					o.add(scenarios[n], wrong, deaths)
				}
			})
		}
	})
	return o
}

// disturbances are all of them, given how many writes an undisturbed script has.
func disturbances(u *undisturbed) (all []scenario) {
	for _, h := range []habit{{}, {twice: true}, {backward: true}} {
		for n := range u.writes {
			if h == (habit{}) || n%4 == 0 {
				all = append(all, scenario{habit: h, death: n + 1})
			}
		}
		for _, at := range ledger.Points {
			for n := range u.points[at] {
				all = append(all, scenario{habit: h, point: at, nth: n + 1})
			}
		}
	}
	for _, who := range []second{same, sweeping, takeover, overtake} {
		for n := range u.writes {
			if who == overtake && n%2 == 0 || n%4 == 0 {
				all = append(all, scenario{who: who, write: n + 1})
			}
		}
	}
	for op := range u.calls {
		for _, fault := range []string{"status:429", "status:500", "status:503", "drop", "commit_then_drop", "garbage", "delay:40s", "cut:200"} {
			for _, times := range []int{2, 15} {
				if op == "usage.file" && fault == "garbage" {
					continue // that is an answer: a file that is none, which is kept and told; see TestHistories
				}
				all = append(all, scenario{op: op, fault: fault, times: times})
			}
		}
	}
	return all
}

// thinned leaves out what there is no time for.
func thinned(all []scenario) (some []scenario) {
	for n, s := range all {
		if n%every == 0 {
			some = append(some, s)
		}
	}
	return some
}

// TestFaultMatrix: whatever happens, the outputs are byte for byte those of a script without a disturbance, each written once.
func TestFaultMatrix(t *testing.T) {
	begun := time.Now()
	var want undisturbed
	if wrong, _ := play(t, scenario{}, &want); len(wrong) > 0 {
		t.Fatalf("undisturbed: %v", wrong)
	}
	o := all(t, thinned(disturbances(&want)), &want)
	for _, why := range o.first {
		t.Error(why)
	}
	t.Logf("%d objects, %d writes, %d revisions; %d scenarios, %d deaths, %d wrong; %v", len(want.objects), want.writes, len(want.announced), o.played, o.deaths,
		o.bad, time.Since(begun).Round(time.Second))
}

// TestMutants: a rule that is broken is noticed.
func TestMutants(t *testing.T) {
	if every > 1 {
		t.Log("it is the same with the race detector: nothing is played")
		return
	}
	var want undisturbed
	if wrong, _ := play(t, scenario{}, &want); len(wrong) > 0 {
		t.Fatalf("undisturbed: %v", wrong)
	}
	killed := 0
	mutants := []struct {
		name  string
		spoil func(*rules)
		tries []scenario // those that can notice; none: histories
	}{
		{"the manifest is written before what it names", func(r *rules) { r.early = true }, []scenario{{}}},
		{"current.json is written over whatever is there", func(r *rules) { r.unguarded = true }, []scenario{{}}},
		{"corrections start from the last revision, published or not", func(r *rules) { r.sinceLast = true }, nil},
		{"the digest of a part says nothing about the options", func(r *rules) { r.blind = true }, nil},
		{"a revision is decided anew by everybody who writes it", func(r *rules) { r.unrecorded = true }, deathsOf(&want)},
		{"a tenant that is not in the run is not in the revision", func(r *rules) { r.forgetful = true }, nil},
		{"a month rests before what follows from it is recorded", func(r *rules) { r.separate = true }, deathsOf(&want)},
	}
	for _, m := range mutants {
		why := ""
		for _, s := range m.tries {
			s.spoil = m.spoil
			if wrong, _ := play(t, s, &want); len(wrong) > 0 {
				why = fmt.Sprintf("%s: %s", s, wrong[0])
				break
			}
		}
		for seed := uint64(0); m.tries == nil && why == "" && seed < seeds; seed++ {
			if wrong := playHistory(t, seed, map[string]int{}, m.spoil); len(wrong) > 0 {
				why = fmt.Sprintf("history %d: %s", seed, wrong[0])
			}
		}
		if why == "" {
			t.Errorf("%s: nobody notices", m.name)
			continue
		}
		killed++
		t.Logf("%s: noticed by %.200s", m.name, why)
	}
	t.Logf("%d mutants, %d killed", len(mutants), killed)
}

func deathsOf(u *undisturbed) (all []scenario) {
	for n := range u.writes {
		all = append(all, scenario{death: n + 1})
	}
	return all
}
