package billingexport

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// checked fails the test for every promise that was broken.
func (w *world) checked() {
	w.Helper()
	for _, wrong := range w.wrong {
		w.Error(wrong)
	}
}

// newest returns the newest revision of a month.
func (w *world) newest(p hub.Period) revision.Manifest {
	w.Helper()
	s, err := w.p.Show(w.Context(), p, 0)
	w.must(err)
	return s.Manifest
}

// verdicts are those on an organization that are not MATCH, with a ! if they are grave.
func verdicts(m revision.Manifest, org string) string {
	p, _ := m.PartOf(org)
	var all []string
	for _, v := range p.Verdicts {
		if v.Code != bill.Match {
			all = append(all, string(v.Code)+strings.Repeat("!", map[bool]int{true: 1}[v.Grave]))
		}
	}
	return strings.Join(all, " ")
}

func (w *world) expect(m revision.Manifest, rev int, state revision.State, since, current int) {
	w.Helper()
	if m.Revision != rev || m.State != state || m.Since != since || w.current[m.Month] != current {
		w.Errorf("revision %d, %s, since %d, current %d; want %d, %s, since %d, current %d", m.Revision, m.State, m.Since, w.current[m.Month], rev, state, since, current)
	}
}

// What is due: the months of the window, and those before it that were never published as long as the hub reports them.
func TestDue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		ran := func() string {
			months, err := w.p.List(t.Context())
			w.must(err)
			slices.SortFunc(months, func(a, b Status) int { return strings.Compare(a.Month, b.Month) })
			var now []string
			for _, m := range months {
				if m.Run >= runName(time.Now().Add(-30*time.Minute)) {
					now = append(now, m.Month)
				}
			}
			return strings.Join(now, " ")
		}
		w.run(`{}`)
		if got := ran(); got != "2026-06 2026-07 2026-08 2026-09 2026-10" {
			t.Error(got)
		}
		w.run(`{}`)
		if got := ran(); got != "2026-08 2026-09 2026-10" {
			t.Error(got)
		}
		for _, m := range []int{-4, -3, -2, -1, 0} {
			w.expect(w.newest(october.Add(m)), 1, revision.Published, 0, 1)
			w.audit(october.Add(m), simhub.TenantCoke, simhub.TenantLorem)
		}
		w.checked()
	})
}

// A month that the hub has not closed is there to look at, and is published by the first run after that.
func TestPreliminary(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		november := october.Add(1)
		w.run(`{"months":["2026-11"]}`)
		w.expect(w.newest(november), 1, revision.Preliminary, 0, 0)
		pass(time.Until(time.Date(2026, 12, 3, 6, 0, 0, 0, time.UTC)))
		w.run(`{"months":["2026-11"]}`)
		w.expect(w.newest(november), 2, revision.Preliminary, 0, 0)
		pass(time.Until(time.Date(2026, 12, 6, 6, 0, 0, 0, time.UTC)))
		w.run(`{}`)
		w.expect(w.newest(november), 3, revision.Published, 0, 3)
		w.audit(november, simhub.TenantCoke, simhub.TenantLorem)
		w.checked()
		if _, err := w.p.Ask(t.Context(), Request{Months: []string{"2027-01"}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a month that has not begun: %v", err)
		}
	})
}

// failing cannot make the parts of one tenant.
type failing struct {
	maker
	org   string
	err   error
	tried *int
}

func (m failing) Make(ctx context.Context, j job) (revision.Part, error) {
	if j.Tenant.ID == m.org && m.err != nil {
		*m.tried++
		return revision.Part{}, m.err
	}
	return m.maker.Make(ctx, j)
}

// breaks makes the parts of one tenant fail from now on; nil: not any more.
func (w *world) breaks(org string, err error) *int {
	tried := new(int)
	w.change = func(f *Function) { f.maker = failing{f.maker, org, err, tried} }
	w.start()
	return tried
}

// A tenant that cannot be asked for hours is told as such. It holds nobody up, and the next run mends it.
func TestUnreachable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		tried, begun := w.breaks(simhub.TenantLorem, fault.New(fault.Transient, "the hub is down")), time.Now()
		w.run(`{"months":["2026-10"]}`)
		m := w.newest(october)
		w.expect(m, 1, revision.Unreconciled, 0, 0)
		if v := verdicts(m, simhub.TenantLorem); v != "UNREACHABLE!" || verdicts(m, simhub.TenantCoke) != "" {
			t.Error(v)
		}
		if took := time.Since(begun); took < 5*time.Hour || took > 8*time.Hour || *tried > maxAttempts {
			t.Errorf("given up after %v and %d attempts", took, *tried)
		}
		t.Logf("given up after %v and %d attempts", time.Since(begun).Round(time.Minute), *tried)
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 1, revision.Unreconciled, 0, 0) // still unreachable: nothing new
		w.breaks(simhub.TenantLorem, nil)
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 2, revision.Published, 0, 2)

		w.breaks(simhub.TenantLorem, fault.New(fault.Invalid, "this can never succeed"))
		w.must(w.hub.Restate(simhub.TenantCoke, "2026-10"))
		w.run(`{"months":["2026-10"]}`)
		m = w.newest(october)
		w.expect(m, 3, revision.Unreconciled, 2, 2)
		if p, _ := m.PartOf(simhub.TenantLorem); p.Digest == "" || verdicts(m, simhub.TenantLorem) != "UNREACHABLE!" {
			t.Errorf("it is not kept as it was: %+v", p)
		}
		w.breaks(simhub.TenantLorem, nil)
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 4, revision.Published, 2, 4)
		w.audit(october, simhub.TenantCoke, simhub.TenantLorem)
		w.checked()
	})
}

