package tenantonboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

// settled is a tenant with everything whose people are all there.
func settled() Tenant {
	t := acme()
	t.Users = []User{{Email: "admin@lorem.com", Roles: []string{"tenant_admin"}}, {Email: "anna@lorem.com", Roles: []string{"tenant_user", "tenant_billing_user"}}}
	return t
}

// byHand is what somebody does at the hub.
func (w *world) byHand(org, email string, roles ...string) {
	w.Helper()
	_, err := w.Hub.AddUsers(w.Context(), org, hub.AddUsers{Users: []hub.User{{Username: email}}, Roles: roles})
	w.must(err)
}

func (w *world) planned(t Tenant, m Mode) Plan {
	w.Helper()
	p, err := w.Plan(w.Context(), t, m)
	w.must(err)
	return p
}

// TestDigest: a plan that is made again is the same plan, one over something else is not, and drift alone makes no other.
func TestDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		first := w.planned(settled(), Onboarding)
		if again := w.planned(settled(), Onboarding); len(first.Digest) != 16 || again.Digest != first.Digest {
			t.Errorf("%s, then %s", first.Digest, again.Digest)
		}
		s := w.onboard(settled())
		done := w.planned(settled(), Onboarding)
		if len(done.Steps) > 0 || done.Digest == first.Digest {
			t.Errorf("%s before and %s after, %v", first.Digest, done.Digest, lines(part{Steps: done.Steps}))
		}
		w.byHand(s.Org, "stranger@lorem.com", hub.TenantUser)
		if p := w.planned(settled(), Onboarding); p.Digest != done.Digest || len(p.Drift) != len(done.Drift)+1 {
			t.Errorf("drift makes another plan: %v", p.Drift)
		}
		pruned := settled()
		pruned.Prune = true
		if p := w.planned(pruned, Onboarding); p.Digest == done.Digest {
			t.Error("a plan that takes something away has the same digest")
		}
		w.must(w.Hub.ChangeRoles(w.Context(), s.Org, hub.User{Username: "anna@lorem.com"}, nil, []string{hub.TenantUser}))
		if p := w.planned(settled(), Onboarding); p.Digest == done.Digest || len(p.Steps) != 1 {
			t.Errorf("a role that is gone: %v", lines(part{Steps: p.Steps}))
		}
	})
}

// TestDigestIsOfTheWholePlan: nothing that is carried out can change under the same digest.
func TestDigestIsOfTheWholePlan(t *testing.T) {
	base := Plan{Tenant: "acme", Steps: []Step{step(StageUsers, kindLeave, "a", "a", leaveArgs{Org: "o"}), step(StageUsers, kindLeave, "b", "b", leaveArgs{Org: "o"})}}
	want, err := base.sealed()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Plan){
		"tenant":    func(p *Plan) { p.Tenant = "acme2" },
		"order":     func(p *Plan) { slices.Reverse(p.Steps) },
		"one less":  func(p *Plan) { p.Steps = p.Steps[:1] },
		"arguments": func(p *Plan) { p.Steps[0] = step(StageUsers, kindLeave, "a", "a", leaveArgs{Org: "o2"}) },
		"takes":     func(p *Plan) { p.Steps[0].Takes = true },
		"after":     func(p *Plan) { p.Steps[1].After = "a" },
		"blocks":    func(p *Plan) { p.Blocks = []string{"no"} },
	} {
		p := base
		p.Steps = slices.Clone(base.Steps)
		change(&p)
		if got, err := p.sealed(); err != nil || got.Digest == want.Digest {
			t.Errorf("%s: the same digest, %v", name, err)
		}
	}
	base.Drift, base.Digest = []string{"drift"}, "another"
	if got, err := base.sealed(); err != nil || got.Digest != want.Digest {
		t.Errorf("drift: another digest, %v", err)
	}
}

