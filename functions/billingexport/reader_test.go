package billingexport

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store"
)

// An id that a person has mistyped is no tenant: it keeps no month back, neither at once nor for ever.
func TestMistyped(t *testing.T) {
	for _, archive := range []bool{false, true} {
		t.Run(fmt.Sprint("archive ", archive), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, hubOptions)
				w.run(`{"months":["2026-10"]}`)
				w.run(fmt.Sprintf(`{"months":["2026-10"],"tenants":["no-such-tenant"],"archive":%v}`, archive))
				w.expect(w.newest(october), 1, revision.Published, 0, 1)
				s, err := w.p.Status(t.Context(), october)
				if w.must(err); !strings.Contains(s.Ended.Reason, "organizations are unknown: 1") {
					t.Errorf("nobody hears of it: %s", s.Ended.Reason)
				}
				w.must(w.hub.Restate(simhub.TenantCoke, "2026-10"))
				w.run(`{"months":["2026-10"]}`)
				w.expect(w.newest(october), 2, revision.Published, 1, 2)
				w.audit(october, simhub.TenantCoke, simhub.TenantLorem)
				w.checked()
			})
		})
	}
}

// A lens that was left out for a while and comes back is corrected from where it was, not charged once more.
func TestLensBack(t *testing.T) {
	both, one := []string{"provider", "tenant"}, []string{"provider"}
	everybody, somebody := `{"months":["2026-10"]}`, fmt.Sprintf(`{"months":["2026-10"],"tenants":[%q]}`, simhub.TenantLorem)
	for name, runs := range map[string][]struct {
		lenses []string
		ask    string
	}{
		"for all":      {{both, everybody}, {one, everybody}, {both, everybody}},
		"for long":     {{both, everybody}, {one, everybody}, {one, everybody}, {both, everybody}},
		"one by one":   {{both, everybody}, {one, somebody}, {one, everybody}, {both, somebody}, {both, everybody}},
		"never before": {{one, everybody}, {one, everybody}, {both, somebody}, {both, everybody}},
	} {
		t.Run(name, func(t *testing.T) {
			lensBack(t, len(runs), func(i int) ([]string, string) { return runs[i].lenses, runs[i].ask })
		})
	}
}

func lensBack(t *testing.T, runs int, run func(i int) (lenses []string, ask string)) {
	bubble(t, func(t *testing.T) {
		w := newFollowing(t)
		for i := range runs {
			lenses, ask := run(i)
			w.config.Billing.Lenses = lenses
			w.start()
			w.must(w.hub.Restate(simhub.TenantLorem, "2026-10"))
			w.run(ask)
			checks, err := w.p.Verify(t.Context(), october, 0)
			w.must(err)
			for c := range checks {
				if c.Problem != "" {
					t.Errorf("revision %d, %s: %s", i+1, c.What, c.Problem)
				}
			}
		}
		w.expect(w.newest(october), runs, revision.Published, runs-1, runs)
		w.audit(october)
		w.checked()
		shown, err := w.p.Show(t.Context(), october, 0)
		w.must(err)
		for _, total := range shown.Totals {
			current, all := w.sum("focus_"+string(total.Lens)+"_current"), w.sum("focus_"+string(total.Lens)+"_ledger")
			if !current.Equal(total.Amount) || !all.Equal(total.Amount) {
				t.Errorf("lens %s: %s is charged, the table has %s, its ledger %s", total.Lens, total.Amount, current, all)
			}
		}
	})
}

// A tenant with a name of a megabyte holds nobody up.
func TestLongName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.change = func(f *Function) { f.source = renamed{f.source, strings.Repeat("ÄÖÜ", 400<<10)} }
		w.start()
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 1, revision.Published, 0, 1)
		w.checked()
	})
}

// renamed gives every tenant a name.
type renamed struct {
	source
	name string
}

func (s renamed) Tenants(ctx context.Context) ([]Tenant, error) {
	all, err := s.source.Tenants(ctx)
	for i := range all {
		all[i].Name = s.name
	}
	return all, err
}

// A plan that was left behind, and goes on when the next run has laid its parts, takes none of them away.
func TestLeftBehind(t *testing.T) {
	q := Request{}
	old := &month{Month: "2026-10", Known: []Tenant{{ID: "a"}, {ID: "b"}}}
	old.start(q, morning, "")
	old.Known = []Tenant{{ID: "a"}, {ID: "b"}}
	next := *old
	next.start(q, morning.Add(time.Hour), "")
	have := map[string]*part{}
	for _, id := range []string{"a", "b", "c"} {
		have[id] = &part{V: 1, Month: "2026-10", Run: next.Run, Tenant: Tenant{ID: id}, version: "1"}
	}
	if writes, _, err := old.lay(have); !fault.Is(err, fault.Conflict) || len(writes) > 0 {
		t.Errorf("%d writes over the parts of a later run, %v", len(writes), err)
	}
}

// A tenant of whom nothing was ever had, and who is gone, keeps a month back until a person accepts that.
func TestNeverHad(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.breaks(simhub.TenantLorem, fault.New(fault.Invalid, "this can never succeed"))
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 1, revision.Unreconciled, 0, 0)
		w.hidden[simhub.TenantLorem] = true
		w.breaks(simhub.TenantLorem, nil)
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 2, revision.Unreconciled, 0, 0)
		w.run(`{"months":["2026-10"],"archive":true}`)
		w.expect(w.newest(october), 3, revision.Published, 0, 3)
		w.audit(october, simhub.TenantCoke, simhub.TenantLorem)
		w.checked()
	})
}

