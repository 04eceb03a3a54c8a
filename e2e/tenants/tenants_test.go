//go:build unix

// Package tenants takes tenants in with the product as its users have it, kills it at the worst moments, and counts what is there in the end: of
// every tenant one organization, of every person one membership or invitation, one contact, one role, one test case.
//
//	tenants_test.go    the moments, and the counting
//	site_test.go       an installation as package installed has it, and the commands about its tenants
//	remotes_test.go    the hub, Google's APIs and the support desk, simulators that live on when their caller dies, and choose when it does
//
// It runs on the store and the bus in the folder, and on the emulators of Firestore and Pub/Sub. Times are the shortest that a configuration
// takes, and the machine's own; what takes a minute is the settle window after a request that was lost, which has to pass.
package tenants

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/e2e/installed"
	"github.com/providerdesk/providerdesk/shared/emulator"
)

func TestMain(m *testing.M) {
	dir, err := installed.Build()
	if err != nil {
		panic(err)
	}
	if err := flag.Set("test.parallel", "2"); err != nil { // they mostly wait
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// moment is when the process is killed: while a remote holds a request that has come in whole.
type moment struct {
	op       string
	nth      int  // of the op since the moment before; 0 stands for 1
	executed bool // the remote has executed it, and its answer was not sent
}

// moments: those first that are in doubt until the settle window is over, be it about the next request of the same turn.
var moments = []moment{
	{op: "tenants.create"},
	{op: "users.add"},
	{op: "users.add", executed: true},
	{op: "cases.create"},

	{op: "tenants.list"},         // by the command that plans
	{op: "tenants.list", nth: 3}, // after those of the plan and of its acceptance: nothing has begun
	{op: "tenants.create", executed: true},
	{op: "services.batchEnable"},
	{op: "projects.setIamPolicy", executed: true},
	{op: "contacts.create"},
	{op: "contacts.create", executed: true},
	{op: "cases.create", executed: true},
	{op: "cases.close", executed: true},
}

func (m moment) String() string {
	if m.executed {
		return m.op + ", executed"
	}
	return m.op + ", lost"
}

// tenant is what each moment has of its own.
func tenant(n int) string { return fmt.Sprintf("t%02d", n) }

func project(tenant string) string { return "acme-" + tenant }

// people of a tenant: the first has an account.
func people(tenant string) []string {
	return []string{tenant + "@lorem.com", "anna@" + tenant + ".example", "bill@" + tenant + ".example"}
}

// request asks for a tenant with everything.
func request(tenant string) string {
	p := people(tenant)
	return strings.NewReplacer("{tenant}", tenant, "{project}", project(tenant), "{0}", p[0], "{1}", p[1], "{2}", p[2]).Replace(`
tenants:
  - tenant: {tenant}
    organization: {displayName: "The {tenant}", companyName: The {tenant} Ltd, country: DE, city: Berlin, state: Berlin, zip: "10115", domain: {tenant}.example}
    users:
      - {email: "{0}", roles: [tenant_admin]}
      - {email: "{1}", roles: [tenant_user]}
      - {email: "{2}", roles: [tenant_user]}
    google:
      parent: projects/{project}
      apis: [cloudsupport, essentialcontacts]
      members:
        - {member: "user:{0}", roles: [techSupportEditor]}
      contacts:
        - {email: "{0}", categories: [TECHNICAL]}
      testCase: true
`)
}

// TestKilledWhileTenantsAreTakenIn kills the process once for every moment, and then waits until all tenants rest.
func TestKilledWhileTenantsAreTakenIn(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(*testing.T) []string{
		"in the folder": func(*testing.T) []string { return []string{"FIRESTORE_EMULATOR_HOST=", "PUBSUB_EMULATOR_HOST="} },
		"on the emulators": func(t *testing.T) []string {
			return []string{"FIRESTORE_EMULATOR_HOST=" + emulator.Firestore(t), "PUBSUB_EMULATOR_HOST=" + emulator.PubSub(t), "GOOGLE_CLOUD_PROJECT=" + freshProject()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := place(t) // skips where there is no emulator
			began := time.Now()
			r := openRemotes(t)
			s := install(t, r.url, r.hubToken(), env)
			for n, m := range moments {
				s.killedAt(r, n, m)
			}
			killed := time.Since(began)
			s.untilAllRest(len(moments))
			rested := time.Since(began)
			for n, m := range moments {
				r.count(t, m, tenant(n))
			}
			r.countCases(t, len(moments))
			s.checkLedger()
			t.Logf("%d kills in %.0f s, all %d tenants rest after %.0f s; %s", s.Kills, killed.Seconds(), len(moments), rested.Seconds(), r.figures())
		})
	}
}

// killedAt has a tenant taken in, and the process killed at a moment of that.
func (s *site) killedAt(r *remotes, n int, m moment) {
	s.Helper()
	died := r.Await(ops(m), s.Kill)
	s.apply(tenant(n), died)
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	select {
	case <-died:
		s.Restart()
	case <-limit.C:
		s.Fatalf("the moment never comes: %s", m)
	}
}

// count looks at what there is of a tenant at the remotes.
func (r *remotes) count(t *testing.T, m moment, tenant string) {
	t.Helper()
	orgs := r.organizations(tenant)
	if len(orgs) != 1 {
		t.Fatalf("%s: %d organizations", m, len(orgs))
	}
	for _, email := range people(tenant) {
		if n := r.standing(orgs[0], email); n != 1 {
			t.Errorf("%s: a person has %d memberships and invitations", m, n)
		}
	}
	parent := "projects/" + project(tenant)
	if c := r.google.Contacts(parent); len(c) != 1 {
		t.Errorf("%s: %d contacts", m, len(c))
	}
	if p := r.google.Policy(parent); len(p) != 1 || len(p[0].Members) != 1 {
		t.Errorf("%s: bindings %v", m, p)
	}
	on := r.google.EnabledServices(project(tenant))
	for _, want := range []string{"cloudsupport.googleapis.com", "essentialcontacts.googleapis.com"} {
		if !slices.Contains(on, want) {
			t.Errorf("%s: %s is off", m, want)
		}
	}
}

// countCases: each of n projects has one test case, which is closed. A case names its project by number.
func (r *remotes) countCases(t *testing.T, n int) {
	t.Helper()
	parents := map[string]int{}
	for _, c := range r.desk.Cases() {
		parent, _, _ := strings.Cut(c.Name, "/cases/")
		parents[parent]++
		if c.State != "CLOSED" || !c.TestCase {
			t.Errorf("a case of %s is %s, a test: %t", parent, c.State, c.TestCase)
		}
	}
	if len(parents) != n || len(r.desk.Cases()) != n {
		t.Errorf("cases by project: %v", parents)
	}
}