// A process that dies again and again on one tenant's part is a failure like another.
func TestPoisonedPart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.change = func(f *Function) { f.maker = deadly{f.maker, w} }
		w.start()
		w.run(`{"months":["2026-10"]}`)
		m := w.newest(october)
		w.expect(m, 1, revision.Unreconciled, 0, 0)
		if v := verdicts(m, simhub.TenantLorem); v != "UNREACHABLE!" || w.deaths < 10 || w.deaths > maxAttempts {
			t.Errorf("%s after %d deaths", v, w.deaths)
		}
		w.checked()
	})
}

// deadly kills its process when it makes a tenant's part.
type deadly struct {
	maker
	w *world
}

func (m deadly) Make(ctx context.Context, j job) (revision.Part, error) {
	if j.Tenant.ID == simhub.TenantLorem {
		m.w.p.mu.Lock()
		m.w.p.die()
		m.w.p.mu.Unlock()
	}
	return m.maker.Make(ctx, j)
}

func TestVanished(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.run(`{"months":["2026-11"]}`) // preliminary
		w.run(`{"months":["2026-10"]}`)
		w.hidden[simhub.TenantLorem] = true
		w.must(w.hub.Restate(simhub.TenantCoke, "2026-10"))
		w.run(`{"months":["2026-10"]}`)
		m := w.newest(october)
		w.expect(m, 2, revision.Published, 1, 2) // what was published with it stays right
		if v := verdicts(m, simhub.TenantLorem); v != "VANISHED" {
			t.Error(v)
		}
		pass(time.Until(time.Date(2026, 12, 6, 6, 0, 0, 0, time.UTC)))
		w.run(`{"months":["2026-11"]}`)
		m = w.newest(october.Add(1))
		w.expect(m, 2, revision.Unreconciled, 0, 0) // the rest of November is unknown
		if v := verdicts(m, simhub.TenantLorem); v != "VANISHED!" {
			t.Error(v)
		}
		w.run(`{"months":["2026-11"],"archive":true}`) // a person accepts it
		m = w.newest(october.Add(1))
		w.expect(m, 3, revision.Published, 0, 3)
		w.hidden[simhub.TenantLorem] = false
		w.run(`{"months":["2026-11"]}`)
		w.expect(w.newest(october.Add(1)), 4, revision.Published, 3, 4)
		w.audit(october, simhub.TenantCoke, simhub.TenantLorem)
		w.audit(october.Add(1), simhub.TenantCoke, simhub.TenantLorem)
		w.checked()
	})
}

// A request for some tenants leaves the others as they are.
func TestSomeTenants(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.run(fmt.Sprintf(`{"months":["2026-10"],"tenants":[%q]}`, simhub.TenantCoke))
		m := w.newest(october)
		w.expect(m, 1, revision.Unreconciled, 0, 0)
		if v := verdicts(m, simhub.TenantLorem); v != "ABSENT!" {
			t.Error(v)
		}
		w.run(fmt.Sprintf(`{"months":["2026-10"],"tenants":[%q]}`, simhub.TenantLorem))
		w.expect(w.newest(october), 2, revision.Published, 0, 2)
		w.audit(october)
		w.checked()
	})
}

// A request that comes while a run is under way is answered by it, or by one after it.
func TestMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		begin := func(text string) {
			w.ask(text)
			d, _ := w.next()
			w.must(w.deliver(w.p, d))
		}
		begin(fmt.Sprintf(`{"months":["2026-10"],"tenants":[%q]}`, simhub.TenantCoke))
		pass(time.Minute)
		begin(fmt.Sprintf(`{"months":["2026-10"],"tenants":[%q],"by":"bill@example.com"}`, simhub.TenantCoke)) // joins
		s, err := w.p.Status(t.Context(), october)
		w.must(err)
		if s.Next != nil || s.Phase != Working || s.Tenants != 1 || len(s.Open) != 1 {
			t.Errorf("%+v", s)
		}
		pass(time.Minute)
		begin(`{"months":["2026-10"],"by":"anna@example.com"}`) // does not
		s, err = w.p.Status(t.Context(), october)
		w.must(err)
		if s.Next == nil || s.Next.By != "anna@example.com" || len(s.Next.Tenants) != 0 {
			t.Errorf("%+v", s)
		}
		w.settle()
		s, err = w.p.Status(t.Context(), october)
		w.must(err)
		if s.Run != runName(time.Date(2026, 11, 6, 6, 2, 0, 0, time.UTC)) || s.Phase != Resting || s.Published != 2 || s.Ended == nil || !s.Ended.New {
			t.Errorf("%+v %+v", s, s.Ended)
		}
		w.audit(october, simhub.TenantCoke, simhub.TenantLorem)
		w.checked()
	})
}

