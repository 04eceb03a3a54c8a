package billingexport

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// diary is a log that a test reads.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

// events are the exports' events since the last look, each with its month.
func (d *diary) events() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for line := range strings.Lines(d.b.String()) {
		var event, month string
		for field := range strings.FieldsSeq(line) {
			if v, ok := strings.CutPrefix(field, "event=export."); ok {
				event = v
			}
			if v, ok := strings.CutPrefix(field, "month="); ok {
				month = v
			}
		}
		if event != "" {
			all = append(all, event+" "+month)
		}
	}
	d.b.Reset()
	slices.Sort(all)
	return all
}

// logged gives a world a log, and makes a new process that writes it.
func (w *world) logged() *diary {
	d := &diary{}
	w.deps = func(_ *process, deps *Deps) { deps.Log = slog.New(slog.NewTextHandler(d, nil)) }
	w.start()
	return d
}

func (w *world) tells(d *diary, want ...string) {
	w.Helper()
	if got := d.events(); !slices.Equal(got, want) {
		w.Errorf("logged %q, want %q", got, want)
	}
}

// A revision is counted once, by what it is; one that says nothing new is not.
func TestRevisionsAreLogged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		d := w.logged()
		w.run(`{"months":["2026-10"]}`)
		w.tells(d, "published 2026-10")
		w.run(`{"months":["2026-10"]}`)
		w.tells(d)
		w.run(`{"months":["2026-11"]}`)
		w.tells(d)
		w.expect(w.newest(october.Add(1)), 1, revision.Preliminary, 0, 0)
	})
}

// A tenant whose part is given up keeps the month from being published: both are counted.
func TestFailedPartsAreLogged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		d := w.logged()
		w.breaks(simhub.TenantCoke, fault.New(fault.Denied, "the token was refused"))
		w.run(`{"months":["2026-10"]}`)
		w.tells(d, "failed 2026-10", "unreconciled 2026-10")
	})
}

// A minute in which nothing happens costs three queries that find nothing, and once an hour a read.
func TestIdleSweep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		for i, want := range []map[string]int{{"store queries": 3, "store reads": 1}, {"store queries": 6, "store reads": 1}} {
			if _, err := w.p.sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := w.p.operated; !maps.Equal(got, want) {
				t.Errorf("sweep %d: %v, want %v", i, got, want)
			}
			pass(time.Minute)
		}
		t.Logf("two sweeps: %v", w.p.operated)
	})
}

// A month that is closed for a day and not published is told in the first minute of every hour until it is.
func TestOverdueMonthsAreLogged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		d := w.logged()
		sweepAt := func(at time.Time, want ...string) {
			t.Helper()
			pass(time.Until(at))
			if _, err := w.p.sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.tells(d, want...)
		}
		sweepAt(morning, "overdue 2026-09") // October is closed for some hours only
		sweepAt(morning.Add(time.Minute))
		sweepAt(time.Date(2026, 11, 6, 23, 0, 30, 0, time.UTC), "overdue 2026-09")
		sweepAt(time.Date(2026, 11, 7, 0, 0, 30, 0, time.UTC), "overdue 2026-10")
		sweepAt(time.Date(2026, 11, 7, 0, 59, 30, 0, time.UTC))
		sweepAt(time.Date(2026, 11, 7, 1, 0, 0, 0, time.UTC), "overdue 2026-10")
		w.run(`{"months":["2026-10"]}`)
		w.tells(d, "published 2026-10")
		sweepAt(time.Date(2026, 11, 7, 4, 0, 0, 0, time.UTC))
	})
}
