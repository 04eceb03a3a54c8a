package tenantonboard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// maxChunk is how many users one request adds. Whether all of them can be looked for again is the same for one and for many.
const maxChunk = 50

// people are those of an organization as last looked at.
type people struct {
	members     []hub.Member
	invitations []hub.Invitation
	at          time.Time
}

// where says how a person stands.
func (p people) where(email string) hub.Verdict {
	return hub.Locate(email, p.members, p.invitations, p.at)
}

// lookPeople asks the hub for an organization's people. Without a token of the organization, or of the provider that stands in, only a person
// can go on.
func (f *Function) lookPeople(ctx context.Context, org string) (people, error) {
	p := people{at: f.Now()}
	if org == "" { // a plan for a tenant that does not exist yet
		return p, nil
	}
	var err error
	if p.members, err = f.Hub.Users(ctx, org); err == nil {
		p.invitations, err = f.Hub.Invitations(ctx, org)
	}
	switch {
	case errors.Is(err, hub.ErrNoService):
		return p, &awaiting{fmt.Sprintf("organization %s has no active service, and the hub gives no access without one: activate one at the hub", org)}
	case fault.Is(err, fault.Denied), fault.Is(err, fault.Missing):
		return p, &awaiting{fmt.Sprintf("the hub does not let us in to organization %s: make an API token there, with role tenant administrator, "+
			"and set it as onboarding.tokens.%s in the configuration", org, org)}
	}
	return p, err
}

// lookUsers decides what the organization's people lack, and notes who has still to accept.
func (f *Function) lookUsers(ctx context.Context, s *onboarding) (part, error) {
	if s.Org == "" && s.Mode == Offboarding || len(s.Wanted.Users) == 0 && !s.Wanted.Prune && s.Mode == Onboarding {
		return part{}, nil
	}
	p, err := f.lookPeople(ctx, s.Org)
	if err != nil {
		return part{}, err
	}
	w := wantedPeople{Org: s.Org, Users: s.Wanted.Users, Refused: s.refused(), Prune: s.Wanted.Prune, Me: f.Config.Onboarding.Me}
	if s.Mode == Offboarding {
		w.Users, w.Prune = nil, true
	}
	s.Following = follow(s.Following, w, p)
	return decideUsers(w, p), nil
}

// wantedPeople is what decideUsers is to bring about.
type wantedPeople struct {
	Org     string
	Users   []User
	Refused map[string]string // in this run, by address in lower case
	Prune   bool
	Me      string // our own account
}

// has returns the wanted user of an address.
func (w wantedPeople) has(email string) (User, bool) {
	i := slices.IndexFunc(w.Users, func(u User) bool { return strings.EqualFold(u.Email, email) })
	if i < 0 {
		return User{}, false
	}
	return w.Users[i], true
}

// decideUsers is pure: what stands between the people of an organization and those who are wanted.
func decideUsers(w wantedPeople, have people) (p part) {
	p.Steps = append(p.Steps, additions(w, have)...)
	for _, u := range w.Users {
		if m, ok := hub.FindMember(have.members, u.Email); ok {
			p.add(roles(w, u, m))
		} else if have.where(u.Email) == hub.Unknown && expired(u.Email, have) {
			p.Drift = append(p.Drift, "the invitation of "+u.Email+" has expired")
		}
	}
	p.add(leavers(w, have.members))
	for _, i := range have.invitations {
		if _, ok := w.has(i.Username); !ok && i.Status(have.at) == hub.Pending {
			p.add(guest(w, i))
		}
	}
	if w.Prune && orphaned(p, have) {
		p.Blocks = append(p.Blocks, "the last administrator of the organization would be removed: name another one in the request")
	}
	return p
}

// add joins another share.
func (p *part) add(o part) {
	p.Steps, p.Drift, p.Blocks = append(p.Steps, o.Steps...), append(p.Drift, o.Drift...), append(p.Blocks, o.Blocks...)
}

// additions are the users who are neither members nor invited, those with the same rights together. An invitation that has expired is followed
// like one that is open: the sweep sends it again.
func additions(w wantedPeople, have people) (steps []Step) {
	var asked []hub.AddUsers
	for _, u := range w.Users {
		if have.where(u.Email) != hub.Unknown || expired(u.Email, have) || w.Refused[strings.ToLower(u.Email)] != "" {
			continue
		}
		asked = append(asked, hub.AddUsers{Users: []hub.User{{Username: u.Email}}, Roles: hubRoles(u.Roles), Bindings: u.Bindings})
	}
	for _, g := range hub.Group(asked) {
		for chunk := range slices.Chunk(g.Users, maxChunk) {
			a := addArgs{Org: w.Org, Users: chunk, Roles: g.Roles, Bindings: g.Bindings}
			steps = append(steps, step(StageUsers, kindAdd, a.id(), fmt.Sprintf("add %s as %s", counted(len(chunk), "user"), names(g.Roles)), a))
		}
	}
	return steps
}

// id names the addition by whom it is of: the chunks of a later turn are others, and a step may be begun only so often.
func (a addArgs) id() string {
	text := strings.Join(slices.Concat(a.Roles, a.Bindings), " ")
	for _, u := range a.Users {
		text += " " + u.Username
	}
	return "users/add/" + short(text)
}

func expired(email string, have people) bool {
	return slices.ContainsFunc(have.invitations, func(i hub.Invitation) bool {
		return strings.EqualFold(i.Username, email) && i.Status(have.at) == hub.Expired
	})
}