// A month that the hub does not report any more comes from the archive; the hub is not asked.
func TestArchive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.run(`{"months":["2026-10"]}`)
		pass(300 * 24 * time.Hour)
		_, before := w.hub.Calls()
		w.config.Billing.Markup = w.config.Billing.Markup.Add(w.config.Billing.Markup) // so that there is something to restate
		w.start()
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 2, revision.Published, 1, 2)
		if v := verdicts(w.newest(october), simhub.TenantLorem); v != "" {
			t.Error(v)
		}
		w.run(`{"months":["2024-01"]}`) // nothing was ever fetched
		if _, err := w.p.Show(t.Context(), hub.Period{Year: 2024, Month: 1}, 0); !fault.Is(err, fault.Missing) {
			t.Error(err)
		}
		if _, after := w.hub.Calls(); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("the hub was asked: %v, %v", before, after)
		}
		w.audit(october, simhub.TenantCoke, simhub.TenantLorem)
		w.verified(october)
		w.checked()
	})
}

// The store is lost, and half a revision of it is there: the numbers go on behind it, the corrections start where they must.
func TestStoreLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.run(`{"months":["2026-10"]}`)
		_, err := blob.PutBytes(t.Context(), w.bucket, "text/plain", revision.Folder(october, 2)+revision.SummaryFile, []byte("half"), blob.Absent)
		w.must(err)
		w.bucket.Remove(revision.MonthFolder(october) + revision.CurrentFile) // it was not moved yet
		w.current = map[string]int{}
		w.db = newStore()
		w.start()
		w.run(`{"months":["2026-10"]}`) // nothing is new, and current.json is mended
		w.expect(w.newest(october), 1, revision.Published, 0, 1)
		w.must(w.hub.Restate(simhub.TenantLorem, "2026-10"))
		w.run(`{"months":["2026-10"]}`)
		w.expect(w.newest(october), 3, revision.Published, 1, 3)
		w.checked()
	})
}

// What can never succeed is parked with its reason.
func TestParked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		w.must(w.p.ExportUsage(t.Context(), event.Envelope{ID: "1", Data: []byte(`{"months":["2031-01"]}`)}))
		w.must(w.p.ExportUsage(t.Context(), event.Envelope{ID: "2", Data: []byte(`nonsense`)}))
		w.must(w.p.ExportTenantUsage(t.Context(), event.Envelope{ID: "3", Data: []byte(`{}`)}))
		w.must(w.p.ExportTenantUsage(t.Context(), event.Envelope{ID: "4", Data: []byte(`{"month":"2026-10","org":"gone","run":"20261106T060000.000000Z"}`)})) // forgotten
		all, err := w.p.Ledger().List(t.Context(), ledger.Failed, "", 10)
		w.must(err)
		parked, err := w.p.Ledger().List(t.Context(), ledger.Parked, "", 10)
		w.must(err)
		if all = append(all, parked...); len(all) != 3 {
			t.Errorf("%d are parked", len(all))
		}
		if _, err := w.p.SweepExports(t.Context(), httptest.NewRequest("GET", "/", nil)); err == nil {
			t.Error("GET sweeps")
		}
		if _, err := w.p.SweepExports(t.Context(), httptest.NewRequest("POST", "/", nil)); err != nil {
			t.Error(err)
		}
		if _, err := w.p.Status(t.Context(), october); !fault.Is(err, fault.Missing) {
			t.Error(err)
		}
	})
}

// Who the tenants are cannot be found out for hours. The request is not lost, and says why it waits.
func TestNobodyListed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, hubOptions)
		begun := time.Now()
		w.must(w.hub.ArmFault("tenants.list", "status:403", 30))
		w.must(w.hub.ArmFault("usage.report", "status:403", 30)) // nor from what is used
		w.must(w.hub.ArmFault("subscriptions.list", "status:403", 30))
		w.ask(`{"months":["2026-10"]}`)
		d, _ := w.next()
		w.must(w.deliver(w.p, d)) // denied: parked, and the run is there
		pass(time.Hour)
		if _, err := w.p.sweep(t.Context()); err == nil {
			t.Error("nobody hears of it")
		}
		s, err := w.p.Status(t.Context(), october)
		w.must(err)
		if s.Phase != Planning || s.Error == "" {
			t.Errorf("%+v", s)
		}
		w.settle()
		w.expect(w.newest(october), 1, revision.Published, 0, 1)
		s, err = w.p.Status(t.Context(), october)
		w.must(err)
		if s.Error != "" || s.Phase != Resting {
			t.Errorf("%+v", s)
		}
		t.Logf("it took %v", time.Since(begun).Round(time.Minute))
		w.checked()
	})
}
