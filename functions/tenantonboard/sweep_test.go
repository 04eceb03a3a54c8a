package tenantonboard

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store"
)

// TestAwaitingToken: where a provider's token does not reach its tenants, a tenant waits until a person has made a token and activated a service,
// says which, and goes on by itself from the next sweep.
func TestAwaitingToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{hub: simhub.Options{Switches: simhub.Switches{TokenScope: "organization"}}})
		tokens := map[string]string{simhub.Provider: w.hub.TokenFor(simhub.Provider, allRoles(w.hub)...)}
		client, err := hub.New(hub.Options{Endpoint: "https://hub.test/api", Organization: simhub.Provider, Base: w.hub.Transport(), Backoff: time.Millisecond,
			Token: func(_ context.Context, org string) (string, error) {
				if token, ok := tokens[org]; ok {
					return token, nil
				}
				return "", fault.New(fault.Missing, "no token of this organization")
			}})
		w.must(err)
		w.Function.Hub = client
		tenant := acme()
		w.apply(tenant, Onboarding)
		w.deliver(tenant.Key)
		waits := func(sentence string) *onboarding {
			t.Helper()
			s, err := w.read(t.Context(), tenant.Key)
			w.must(err)
			if s.Status != AwaitingToken || !strings.Contains(s.Waiting, s.Org) || !strings.Contains(s.Waiting, sentence) || s.Org == "" {
				t.Fatalf("%s: %q", s.Status, s.Waiting)
			}
			return s
		}
		s := waits("make an API token there, with role tenant administrator, and set it as onboarding.tokens.")
		w.minutes(3 * 60)
		if s := waits("make an API token"); s.Links > 20 || !w.quiet() {
			t.Errorf("%d links of the audit trail after three hours of waiting", s.Links)
		}
		if p := w.planned(tenant, Onboarding); !slices.ContainsFunc(p.Drift, func(d string) bool { return strings.Contains(d, "make an API token") }) {
			t.Errorf("the plan does not say it: %v", p.Drift)
		}

		issued, err := w.hub.IssueToken(s.Org, "admin@lorem.com", simhub.TenantAdmin)
		w.must(err)
		tokens[s.Org] = issued.Token
		w.minutes(16)
		waits("has no active service")
		w.must(w.hub.Activate(s.Org))
		began := time.Now()
		w.minutes(16)
		if s = w.settle(tenant.Key); s.Status != Invited || !s.Tested || s.Waiting != "" {
			t.Errorf("%s: %s%s", s.Status, s.Waiting, w.journal(s))
		}
		_, calls := w.hub.Calls()
		if calls["tenants.create"] != 1 {
			t.Errorf("%d organizations were asked for", calls["tenants.create"])
		}
		t.Logf("token and service, then %s to the end; %d links of the audit trail", s.Changed.Sub(began.UTC()).Truncate(time.Second), s.Links)
	})
}

// minutes sweeps every minute of a time.
func (w *world) minutes(n int) {
	w.Helper()
	for range n {
		time.Sleep(time.Minute) // virtual
		_, err := w.sweep(w.Context())
		w.must(err)
	}
}

// TestOffboarding: everything that can be taken away is; what cannot, and what must not, stays and is told.
func TestOffboarding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		s := w.onboard(acme())
		w.byHand(s.Org, "msp@lorem.com", hub.TenantAdmin) // our own account
		w.byHand(s.Org, "extra@lorem.com", hub.TenantUser)
		w.byHand(s.Org, "guest@acme.example", hub.TenantUser)
		p := w.apply(acme(), Offboarding)
		for _, step := range p.Steps {
			if !step.Takes {
				t.Errorf("%s: an offboarding does something else than take away", step.ID)
			}
		}
		drift := strings.Join(p.Drift, "\n")
		for _, want := range []string{"our own account stays a member", "organization " + s.Org + " stays", "2 APIs of projects/acme-prod stay enabled"} {
			if !strings.Contains(drift, want) {
				t.Errorf("not told: %s; %s", want, drift)
			}
		}
		w.deliver("acme")
		if s = w.settle("acme"); s.Status != Offboarded || len(s.Following) > 0 {
			t.Fatalf("%s: %s%s", s.Status, s.Waiting, w.journal(s))
		}
		members, open := w.hub.Members(s.Org), 0
		for _, i := range w.hub.Invitations(s.Org) {
			if !i.Revoked && !i.Redeemed {
				open++
			}
		}
		if len(members) != 1 || members[0].Username != "msp@lorem.com" || open > 0 || len(w.hub.Invitations(s.Org)) != 3 {
			t.Errorf("members %v, %d open invitations of %d", members, open, len(w.hub.Invitations(s.Org)))
		}
		if len(w.google.Contacts(acmeProject)) > 0 || len(w.google.Policy(acmeProject)) > 0 {
			t.Errorf("contacts %v, policy %v", w.google.Contacts(acmeProject), w.google.Policy(acmeProject))
		}
		if !slices.ContainsFunc(w.hub.Organizations(), func(o simhub.Organization) bool { return o.ID == s.Org }) || len(w.google.EnabledServices("acme-prod")) < 4 {
			t.Error("the organization, or an API, is gone")
		}
		if p := w.planned(acme(), Offboarding); len(p.Steps) > 0 {
			t.Errorf("left to do: %v", lines(part{Steps: p.Steps}))
		}
		if links, err := w.Audit(w.Context(), "acme"); err != nil || len(links) != s.Links {
			t.Errorf("%d links of %d, %v", len(links), s.Links, err)
		}
		t.Logf("taken away in %d steps; left:\n%s", len(p.Steps), drift)
	})
}

