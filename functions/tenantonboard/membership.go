package tenantonboard

import (
	"context"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// The effects on an organization's people.
const (
	kindAdd   = "tenant.users"
	kindRoles = "tenant.roles"
	kindLeave = "tenant.leave"
)

func (f *Function) registerUsers() error {
	add := ledger.Spec{Kind: kindAdd, Class: ledger.Marked}
	if err := registerKind(f, add, ledger.Effect[addArgs, Result](addEffect{f}), undoAdd); err != nil {
		return err
	}
	roles := unversioned(kindRoles)
	if err := registerKind(f, roles, ledger.Effect[rolesArgs, Result](rolesEffect{f}), undoRoles); err != nil {
		return err
	}
	leave := unversioned(kindLeave)
	if err := registerKind(f, leave, ledger.Effect[leaveArgs, Result](leaveEffect{f}), nil); err != nil {
		return err
	}
	return f.registerInvitations()
}

// addArgs are users who are to have the same rights.
type addArgs struct {
	Org      string     `json:"org"`
	Users    []hub.User `json:"users"`
	Roles    []string   `json:"roles"`
	Bindings []string   `json:"bindings,omitempty"`
}

// addEffect adds users with one request. They were absent when it was decided, so whoever of them is there afterwards is the marker of the
// request: one request is executed for all of them or not at all, and whom it refused is found absent, and added again, by the next look.
type addEffect struct{ f *Function }

func (e addEffect) Call(ctx context.Context, p addArgs, t ledger.Token) (ledger.Act[Result], error) {
	if t.Attempt > 1 {
		others, err := e.located(ctx, p)
		if err != nil {
			return ledger.Act[Result]{}, fault.Unsent(err)
		}
		if len(others.Made) > 0 {
			// The calls before were not executed, so they came in by another way, and are not ours to take out again. Nothing is sent, so that
			// they are never taken for the work of this request; the next look decides on the rest.
			return ledger.Act[Result]{ID: p.Org}, nil
		}
	}
	added, err := e.f.Hub.AddUsers(ctx, p.Org, hub.AddUsers{Users: p.Users, Roles: p.Roles, Bindings: p.Bindings})
	if err != nil {
		return ledger.Act[Result]{}, err
	}
	r, err := e.verdicts(ctx, p, added)
	return ledger.Act[Result]{ID: p.Org, Result: r}, err
}

// verdicts keeps the hub's word on each user. Those of whom it says nothing are looked for, lest an undo forget them; an answer that accounts
// for nobody, who is not to be found either, leaves all open.
func (e addEffect) verdicts(ctx context.Context, p addArgs, added hub.Added) (Result, error) {
	r, open := Result{Refused: map[string]string{}}, addArgs{Org: p.Org}
	for _, u := range p.Users {
		switch added.Verdicts[u.Username] {
		case hub.Failed:
			r.Refused[strings.ToLower(u.Username)] = "the hub refused: " + clip(added.Details[u.Username], 200)
		case hub.Unknown:
			open.Users = append(open.Users, u)
		default:
			r.made(u.Username, added.Verdicts[u.Username])
		}
	}
	if len(open.Users) == 0 {
		return r, nil
	}
	found, err := e.located(ctx, open)
	if err == nil && len(found.Made) == 0 && len(open.Users) == len(p.Users) {
		err = fault.New(fault.Transient, "the hub's answer does not say what became of the users, and none of them is there")
	}
	r.Made, r.Invited = append(r.Made, found.Made...), append(r.Invited, found.Invited...)
	return r, err
}

// made notes that the hub has a user.
func (r *Result) made(user string, v hub.Verdict) {
	switch v {
	case hub.Joined:
		r.Made = append(r.Made, user)
	case hub.Invited:
		r.Made, r.Invited = append(r.Made, user), append(r.Invited, user)
	}
}

// located are those of the users who are there now.
func (e addEffect) located(ctx context.Context, p addArgs) (r Result, err error) {
	have, err := e.f.lookPeople(ctx, p.Org)
	if err != nil {
		return r, fault.Wrap(fault.Transient, err, "look for the users to add")
	}
	for _, u := range p.Users {
		r.made(u.Username, have.where(u.Username))
	}
	return r, nil
}

// clip cuts a foreign text.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func (e addEffect) Find(ctx context.Context, p addArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	r, err := e.located(ctx, p)
	if err != nil || len(r.Made) == 0 {
		return nil, err
	}
	return []ledger.Act[Result]{{ID: p.Org, Result: r}}, nil
}

