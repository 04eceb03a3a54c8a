package tenantonboard

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// TestOnboard takes a tenant from nothing to everything, in order.
func TestOnboard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		s := w.onboard(acme())
		if s.Status != Invited {
			t.Errorf("the tenant is %s: %s", s.Status, s.Waiting)
		}
		t.Log(w.journal(s))
		_, calls := w.hub.Calls()
		t.Log(calls)
	})
}

// Whoever comes in by another way while a request waits for its turn is not taken for its work, and stays when the run is undone.
func TestAnotherWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		tenant := acme()
		tenant.OnFailure = Undo
		w.apply(tenant, Onboarding)
		w.arm("users.add", "status:429", 3)
		w.arm("cases.close", "status:403", 1)
		w.deliver(tenant.Key)
		s, err := w.read(t.Context(), tenant.Key)
		w.must(err)
		_, err = w.Hub.AddUsers(t.Context(), s.Org, hub.AddUsers{Users: []hub.User{{Username: "bill@acme.example"}}, Roles: []string{hub.TenantUser}})
		w.must(err)
		if s = w.settle(tenant.Key); s.Status != Undone {
			t.Errorf("the tenant is %s: %s%s", s.Status, s.Waiting, w.journal(s))
		}
		for email, want := range map[string]standing{"admin@lorem.com": refused, "anna@acme.example": refused, "bill@acme.example": invited} {
			if is := w.truth(s.Org, email); is != want {
				t.Errorf("%s is %s, want %s", email, is, want)
			}
		}
	})
}

// However many users have the same rights, every turn adds others: that is no step which the remote does not keep.
func TestManyTurnsOfUsers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		tenant := acme()
		tenant.Google, tenant.Users = nil, nil
		for i := range (maxRounds+1)*maxBegun*maxChunk + 1 {
			tenant.Users = append(tenant.Users, User{Email: fmt.Sprintf("u%d@lorem.com", i), Roles: []string{"tenant_user"}})
		}
		s := w.onboard(tenant)
		if n := len(w.hub.Members(s.Org)); s.Status != Ready || n != len(tenant.Users) {
			t.Errorf("the tenant is %s with %d of %d users: %s", s.Status, n, len(tenant.Users), s.Waiting)
		}
	})
}

// A look that is refused stops a run as a step that is refused does: it is taken back if that is wanted.
func TestRefusedLook(t *testing.T) {
	for onFailure, want := range map[string]Status{Stop: Failed, Undo: Undone} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, setup{})
			tenant := acme()
			tenant.OnFailure = onFailure
			w.apply(tenant, Onboarding)
			w.arm("essentialcontacts.projects.contacts.list", "status:403", 1)
			w.deliver(tenant.Key)
			s := w.settle(tenant.Key)
			left := len(w.hub.Members(s.Org))
			if s.Status != want || s.Failed != StageContacts || !strings.Contains(s.Waiting, "looking at stage") || (left == 0) != (want == Undone) {
				t.Errorf("%s: the tenant is %s at %q with %d members: %s", onFailure, s.Status, s.Failed, left, s.Waiting)
			}
		})
	}
}

// A step that the accepted plan does not name keeps those beside it from being begun, and from being noted as begun.
func TestForbiddenAmongOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		tenant := acme()
		tenant.Google, tenant.Prune = nil, true
		o, err := w.Hub.CreateTenant(t.Context(), w.master(), w.draft(tenant))
		w.must(err)
		w.apply(tenant, Onboarding)
		_, err = w.Hub.AddUsers(t.Context(), o.ID, hub.AddUsers{Users: []hub.User{{Username: "new@lorem.com"}}, Roles: []string{hub.TenantAdmin}})
		w.must(err)
		w.deliver(tenant.Key)
		s := w.settle(tenant.Key)
		if s.Status != Failed || len(s.Work) > 0 || len(w.hub.Members(o.ID)) != 1 {
			t.Errorf("the tenant is %s with %d members: %s%s", s.Status, len(w.hub.Members(o.ID)), s.Waiting, w.journal(s))
		}
		if v := answered[view](w.caller(), get("/tenants/"+tenant.Key), 200); v.Status != Failed {
			t.Errorf("%+v", v.listed)
		}
	})
}

// An answer that nobody can read does not make an undo forget who came in by it.
func TestUnreadableAdditionIsUndone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		tenant := acme()
		tenant.OnFailure = Undo
		w.apply(tenant, Onboarding)
		w.arm("users.add", "garbage", 3)
		w.arm("cases.close", "status:403", 1)
		w.deliver(tenant.Key)
		s := w.settle(tenant.Key)
		open := slices.DeleteFunc(w.hub.Invitations(s.Org), func(i simhub.Invitation) bool { return i.Revoked })
		if s.Status != Undone || len(w.hub.Members(s.Org))+len(open) > 0 {
			t.Errorf("the tenant is %s: %d members and %d invitations are left", s.Status, len(w.hub.Members(s.Org)), len(open))
		}
	})
}

// What has no version at the remote is not called a second time before the first call cannot be executed any more, so that it does not come after
// the undo of the second.
func TestLateChangesComeBeforeTheUndo(t *testing.T) {
	for _, op := range []string{"users.roles", "essentialcontacts.organizations.contacts.create", "essentialcontacts.organizations.contacts.patch"} {
		p := play(t, trial{origin: fromSome, undo: true, op: op, fault: "late:6m", times: 1}, forwards)
		if len(p.wrong) > 0 || p.s.Status != Undone {
			t.Errorf("%s: %s: %v", op, p.s.Status, p.wrong)
		}
	}
}