// TestApplyRefuses: what nobody has seen, what is blocked, and a second run beside the first.
func TestApplyRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		tenant := settled()
		old := w.planned(tenant, Onboarding)
		tenant.Organization.City = "Lyon"
		now, err := w.Apply(w.Context(), tenant, Onboarding, old.Digest, "a-test")
		if !fault.Is(err, fault.Conflict) || now.Digest == old.Digest || len(now.Steps) == 0 {
			t.Errorf("a stale digest: %v, %+v", err, now)
		}
		for _, digest := range []string{"", strings.ToUpper(now.Digest), now.Digest[:8]} {
			if _, err := w.Apply(w.Context(), tenant, Onboarding, digest, "a-test"); !fault.Is(err, fault.Conflict) {
				t.Errorf("digest %q: %v", digest, err)
			}
		}
		if _, err := w.read(w.Context(), tenant.Key); !fault.Is(err, fault.Missing) {
			t.Errorf("something is recorded: %v", err)
		}
		w.apply(tenant, Onboarding)
		if _, err := w.Apply(w.Context(), tenant, Onboarding, now.Digest, "a-test"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a run under way: %v", err)
		}
		if err := w.Retry(w.Context(), tenant.Key, "a-test"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a retry of a run under way: %v", err)
		}
		w.deliver(tenant.Key)
		s := w.settle(tenant.Key)

		blocked := settled()
		blocked.Prune, blocked.Organization.City = true, "Lyon"
		blocked.Users = blocked.Users[1:] // without the only administrator
		p := w.planned(blocked, Onboarding)
		if _, err := w.Apply(w.Context(), blocked, Onboarding, p.Digest, "a-test"); !fault.Is(err, fault.Conflict) || len(p.Blocks) != 1 {
			t.Errorf("a blocked plan: %v, %v", err, p.Blocks)
		}
		if after, err := w.read(w.Context(), tenant.Key); err != nil || after.Run != s.Run || after.Status != Ready {
			t.Errorf("%+v, %v", after, err)
		}
		if err := w.Retry(w.Context(), "nobody", "a-test"); !fault.Is(err, fault.Missing) {
			t.Errorf("a retry of nobody: %v", err)
		}
	})
}

// TestRetryWaitsForAPerson: a step that may have been done, or will be, is not begun a second time beside the first.
func TestRetryWaitsForAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		w.arm("tenants.create", "status:429", 1_000_000) // longer than the ledger's patience
		s := w.onboard(settled())
		if s.Status != Failed || s.Work[0].State != ledger.Parked || !strings.Contains(s.Waiting, "waits for a decision") {
			t.Fatalf("%s: %s%s", s.Status, s.Waiting, w.journal(s))
		}
		retry := func() error { return w.Retry(w.Context(), "acme", "a-test") }
		if err := retry(); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "PARKED") {
			t.Errorf("parked: %v", err)
		}
		_, err := w.Ledger().Decide(w.Context(), s.Work[0].Effect, ledger.Decision{Who: "a-test", Verdict: ledger.Approve})
		w.must(err)
		if err := retry(); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "PENDING") {
			t.Errorf("released: %v", err)
		}
		w.hub.ClearFaults()
		time.Sleep(time.Hour)
		_, err = w.sweep(w.Context())
		w.must(err)
		w.must(retry())
		w.deliver("acme")
		_, calls := w.hub.Calls()
		orgs := 0
		for _, o := range w.hub.Organizations() {
			if o.DisplayName == "Acme" {
				orgs++
			}
		}
		if s = w.settle("acme"); s.Status != Ready || orgs != 1 {
			t.Errorf("%s: %s, %d organizations of %d calls", s.Status, s.Waiting, orgs, calls["tenants.create"])
		}
	})
}

// TestRetryTakesNothingUnseen: going on after a failure would remove somebody who came meanwhile, and whom no accepted plan names.
func TestRetryTakesNothingUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{google: simgoogle.Options{Denied: []string{"essentialcontacts.contacts.create"}}})
		tenant := settled()
		tenant.Prune = true
		s := w.onboard(tenant)
		if s.Status != Failed || s.Failed != StageContacts {
			t.Fatalf("%s at %s: %s", s.Status, s.Failed, s.Waiting)
		}
		w.google.Allow("essentialcontacts.contacts.create")
		w.byHand(s.Org, "stranger@lorem.com", hub.TenantUser)
		if err := w.Retry(w.Context(), "acme", "a-test"); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "plan and apply") {
			t.Fatalf("the retry takes somebody away: %v", err)
		}
		if s = w.onboard(tenant); s.Status != Ready || len(w.hub.Members(s.Org)) != 2 {
			t.Errorf("with the plan seen: %s: %s; %d members", s.Status, s.Waiting, len(w.hub.Members(s.Org)))
		}
	})
}

