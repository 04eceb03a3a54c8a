package bench

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob/blobtest"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// The export: so many tenants at a hub of which every call takes so long.
const (
	exportTenants = 200
	exportLatency = 50 * time.Millisecond
	exportRuns    = 32 // messages that are delivered at a time: more than calls, so that while one tenant is charged, another one is asked about
)

// fewest are the calls that a tenant takes: the report, the file, the report again, the subscriptions.
const fewest = 4

const exportConfig = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:BENCH_TOKEN}
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine"}
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:BENCH_TOKEN}}
routes:
  - {when: "true", desk: google, priority: P3}
billing:
  organization: ` + simhub.Provider + `
  token: env:BENCH_TOKEN
  bucket: gs://acme-usage
  lenses: [provider, tenant]
  issuer: Acme Cloud
  markup: 1.15
`

// exporting is the function with its store and its bucket in memory, in front of a simulated hub.
type exporting struct {
	testing.TB
	hub    *simhub.Server
	client *hub.Client
	bucket *blobtest.Memory
	bus    *publishtest.Kept
	fn     *billingexport.Function
	month  hub.Period
}

func newExporting(t testing.TB, tenants, inFlight int) *exporting {
	t.Helper()
	x := &exporting{TB: t, bucket: blobtest.NewMemory(), month: hub.PeriodOf(time.Now()).Add(-2)}
	var err error
	x.hub, err = simhub.New(simhub.Options{Latency: exportLatency, Tenants: tenants - 2, Switches: simhub.Switches{TokenScope: "tenants"}}) // two are there
	x.must(err)
	t.Cleanup(func() { x.must(x.hub.Close()) })
	c, err := config.Parse("bench.yaml", []byte(exportConfig), environment)
	x.must(err)
	x.client, err = hub.New(hub.Options{Endpoint: "https://hub.test/api", Organization: simhub.Provider, Base: x.hub.Transport(), InFlight: inFlight,
		Token: func(context.Context, string) (string, error) { return x.token(), nil }})
	x.must(err)
	t.Cleanup(x.client.Close)
	x.bus = &publishtest.Kept{Topics: []string{billingexport.TopicTenant, billingexport.TopicDone}}
	x.fn, err = billingexport.New(billingexport.Deps{Config: c, DB: storetest.NewMemory(time.Now), Hub: x.client, Bucket: x.bucket, Publisher: x.bus})
	x.must(err)
	return x
}

// token is an API token with every role of the provider.
func (x *exporting) token() string {
	var most simhub.Token
	for _, t := range x.hub.Tokens() {
		if t.OrgID == simhub.Provider && len(t.Roles) > len(most.Roles) {
			most = t
		}
	}
	return most.Token
}

func (x *exporting) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// run exports the month: the request's message, and then those of the tenants, as the bus delivers them.
func (x *exporting) run() {
	x.Helper()
	x.must(x.fn.ExportUsage(x.Context(), event.Envelope{ID: "request", Type: event.Published, Data: fmt.Appendf(nil, `{"months":[%q]}`, x.month), Published: time.Now().UTC(), Attempt: 1}))
	tasks := x.bus.Take(billingexport.TopicTenant)
	var all sync.WaitGroup
	var next atomic.Int64
	for range exportRuns {
		all.Go(func() {
			for n := next.Add(1); n <= int64(len(tasks)); n = next.Add(1) {
				if err := x.fn.ExportTenantUsage(x.Context(), tasks[n-1]); err != nil {
					x.Errorf("message %d: %v", n, err)
				}
			}
		})
	}
	all.Wait()
}

// calls counts the calls that the hub has received.
func (x *exporting) calls() (sum int) {
	_, by := x.hub.Calls()
	for _, n := range by {
		sum += n
	}
	return sum
}

// objects counts what is in the bucket.
func (x *exporting) objects() (n int) {
	for after := ""; ; {
		page, err := x.bucket.List(x.Context(), "", after, 1000)
		x.must(err)
		if len(page) == 0 {
			return n
		}
		n, after = n+len(page), page[len(page)-1].Name
	}
}

// took is what one run of a month took.
type took struct {
	wall           time.Duration
	calls, objects int    // of this run
	high           uint64 // bytes of the heap that live, at most, beyond what lived before and what store, bucket and simulator keep
	allocated      uint64
}

// needed is how long the calls take at least.
func (t took) needed(inFlight int) time.Duration {
	return time.Duration(t.calls) * exportLatency / time.Duration(inFlight)
}

// measure runs the month, and fails unless it ends with every tenant in a published revision of that number.
func (x *exporting) measure(tenants, revision int) (t took) {
	x.Helper()
	calls, objects, before := x.calls(), x.objects(), allocated()
	highest, began := watch(), time.Now()
	x.run()
	t.wall = time.Since(began)
	t.allocated, t.high = allocated()-before, highest()
	t.high -= min(t.high, live())
	t.calls, t.objects = x.calls()-calls, x.objects()-objects
	x.complete(tenants, revision)
	return t
}

func (x *exporting) complete(tenants, number int) {
	x.Helper()
	shown, err := x.fn.Show(x.Context(), x.month, 0)
	x.must(err)
	if m := shown.Manifest; m.Revision != number || m.State != revision.Published || len(m.Parts) != tenants || shown.Current != number {
		x.Fatalf("revision %d is %s and has %d tenants, current is %d", m.Revision, m.State, len(m.Parts), shown.Current)
	}
}

// BenchmarkExportFanOut is a month of 200 tenants with 96 rows each, and the same month again, which has not changed: the wall time beside what the
// calls need that the hub received in this run, so many at a time.
func BenchmarkExportFanOut(b *testing.B) {
	for _, inFlight := range []int{4, 16} {
		b.Run(fmt.Sprintf("in-flight-%d", inFlight), func(b *testing.B) {
			for b.Loop() {
				x := newExporting(b, exportTenants, inFlight)
				for _, name := range []string{"first", "again"} {
					t := x.measure(exportTenants, 1)
					b.Logf("%s: %v for %d calls that need %v (a tenant takes %d); %d objects, %.1f MB at most, %.0f MB allocated", name, t.wall.Round(time.Millisecond), t.calls,
						t.needed(inFlight), fewest, t.objects, float64(t.high)/(1<<20), float64(t.allocated)/(1<<20))
					b.ReportMetric(t.wall.Seconds(), name+"-s")
					b.ReportMetric(t.wall.Seconds()/t.needed(inFlight).Seconds(), name+"-ratio")
					b.ReportMetric(float64(t.calls)/exportTenants, name+"-calls/tenant")
					b.ReportMetric(float64(t.objects), name+"-objects")
					b.ReportMetric(float64(t.high)/(1<<20), name+"-own-peak-MB")
				}
				b.ReportMetric(0, "ns/op")
				runtime.KeepAlive(x)
			}
		})
	}
}

// A month that has not changed costs the calls that look, and one object a tenant: what was fetched is noted.
func TestExportAgainCostsALook(t *testing.T) {
	x := newExporting(t, 5, 4)
	first, again := x.measure(5, 1), x.measure(5, 1)
	if first.calls != 5*fewest+2 { // the tenants, and an access token
		t.Errorf("the first run made %d calls", first.calls)
	}
	if again.calls != 5*fewest+1 || again.objects != 5 {
		t.Errorf("the same month again made %d calls and %d objects", again.calls, again.objects)
	}
}
