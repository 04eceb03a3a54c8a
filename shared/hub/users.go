package hub

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// The roles of an organization, as the guide lists them.
const (
	ProviderAdmin        = "msp:provider_admin"
	ProviderOperations   = "msp:provider_operations_admin"
	ProviderAccountAdmin = "msp:provider_account_admin"
	ProviderBilling      = "msp:provider_billing_user"
	ProviderSupport      = "msp:provider_support_user"
	TenantAdmin          = "msp:tenant_admin"
	TenantUser           = "msp:tenant_user"
	TenantBilling        = "msp:tenant_billing_user"
)

var knownRoles = []string{
	ProviderAdmin, ProviderOperations, ProviderAccountAdmin, ProviderBilling, ProviderSupport, TenantAdmin, TenantUser, TenantBilling,
}

const maxRounds = 3 // of removing roles

// User names a user to the hub. IdP may be empty.
type User struct {
	Username string `json:"username"` // a mail address
	IdP      string `json:"idpId"`
}

// Member is a user of an organization with the roles held.
type Member struct {
	User
	FirstName, LastName, Email, Domain string
	Accessible                         bool
	Roles                              []HeldRole
	Services                           []ServiceRoles
	Raw                                json.RawMessage
}

// HeldRole is a role that a member holds. A role that is not direct comes from a group: the API cannot take it away.
type HeldRole struct {
	Name, Title string
	Direct      bool
}

// ServiceRoles are the roles held, or to be given, in one service.
type ServiceRoles struct {
	Service string   `json:"serviceId"`
	Roles   []string `json:"roleNamesToAdd"`
}

