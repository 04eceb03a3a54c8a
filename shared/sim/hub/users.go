package hub

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"
)

const (
	direct = "DIRECT"
	group  = "GROUP"
)

// member is a user in an organization; without a role it has left.
type member struct {
	Org      string        `json:"org"`
	Username string        `json:"username"`
	First    string        `json:"first"`
	Last     string        `json:"last"`
	IDP      string        `json:"idp,omitempty"`
	Roles    []string      `json:"roles"`
	Group    []string      `json:"group,omitempty"` // those of the roles that a group brings, with the switch groupRoles
	Bindings []string      `json:"bindings,omitempty"`
	Services []serviceRole `json:"services,omitempty"`
	Created  time.Time     `json:"created"`
}

// serviceRole is the part of add-users that names the roles in a service.
type serviceRole struct {
	ServiceID string   `json:"serviceId"`
	Roles     []string `json:"roleNamesToAdd"`
}

func (m member) key() string { return memberKey(m.Org, m.Username) }

func memberKey(org, username string) string { return org + "\x00" + fold(username) }

// user names somebody in a request.
type user struct {
	Username string `json:"username"`
	IDP      string `json:"idpId"`
}

// isMail takes a bare address with a domain of at least two labels.
func isMail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return false
	}
	_, host, _ := strings.Cut(s, "@")
	first, rest, dotted := strings.Cut(host, ".")
	return dotted && first != "" && rest != "" && !strings.HasSuffix(rest, ".")
}

func domainOf(address string) string {
	return fold(address[strings.LastIndexByte(address, '@')+1:])
}

type wireRole struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	MemberType string `json:"memberType"`
}

type wireServiceRole struct {
	RoleID     string `json:"roleId"`
	Name       string `json:"name"`
	Hidden     bool   `json:"hidden"`
	Enabled    bool   `json:"enabled"`
	MemberType string `json:"memberType"`
}

type wireService struct {
	ServiceID string            `json:"serviceId"`
	Roles     []wireServiceRole `json:"roles"`
}

type wireMember struct {
	User struct {
		FirstName  string `json:"firstName"`
		LastName   string `json:"lastName"`
		Username   string `json:"username"`
		Email      string `json:"email"`
		IDP        string `json:"idpId"`
		Domain     string `json:"domain"`
		Accessible bool   `json:"accessible"`
	} `json:"user"`
	OrgRoles struct {
		OrgRoles []wireRole `json:"orgRoles"`
	} `json:"orgRoles"`
	Services []wireService `json:"serviceRolesList"`
}

func (tx *tx) listUsers(rq *request) (reply, error) {
	all := []wireMember{}
	for _, m := range tx.state.members.list {
		if m.Org == rq.org.ID && len(m.Roles) > 0 && !m.Created.After(rq.at.Add(-rq.Lag)) {
			all = append(all, tx.wireMember(m))
		}
	}
	return answer(http.StatusOK, all)
}

func (tx *tx) wireMember(m member) (w wireMember) {
	u := &w.User
	u.FirstName, u.LastName, u.Username, u.Email, u.IDP = m.First, m.Last, m.Username, m.Username, m.IDP
	u.Domain, u.Accessible = domainOf(m.Username), true
	for _, r := range m.Roles {
		how := direct
		if tx.grouped(m, r) {
			how = group
		}
		w.OrgRoles.OrgRoles = append(w.OrgRoles.OrgRoles, wireRole{r, roleNames[r], how})
	}
	w.Services = []wireService{}
	for _, s := range m.Services {
		ws := wireService{ServiceID: s.ServiceID, Roles: []wireServiceRole{}}
		for _, r := range s.Roles {
			ws.Roles = append(ws.Roles, wireServiceRole{r, r, false, true, direct})
		}
		w.Services = append(w.Services, ws)
	}
	return w
}

func (tx *tx) grouped(m member, role string) bool {
	return tx.switches.GroupRoles && slices.Contains(m.Group, role)
}

// joining is what add-users asks for: the same roles for all of the users.
type joining struct {
	Services []serviceRole `json:"serviceRolesItems"`
	Roles    []string      `json:"orgRolesToAdd"`
	Bindings []string      `json:"orgRoleBindingOrgs"`
	Users    []user        `json:"users"`
}

