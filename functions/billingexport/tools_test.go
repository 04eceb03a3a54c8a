package billingexport

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// A plan changes nothing and says what would be done.
func TestPlan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.run(`{"months":["2026-10"]}`)
		pass(time.Minute)
		writes := w.p.writes
		p, err := w.p.Plan(t.Context(), Request{})
		w.must(err)
		var lines []string
		for _, m := range p.Months {
			lines = append(lines, fmt.Sprintf("%s %s %s tenants %d newest %d current %d %s", m.Month, m.Do, m.State, len(m.Tenants), m.Newest, m.Current, m.Next))
		}
		want := `2026-06 run published tenants 2 newest 0 current 0 focus/month=2026-06/rev=0001/
2026-07 run published tenants 2 newest 0 current 0 focus/month=2026-07/rev=0001/
2026-08 run published tenants 2 newest 0 current 0 focus/month=2026-08/rev=0001/
2026-09 run published tenants 2 newest 0 current 0 focus/month=2026-09/rev=0001/
2026-10 run published tenants 2 newest 1 current 1 focus/month=2026-10/rev=0002/`
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if w.p.writes != writes {
			t.Errorf("%d writes", w.p.writes-writes)
		}
		_, before := w.hub.Calls()
		objects := len(w.commits)
		w.run(`{}`)
		_, after := w.hub.Calls()
		asked := 0
		for _, op := range []string{"usage.report", "usage.file", "subscriptions.list"} {
			asked += after[op] - before[op]
		}
		t.Logf("planned %d requests and at most %d objects; were %d and %d", p.Requests, p.Objects, asked, len(w.commits)-objects)
		if p.Requests != asked || p.Objects < len(w.commits)-objects {
			t.Errorf("planned %d requests and %d objects, were %d and %d: %v", p.Requests, p.Objects, asked, len(w.commits)-objects, after)
		}
		if _, err := w.p.Plan(t.Context(), Request{Tenants: []string{"a/b"}}); err == nil {
			t.Error("no id of a tenant")
		}
	})
}

// Verify finds whatever is wrong with what is there.
func TestVerify(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.run(`{"months":["2026-10"]}`)
		w.must(w.hub.Restate(simhub.TenantLorem, "2026-10"))
		w.run(`{"months":["2026-10"]}`)
		problems := func() (all []string, total int) {
			checks, err := w.p.Verify(t.Context(), october, 0)
			w.must(err)
			for c := range checks {
				total = c.Total
				if c.Problem != "" {
					all = append(all, c.What)
				}
			}
			return all, total
		}
		if all, total := problems(); len(all) > 0 || total == 0 {
			t.Fatalf("%v of %d", all, total)
		}
		man := w.newest(october)
		names := map[string]bool{}
		for _, f := range filesOf(man) {
			names[f.Name] = true
		}
		for _, p := range man.Parts {
			for _, r := range p.Raw {
				names[r.Name] = true
			}
		}
		for name := range names {
			w.bucket.Corrupt(name, 3)
			if all, _ := problems(); len(all) == 0 {
				t.Errorf("%s has another byte, and nobody notices", name)
			}
			w.bucket.Corrupt(name, 3)
		}
		w.bucket.Remove(revision.MonthFolder(october) + revision.CurrentFile)
		if all, _ := problems(); len(all) != 1 {
			t.Errorf("current.json is gone: %v", all)
		}
		_, total := problems()
		t.Logf("%d checks, %d corrupted objects, each noticed", total, len(names))
	})
}

// What a tenant costs: operations of a first run and of one in which nothing has changed.
func TestCost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const tenants = 40
		w := newWorld(t, simhub.Options{Rows: 4, Skus: 1, Tenants: tenants - 2})
		for _, c := range []struct {
			name string
			most map[string]float64 // of a tenant
		}{
			{"the first run", map[string]float64{"store commits": 2.4, "store reads": 2.4, "hub calls": 4.3, "object writes": 15.5, "object reads": 7.6}},
			{"an unchanged one", map[string]float64{"store commits": 2.3, "store reads": 2.3, "hub calls": 4.3, "object writes": 5.2, "object reads": 4.3}},
		} {
			p := w.start()
			w.run(`{"months":["2026-10"]}`)
			var line []string
			for _, what := range []string{"store reads", "store queries", "store commits", "publishes", "hub calls", "object reads", "object lists", "object writes"} {
				per := float64(p.operated[what]) / tenants
				line = append(line, fmt.Sprintf("%s %.1f", what, per))
				if most, ok := c.most[what]; ok && per > most {
					t.Errorf("%s: %.1f %s a tenant, at most %.1f", c.name, per, what, most)
				}
			}
			t.Logf("%s, a tenant of %d: %s", c.name, tenants, strings.Join(line, ", "))
		}
	})
}

// The hub is asked as much at a time as is allowed: a fleet takes as long as its calls, divided among them.
func TestFleet(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const tenants, latency, inFlight = 200, 200 * time.Millisecond, 16
		w := newWorld(t, simhub.Options{Rows: 4, Skus: 1, Tenants: tenants - 2, Latency: latency})
		begun := time.Now()
		w.ask(`{"months":["2026-10"]}`)
		d, _ := w.next()
		w.must(w.deliver(w.p, d))
		w.collect()
		all := w.queue
		w.queue = nil
		var wg sync.WaitGroup
		for _, d := range all {
			wg.Go(func() {
				if err := w.p.ExportTenantUsage(t.Context(), d.Envelope); err != nil {
					w.complain("%v", err)
				}
			})
		}
		wg.Wait()
		took := time.Since(begun)
		w.settle()
		_, calls := w.hub.Calls()
		n := 0
		for _, c := range calls {
			n += c
		}
		ideal := time.Duration(n) * latency / inFlight
		t.Logf("%d tenants, %d calls of %v, %d at a time: %v, of %v at best: %.2f", tenants, n, latency, inFlight, took, ideal, float64(took)/float64(ideal))
		if took > ideal*12/10+2*latency {
			t.Errorf("it took %v, and %v would do", took, ideal)
		}
		w.expect(w.newest(october), 1, revision.Published, 0, 1)
		w.checked()
	})
}
