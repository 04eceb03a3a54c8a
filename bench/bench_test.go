// Package bench measures what the project promises in figures, each beside the baseline that it is held against, in one run: the two take
// turns, because on a shared machine only a ratio of neighbours means anything. docs/benchmarks.md has the figures.
//
//	count    operations on the store and calls of the desk for one event, counted
//	webhook  requests a second of AlertWebhook, against a handler that reads the body and publishes it
//	start    from the start of a function's process to its first answer, against a bare one; and its memory
//	onboard  1,000 tenants of 20 users, against what their calls need; calls, and memory
//	storm    10,000 alerts at once through everything on one machine: memory, and that nothing is lost
//
// What is counted and what must not be lost are tests; what is timed are benchmarks, and no test fails for being slow.
package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

var bin string // folder of the programs that are measured

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "providerdesk-bench-*")
	if err != nil {
		panic(err)
	}
	bin = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) { os.RemoveAll(dir); os.Exit(code) }),
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start")) // started by Pub/Sub's init
}

// The programs, each built once.
var (
	buildFunction = building("casewebhook", "../functions/casewebhook/cmd")
	buildCommand  = building("providerdesk", "../cmd/providerdesk")
	buildBare     = building("bare", "./testdata/bare")
)

func building(name, from string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		path := filepath.Join(bin, name)
		out, err := exec.Command("go", "build", "-o", path, from).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
		return path, err
	})
}

// built returns the path of a program.
func built(t testing.TB, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// ratios divides each of the one by its neighbour of the other.
func ratios(some, by []float64) []float64 {
	all := make([]float64, len(some))
	for i := range some {
		all[i] = some[i] / by[i]
	}
	return all
}

// token is the secret of everybody who calls.
const token = "bench-token-0123456789"

// environment has the token for configurations, nothing else.
func environment(name string) (string, bool) { return token, name == "BENCH_TOKEN" }

// configuration is a whole configuration with a budget, on a desk at an address.
func configuration(desk string) string { return strings.ReplaceAll(configText, "DESK", desk) }

const configText = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:BENCH_TOKEN}
desks:
  google:
    kind: google
    parent: projects/acme-prod
    classification: "Technical Issue > Compute > Compute Engine"
    subscribers: [oncall@example.com]
    budget: {cases: 1000, per: 1h}
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:BENCH_TOKEN}}
routes:
  - {when: incident.severity == "critical" && incident.tenant == "acme", desk: google, priority: P1}
  - {when: "true", desk: google, priority: P3}
endpoints: {cloudsupport: "DESK"}
`
