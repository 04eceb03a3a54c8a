package probe_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const endpoint = "http://remote.example"

// api is one of Google's APIs at a simulator.
func api(t *testing.T, at http.RoundTripper) probe.API {
	t.Helper()
	c, err := gapi.Client(gapi.Options{Endpoint: endpoint, Token: gapi.StaticToken("any"), Base: at, Backoff: 1})
	if err != nil {
		t.Fatal(err)
	}
	return probe.API{Client: c, Endpoint: endpoint}
}

// simulator is what all of them have.
type simulator interface {
	ArmFault(op, fault string, times int) error
	Calls() ([]server.Call, map[string]int)
}

// reads are the ops that change nothing at the remote. An exchange makes an access token, of which any number are good at once.
var reads = []string{
	"caseClassifications.search", "cases.list", "cases.search", "organizations.supportEventSubscriptions.list",
	"cloudresourcemanager.projects.testIamPermissions", "cloudresourcemanager.organizations.testIamPermissions", "serviceusage.services.batchGet",
	"auth.test", "conversations.info", "chat.spaces.get",
	"authn.accesstoken", "tenants.list", "users.list", "support.metadata", "support.list", "usage.file",
	"storage.buckets.testIamPermissions", "storage.objects.list", "bigquery.datasets.get",
}

// probed compares results with what is wanted of each, a verdict and how its line begins, and sees that the simulator was only read.
func probed(t *testing.T, s simulator, ask func() []probe.Result, want ...string) {
	t.Helper()
	_, before := s.Calls()
	results := ask()
	_, after := s.Calls()
	for _, op := range slices.Sorted(maps.Keys(after)) {
		if after[op] > before[op] && !slices.Contains(reads, op) {
			t.Errorf("%s was called: no probe may", op)
		}
	}
	lines(t, results, want...)
}

func lines(t *testing.T, results []probe.Result, want ...string) {
	t.Helper()
	var got []string
	for _, r := range results {
		got = append(got, strings.TrimSuffix(string(r.Verdict)+" "+r.What+": "+r.Advice, ": "))
		if (r.Verdict == probe.Pass) != (r.Advice == "") {
			t.Errorf("%+v: what passes needs no advice, whatever else does", r)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got\n%s", strings.Join(got, "\n"))
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) {
			t.Errorf("got  %q\nwant %q", got[i], w)
		}
	}
}

// arm makes every call of a simulator meet a fault.
func arm(t *testing.T, s simulator, fault string) {
	t.Helper()
	if err := s.ArmFault("*", fault, 1000); err != nil {
		t.Fatal(err)
	}
}