// Tenants that are known by their ids alone are the same from the archive: the same facts are no second revision.
func TestNameless(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.change = func(f *Function) { f.source = renamed{f.source, ""} }
		w.start()
		w.run(`{"months":["2026-10"]}`)
		w.run(`{"months":["2026-10"],"archive":true}`)
		w.expect(w.newest(october), 1, revision.Published, 0, 1)
		w.checked()
	})
}

// A month that somebody finishes is left to him, even by who came in the same microsecond and would hold it as long; afterwards it is taken on.
func TestFinishedByAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.run(`{"months":["2026-10"]}`)
		m, err := w.p.readMonth(t.Context(), october)
		w.must(err)
		m.Phase, m.Lease, m.Holder = Finishing, store.Time(w.p.Now().Add(finishing)), "somebody"
		w.must(w.p.save(t.Context(), m, m.Lease))
		for _, c := range []struct {
			later time.Duration
			phase Phase
		}{{0, Finishing}, {finishing - time.Second, Finishing}, {time.Second, Resting}} {
			pass(c.later)
			w.must(w.p.finish(t.Context(), october))
			m, err := w.p.readMonth(t.Context(), october)
			w.must(err)
			if m.Phase != c.phase || (m.Holder == "somebody") != (c.phase == Finishing) {
				t.Errorf("%v later it is %s, held by %q", c.later, m.Phase, m.Holder)
			}
		}
		w.checked()
	})
}

// far is a bucket at a distance: every request takes a while. To open an object takes two.
type far struct {
	blob.Bucket
	latency *time.Duration
}

func (b far) Open(ctx context.Context, name string) (blob.Reader, error) {
	pass(2 * *b.latency)
	return b.Bucket.Open(ctx, name)
}

func (b far) List(ctx context.Context, prefix, after string, limit int) ([]blob.Object, error) {
	pass(*b.latency)
	return b.Bucket.List(ctx, prefix, after, limit)
}

func (b far) Create(ctx context.Context, contentType string) (blob.Writer, error) {
	w, err := b.Bucket.Create(ctx, contentType)
	return farWriter{w, b.latency}, err
}

type farWriter struct {
	blob.Writer
	latency *time.Duration
}

func (w farWriter) Commit(ctx context.Context, name string, at blob.Generation) (blob.Object, error) {
	pass(*w.latency)
	return w.Writer.Commit(ctx, name, at)
}

// A month of 4,000 tenants that are all restated is finished within one request, of which the platform ends each after 540 seconds: who finishes
// begins anew. Here is a part of them, with a year of months before at 40 ms a request of the bucket.
func TestFinishedInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const tenants, year = 96, 12
		w := newWorld(t, simhub.Options{Rows: 2, Skus: 1, Tenants: tenants - 2})
		var latency time.Duration
		w.deps = func(_ *process, d *Deps) { d.Bucket = far{d.Bucket, &latency} }
		w.start()
		w.run(`{}`)
		w.config.Billing.Markup = w.config.Billing.Markup.Add(w.config.Billing.Markup)
		w.start()
		pass(time.Hour)
		w.ask(`{"months":["2026-10"]}`)
		for range tenants {
			d, _ := w.next()
			w.must(w.deliver(w.p, d))
			w.collect()
		}
		latency = 40 * time.Millisecond
		begun := time.Now()
		d, _ := w.next()
		w.must(w.deliver(w.p, d)) // the last part, and all of the end
		took := time.Since(begun)
		w.expect(w.newest(october), 2, revision.Published, 1, 2)
		looked := len(w.newest(october).Parts)
		more := time.Duration(year-4) * 2 * latency / atOnce // the months before that are not there yet
		all := 4000 * (took/tenants + more)
		t.Logf("%d tenants took %v; 4,000 would take %v", looked, took, all.Round(time.Second))
		if all > 400*time.Second {
			t.Errorf("4,000 tenants would take %v, and the platform ends a request after 540 s", all)
		}
		w.settle()
		w.checked()
	})
}

// Whatever is found out about 4,000 tenants, the manifest can be read, and says no less gravely what it is.
func TestMuchToSay(t *testing.T) {
	m := &month{Month: "2026-10", Run: runName(morning), Begun: morning}
	got := outcomes{made: map[string]revision.Part{}}
	for i := range maxTenants {
		id := fmt.Sprintf("tenant-%04d", i)
		p := revision.Part{V: revision.Version, Month: m.Month, Org: id}
		for n := range 203 {
			p.Verdicts = append(p.Verdicts, bill.Verdict{Code: bill.WithinTolerance, Of: strings.Repeat("key ", 50), Text: strings.Repeat("figure ", 50), Grave: n == 202})
		}
		m.Known, got.made[id] = append(m.Known, Tenant{ID: id}), p
	}
	d := revision.Draft{Month: m.Month, Run: m.Run, Made: morning, Closed: morning, Parts: candidate(m, got, nil)}
	data, err := revision.Encode(d.Manifest(1, 0))
	if err != nil || d.State() != revision.Unreconciled || len(data) > revision.MaxManifest/2 {
		t.Fatalf("%d bytes, %s, %v", len(data), d.State(), err)
	}
	for _, p := range d.Parts[:1] {
		if !p.Verdicts[0].Grave || !strings.Contains(p.Verdicts[len(p.Verdicts)-1].Text, "verdicts more") {
			t.Errorf("%d verdicts: %+v", len(p.Verdicts), p.Verdicts[0])
		}
	}
	again := bill.Concise(d.Parts[0].Verdicts, maxSaid/maxTenants)
	if !slices.Equal(again, d.Parts[0].Verdicts) {
		t.Error("said again it is not the same")
	}
}
