//go:build unix

package crash

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// killing is one way to die.
type killing struct {
	name  string // after the point
	at    ledger.Point
	nth   int32  // 1: over the case, 2: over the comment
	fault string // of the first call that creates a case: some points are reached only by who is in doubt

	exchange string // end of the path of the call that the desk holds while it kills
	executed bool   // and has executed
}

// killings are those over the case at each of 11 points, and those over the comment where it goes the same way. Those that wait for the
// first search after a doubt come first.
var killings = []killing{
	{at: ledger.Visiting, nth: 1, fault: "drop"},
	{at: ledger.Searching, nth: 1, fault: "commit_then_drop"},
	{at: ledger.Searched, nth: 1, fault: "commit_then_status:503"},
	{at: ledger.Remarked, nth: 1, fault: "drop"},

	{at: received, nth: 1},
	{at: ledger.Decided, nth: 1},
	{at: ledger.Recorded, nth: 1},
	{at: exchanged, name: "executed", exchange: createCase, executed: true},
	{at: exchanged, name: "lost", exchange: createCase},
	{at: ledger.Called, nth: 1},
	{at: ledger.Settled, nth: 1},
	{at: returned, nth: 1},

	{at: received, name: "comment", nth: 2},
	{at: ledger.Decided, name: "comment", nth: 2},
	{at: ledger.Recorded, name: "comment", nth: 2},
	{at: exchanged, name: "comment-executed", exchange: createComment, executed: true},
	{at: exchanged, name: "comment-lost", exchange: createComment},
	{at: ledger.Called, name: "comment", nth: 2},
	{at: ledger.Settled, name: "comment", nth: 2},
	{at: returned, name: "comment", nth: 2},
}

// points are 11: those of the ledger and three around it.
var points = append([]ledger.Point{received, exchanged, returned}, ledger.Points[:]...)

// TestKilledAtEveryPoint kills a worker once in the life of an incident that fires and ends, and lets another one take over.
func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(*testing.T) orders{"bolt": onBolt, "firestore": onFirestore} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place(t) // skips all of it where there is no emulator
			var b book
			t.Cleanup(func() { b.sum(t, name) })
			for _, k := range killings {
				t.Run(strings.TrimSuffix(string(k.at)+"/"+k.name, "/"), func(t *testing.T) {
					t.Parallel()
					b.enter(k.at, k.run(t, place(t)))
				})
			}
		})
	}
}

func onBolt(t *testing.T) orders { return orders{Folder: t.TempDir()} }

func onFirestore(t *testing.T) orders {
	return orders{Host: emulator.Firestore(t), Project: project()}
}

// project names one that nobody else uses.
func project() string { return "crash-" + strings.ToLower(rand.Text()) }

// book holds, for every point, how many killings there ended well.
type book struct {
	mu    sync.Mutex
	well  map[ledger.Point]int
	kills int
}

func (b *book) enter(p ledger.Point, kills int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.well == nil {
		b.well = map[ledger.Point]int{}
	}
	b.well[p]++
	b.kills += kills
}

// sum says at how many points every killing ended well. A killing that did not has ended its test before it was entered.
func (b *book) sum(t *testing.T, store string) {
	if t.Skipped() {
		return
	}
	want, good := map[ledger.Point]int{}, 0
	for _, k := range killings {
		want[k.at]++
	}
	for _, p := range points {
		if want[p] > 0 && b.well[p] == want[p] {
			good++
		}
	}
	t.Logf("%s: %d/%d points end with exactly one case and one comment after restart; %d kills in %d lives", store, good, len(points), b.kills, len(killings))
	if len(want) != len(points) {
		t.Errorf("not every point has a killing: %v", want)
	}
}

// run lives through one killing and returns how many kills there were.
func (k killing) run(t *testing.T, o orders) int {
	d := openDesk(t)
	if k.fault != "" {
		if err := d.ArmFault("cases.create", k.fault, 1); err != nil {
			t.Fatal(err)
		}
	}
	o.Config, o.Die, o.Nth = configure(t, t.TempDir(), d.url), k.at, k.nth
	s := supervise(t, o)
	if k.exchange != "" {
		d.intercept(k.exchange, func(execute func()) {
			if k.executed {
				execute()
			}
			s.kill()
		})
	}
	s.deliver(alert.Firing)
	s.await(1)
	done := time.Now()
	s.deliver(alert.Resolved)
	killed := s.awaitKill()
	records := s.await(2)
	if killed.After(done) {
		done = time.Now()
	}

	deaths := s.stop()
	if len(deaths) != 1 || deaths[0].how.Signal() != syscall.SIGKILL {
		t.Fatalf("the worker was to be killed once: %v", deaths)
	}
	d.check(t, records)
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("%s; %d case, %d comment, %s; permitted calls %s, cases.create at the desk %d; done %.1f s after the kill", deaths[0].how.Signal(),
		len(d.Cases()), len(d.Cases()[0].Comments), states(records), attempts(records), d.creates(), done.Sub(killed).Seconds())
	return len(deaths)
}

func states(records []ledger.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, fmt.Sprint(r.Kind, " ", r.State))
	}
	return strings.Join(all, ", ")
}

// attempts tells the calls that each effect was permitted.
func attempts(records []ledger.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, fmt.Sprint(r.Kind, "=", r.Attempt))
	}
	return strings.Join(all, " ")
}