// batch is how a call with several users went.
type batch struct {
	Users    []string          `json:"users"`
	Status   string            `json:"status"`
	Failed   []string          `json:"failedUsers"`
	Detailed map[string]string `json:"detailedStatus,omitempty"`
	RefLink  map[string]string `json:"refLink,omitempty"`
}

func newBatch() batch { return batch{Users: []string{}, Failed: []string{}} }

func (b *batch) settle() {
	switch {
	case len(b.Failed) == 0:
		b.Status = "SUCCESS"
	case len(b.Users) == 0:
		b.Status = "FAILED"
	default:
		b.Status = "PARTIAL_SUCCESS"
	}
}

func (b *batch) detail(username, text string) {
	if b.Detailed == nil {
		b.Detailed = map[string]string{}
	}
	b.Detailed[username] = text
}

func (b *batch) fail(username, why string) {
	b.Failed = append(b.Failed, username)
	b.detail(username, why)
}

func (b *batch) link(username, path string) {
	if b.RefLink == nil {
		b.RefLink = map[string]string{}
	}
	b.RefLink[username] = path
}

// confirmed is the status of an answer that confirms a change of users.
func (tx *tx) confirmed(inPart bool) int {
	switch {
	case tx.switches.Confirm == "200":
		return http.StatusOK
	case inPart:
		return http.StatusMultiStatus
	}
	return http.StatusAccepted
}

func (tx *tx) addUsers(rq *request) (reply, error) {
	var in joining
	if err := rq.decode(&in); err != nil {
		return reply{}, err
	}
	if f := tx.checkJoining(rq.org, in); f != nil {
		return reply{}, f
	}
	added, invited := tx.invite(rq, rq.org, in)
	out := map[string]any{"message": "Users have been added/invited successfully"}
	if tx.switches.InvitedAsAdded {
		added.Users = append(added.Users, invited.Users...)
		for _, name := range invited.Users {
			added.detail(name, "Success")
		}
	} else if len(invited.Users) > 0 {
		invited.settle()
		out["invitedUsers"] = invited
	}
	added.settle()
	if len(added.Failed) > 0 && len(invited.Users) > 0 {
		added.Status = "PARTIAL_SUCCESS"
	}
	if len(added.Failed) > 0 {
		out["message"] = "Some users could not be added/invited"
	}
	out["addedUsers"] = added
	return answer(tx.confirmed(len(added.Failed) > 0), out)
}

func (tx *tx) checkJoining(org orgRecord, in joining) *failure {
	var bad violations
	for _, r := range in.Roles {
		if !slices.Contains(rolesOf(org.Type), r) {
			bad.add("orgRolesToAdd", "The organization has the roles %s.", strings.Join(rolesOf(org.Type), ", "))
		}
	}
	account := slices.Contains(in.Roles, ProviderAccountAdmin)
	if account && len(in.Bindings) == 0 && !tx.switches.BindingsOptional {
		bad.add("orgRoleBindingOrgs", "A Provider Account Administrator needs the tenant organizations that it manages.")
	}
	children := idsOf(tx.state.children(org.ID))
	for _, id := range in.Bindings {
		if !slices.Contains(children, id) {
			bad.add("orgRoleBindingOrgs", "The tenant organization must link to the master organization.")
		}
	}
	return bad.failure()
}

// invite adds who has an account and invites the others; all invitations of a call share one link.
func (tx *tx) invite(rq *request, org orgRecord, in joining) (added, invited batch) {
	added, invited = newBatch(), newBatch()
	link := tx.invitationLink(org)
	seen := map[string]bool{}
	for _, u := range in.Users {
		name := fold(u.Username)
		if seen[name] {
			continue
		}
		seen[name] = true
		m, known := tx.state.members.get(memberKey(org.ID, name))
		known = known && len(m.Roles) > 0
		switch why := tx.refused(org, name, known); {
		case why != "":
			added.fail(u.Username, why)
		case known || tx.hasAccount(name):
			tx.join(m, org, u, in)
			added.Users = append(added.Users, u.Username)
			added.detail(u.Username, "Success")
		default:
			tx.sendInvitation(rq, org, u, in, link)
			invited.Users = append(invited.Users, u.Username)
			invited.link(u.Username, link)
		}
	}
	return added, invited
}

