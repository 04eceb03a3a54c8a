//go:build unix

package tenants

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/e2e/installed"
	"github.com/providerdesk/providerdesk/shared/proctest"
)

// configuration of the installation. URL is where the remotes are.
const configuration = `
ledger: {settle: 1m, call_timeout: 5s}
push: {bearer: env:TENANTS_CALLER} # of functions on their own; an installation makes one for its bus
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine"}
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:TENANTS_CALLER}}
routes:
  - {when: "true", desk: google, priority: P3}
onboarding:
  organization: 9d9648a7-115a-4a06-a613-a0c4077469f7
  token: env:TENANTS_HUB
  me: owner@acme.example
  auth: {bearer: env:TENANTS_CALLER}
  desk: google
endpoints:
  cloudsupport: URL/desk
  hub: URL/hub/api
  serviceusage: URL/google
  resourcemanager: URL/google
  essentialcontacts: URL/google
  recommender: URL/google
  servicehealth: URL/google
`

// freshProject names one that nobody else uses.
func freshProject() string { return "tenants-" + strings.ToLower(rand.Text()[:12]) }

// site is an installation that takes tenants in.
type site struct {
	*installed.Site
	caller string
}

// install makes an installation and starts it.
func install(t *testing.T, remotes, hubToken string, env []string) *site {
	t.Helper()
	caller := "caller-" + rand.Text()
	env = append(env, "TENANTS_CALLER="+caller, "TENANTS_HUB="+hubToken)
	return &site{installed.Start(t, proctest.FreeAddress(t), strings.ReplaceAll(configuration, "URL", remotes), env...), caller}
}

// apply has a tenant taken in, however often that takes: the process may be killed while it is asked. Asking again does no harm.
func (s *site) apply(tenant string, died <-chan struct{}) {
	s.Helper()
	file := s.File(tenant+".yaml", request(tenant))
	var said []byte
	for range 5 {
		out, err := s.Command(s.Context(), "tenants", "apply", file, "--yes").CombinedOutput()
		if err == nil {
			return
		}
		said = out
		select {
		case <-died:
			s.Restart()
		default:
		}
		if _, ok := s.tenants()[tenant]; ok {
			return
		}
	}
	s.Fatalf("tenant %s is not accepted: %s", tenant, said)
}

// tenants asks how all tenants stand.
func (s *site) tenants() map[string]string {
	var page struct {
		Tenants []struct{ Tenant, Status string }
	}
	all := map[string]string{}
	if s.Get("/TenantWebhook/tenants", s.caller, &page) != nil {
		return all
	}
	for _, t := range page.Tenants {
		all[t.Tenant] = t.Status
	}
	return all
}

// untilAllRest waits for n tenants. What a kill has interrupted the sweeps take on two minutes later; a message that comes again does it now.
func (s *site) untilAllRest(n int) {
	s.Helper()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		all, left := s.tenants(), n
		for tenant, status := range all {
			switch status {
			case "INVITED":
				left--
			case "FAILED", "UNDONE", "READY":
				s.Fatalf("tenant %s is %s", tenant, status)
			default:
				s.deliver(tenant)
			}
		}
		if left == 0 && len(all) == n && len(s.Unfinished()) == 0 {
			return
		}
		select {
		case <-look.C:
		case <-limit.C:
			s.Fatalf("not at rest: %v; effects %v", all, s.Unfinished())
		}
	}
}

// deliver brings a tenant's message once more, as the bus may at any time.
func (s *site) deliver(tenant string) {
	s.Helper()
	data := fmt.Appendf(nil, `{"tenant":%q}`, tenant)
	body, err := json.Marshal(map[string]any{
		"message":      map[string]any{"data": data, "messageId": "again-" + tenant, "publishTime": time.Now().UTC()},
		"subscription": "projects/local/subscriptions/tenant-onboarding-onboardtenant",
	})
	if err != nil {
		s.Fatal(err)
	}
	if status, answer, err := s.Send(http.MethodPost, "/OnboardTenant", s.Secret("bus"), body); err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable {
		s.Errorf("a message that comes again is answered %d %s, %v", status, answer, err)
	}
}

// checkLedger: everything succeeded, nothing twice, an organization for each moment.
func (s *site) checkLedger() {
	s.Helper()
	if n := s.CheckLedger()["tenant.create"]; n != len(moments) {
		s.Errorf("the ledger has %d organizations", n)
	}
}