// TestARunTakesNothingUnseen: the same while a run is under way.
func TestARunTakesNothingUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		tenant := settled()
		tenant.Prune = true
		s := w.onboard(tenant)
		tenant.Organization.City = "Lyon"
		w.apply(tenant, Onboarding)
		w.byHand(s.Org, "stranger@lorem.com", hub.TenantUser)
		w.deliver("acme")
		if s = w.settle("acme"); s.Status != Failed || !strings.Contains(s.Waiting, "Plan again") || len(w.hub.Members(s.Org)) != 3 {
			t.Errorf("%s: %s; %d members", s.Status, s.Waiting, len(w.hub.Members(s.Org)))
		}
	})
}

// TestDrift: everything that somebody has changed at the remotes of a tenant that was ready shows in its plan, as a step that mends it or as
// drift that is left alone.
func TestDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		tenant := settled()
		s := w.onboard(tenant)
		if p := w.planned(tenant, Onboarding); s.Status != Ready || len(p.Steps)+len(p.Drift)+len(p.Blocks) > 0 {
			t.Fatalf("%s: %s; a tenant that is ready has drifted: %+v", s.Status, s.Waiting, p)
		}
		w.byHand(s.Org, "late@acme.example", hub.TenantUser) // in the request later
		time.Sleep(8 * 24 * time.Hour)
		w.byHand(s.Org, "extra@lorem.com", hub.TenantUser)
		w.byHand(s.Org, "guest@acme.example", hub.TenantUser)
		w.must(w.Hub.ChangeRoles(w.Context(), s.Org, hub.User{Username: "anna@lorem.com"}, nil, []string{hub.TenantBilling}))
		_, err := w.Hub.UpdateTenant(w.Context(), s.Org, func(d *hub.TenantDraft) { d.City, d.Zip = "Lyon", "69001" })
		w.must(err)
		_, err = w.Cloud.RemoveContact(w.Context(), acmeProject, "ops@acme.example")
		w.must(err)
		_, err = w.Cloud.RevokeRoles(w.Context(), acmeProject, []cloud.Binding{{Role: editor, Members: []string{opsGroup}}})
		w.must(err)
		_, err = w.Cloud.GrantRoles(w.Context(), acmeProject, []cloud.Binding{{Role: "roles/viewer", Members: []string{opsGroup}}})
		w.must(err)
		w.disable("essentialcontacts.googleapis.com")

		tenant.Users = append(tenant.Users, user("late@acme.example", "tenant_user"))
		p := w.planned(tenant, Onboarding)
		want := []string{
			"+ update the organization of tenant acme",
			"+ give anna@lorem.com the roles tenant_billing_user",
			"+ enable 1 API in projects/acme-prod",
			"+ grant 1 role on projects/acme-prod",
			"+ make ops@acme.example a contact of projects/acme-prod for TECHNICAL",
			"~ the invitation of late@acme.example has expired",
			"~ extra@lorem.com is a member and not in the request",
			"~ guest@acme.example is invited and not in the request",
			"~ group:ops@acme.example also has roles/viewer",
		}
		got := lines(part{p.Steps, p.Drift, p.Blocks})
		if !slices.Equal(got, want) {
			t.Errorf("the report:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if s = w.onboard(tenant); s.Status != Invited {
			t.Fatalf("%s: %s%s", s.Status, s.Waiting, w.journal(s))
		}
		if p = w.planned(tenant, Onboarding); len(p.Steps) > 0 || len(p.Drift) != 4 {
			t.Errorf("after it was mended: %v", lines(part{p.Steps, p.Drift, p.Blocks}))
		}
		t.Logf("the report:\n%s", strings.Join(got, "\n"))
	})
}

// disable turns an API of the project off, as somebody does in the console.
func (w *world) disable(api string) {
	w.Helper()
	url := "https://serviceusage.googleapis.com/v1/projects/acme-prod/services/" + api + ":disable"
	req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, url, strings.NewReader("{}"))
	w.must(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer t")
	resp, err := w.google.Transport().RoundTrip(req)
	w.must(err)
	w.must(resp.Body.Close())
	time.Sleep(time.Minute) // virtual: the operation takes its time
	if resp.StatusCode != http.StatusOK || slices.Contains(w.google.EnabledServices("acme-prod"), api) {
		w.Fatalf("%s: %d", api, resp.StatusCode)
	}
}
