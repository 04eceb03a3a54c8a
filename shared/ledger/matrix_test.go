package ledger_test

import (
	"context"
	"encoding/json"
	"runtime"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// settle covers the worst the matrix does: a search lag of five minutes after an execution five and a half minutes late.
const settle = 15 * time.Minute

// common is the matrix that every strategy is measured on: 6,912 scenarios, each with one crash or one stall, one fault of the
// remote, one of the store, and every pattern of delivery and search lag.
func common() (all []scenario) {
	type death struct {
		crash, stall ledger.Point
		d            time.Duration
	}
	deaths := []death{{}, {stall: ledger.Decided, d: 10 * time.Minute}, {stall: ledger.Recorded, d: 10 * time.Minute},
		{stall: ledger.Recorded, d: 40 * time.Minute}, {stall: ledger.Called, d: 40 * time.Minute},
		{crash: ledger.Decided}, {crash: ledger.Recorded}, {crash: ledger.Called}, {crash: ledger.Settled}}
	stores := []string{"ok", "intent-lost", "intent-err", "mark-lost", "mark-err", "success-lost", "success-err", "success-outage"}
	for _, d := range deaths {
		all = append(all, spread(scenario{crash: d.crash, stall: d.stall, stalled: d.d}, stores, []string{"one", "three", "two", "late"}, []time.Duration{0, 30 * time.Second, 5 * time.Minute})...)
	}
	return all
}

// own are the points that only the ledger has: its later visits.
func own() (all []scenario) {
	stores := []string{"ok", "mark-lost", "mark-err", "success-lost", "success-err", "success-outage", "everything-lost"}
	for _, p := range []ledger.Point{ledger.Visiting, ledger.Searching, ledger.Searched, ledger.Remarked} {
		for _, s := range []scenario{{crash: p}, {stall: p, stalled: 10 * time.Minute}, {stall: p, stalled: 40 * time.Minute}} {
			all = append(all, spread(s, stores, []string{"one", "two"}, []time.Duration{0, 5 * time.Minute})...)
		}
	}
	return all
}

func spread(s scenario, stores, deliver []string, lags []time.Duration) (all []scenario) {
	for _, s.api = range apiFaults {
		for _, s.store = range stores {
			for _, s.deliver = range deliver {
				for _, s.lag = range lags {
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// tally counts verdicts.
type tally struct {
	n, duplicated, lost, parked, calls, undone int
	first                                      string // scenario that went wrong
}

func (c *tally) add(s scenario, v verdict) {
	c.n++
	c.calls += v.calls
	wrong := false
	if v.objects > 1 {
		c.duplicated++
		wrong = true
		if v.open == 1 {
			c.undone++
		}
	}
	if v.lost() {
		c.lost++
		wrong = true
	}
	if v.state == ledger.Parked {
		c.parked++
	}
	if wrong && c.first == "" {
		c.first = s.String()
	}
}

// measure plays every scenario. In a bubble one goroutine runs at a time, so a second thread would only cost wake-ups: three times the wall
// time, measured.
func measure(t *testing.T, mk strategy, all []scenario) (c tally) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for i := 0; i < len(all); i += stride {
		c.add(all[i], play(t, mk, all[i]))
	}
	return c
}

func TestFaultMatrix(t *testing.T) {
	start := time.Now()
	matrix := append(common(), own()...)
	if len(matrix) < 6912 {
		t.Fatalf("%d scenarios, want at least 6,912", len(matrix))
	}
	for _, tt := range []struct {
		name   string
		mk     strategy
		matrix []scenario
	}{
		{"settle 15m, recreate", theLedger(settle, ledger.Spec{}), matrix},
		{"settle 15m, park", theLedger(settle, ledger.Spec{OnNotFound: ledger.Park}), common()},
	} {
		c := measure(t, tt.mk, tt.matrix)
		t.Logf("%-22s %d scenarios: %d duplicates, %d lost, %d parked, %.3f calls each", tt.name, c.n, c.duplicated, c.lost, c.parked, float64(c.calls)/float64(c.n))
		if c.duplicated > 0 || c.lost > 0 {
			t.Errorf("%s: duplicates or losses, first in %s", tt.name, c.first)
		}
	}
	t.Logf("wall time %v", time.Since(start).Round(time.Second))
}

func TestBaselines(t *testing.T) {
	matrix := common()
	t.Logf("%-40s %22s %22s %8s", "strategy, 6,912 scenarios", "with a duplicate", "lost", "parked")
	ours := measure(t, theLedger(settle, ledger.Spec{}), matrix)
	for _, b := range baselines {
		c := measure(t, b.mk, matrix)
		t.Logf("%-40s %12d %9s %12d %9s %8d", b.name, c.duplicated, percent(c.duplicated, c.n), c.lost, percent(c.lost, c.n), c.parked)
		if c.duplicated+c.lost <= ours.duplicated+ours.lost {
			t.Errorf("%s is not worse than the ledger: the matrix does not test it", b.name)
		}
	}
	t.Logf("%-40s %12d %9s %12d %9s %8d", "ledger, settle 15m, recreate", ours.duplicated, percent(ours.duplicated, ours.n), ours.lost, percent(ours.lost, ours.n), ours.parked)
	if ours.duplicated+ours.lost > 0 {
		t.Errorf("the ledger is not at zero, first in %s", ours.first)
	}
}

// Each mutant is the ledger without one of its safety devices. The matrix must kill it, or the device is decoration.
func TestMutants(t *testing.T) {
	type effect = ledger.Effect[string, string]
	for _, m := range []struct {
		name   string
		mk     strategy
		matrix []scenario
	}{
		{"no mark before the call", mutant(settle, ledger.Spec{}, func(db store.DB) store.DB { return unmarked{db} }, nil), common()},
		{"no reconciliation", mutant(settle, ledger.Spec{}, nil, func(e effect) effect { return blindfold{e} }), common()},
		{"no deadline guard", mutant(settle, ledger.Spec{}, nil, func(e effect) effect { return unguarded{e} }), common()},
		{"5xx taken for not executed", mutant(settle, ledger.Spec{}, nil, func(e effect) effect { return credulous{e} }), common()},
		{"no fence", mutant(settle, ledger.Spec{}, func(db store.DB) store.DB { return unfenced{db} }, nil), own()},
		{"no settle window", theLedger(-1, ledger.Spec{}), common()},
	} {
		c := measure(t, m.mk, m.matrix)
		t.Logf("%-28s killed by %5d of %d scenarios (%s); %d of the duplicates undone by the audit", m.name, c.duplicated+c.lost, c.n, percent(c.duplicated+c.lost, c.n), c.undone)
		if c.duplicated+c.lost == 0 {
			t.Errorf("mutant %q survives", m.name)
		}
	}
}

// The settle window is safe exactly from the point where it covers the search lag and the late execution together.
func TestSettleThreshold(t *testing.T) {
	var worst []scenario
	for _, s := range common() {
		if s.lag == 5*time.Minute && s.stall == "" && s.crash == "" {
			worst = append(worst, s)
		}
	}
	last := 1 << 30
	for _, d := range []time.Duration{-1, time.Minute, 5 * time.Minute, 8 * time.Minute, 9 * time.Minute, 10 * time.Minute, 11 * time.Minute, 15 * time.Minute, 30 * time.Minute} {
		c := measure(t, theLedger(d, ledger.Spec{}), worst)
		t.Logf("settle %6v: %4d of %d scenarios with a duplicate, %d of them undone to one", max(d, 0), c.duplicated, c.n, c.undone)
		if c.duplicated > last {
			t.Errorf("a longer window has more duplicates")
		}
		last = c.duplicated
		if d >= 11*time.Minute && c.duplicated > 0 {
			t.Errorf("settle %v covers lag and lateness, and still %d duplicates, first in %s", d, c.duplicated, c.first)
		}
		if d <= 5*time.Minute && c.duplicated == 0 {
			t.Errorf("settle %v is too short, and nothing shows it", d)
		}
	}
}

// unmarked writes every mark as if no call had been permitted.
type unmarked struct{ store.DB }

func (u unmarked) Commit(ctx context.Context, ws ...store.Write) ([]store.Version, error) {
	for i, w := range ws {
		if w.Doc.State == string(ledger.Calling) {
			ws[i].Doc = relabel(w.Doc, ledger.Pending)
		}
	}
	return u.DB.Commit(ctx, ws...)
}

// relabel changes the state that a stored record has.
func relabel(d store.Doc, s ledger.State) store.Doc {
	var r map[string]any
	if json.Unmarshal(d.Data, &r) == nil {
		r["state"] = s
		d.Data, _ = json.Marshal(r)
	}
	d.State = string(s)
	return d
}

// unfenced writes every mark whatever has happened to the record since it was read.
type unfenced struct{ store.DB }

func (u unfenced) Commit(ctx context.Context, ws ...store.Write) ([]store.Version, error) {
	for i, w := range ws {
		if w.Op == store.OpReplace && w.Doc.State == string(ledger.Calling) {
			if d, err := u.Get(ctx, w.Doc.Key); err == nil {
				ws[i].At = d.Version
			}
		}
	}
	return u.DB.Commit(ctx, ws...)
}

type wrapped = ledger.Effect[string, string]

// blindfold never finds anything.
type blindfold struct{ wrapped }

func (blindfold) Find(context.Context, string, ledger.Token, bool) ([]ledger.Act[string], error) {
	return nil, nil
}

// unguarded sends after the deadline.
type unguarded struct{ wrapped }

func (u unguarded) Call(ctx context.Context, p string, t ledger.Token) (ledger.Act[string], error) {
	t.Deadline = time.Time{}
	return u.wrapped.Call(context.WithoutCancel(ctx), p, t)
}

// credulous takes every failure for "not executed".
type credulous struct{ wrapped }

func (c credulous) Call(ctx context.Context, p string, t ledger.Token) (ledger.Act[string], error) {
	a, err := c.wrapped.Call(ctx, p, t)
	return a, fault.Unsent(err)
}
