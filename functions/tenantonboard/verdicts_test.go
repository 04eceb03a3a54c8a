package tenantonboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

const manyUsers = 500

// crowd are 500 users: the first 25 for billing, who are added by one request, 50 who are there already, 25 whom the hub refuses.
func crowd() (t Tenant) {
	t = acme()
	t.Users, t.Google = nil, nil
	for i := range manyUsers {
		u := User{Email: fmt.Sprintf("user%03d@acme.example", i), Roles: []string{"tenant_user"}}
		switch {
		case i < 25:
			u.Roles = []string{"tenant_billing_user"}
		case i%19 == 0:
			u.Email = fmt.Sprintf("user%03d@refused.example", i)
		case i%2 == 0:
			u.Email = fmt.Sprintf("user%03d@lorem.com", i)
		}
		t.Users = append(t.Users, u)
	}
	return t
}

// there are those of a crowd who are members, or invited, before.
func there(t Tenant) (all []hub.User) {
	for _, u := range t.Users[25:] {
		if len(all) < manyUsers/10 && !strings.HasSuffix(u.Email, "@refused.example") {
			all = append(all, hub.User{Username: u.Email})
		}
	}
	return all
}

// Five hundred users: a tenth is there already, a twentieth is refused, and the request for a twentieth is executed and answered 503. Everybody
// has a verdict, which is true, and nobody is in twice.
func TestFiveHundredUsers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{hub: simhub.Options{RefusedDomains: []string{"refused.example"}}})
		tenant := crowd()
		o, err := w.Hub.CreateTenant(t.Context(), w.master(), w.draft(tenant))
		w.must(err)
		before := there(tenant)
		_, err = w.Hub.AddUsers(t.Context(), o.ID, hub.AddUsers{Users: before, Roles: []string{hub.TenantUser}})
		w.must(err)
		_, had := w.hub.Calls()
		w.apply(tenant, Onboarding)
		w.arm("users.add", "commit_then_status:503", 1)
		began := time.Now()
		w.deliver(tenant.Key)
		s := w.settle(tenant.Key)

		v := answered[view](w.caller(), get("/tenants/"+tenant.Key), 200)
		verdicts := map[standing]int{}
		for _, p := range v.People {
			if verdicts[p.Standing]++; p.Standing != w.truth(o.ID, p.Email) {
				t.Errorf("%s is said to be %s and is %s", p.Email, p.Standing, w.truth(o.ID, p.Email))
			}
			if p.Standing == refused && p.Why == "" {
				t.Errorf("%s was refused, and nobody says why", p.Email)
			}
		}
		twice := w.twice(o.ID)
		_, calls := w.hub.Calls()
		t.Logf("%d users, %d of them there before: %d verdicts %v, %d duplicates, %d calls of users.add, %d looks at users, %v until %s", manyUsers, len(before),
			verdicts[joined]+verdicts[invited]+verdicts[refused], verdicts, twice, calls["users.add"]-had["users.add"], calls["users.list"]-had["users.list"],
			time.Since(began).Round(time.Second), s.Status)
		if verdicts[joined]+verdicts[invited]+verdicts[refused] != manyUsers || verdicts[refused] != 25 || twice > 0 || len(before) != 50 {
			t.Errorf("want %d verdicts, 25 refused, none twice", manyUsers)
		}
		if s.Status != Failed || s.Failed != StageUsers {
			t.Errorf("the tenant is %s at %q: %s", s.Status, s.Failed, s.Waiting)
		}
	})
}

// truth is how somebody stands at the hub.
func (w *world) truth(org, email string) standing {
	for _, m := range w.hub.Members(org) {
		if strings.EqualFold(m.Username, email) {
			return joined
		}
	}
	for _, i := range w.hub.Invitations(org) {
		if strings.EqualFold(i.Username, email) && !i.Revoked && !i.Redeemed {
			return invited
		}
	}
	return refused
}

// twice counts who has more than one membership or invitation.
func (w *world) twice(org string) (n int) {
	seen := map[string]int{}
	for _, m := range w.hub.Members(org) {
		seen[strings.ToLower(m.Username)]++
	}
	for _, i := range w.hub.Invitations(org) {
		seen[strings.ToLower(i.Username)]++
	}
	for _, times := range seen {
		if times > 1 {
			n++
		}
	}
	return n
}
