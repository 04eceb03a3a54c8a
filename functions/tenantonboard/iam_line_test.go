package tenantonboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

const acmeNumber = "projects/415104041262" // acme-prod

// TestTenantsOnOnePolicy: eight tenants are taken in at once that all have members on one project, whose policy has a binding on a condition.
// All bindings are there in the end, and the condition is, too.
func TestTenantsOnOnePolicy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const writers = 8
		night := simgoogle.Binding{Role: "roles/viewer", Members: []string{"group:night@acme.example"},
			Condition: &simgoogle.Condition{Title: "at night", Expression: "request.time.getHours() < 6"}}
		w := newWorld(t, setup{google: simgoogle.Options{Policies: map[string][]simgoogle.Binding{acmeNumber: {night}}}})
		w.must(w.google.ArmFault("cloudresourcemanager.projects.setIamPolicy", "delay:50ms", 64)) // everybody reads before anybody has written
		want := []string{editor + " group:w%d@acme.example", "roles/viewer group:w%d@acme.example"}
		var all sync.WaitGroup
		for n := range writers {
			tenant := acme()
			tenant.Key, tenant.Users = fmt.Sprintf("w%d", n), nil
			tenant.Organization.DisplayName, tenant.Organization.Domain = "W"+tenant.Key, tenant.Key+".example"
			tenant.Google = &Google{Parent: acmeProject, Members: []Member{{Member: fmt.Sprintf("group:w%d@acme.example", n), Roles: []string{editor, "roles/viewer"}}}}
			w.apply(tenant, Onboarding)
			all.Go(func() { w.deliver(tenant.Key) })
		}
		all.Wait()
		for n := range writers {
			if s := w.settle(fmt.Sprintf("w%d", n)); s.Status != Ready {
				t.Errorf("w%d is %s: %s%s", n, s.Status, s.Waiting, w.journal(s))
			}
		}
		there, conditions := []string{}, 0
		for _, b := range w.google.Policy(acmeProject) {
			if b.Condition != nil {
				conditions++
				if b.Role != night.Role || *b.Condition != *night.Condition || !slices.Equal(b.Members, night.Members) {
					t.Errorf("the binding on a condition is %+v", b)
				}
				continue
			}
			for _, m := range b.Members {
				there = append(there, b.Role+" "+m)
			}
		}
		for n := range writers {
			for _, pattern := range want {
				if !slices.Contains(there, fmt.Sprintf(pattern, n)) {
					t.Errorf("there is no %s", fmt.Sprintf(pattern, n))
				}
			}
		}
		log, calls := w.google.Calls()
		stale := 0
		for _, c := range log {
			if c.Op == "cloudresourcemanager.projects.setIamPolicy" && c.Status == http.StatusConflict {
				stale++
			}
		}
		if len(there) != 2*writers || conditions != 1 || stale == 0 {
			t.Errorf("%d pairs, %d conditions, %d stale writes", len(there), conditions, stale)
		}
		t.Logf("%d tenants at once: %d of %d pairs, %d of 1 conditional binding; %d reads, %d writes, %d of them stale", writers, len(there), 2*writers, conditions,
			calls["cloudresourcemanager.projects.getIamPolicy"], calls["cloudresourcemanager.projects.setIamPolicy"], stale)
	})
}

// TestOneBadAPI: of 45 APIs of a tenant one cannot be enabled. It takes three batches; the tenant fails and names that one, the others are on, and
// the stages after it are carried out. Once the cause is mended a retry enables that one alone.
func TestOneBadAPI(t *testing.T) {
	bubble(t, func(t *testing.T) {
		apis := slices.DeleteFunc(simgoogle.Services(), func(s string) bool {
			return s == "serviceusage.googleapis.com" || s == "cloudresourcemanager.googleapis.com"
		})[:45]
		bad := apis[30]
		w := newWorld(t, setup{google: simgoogle.Options{Refused: map[string]simgoogle.Refusal{bad: simgoogle.NoBilling}}})
		tenant := acme()
		tenant.Users = nil
		tenant.Google.APIs = apis
		p := w.apply(tenant, Onboarding)
		batches := 0
		for _, s := range p.Steps {
			if s.Kind == kindEnable {
				batches++
			}
		}
		w.deliver(tenant.Key)
		s := w.settle(tenant.Key)
		if batches != 3 || s.Status != Failed || s.Failed != StageAPIs || !strings.Contains(s.Waiting, bad) {
			t.Errorf("%d batches; %s at %s: %s", batches, s.Status, s.Failed, s.Waiting)
		}
		if refused := s.refused(); len(refused) != 1 || !strings.Contains(refused[bad], "Billing") {
			t.Errorf("refused: %v", refused)
		}
		on := w.google.EnabledServices("acme-prod")
		for _, api := range apis {
			if slices.Contains(on, api) == (api == bad) {
				t.Errorf("%s is on: %t", api, api != bad)
			}
		}
		if len(w.google.Contacts(acmeProject)) != 1 || !s.Tested {
			t.Error("the stages after it were not carried out")
		}
		_, calls := w.google.Calls()
		t.Logf("45 APIs in %d steps: %d batchEnable, %d single; named %s", batches, calls["serviceusage.services.batchEnable"], calls["serviceusage.services.enable"], bad)

		w.must(w.google.Refuse(bad, simgoogle.NoRefusal))
		w.must(w.Retry(w.Context(), tenant.Key, "a-test"))
		w.deliver(tenant.Key)
		if s = w.settle(tenant.Key); s.Status != Ready || len(s.Work) != 1 {
			t.Errorf("after the retry: %s: %s%s", s.Status, s.Waiting, w.journal(s))
		}
	})
}