// refused says why a user cannot be added, by rules that do not change from call to call.
func (tx *tx) refused(org orgRecord, name string, known bool) string {
	switch {
	case !isMail(name):
		return "Invalid email address"
	case slices.Contains(tx.opts.RefusedDomains, domainOf(name)):
		return "Domain is not allowed"
	case known && tx.switches.DuplicateUser == "fail":
		return "User is already a member of the organization"
	}
	luck := tx.ids.Draw("luck "+memberKey(org.ID, name), 0)
	if int(binary.BigEndian.Uint64(luck[:])%100) < tx.switches.FailUsersPercent {
		return "Internal error"
	}
	return ""
}

// hasAccount says whether a VMware ID is set up with the mail address.
func (tx *tx) hasAccount(name string) bool {
	if slices.Contains(tx.opts.AccountDomains, domainOf(name)) {
		return true
	}
	return slices.ContainsFunc(tx.state.members.list, func(m member) bool { return fold(m.Username) == name })
}

// join stages a membership. Who is a member already keeps the roles held.
func (tx *tx) join(m member, org orgRecord, u user, in joining) {
	if len(m.Roles) == 0 {
		name, _, _ := strings.Cut(u.Username, "@")
		first, last, _ := strings.Cut(name, ".")
		m = member{Org: org.ID, Username: u.Username, First: first, Last: last, Created: tx.at}
	}
	if u.IDP != "" {
		m.IDP = u.IDP
	}
	m.Roles = union(m.Roles, in.Roles)
	m.Bindings = union(m.Bindings, in.Bindings)
	m.Services = slices.Clone(m.Services)
	for _, s := range in.Services {
		i := slices.IndexFunc(m.Services, func(o serviceRole) bool { return o.ServiceID == s.ServiceID })
		if i < 0 {
			m.Services = append(m.Services, s)
			continue
		}
		m.Services[i].Roles = union(m.Services[i].Roles, s.Roles)
	}
	tx.change.Members = append(tx.change.Members, m)
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// roleChange is the body of users-org-roles, which is also its answer.
type roleChange struct {
	Remove []string          `json:"roleNamesToRemove"`
	Add    []string          `json:"roleNamesToAdd"`
	Users  []json.RawMessage `json:"users"`
}

// changeRoles changes the roles of all users alike. Who is no member, and a role that is not held, are passed over in silence: the answer
// repeats the request whatever came of it.
func (tx *tx) changeRoles(rq *request) (reply, error) {
	var in roleChange
	if err := rq.decode(&in); err != nil {
		return reply{}, err
	}
	for _, r := range in.Add {
		if !slices.Contains(rolesOf(rq.org.Type), r) {
			return reply{}, invalid("roleNamesToAdd", "The organization has the roles %s.", strings.Join(rolesOf(rq.org.Type), ", "))
		}
	}
	seen := map[string]bool{}
	for _, raw := range in.Users {
		var u user
		if err := json.Unmarshal(raw, &u); err != nil {
			return reply{}, err
		}
		m, ok := tx.state.members.get(memberKey(rq.org.ID, u.Username))
		if ok && len(m.Roles) > 0 && !seen[m.key()] {
			seen[m.key()] = true
			tx.change.Members = append(tx.change.Members, tx.changed(m, in))
		}
	}
	in.Add, in.Remove = append([]string{}, in.Add...), append([]string{}, in.Remove...)
	return answer(http.StatusOK, in)
}

// changed is a member with other roles. One that has none left is gone; join begins anew.
func (tx *tx) changed(m member, in roleChange) member {
	m.Roles = slices.DeleteFunc(slices.Clone(m.Roles), func(r string) bool {
		return slices.Contains(in.Remove, r) && !tx.grouped(m, r)
	})
	m.Roles = union(m.Roles, in.Add)
	return m
}
