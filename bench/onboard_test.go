package bench

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// The onboarding: so many tenants of so many users, at a hub of which every call takes so long, with so many calls at a time.
const (
	onboardTenants = 1000
	onboardUsers   = 20
	onboardLatency = 50 * time.Millisecond
	onboardCalls   = 16
	// More runs than calls at a time: while one waits for the list of tenants or decides, another one's call takes its place.
	onboardRuns = 128
)

// smallest is the least that a tenant could take, were the list of tenants asked for once for all: create it, add its users, and look at its
// members and its invitations to see what came of that. Ours also looks at both before it adds, because somebody may have been there by hand, and
// asks for the list again whenever somebody decides on it: for the plan, when it is accepted, before it is carried out, and after the creation.
const smallest = 4

const onboardConfig = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:BENCH_TOKEN}
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine"}
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:BENCH_TOKEN}}
routes:
  - {when: "true", desk: google, priority: P3}
onboarding:
  organization: ` + simhub.Provider + `
  token: env:BENCH_TOKEN
  auth: {bearer: env:BENCH_TOKEN}
  me: msp@lorem.com
`

// onboarding is the function with its store in memory, in front of a simulated hub.
type onboarding struct {
	testing.TB
	hub    *simhub.Server
	client *hub.Client
	db     *storetest.Memory
	bus    *publishtest.Kept
	fn     *tenantonboard.Function
}

func newOnboarding(t testing.TB, latency time.Duration) *onboarding {
	t.Helper()
	o := &onboarding{TB: t}
	var err error
	o.hub, err = simhub.New(simhub.Options{Latency: latency, Switches: simhub.Switches{TokenScope: "tenants"}})
	o.must(err)
	c, err := config.Parse("bench.yaml", []byte(onboardConfig), environment)
	o.must(err)
	token := o.hub.TokenFor(simhub.Provider, simhub.ProviderAdmin)
	o.client, err = hub.New(hub.Options{Endpoint: "https://hub.test/api", Organization: simhub.Provider, Base: o.hub.Transport(), InFlight: onboardCalls,
		Token: func(_ context.Context, org string) (string, error) {
			if org != simhub.Provider {
				return "", fault.New(fault.Missing, "no API token of a tenant")
			}
			return token, nil
		}})
	o.must(err)
	o.db = storetest.NewMemory(time.Now)
	o.bus = &publishtest.Kept{Topics: []string{tenantonboard.TopicOnboarding, tenantonboard.TopicLifecycle}}
	t.Cleanup(func() { o.must(o.hub.Close()) })
	o.fn, err = tenantonboard.New(t.Context(), tenantonboard.Deps{Config: c, DB: o.db, Hub: o.client, Publisher: o.bus})
	o.must(err)
	return o
}

func (o *onboarding) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// tenant is a request for the n-th tenant; nobody has an account at the hub yet, so all are invited.
func onboardTenant(n int) tenantonboard.Tenant {
	key := fmt.Sprintf("tenant-%04d", n)
	t := tenantonboard.Tenant{Key: key, Organization: tenantonboard.Organization{DisplayName: key, CompanyName: key + " Ltd", Country: "FR", City: "Paris",
		State: "IDF", Zip: "75001", Domain: key + ".example"}}
	for i := range onboardUsers {
		t.Users = append(t.Users, tenantonboard.User{Email: fmt.Sprintf("user-%02d@%s.example", i, key), Roles: []string{"tenant_user"}})
	}
	return t
}

// onboard plans, accepts and carries out one tenant, as its request and its message do.
func (o *onboarding) onboard(ctx context.Context, n int) error {
	t := onboardTenant(n)
	p, err := o.fn.Plan(ctx, t, tenantonboard.Onboarding)
	if err != nil {
		return err
	}
	if _, err := o.fn.Apply(ctx, t, tenantonboard.Onboarding, p.Digest, "bench"); err != nil {
		return err
	}
	return o.fn.OnboardTenant(ctx, event.Envelope{ID: t.Key, Type: event.Published, Data: fmt.Appendf(nil, `{"tenant":%q}`, t.Key), Published: time.Now().UTC(), Attempt: 1})
}

// run onboards tenants.
func (o *onboarding) run(tenants int) {
	o.Helper()
	var all sync.WaitGroup
	var next atomic.Int64
	for range onboardRuns {
		all.Go(func() {
			for n := next.Add(1); n <= int64(tenants); n = next.Add(1) {
				if err := o.onboard(o.Context(), int(n)); err != nil {
					o.Errorf("tenant %d: %v", n, err)
				}
			}
		})
	}
	all.Wait()
}

// calls counts the calls that the hub received, by operation.
func (o *onboarding) calls() (sum int, by map[string]int) {
	_, by = o.hub.Calls()
	for _, n := range by {
		sum += n
	}
	return sum, by
}

// spent is what onboarding took.
type spent struct {
	wall       time.Duration
	calls      int
	by         map[string]int
	high, held uint64 // bytes of the heap that live: at most, and at the end, which is what the store, the bus and the simulator keep
	kept       int64  // bytes that the function and its clients keep
	allocated  uint64 // bytes
}

// needed is how long the calls take at least.
func (s spent) needed() time.Duration { return time.Duration(s.calls) * onboardLatency / onboardCalls }

// measure onboards tenants at a new hub.
func measure(t testing.TB, tenants int, latency time.Duration) (s spent) {
	t.Helper()
	o := newOnboarding(t, latency)
	highest := watch()
	before, began := allocated(), time.Now()
	o.run(tenants)
	s.wall = time.Since(began)
	s.allocated, s.high = allocated()-before, highest()
	s.calls, s.by = o.calls()
	o.complete(tenants)
	all := live()
	o.fn, o.client = nil, nil
	s.held = live()
	s.kept = int64(all) - int64(s.held)
	runtime.KeepAlive(o)
	return s
}

// complete fails unless every tenant is there, once, with everybody invited: what was measured is what was meant.
func (o *onboarding) complete(tenants int) {
	o.Helper()
	n := 0
	for _, org := range o.hub.Organizations() {
		if strings.HasPrefix(org.DisplayName, "tenant-") {
			n++
			if got := len(o.hub.Invitations(org.ID)); got != onboardUsers {
				o.Fatalf("%s has %d invitations, want %d", org.DisplayName, got, onboardUsers)
			}
		}
	}
	if n != tenants {
		o.Fatalf("%d tenants, want %d", n, tenants)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// live is the size of what the heap holds.
func live() uint64 {
	for range 4 { // what pools hold goes with the second, what that held with the third
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// watch samples how much the collector found alive, until highest is called.
func watch() (highest func() uint64) {
	var high uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		alive := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for {
			metrics.Read(alive)
			high = max(high, alive[0].Value.Uint64())
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 { close(stop); <-done; return high }
}

// bare makes so many calls with nothing around them, and returns how much longer they take than they need: what the machine adds.
func bare(t testing.TB, calls int) float64 {
	t.Helper()
	o := newOnboarding(t, onboardLatency)
	var all sync.WaitGroup
	began := time.Now()
	for range onboardCalls {
		all.Go(func() {
			for range calls / onboardCalls {
				if _, err := o.client.Users(o.Context(), simhub.TenantCoke); err != nil {
					o.Errorf("%v", err)
				}
			}
		})
	}
	all.Wait()
	wall := time.Since(began)
	made, _ := o.calls()
	return wall.Seconds() / spent{calls: made}.needed().Seconds()
}

// What the function keeps does not grow with the tenants that it has onboarded.
func TestOnboardingKeepsNothing(t *testing.T) {
	few, many := measure(t, 20, 0), measure(t, 100, 0)
	t.Logf("20 tenants: %d bytes kept, 100 tenants: %d", few.kept, many.kept)
	if more := many.kept - few.kept; more > 16<<10 {
		t.Errorf("80 more tenants make the function keep %d bytes more", more)
	}
}

// BenchmarkOnboard is the promise: 1,000 tenants of 20 users take no longer than 1.15 times what the calls need that the hub received in this
// run, without faults; and no more memory at a time than a quarter of them.
func BenchmarkOnboard(b *testing.B) {
	for _, tenants := range []int{onboardTenants / 4, onboardTenants} {
		b.Run(fmt.Sprint(tenants), func(b *testing.B) {
			for b.Loop() {
				around := bare(b, 50*onboardCalls)
				s := measure(b, tenants, onboardLatency)
				each := float64(s.calls) / float64(tenants)
				b.Logf("%v for %d calls that need %v; %.2f calls a tenant, %d at least: %v", s.wall.Round(time.Millisecond), s.calls, s.needed(), each, smallest, s.by)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(s.wall.Seconds(), "s")
				b.ReportMetric(s.wall.Seconds()/s.needed().Seconds(), "ratio")
				b.ReportMetric(around, "bare-ratio")
				b.ReportMetric(each, "calls/tenant")
				b.ReportMetric(float64(s.high)/(1<<20), "peak-MB")
				b.ReportMetric(float64(s.high-min(s.high, s.held))/(1<<20), "own-peak-MB")
				b.ReportMetric(float64(s.allocated)/float64(tenants)/(1<<10), "alloc-KB/tenant")
			}
		})
	}
}