// roles is the change of a member's roles. A role from a group cannot be taken away here.
func roles(w wantedPeople, u User, m hub.Member) (p part) {
	add, extra := hub.Difference(m.RoleNames(), hubRoles(u.Roles))
	if slices.Contains(add, hub.ProviderAccountAdmin) {
		p.Drift = append(p.Drift, u.Email+" is a member without the role provider_account_admin, which the API gives only to somebody who comes in: give it at the hub")
		add = slices.DeleteFunc(add, func(r string) bool { return r == hub.ProviderAccountAdmin })
	}
	extra = slices.DeleteFunc(extra, func(r string) bool { return !direct(m, r) })
	id := short(u.Email)
	if len(add) > 0 {
		p.Steps = append(p.Steps, step(StageUsers, kindRoles, "users/roles/"+id, fmt.Sprintf("give %s the roles %s", u.Email, names(add)),
			rolesArgs{Org: w.Org, User: m.User, Add: add}))
	}
	switch {
	case len(extra) == 0:
	case w.Prune && !strings.EqualFold(u.Email, w.Me):
		take := step(StageUsers, kindRoles, "users/roles/take/"+id, fmt.Sprintf("take from %s the roles %s", u.Email, names(extra)),
			rolesArgs{Org: w.Org, User: m.User, Remove: extra})
		take.Takes = true
		p.Steps = append(p.Steps, take)
	default:
		p.Drift = append(p.Drift, fmt.Sprintf("%s also has the roles %s", u.Email, names(extra)))
	}
	return p
}

func direct(m hub.Member, role string) bool {
	return slices.ContainsFunc(m.Roles, func(r hub.HeldRole) bool { return r.Name == role && r.Direct })
}

// leavers are the members whom nobody wants, one after the other.
func leavers(w wantedPeople, members []hub.Member) (p part) {
	staying := slices.Clone(members)
	for _, m := range members {
		if _, ok := w.has(m.Username); ok {
			continue
		}
		share := leaver(w, m, staying)
		if p.add(share); len(share.Steps) > 0 {
			staying = slices.DeleteFunc(staying, func(o hub.Member) bool { return o.Username == m.Username })
		}
	}
	return p
}

// leaver is a member whom nobody wants: taken out on demand, except our own account, whom a group brought in, and, where nobody is wanted, the
// last administrator of those who are staying so far.
func leaver(w wantedPeople, m hub.Member, staying []hub.Member) (p part) {
	switch {
	case strings.EqualFold(m.Username, w.Me):
		p.Drift = append(p.Drift, "our own account stays a member")
	case !w.Prune:
		p.Drift = append(p.Drift, m.Username+" is a member and not in the request")
	case slices.ContainsFunc(m.Roles, func(r hub.HeldRole) bool { return !r.Direct }):
		p.Drift = append(p.Drift, m.Username+" has a role from a group, which the API cannot take away: remove it at the hub")
	case len(w.Users) == 0 && hub.LastAdmin(staying, m.Username):
		p.Drift = append(p.Drift, m.Username+" is the last administrator and stays")
	default:
		p.Steps = append(p.Steps, leaving(w.Org, "users/remove/"+short(m.Username), "remove "+m.Username, m.Username))
	}
	return p
}

// guest is an open invitation that nobody wants.
func guest(w wantedPeople, i hub.Invitation) (p part) {
	if !w.Prune {
		p.Drift = append(p.Drift, i.Username+" is invited and not in the request")
		return p
	}
	p.Steps = append(p.Steps, leaving(w.Org, "users/revoke/"+short(i.Username), "revoke the invitation of "+i.Username, i.Username))
	return p
}

func leaving(org, id, text string, users ...string) Step {
	s := step(StageUsers, kindLeave, id, text, leaveArgs{Org: org, Users: users})
	s.Takes = true
	return s
}

// orphaned reports whether the steps leave an organization that has an administrator without one. Whom they add counts once they have joined.
func orphaned(p part, have people) bool {
	left := slices.Clone(have.members)
	for _, s := range p.Steps {
		switch s.Kind {
		case kindLeave:
			a, _ := argsOf[leaveArgs](s.Args)
			left = slices.DeleteFunc(left, func(m hub.Member) bool { return slices.Contains(a.Users, m.Username) })
		case kindRoles:
			a, _ := argsOf[rolesArgs](s.Args)
			left = slices.DeleteFunc(left, func(m hub.Member) bool {
				return strings.EqualFold(m.Username, a.User.Username) && slices.Contains(a.Remove, hub.TenantAdmin)
			})
		}
	}
	return administered(have.members) && !administered(left)
}

func administered(members []hub.Member) bool {
	return slices.ContainsFunc(members, func(m hub.Member) bool { return slices.Contains(m.RoleNames(), hub.TenantAdmin) })
}

const rolePrefix = "msp:"

// hubRoles names roles as the hub does.
func hubRoles(roles []string) []string {
	all := make([]string, len(roles))
	for i, r := range roles {
		all[i] = rolePrefix + strings.TrimPrefix(r, rolePrefix)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// names names roles for a person.
func names(roles []string) string {
	return strings.ReplaceAll(strings.Join(roles, ", "), rolePrefix, "")
}

// counted says how many of a thing there are.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// short stands for a text in the id of a step, which goes to logs: it holds no personal data.
func short(s string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(s)))
	return hex.EncodeToString(sum[:6])
}