// TestOffboardingWithoutOurAccount: the last administrator stays.
func TestOffboardingWithoutOurAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		tenant := settled()
		tenant.Google = nil
		tenant.Users = append(tenant.Users, user("boss@lorem.com", "tenant_admin"))
		w.onboard(tenant)
		p := w.apply(tenant, Offboarding)
		w.deliver("acme")
		s := w.settle("acme")
		if m := w.hub.Members(s.Org); s.Status != Offboarded || len(m) != 1 || !slices.Contains(m[0].Roles, simhub.TenantAdmin) {
			t.Errorf("%s: %s; members %v", s.Status, s.Waiting, m)
		}
		if !slices.Contains(p.Drift, "boss@lorem.com is the last administrator and stays") {
			t.Errorf("not told: %v", p.Drift)
		}
	})
}

// TestAuditChain: a link of the audit trail that was changed, removed or swapped is found, whoever did it.
func TestAuditChain(t *testing.T) {
	type links = []store.Doc
	change := func(d store.Doc, how func(*Link), seal bool) store.Doc {
		var l Link
		if err := json.Unmarshal(d.Data, &l); err != nil {
			t.Fatal(err)
		}
		how(&l)
		if seal {
			l, _ = l.sealed()
		}
		d.Data, _ = json.Marshal(l)
		return d
	}
	for name, tamper := range map[string]func(all links) links{
		"a line is changed": func(all links) links {
			return links{change(all[2], func(l *Link) { l.Lines = []string{"nothing"} }, false)}
		},
		"a line is changed, and sealed": func(all links) links {
			return links{change(all[2], func(l *Link) { l.Lines = []string{"nothing"} }, true)}
		},
		"somebody else did it": func(all links) links { return links{change(all[0], func(l *Link) { l.By = "nobody" }, true)} },
		"the last one is changed, sealed": func(all links) links {
			return links{change(all[len(all)-1], func(l *Link) { l.Status = Failed }, true)}
		},
		"two are swapped":           func(all links) links { return swapped(all[1], all[2]) },
		"one stands in for another": func(all links) links { return links{{Key: all[2].Key, Data: all[1].Data, Version: all[2].Version}} },
		"one is empty":              func(all links) links { return links{{Key: all[1].Key, Data: []byte(`{}`), Version: all[1].Version}} },
		"one is gone":               func(all links) links { return links{{Key: all[1].Key, Version: all[1].Version}} },
		"the last one is gone":      func(all links) links { d := all[len(all)-1]; return links{{Key: d.Key, Version: d.Version}} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setup{})
				s := w.onboard(acme())
				whole, err := w.Audit(w.Context(), "acme")
				if err != nil || len(whole) != s.Links || len(whole) < 4 {
					t.Fatalf("%d links of %d, %v", len(whole), s.Links, err)
				}
				var all links
				for n := range whole {
					d, err := w.db.Get(w.Context(), auditKey("acme", n+1))
					w.must(err)
					all = append(all, d)
				}
				for _, d := range tamper(all) {
					write := store.Replace(store.Doc{Key: d.Key, Data: d.Data}, d.Version)
					if d.Data == nil {
						write = store.Delete(d.Key, d.Version)
					}
					_, err := w.db.Commit(w.Context(), write)
					w.must(err)
				}
				if _, err := w.Audit(w.Context(), "acme"); !fault.Is(err, fault.Bug) {
					t.Errorf("nobody notices: %v", err)
				} else if testing.Verbose() {
					t.Log(err)
				}
			})
		})
	}
}

func swapped(a, b store.Doc) []store.Doc {
	a.Data, b.Data = b.Data, a.Data
	return []store.Doc{a, b}
}

// TestSweepOfManyTenants: tenants whose messages were lost are taken on by sweeps, and one that cannot be looked at holds up no other.
func TestSweepOfManyTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		const n = sweepTenants + 5
		for i := range n {
			tenant := Tenant{Key: fmt.Sprintf("t%03d", i), Organization: acme().Organization}
			tenant.Organization.DisplayName = tenant.Key
			w.apply(tenant, Onboarding)
		}
		w.bus.Take(TopicOnboarding) // lost
		d, err := w.db.Get(w.Context(), store.Key{Collection: tenantsIn, ID: "t000"})
		w.must(err)
		broken := d
		broken.Data = []byte(`{"v":"one"}`)
		_, err = w.db.Commit(w.Context(), store.Replace(broken, d.Version))
		w.must(err)
		time.Sleep(patience)
		for range 3 {
			time.Sleep(time.Minute) // virtual
			if _, err := w.sweep(w.Context()); err == nil {
				t.Error("a record that cannot be read is passed over in silence")
			}
		}
		ready, err := w.db.Query(w.Context(), store.Query{Collection: tenantsIn, State: string(Ready), Limit: 100})
		if err != nil || len(ready) != n-1 {
			t.Errorf("%d of %d are ready, %v", len(ready), n-1, err)
		}
	})
}