// RoleNames returns the names of the member's roles in the organization, sorted.
func (m Member) RoleNames() []string {
	names := []string{}
	for _, r := range m.Roles {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// AddUsers gives all its users all its roles. Users with other roles need another one; see Group.
type AddUsers struct {
	Users    []User         `json:"users"`
	Roles    []string       `json:"orgRolesToAdd"`
	Services []ServiceRoles `json:"serviceRolesItems"`
	Bindings []string       `json:"orgRoleBindingOrgs,omitempty"` // tenants that a ProviderAccountAdmin manages
}

// Verdict is what became of one user.
type Verdict string

const (
	Joined  Verdict = "joined"  // a member; in an answer to AddUsers it may turn out that the user is only invited
	Invited Verdict = "invited" // has a mail, is no member yet
	Failed  Verdict = "failed"
	Unknown Verdict = "unknown" // the answer does not say: read back
)

// Added is the hub's answer to AddUsers. The hub calls the invited ones added too, and partial success is status 200, 202 or 207: what
// happened for sure is what Locate finds afterwards.
type Added struct {
	Status   string             // SUCCESS, ...
	Verdicts map[string]Verdict // by Username as asked; every user that was asked for is there
	Details  map[string]string  // the hub's words on a user, where it has any; may hold personal data
}

// Users is "Retrieve a List of All Users", GET /auth/v1/orgs/{org}/users.
func (c *Client) Users(ctx context.Context, org string) ([]Member, error) {
	const doing = "list users"
	a, err := c.call(ctx, request{doing: doing, method: "GET", org: org, path: authPath(org) + "/users"})
	if err != nil {
		return nil, err
	}
	return all(a.body, doing, memberOf, "users", "results")
}

// AddUsers is "Add New Users", POST /auth/v1/orgs/{org}/add-users: one send. The guide's example says PATCH: that is tried once if, and only
// if, POST is answered with 405. An unknown role, a ProviderAccountAdmin without bindings, and what is no mail address are fault.Invalid and
// not sent. A refusal of single users is no error: see the verdicts.
func (c *Client) AddUsers(ctx context.Context, org string, u AddUsers) (Added, error) {
	const doing = "add users"
	if err := u.check(); err != nil {
		return Added{}, err
	}
	r := request{doing: doing, method: "POST", org: org, path: authPath(org) + "/add-users", body: u.filled()}
	a, err := c.call(ctx, r)
	if refusedWith(err, http.StatusMethodNotAllowed) {
		r.method = "PATCH"
		a, err = c.call(ctx, r)
	}
	if err != nil {
		return Added{}, err
	}
	return addedOf(a.body, u.Users), nil
}

// ChangeRoles is "Update Organizational Roles of Users", PATCH /auth/v1/orgs/{org}/users-org-roles, for one user: one send. The hub echoes
// the request, which proves nothing: read Users. Taking away all roles removes the user. ProviderAccountAdmin cannot be added here, for want
// of bindings. See Difference for add and remove.
func (c *Client) ChangeRoles(ctx context.Context, org string, user User, add, remove []string) error {
	if err := checkChange(user, add, remove); err != nil {
		return err
	}
	_, err := c.call(ctx, request{doing: "change the roles of a user", method: "PATCH", org: org, path: authPath(org) + "/users-org-roles", body: struct {
		Users  []User   `json:"users"`
		Add    []string `json:"roleNamesToAdd"`
		Remove []string `json:"roleNamesToRemove"`
	}{[]User{user}, filled(add), filled(remove)}})
	return err
}

// RemoveUser is "Remove Users": all held roles are taken away with ChangeRoles, and again (at most three times) as long as the user is still
// listed with roles. It returns how many requests that took; 0 if the user was no member. A user with roles from a group, and one that
// stays, is fault.Conflict. It does not refuse the last administrator or the caller itself: see LastAdmin.
func (c *Client) RemoveUser(ctx context.Context, org, username string) (rounds int, err error) {
	for ; ; rounds++ {
		members, err := c.Users(ctx, org)
		switch {
		case err != nil && rounds > 0:
			return rounds, readBack(err, "remove a user")
		case err != nil:
			return rounds, fault.Unsent(err)
		}
		m, there := FindMember(members, username)
		switch {
		case !there:
			return rounds, nil
		case slices.ContainsFunc(m.Roles, func(r HeldRole) bool { return !r.Direct }):
			return rounds, fault.New(fault.Conflict, "the user has a role from a group, which the API cannot take away")
		case len(m.Roles) == 0 || rounds == maxRounds:
			return rounds, fault.New(fault.Conflict, "the user is still listed after %d requests that took all roles away", rounds)
		}
		if err := c.ChangeRoles(ctx, org, m.User, nil, m.RoleNames()); err != nil {
			return rounds, err
		}
	}
}

// FindMember returns the member with a username, whatever the case of its letters.
func FindMember(members []Member, username string) (Member, bool) {
	i := slices.IndexFunc(members, func(m Member) bool { return alike(m.Username, username) })
	if i < 0 {
		return Member{}, false
	}
	return members[i], true
}

// LastAdmin reports whether without this user nobody would be left with an administrator's role that the user has.
func LastAdmin(members []Member, username string) bool {
	m, _ := FindMember(members, username)
	for _, role := range []string{ProviderAdmin, TenantAdmin} {
		if !slices.Contains(m.RoleNames(), role) {
			continue
		}
		others := slices.ContainsFunc(members, func(o Member) bool {
			return !alike(o.Username, username) && slices.Contains(o.RoleNames(), role)
		})
		if !others {
			return true
		}
	}
	return false
}

// Difference returns which roles to add and which to remove so that held becomes desired. Both are sorted.
func Difference(held, desired []string) (add, remove []string) {
	return without(desired, held), without(held, desired)
}

func without(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// Group merges requests that give the same roles, so that each can be sent at once. The order of the first ones stays.
func Group(asked []AddUsers) []AddUsers {
	at := map[string]int{}
	var out []AddUsers
	for _, u := range asked {
		key := u.rights()
		if i, ok := at[key]; ok {
			out[i].Users = append(out[i].Users, u.Users...)
			continue
		}
		at[key] = len(out)
		u.Users = slices.Clone(u.Users)
		out = append(out, u)
	}
	return out
}

// rights is the same for two requests that give the same.
func (u AddUsers) rights() string {
	u.Users, u.Roles, u.Bindings, u.Services = nil, sorted(u.Roles), sorted(u.Bindings), slices.Clone(u.Services)
	for i, s := range u.Services {
		u.Services[i].Roles = sorted(s.Roles)
	}
	slices.SortStableFunc(u.Services, func(a, b ServiceRoles) int { return strings.Compare(a.Service, b.Service) })
	text, _ := json.Marshal(u) // strings always marshal
	return string(text)
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}

// Locate says from what is listed now where a user stands: a member is Joined, one with an invitation that is open at now is Invited, and
// anyone else Unknown, because lists may lag.
func Locate(username string, members []Member, invitations []Invitation, now time.Time) Verdict {
	if _, ok := FindMember(members, username); ok {
		return Joined
	}
	open := func(i Invitation) bool { return alike(i.Username, username) && i.Status(now) == Pending }
	if slices.ContainsFunc(invitations, open) {
		return Invited
	}
	return Unknown
}

func (u AddUsers) check() error {
	if len(u.Users) == 0 || len(u.Roles) == 0 {
		return fault.New(fault.Invalid, "adding users takes at least one user and one role")
	}
	for i, x := range u.Users {
		if !isEmail(x.Username) {
			return fault.New(fault.Invalid, "user number %d is not named by a mail address", i+1)
		}
	}
	if slices.Contains(u.Roles, ProviderAccountAdmin) && len(u.Bindings) == 0 {
		return fault.New(fault.Invalid, "a provider account administrator needs the ids of the tenants to manage")
	}
	for _, b := range u.Bindings {
		if !idForm.MatchString(b) {
			return fault.New(fault.Invalid, "a tenant to manage is not named by an id")
		}
	}
	for _, s := range u.Services {
		if s.Service == "" || len(s.Roles) == 0 || slices.Contains(s.Roles, "") {
			return fault.New(fault.Invalid, "roles in a service take the id of the service and at least one role")
		}
	}
	return CheckRoles(u.Roles)
}

// filled sends empty lists as lists.
func (u AddUsers) filled() AddUsers {
	u.Services = filled(u.Services)
	return u
}

func filled[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// CheckRoles refuses, as fault.Invalid, a role that the guide does not list.
func CheckRoles(roles []string) error {
	for i, r := range roles {
		if !slices.Contains(knownRoles, r) {
			return fault.New(fault.Invalid, "role number %d is none of %s", i+1, strings.Join(knownRoles, ", "))
		}
	}
	return nil
}

func checkChange(user User, add, remove []string) error {
	switch {
	case !isEmail(user.Username):
		return fault.New(fault.Invalid, "the user is not named by a mail address")
	case len(add)+len(remove) == 0:
		return fault.New(fault.Invalid, "a change of roles adds or removes at least one")
	case slices.Contains(add, ProviderAccountAdmin):
		return fault.New(fault.Invalid, "a provider account administrator is made by adding the user with the tenants to manage")
	case slices.Contains(remove, ""), slices.ContainsFunc(add, func(r string) bool { return slices.Contains(remove, r) }):
		return fault.New(fault.Invalid, "the roles to remove have an empty one, or one that is to be added too")
	}
	return CheckRoles(add)
}

func memberOf(raw json.RawMessage) (Member, bool) {
	o, _ := objectOf(raw)
	u := o.object("user")
	m := Member{
		User:      User{Username: u.text("username", "email"), IdP: u.text("idpId")},
		FirstName: u.text("firstName"), LastName: u.text("lastName"), Email: u.text("email"), Domain: u.text("domain"),
		Accessible: u.flag("accessible"), Raw: raw,
	}
	for _, r := range rolesIn(o) {
		role := HeldRole{Name: r.text("id", "name"), Title: r.text("name"), Direct: direct(r)}
		if role.Name != "" {
			m.Roles = append(m.Roles, role)
		}
	}
	for _, raw := range o.list("serviceRolesList") {
		s, _ := objectOf(raw)
		m.Services = append(m.Services, ServiceRoles{Service: s.text("serviceId"), Roles: s.texts("roles", "name", "roleId")})
	}
	return m, m.Username != ""
}

// rolesIn reads {"orgRoles":{"orgRoles":[{}]}} and {"orgRoles":[{}]}.
func rolesIn(o object) (roles []object) {
	inner := o
	if wrapped := o.object("orgRoles"); wrapped != nil {
		inner = wrapped
	}
	for _, raw := range inner.list("orgRoles") {
		r, ok := objectOf(raw)
		if !ok {
			r = object{"id": raw}
		}
		roles = append(roles, r)
	}
	return roles
}

func direct(role object) bool {
	t := role.text("memberType")
	return t == "" || strings.EqualFold(t, "DIRECT")
}

// addedOf reads {"message", "addedUsers":{"users","status","failedUsers","detailedStatus"}, "invitedUsers"}, and the inner object alone.
func addedOf(text []byte, asked []User) Added {
	outer, _ := objectOf(text)
	inner := outer
	if o := outer.object("addedUsers"); o != nil {
		inner = o
	}
	said := reply{
		joined:  fold(inner.texts("users", "username", "email")),
		invited: fold(append(usersIn(outer, "invitedUsers"), usersIn(inner, "invitedUsers")...)),
		failed:  fold(append(usersIn(inner, "failedUsers"), usersIn(outer, "failedUsers")...)),
		details: map[string]string{},
	}
	for _, o := range []object{outer.object("detailedStatus"), inner.object("detailedStatus"), outer.object("invitedUsers").object("detailedStatus")} {
		for user, raw := range o {
			said.details[strings.ToLower(strings.TrimSpace(user))] = textOf(raw)
		}
	}
	out := Added{Status: inner.text("status"), Verdicts: map[string]Verdict{}, Details: map[string]string{}}
	for _, u := range asked {
		key := strings.ToLower(strings.TrimSpace(u.Username))
		out.Verdicts[u.Username] = said.verdict(key)
		if d := said.details[key]; d != "" {
			out.Details[u.Username] = d
		}
	}
	return out
}

// usersIn reads a member that is a list of users or an object with one.
func usersIn(o object, name string) []string {
	if inner := o.object(name); inner != nil {
		return inner.texts("users", "username", "email")
	}
	return o.texts(name, "username", "email", "user")
}

func fold(users []string) map[string]bool {
	set := map[string]bool{}
	for _, u := range users {
		set[strings.ToLower(u)] = true
	}
	return set
}

// reply is what the hub said, by user in lower case.
type reply struct {
	joined, invited, failed map[string]bool
	details                 map[string]string
}

// verdict believes the worst that was said of a user. Words that tell neither success nor an invitation are a failure if the user is not
// listed as added.
func (r reply) verdict(user string) Verdict {
	words := strings.ToLower(r.details[user])
	switch {
	case r.failed[user]:
		return Failed
	case strings.Contains(words, "fail"), strings.Contains(words, "error"), strings.Contains(words, "denied"):
		return Failed
	case r.invited[user], strings.Contains(words, "invit"):
		return Invited
	case words != "" && !strings.Contains(words, "success") && !strings.Contains(words, "added"):
		return Unknown
	case r.joined[user]:
		return Joined
	}
	return Unknown
}

func authPath(org string) string { return "/auth/v1/orgs/" + org }