// undoAdd takes out those who were added, and nobody who was there before.
func undoAdd(p addArgs, r Result) (Step, bool) {
	return leaving(p.Org, "", "take out the users that the run added", r.Made...), len(r.Made) > 0
}

// rolesArgs is a change of one person's roles.
type rolesArgs struct {
	Org    string   `json:"org"`
	User   hub.User `json:"user"`
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

// rolesEffect changes roles, which are a set: a repeat changes nothing. They have no version, see unversioned.
type rolesEffect struct{ f *Function }

func (e rolesEffect) Call(ctx context.Context, p rolesArgs, _ ledger.Token) (ledger.Act[Result], error) {
	if err := e.f.Hub.ChangeRoles(ctx, p.Org, p.User, p.Add, p.Remove); err != nil {
		return ledger.Act[Result]{}, err
	}
	return ledger.Act[Result]{ID: p.Org, Result: Result{Made: []string{p.User.Username}}}, nil
}

func (e rolesEffect) Find(ctx context.Context, p rolesArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	members, err := e.f.Hub.Users(ctx, p.Org)
	if err != nil {
		return nil, err
	}
	m, there := hub.FindMember(members, p.User.Username)
	for _, r := range p.Add {
		if !slices.Contains(m.RoleNames(), r) {
			return nil, nil
		}
	}
	for _, r := range p.Remove {
		if slices.Contains(m.RoleNames(), r) {
			return nil, nil
		}
	}
	if !there {
		return nil, nil
	}
	return []ledger.Act[Result]{{ID: p.Org, Result: Result{Made: []string{p.User.Username}}}}, nil
}

func undoRoles(p rolesArgs, _ Result) (Step, bool) {
	return step(StageUsers, kindRoles, "", "give back the roles that the run changed", rolesArgs{Org: p.Org, User: p.User, Add: p.Remove, Remove: p.Add}), true
}

// leaveArgs are users who are to be neither members nor invited.
type leaveArgs struct {
	Org   string   `json:"org"`
	Users []string `json:"users"`
}

// leaveEffect takes people out, and revokes invitations. It reads what is there, so it goes on where an earlier call stopped.
type leaveEffect struct{ f *Function }

func (e leaveEffect) Call(ctx context.Context, p leaveArgs, _ ledger.Token) (ledger.Act[Result], error) {
	have, err := e.f.lookPeople(ctx, p.Org)
	if err != nil {
		return ledger.Act[Result]{}, fault.Unsent(fault.Wrap(fault.Transient, err, "look for users"))
	}
	var invited []string
	for _, u := range p.Users {
		switch have.where(u) {
		case hub.Joined:
			if _, err := e.f.Hub.RemoveUser(ctx, p.Org, u); err != nil {
				return ledger.Act[Result]{}, err
			}
		case hub.Invited:
			invited = append(invited, u)
		}
	}
	if len(invited) > 0 {
		if _, err := e.f.Hub.Revoke(ctx, p.Org, invited); err != nil {
			return ledger.Act[Result]{}, err
		}
	}
	return ledger.Act[Result]{ID: p.Org}, nil
}

// Find says that they are out only when all of them are.
func (e leaveEffect) Find(ctx context.Context, p leaveArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.lookPeople(ctx, p.Org)
	if err != nil {
		return nil, fault.Wrap(fault.Transient, err, "look for users")
	}
	for _, u := range p.Users {
		if have.where(u) != hub.Unknown {
			return nil, nil
		}
	}
	return []ledger.Act[Result]{{ID: p.Org}}, nil
}
