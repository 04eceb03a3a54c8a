package hub

import (
	"net/http"
	"strings"
)

// apiBase is the path of the API in this server; the guide's own is /cphub/api.
const apiBase = "/api"

// route is one method of the API, as the guide has it.
type route struct {
	Op      string
	Method  string
	Path    string
	Section string   // of the guide
	roles   []string // that may call it; none: it takes no access token
	query   []field
	body    []field // nil: it takes none
	form    bool    // the body is multipart/form-data
}

const (
	mgmt    = apiBase + "/core/v1/mgmt/orgs/{org}"
	people  = apiBase + "/auth/v1/orgs/{org}"
	billing = apiBase + "/billing/v1/orgs/{org}"
	support = apiBase + "/support/v1/orgs/{org}/support-requests"
)

// routes are in the order of the guide. Literal segments stand before variable ones.
var routes = []route{
	{"authn.accesstoken", "POST", apiBase + "/auth/v1/authn/accesstoken", "Using VMware Cloud Provider Hub APIs", nil, nil, exchangeBody, false},
	{"tenants.create", "POST", mgmt + "/tenants", "Create a Tenant Organization", toCreateTenants, nil, tenantBody, false},
	{"orgs.get", "GET", mgmt, "Retrieve Details About a Single Organization", toSeeTenants, nil, nil, false},
	{"tenants.list", "GET", mgmt + "/tenants", "Retrieve Details About All Tenant Organizations", toSeeTenants, nil, nil, false},
	{"orgs.update", "PUT", mgmt, "Update a Tenant Organization", toSeeTenants, nil, tenantBody, false},
	{"users.list", "GET", people + "/users", "Retrieve a List of All Users", toManageUsers, nil, nil, false},
	{"users.add", "POST", people + "/add-users", "Add New Users", toManageUsers, nil, addUsersBody, false},
	{"users.add", "PATCH", people + "/add-users", "Add New Users", toManageUsers, nil, addUsersBody, false},
	{"invitations.list", "GET", people + "/invitations", "Fetch a List of Pending Invitations", toManageUsers, nil, nil, false},
	{"invitations.revoke", "DELETE", people + "/invitations", "Revoke or Resend Invitations", toManageUsers, nil, emailsBody, false},
	{"invitations.resend", "POST", people + "/invitations", "Revoke or Resend Invitations", toManageUsers, nil, emailsBody, false},
	{"users.roles", "PATCH", people + "/users-org-roles", "Update Organizational Roles of Users", toManageUsers, nil, userRolesBody, false},
	{"usage.report", "GET", billing + "/usage-report", "Generate a Services Usage Report", toSeeUsage, usageQuery, nil, false},
	{"usage.file", "GET", billing + "/usage-report/file", "Download a Usage Report", toLoadUsage, usageQuery, nil, false},
	{"subscriptions.list", "GET", billing + "/subscriptions", "View Subscriptions", toSeeTerms, subscriptionsQuery, nil, false},
	{"support.metadata", "GET", support + "/metadata", "Create a Support Request", toGetSupport, tenantQuery, nil, false},
	{"support.reasons", "GET", support + "/close-reasons", "View Reasons for Closing a Support Request", toGetSupport, nil, nil, false},
	{"support.create", "POST", support, "Create a Support Request", toGetSupport, nil, ticketBody, false},
	{"support.upload", "POST", support + "/{request}/upload", "Create a Support Request", toGetSupport, nil, nil, true},
	{"support.list", "GET", support, "Update a Support Request", toGetSupport, ticketsQuery, nil, false},
	{"support.get", "GET", support + "/{request}", "Update a Support Request", toGetSupport, nil, nil, false},
	{"support.update", "PATCH", support + "/{request}", "Update a Support Request", toGetSupport, nil, ticketUpdateBody, false},
}

// operation executes one method. It reads the state and stages its change in tx.
type operation func(tx *tx, rq *request) (reply, error)

var operations = map[string]operation{
	"authn.accesstoken":  (*tx).exchange,
	"tenants.create":     (*tx).createTenant,
	"orgs.get":           (*tx).getOrg,
	"tenants.list":       (*tx).listTenants,
	"orgs.update":        (*tx).updateOrg,
	"users.list":         (*tx).listUsers,
	"users.add":          (*tx).addUsers,
	"invitations.list":   (*tx).listInvitations,
	"invitations.revoke": (*tx).revokeInvitations,
	"invitations.resend": (*tx).resendInvitations,
	"users.roles":        (*tx).changeRoles,
	"usage.report":       (*tx).usageReport,
	"usage.file":         (*tx).usageFile,
	"subscriptions.list": (*tx).listSubscriptions,
	"support.metadata":   (*tx).supportMetadata,
	"support.reasons":    (*tx).supportReasons,
	"support.create":     (*tx).createTicket,
	"support.upload":     (*tx).uploadFile,
	"support.list":       (*tx).listTickets,
	"support.get":        (*tx).getTicket,
	"support.update":     (*tx).updateTicket,
}

// find returns the route of a request and what stands for the variables of its path. A slash at the end is tolerated, as the product does.
// Without a route, allowed are the methods that the path has.
func find(method, path string) (found *route, vars map[string]string, allowed []string) {
	path = strings.TrimSuffix(path, "/")
	for i := range routes {
		r := &routes[i]
		v, ok := match(r.Path, path)
		if !ok {
			continue
		}
		if r.Method == method || r.Method == http.MethodGet && method == http.MethodHead {
			return r, v, nil
		}
		allowed = append(allowed, r.Method)
	}
	return nil, nil, allowed
}

func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	vars := map[string]string{}
	for i, w := range want {
		if !strings.HasPrefix(w, "{") {
			if w != got[i] {
				return nil, false
			}
			continue
		}
		if got[i] == "" || len(got[i]) > 64 {
			return nil, false
		}
		vars[strings.Trim(w, "{}")] = got[i]
	}
	return vars, true
}
