package tenantonboard

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/hub"
)

// member is somebody with roles; one in brackets comes from a group.
func member(email string, roles ...string) hub.Member {
	m := hub.Member{User: hub.User{Username: email}}
	for _, r := range roles {
		name := strings.Trim(r, "()")
		m.Roles = append(m.Roles, hub.HeldRole{Name: rolePrefix + name, Direct: name == r})
	}
	return m
}

var lookedAt = time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC)

func invitation(email string, ago time.Duration, stored string) hub.Invitation {
	g := lookedAt.Add(-ago)
	return hub.Invitation{Username: email, Generated: g, Expires: g.Add(7 * 24 * time.Hour), Stored: stored}
}

func user(email string, roles ...string) User { return User{Email: email, Roles: roles} }

// lines show a share for comparison: + a step, - one that takes something away, ~ drift, ! what stands in the way.
func lines(p part) (all []string) {
	for _, s := range p.Steps {
		sign := "+ "
		if s.Takes {
			sign = "- "
		}
		all = append(all, sign+s.Text)
	}
	for _, d := range p.Drift {
		all = append(all, "~ "+d)
	}
	for _, b := range p.Blocks {
		all = append(all, "! "+b)
	}
	return all
}

func TestDecideUsers(t *testing.T) {
	const day = 24 * time.Hour
	paa := User{Email: "p@x.example", Roles: []string{accountAdmin}, Bindings: []string{"org-1"}}
	for name, c := range map[string]struct {
		w    wantedPeople
		have people
		want []string
	}{
		"nobody wanted, nobody there": {},
		"new ones, those with the same rights together": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_user"), user("b@x.example", "tenant_admin"), user("c@x.example", "tenant_user")}},
			want: []string{"+ add 2 users as tenant_user", "+ add 1 user as tenant_admin"},
		},
		"roles in another order are the same rights": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_user", "tenant_admin"), user("b@x.example", "tenant_admin", "tenant_user")}},
			want: []string{"+ add 2 users as tenant_admin, tenant_user"},
		},
		"a member": {
			w:    wantedPeople{Users: []User{user("A@x.example", "tenant_user")}},
			have: people{members: []hub.Member{member("a@X.example", "tenant_user")}},
		},
		"a member without a role": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_user", "tenant_admin")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_user")}},
			want: []string{"+ give a@x.example the roles tenant_admin"},
		},
		"a member with a further role": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_user")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_user", "tenant_billing_user")}},
			want: []string{"~ a@x.example also has the roles tenant_billing_user"},
		},
		"a member with a further role, pruned": {
			w:    wantedPeople{Prune: true, Users: []User{user("a@x.example", "tenant_user")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_user", "tenant_billing_user")}},
			want: []string{"- take from a@x.example the roles tenant_billing_user"},
		},
		"a further role from a group, pruned": {
			w:    wantedPeople{Prune: true, Users: []User{user("a@x.example", "tenant_user")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_user", "(tenant_billing_user)")}},
		},
		"the wanted role comes from a group": {
			w:    wantedPeople{Prune: true, Users: []User{user("a@x.example", "tenant_user")}},
			have: people{members: []hub.Member{member("a@x.example", "(tenant_user)")}},
		},
		"our own account with a further role, pruned": {
			w:    wantedPeople{Prune: true, Me: "ME@x.example", Users: []User{user("me@x.example", "tenant_user")}},
			have: people{members: []hub.Member{member("me@x.example", "tenant_user", "tenant_admin")}},
			want: []string{"~ me@x.example also has the roles tenant_admin"},
		},
		"pending": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_user")}},
			have: people{invitations: []hub.Invitation{invitation("A@x.example", day, "AVAILABLE")}},
		},
		"expired": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_user")}},
			have: people{invitations: []hub.Invitation{invitation("a@x.example", 8*day, "AVAILABLE")}},
			want: []string{"~ the invitation of a@x.example has expired"},
		},
		"revoked": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_user")}},
			have: people{invitations: []hub.Invitation{invitation("a@x.example", day, "REVOKED")}},
			want: []string{"+ add 1 user as tenant_user"},
		},
		"accepted, and left again": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_user")}},
			have: people{invitations: []hub.Invitation{invitation("a@x.example", day, "REDEEMED")}},
			want: []string{"+ add 1 user as tenant_user"},
		},
		"refused in this run": {
			w: wantedPeople{Users: []User{user("A@x.example", "tenant_user")}, Refused: map[string]string{"a@x.example": "no"}},
		},
		"a stranger": {
			w:    wantedPeople{Users: []User{user("a@x.example", "tenant_admin")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_admin"), member("s@x.example", "tenant_user")}},
			want: []string{"~ s@x.example is a member and not in the request"},
		},
		"a stranger, pruned": {
			w:    wantedPeople{Prune: true, Users: []User{user("a@x.example", "tenant_admin")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_admin"), member("s@x.example", "tenant_user")}},
			want: []string{"- remove s@x.example"},
		},
		"a stranger from a group, pruned": {
			w:    wantedPeople{Prune: true, Users: []User{user("a@x.example", "tenant_admin")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_admin"), member("s@x.example", "(tenant_user)")}},
			want: []string{"~ s@x.example has a role from a group, which the API cannot take away: remove it at the hub"},
		},
		"a stranger is invited": {
			have: people{invitations: []hub.Invitation{invitation("s@x.example", day, "AVAILABLE")}},
			want: []string{"~ s@x.example is invited and not in the request"},
		},
		"a stranger is invited, pruned": {
			w:    wantedPeople{Prune: true, Users: []User{user("a@x.example", "tenant_admin")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_admin")}, invitations: []hub.Invitation{invitation("s@x.example", day, "AVAILABLE")}},
			want: []string{"- revoke the invitation of s@x.example"},
		},
		"strangers' old invitations, pruned": {
			w:    wantedPeople{Prune: true},
			have: people{invitations: []hub.Invitation{invitation("s@x.example", 8*day, "AVAILABLE"), invitation("r@x.example", day, "REVOKED")}},
		},
		"our own account, pruned": {
			w:    wantedPeople{Prune: true, Me: "me@x.example", Users: []User{user("a@x.example", "tenant_admin")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_admin"), member("Me@x.example", "tenant_admin")}},
			want: []string{"~ our own account stays a member"},
		},
		"the last administrator, pruned": {
			w:    wantedPeople{Prune: true, Users: []User{user("a@x.example", "tenant_user")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_user"), member("s@x.example", "tenant_admin")}},
			want: []string{"- remove s@x.example", "! the last administrator of the organization would be removed: name another one in the request"},
		},
		"the last administrator's role, pruned": {
			w:    wantedPeople{Prune: true, Users: []User{user("a@x.example", "tenant_user")}},
			have: people{members: []hub.Member{member("a@x.example", "tenant_admin", "tenant_user")}},
			want: []string{"- take from a@x.example the roles tenant_admin", "! the last administrator of the organization would be removed: name another one in the request"},
		},
		"another administrator is only to come": {
			w:    wantedPeople{Prune: true, Users: []User{user("new@x.example", "tenant_admin")}},
			have: people{members: []hub.Member{member("s@x.example", "tenant_admin")}},
			want: []string{"+ add 1 user as tenant_admin", "- remove s@x.example", "! the last administrator of the organization would be removed: name another one in the request"},
		},
		"a provider account administrator": {
			w:    wantedPeople{Users: []User{paa}},
			want: []string{"+ add 1 user as provider_account_admin"},
		},
		"a member who is to be a provider account administrator": {
			w:    wantedPeople{Users: []User{paa}},
			have: people{members: []hub.Member{member("p@x.example", "provider_support_user")}},
			want: []string{"~ p@x.example is a member without the role provider_account_admin, which the API gives only to somebody who comes in: give it at the hub",
				"~ p@x.example also has the roles provider_support_user"},
		},
		"offboarding": {
			w: wantedPeople{Prune: true, Me: "me@x.example"},
			have: people{
				members:     []hub.Member{member("me@x.example", "tenant_admin"), member("a@x.example", "tenant_admin"), member("b@x.example", "tenant_user"), member("g@x.example", "(tenant_user)")},
				invitations: []hub.Invitation{invitation("c@x.example", day, "AVAILABLE"), invitation("d@x.example", 8*day, "AVAILABLE")},
			},
			want: []string{"- remove a@x.example", "- remove b@x.example", "- revoke the invitation of c@x.example", "~ our own account stays a member",
				"~ g@x.example has a role from a group, which the API cannot take away: remove it at the hub"},
		},
		"offboarding, one administrator": {
			w:    wantedPeople{Prune: true, Me: "me@x.example"},
			have: people{members: []hub.Member{member("a@x.example", "tenant_admin"), member("b@x.example", "tenant_user")}},
			want: []string{"- remove b@x.example", "~ a@x.example is the last administrator and stays"},
		},
		"offboarding, three administrators": {
			w:    wantedPeople{Prune: true},
			have: people{members: []hub.Member{member("a@x.example", "tenant_admin"), member("b@x.example", "tenant_admin"), member("c@x.example", "tenant_admin")}},
			want: []string{"- remove a@x.example", "- remove b@x.example", "~ c@x.example is the last administrator and stays"},
		},
	} {
		c.have.at = lookedAt
		if got := lines(decideUsers(c.w, c.have)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// TestDecideUsersArguments: what a step carries is what its text says.
func TestDecideUsersArguments(t *testing.T) {
	var many []User
	for n := range maxChunk + 1 {
		many = append(many, user(fmt.Sprintf("u%02d@x.example", n), "tenant_user"))
	}
	p := decideUsers(wantedPeople{Org: "org-1", Users: append(many, User{Email: "p@x.example", Roles: []string{accountAdmin}, Bindings: []string{"org-2"}})}, people{at: lookedAt})
	if len(p.Steps) != 3 {
		t.Fatalf("%d steps", len(p.Steps))
	}
	var added []string
	for n, s := range p.Steps {
		a, err := argsOf[addArgs](s.Args)
		if err != nil || a.Org != "org-1" || strings.Contains(s.ID, "@") || s.Stage != StageUsers {
			t.Errorf("%+v, %v", s, err)
		}
		for _, u := range a.Users {
			added = append(added, u.Username)
		}
		bound := n == 2
		if bound != (len(a.Bindings) == 1) || bound != slices.Equal(a.Roles, []string{hub.ProviderAccountAdmin}) || len(a.Users) > maxChunk {
			t.Errorf("step %d: roles %v, bindings %v, %d users", n, a.Roles, a.Bindings, len(a.Users))
		}
	}
	if len(added) != maxChunk+2 || slices.Compact(slices.Sorted(slices.Values(added)))[0] != "p@x.example" {
		t.Errorf("%d are added", len(added))
	}

	change := decideUsers(wantedPeople{Org: "org-1", Prune: true, Users: []User{user("a@x.example", "tenant_admin")}},
		people{members: []hub.Member{member("A@x.example", "tenant_user"), member("b@x.example", "tenant_admin")}, at: lookedAt})
	give, _ := argsOf[rolesArgs](change.Steps[0].Args)
	take, _ := argsOf[rolesArgs](change.Steps[1].Args)
	leave, _ := argsOf[leaveArgs](change.Steps[2].Args)
	if give.User.Username != "A@x.example" || !slices.Equal(give.Add, []string{hub.TenantAdmin}) || len(give.Remove) > 0 ||
		!slices.Equal(take.Remove, []string{hub.TenantUser}) || len(take.Add) > 0 || !slices.Equal(leave.Users, []string{"b@x.example"}) || leave.Org != "org-1" {
		t.Errorf("%+v, %+v, %+v", give, take, leave)
	}
}
