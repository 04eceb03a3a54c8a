package hub

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// example is a request of the guide with its header and body; {provider} and the like stand for the organizations of this server. The guide's
// dots are filled in with values that it documents elsewhere.
type example struct {
	section  string
	method   string
	path     string
	body     string
	status   int
	fields   []string // the guide's fields of the answer, with those of nested objects after a dot; "[]" is an array
	switches Switches // the readings that the example presupposes
}

var orgFields = []string{
	"id", "name", "displayName", "companyName", "country", "state", "city", "zip", "domain", "tag", "status", "orgType", "parentOrgId",
	"childOrgIds", "tenantType", "isFederated",
}

var usageFields = []string{
	"[].createTimestamp", "[].updateTimestamp", "[].orgId", "[].orgName", "[].orgUsageAmount", "[].orgBillableUsageAmount",
	"[].services.[].serviceDefId", "[].services.[].serviceName", "[].services.[].serviceDescription", "[].services.[].serviceUsageAmount",
	"[].services.[].serviceBillableUsageAmount", "[].services.[].subscriptions.[].sid", "[].services.[].subscriptions.[].subscriptionUuid",
	"[].services.[].subscriptions.[].skuData.skus", "[].services.[].subscriptions.[].skuData.pageSize",
	"[].services.[].subscriptions.[].subscriptionStartTime", "[].services.[].subscriptions.[].subscriptionEndTime",
	"[].services.[].subscriptions.[].anniversaryBillingTime", "[].services.[].subscriptions.[].status", "[].services.[].subscriptions.[].subscriptionType",
}

var skuFields = prefixed("[].services.[].subscriptions.[].skuData.skus.[].",
	"skuDescription", "crossReferenceSku", "geo", "regionCode", "currency", "paymentType", "unitPrice", "productFamily", "customerSegment",
	"offerInfo.offerName", "offerInfo.version", "offerInfo.commitmentTerm", "offerInfo.commitmentTermUOM", "offerInfo.serviceType",
	"offerInfo.serviceTypeDescription", "offerInfo.customerSegment", "offerInfo.geo", "offerInfo.regionCode", "offerInfo.currency", "offerInfo.quantity",
	"usage", "totalUsageQuantity", "totalCommitQuantity", "totalBillableUsageQuantity")

func prefixed(prefix string, names ...string) []string {
	var all []string
	for _, n := range names {
		all = append(all, prefix+n)
	}
	return all
}

var examples = []example{
	{section: "Using VMware Cloud Provider Hub APIs", method: "POST", path: "/api/auth/v1/authn/accesstoken", body: `{"refreshToken" : "{token}"}`, status: 200, fields: []string{"accessToken"}},
	{
		section: "Create a Tenant Organization", method: "POST", path: orgs + "{provider}/tenants", status: 201, fields: orgFields,
		body: `{"tenantType": "DEFAULT","country": "US","displayName": "Lorem","companyName": "Lorem Ipsum","city": "Atlanta","state": "Georgia","zip": "30313","domain": "lorem.com","adminUserEmail": "","tag": "hightouchVMC"}`,
	},
	{section: "Retrieve Details About a Single Organization", method: "GET", path: orgs + "{tenant}", status: 200, fields: append([]string{"createTimestamp", "updateTimestamp"}, orgFields...)},
	{
		section: "Retrieve Details About All Tenant Organizations", method: "GET", path: orgs + "{provider}/tenants", status: 200,
		fields: prefixed("[].", append([]string{"createTimestamp", "updateTimestamp", "adminUserName", "adminUserEmail"}, orgFields...)...),
	},
	{
		section: "Update a Tenant Organization", method: "PUT", path: orgs + "{tenant}", status: 200, fields: append([]string{"createTimestamp", "updateTimestamp"}, orgFields...),
		body: `{"tenantType": "DEFAULT","country": "US","displayName": "Coke 2","companyName": "The Coca-Cola Company","city": "Atlanta","state": "GA","zip": "30313","domain": "coke.com","adminUserEmail": "","tag": ""}`,
	},
	{
		section: "Retrieve a List of All Users", method: "GET", path: users + "{provider}/users", status: 200,
		fields: prefixed("[].", "user.firstName", "user.lastName", "user.username", "user.email", "user.idpId", "user.domain", "user.accessible",
			"orgRoles.orgRoles.[].id", "orgRoles.orgRoles.[].name", "orgRoles.orgRoles.[].memberType", "serviceRolesList"),
	},
	{
		section: "Add New Users", method: "PATCH", path: users + "{provider}/add-users", status: 202, switches: Switches{AddUsersPatch: true, BindingsOptional: true},
		body:   `{"serviceRolesItems": [{"serviceId": "I8_vUYLiPxopN_YFGqghbH6rrAI_","roleNamesToAdd": ["log-intelligence:user"]}],"orgRolesToAdd": ["msp:provider_account_admin"],"users": [{"username": "johndoe@lorem.com","idpId": ""}]}`,
		fields: []string{"message", "addedUsers.users", "addedUsers.status", "addedUsers.failedUsers", "addedUsers.detailedStatus.johndoe@lorem.com"},
	},
	{
		section: "Fetch a List of Pending Invitations", method: "GET", path: users + "{provider}/invitations", status: 200,
		fields: prefixed("[].", "expirationTime", "generatedBy", "generatedAt", "revokedBy", "revokedAt", "status", "username", "orgRoles", "orgRoleBindingOrgs", "refLink"),
	},
	{
		section: "Revoke or Resend Invitations", method: "DELETE", path: users + "{provider}/invitations", status: 207,
		body:   `{"emails": ["johndoe@acme.com","janedoe@acme.com","jimdoe@.com"]}`,
		fields: []string{"message", "revokedUsersInvitation.users", "revokedUsersInvitation.status", "revokedUsersInvitation.refLink.janedoe@acme.com"},
	},
	{section: "Revoke or Resend Invitations", method: "POST", path: users + "{provider}/invitations", status: 202, body: `{"emails": ["janedoe@acme.com"]}`, fields: []string{"message"}},
	{
		section: "Update Organizational Roles of Users", method: "PATCH", path: users + "{provider}/users-org-roles", status: 200,
		body:   `{"users": [{"username": "johndoe@acme.com","idpId": ""}],"roleNamesToAdd": ["msp:provider_admin"],"roleNamesToRemove": ["msp:provider_support_user"]}`,
		fields: []string{"roleNamesToRemove", "roleNamesToAdd", "users.[].username", "users.[].idpId"},
	},
	{
		section: "Remove Users", method: "PATCH", path: users + "{provider}/users-org-roles", status: 200,
		body: `{"users": [{"username": "johndoe@acme.com","idpId": "acme"},{"username": "janedoe@acme.com","idpId": "acme"}],"roleNamesToAdd": [],` +
			`"roleNamesToRemove": ["msp:provider_operations_admin","msp:provider_support_user","msp:provider_account_admin","msp:provider_billing_user","msp:provider_admin"]}`,
		fields: []string{"roleNamesToRemove", "roleNamesToAdd", "users.[].username", "users.[].idpId"},
	},
	{section: "Generate a Services Usage Report", method: "GET", path: bills + "{provider}/usage-report?startTime=1536856769&endTime=1538411969&tenantId={tenant}", status: 200, fields: usageFields},
	{section: "Download a Usage Report", method: "GET", path: bills + "{provider}/usage-report/file?tenantId={tenant}&startTime=1537029569000&endTime=1540053569000", status: 200},
	{section: "View Subscriptions", method: "GET", path: bills + "{provider}/subscriptions?tenantId={tenant}", status: 200, fields: append(slices.Clone(usageFields), skuFields...)},
	{section: "Create a Support Request", method: "GET", path: tickets + "{provider}/support-requests/metadata", status: 200, fields: []string{"categories"}},
	{
		section: "Create a Support Request", method: "POST", path: tickets + "{provider}/support-requests", status: 201,
		body: `{"severity": "3 - Medium","issueCategoryId": "VMware Cloud Services - User Management","userAgreedToEula": "false","internalTicketId": "",` +
			`"fileReferences": [{"fileName": "/docs/effa7bfb-4ce4-4f08-ba7b-fb4ce44f08fb_0.zip","action": "ADD","fileId": "3db6a332-09d1-4783-84bc-9875a1b761d7"}],` +
			`"phoneNumber": "+91123456789","preferredContactMethod": "Phone","description": "description 2018-09-17T18:03:31.380","timeZone": "(GMT+05:30) India Standard Time",` +
			`"category": "nonTechnical","title": "API Support subject 2018-09-17T18:03:31.380","orgId": "{provider}"}`,
	},
	{section: "Update a Support Request", method: "GET", path: tickets + "{provider}/support-requests", status: 200, fields: prefixed("supportTickets.[].", "id", "caseId", "status", "subStatus", "title", "severity")},
	{section: "Update a Support Request", method: "GET", path: tickets + "{provider}/support-requests/{request}", status: 200, fields: []string{"id", "caseId", "status", "subStatus", "title", "severity"}},
	{
		section: "Update a Support Request", method: "PATCH", path: tickets + "{provider}/support-requests/{request}", status: 200,
		body: `{"closeReason" : "Solution Provided","caseId" : "1264530092","additionalDetails" : "No user access.","supportTicketAction" : "CLOSE","customerNumber" : "1",` +
			`"fileReferences" : [ {"fileName" : "a","fileId" : "b","action" : "REMOVE"}, {"fileName" : "c","fileId" : "{file}","action" : "ADD"} ]}`,
		fields: []string{"id", "caseId", "status", "subStatus", "title", "severity"},
	},
	{section: "View Reasons for Closing a Support Request", method: "GET", path: tickets + "{provider}/support-requests/close-reasons", status: 200, fields: []string{"closeSrReasons"}},
}

// prepare makes what the examples presuppose, and returns what stands for the braces. In 2018 the examples' months are recent.
func prepare(w world) *strings.Replacer {
	w.clock.at = seeded.AddDate(0, 5, 0)
	w.must("POST", users+Provider+"/add-users", `{"orgRolesToAdd":["msp:provider_account_admin"],"orgRoleBindingOrgs":["`+TenantCoke+`"],"users":[{"username":"janedoe@acme.com"},{"username":"johndoe@acme.com"}]}`)
	w.must("POST", users+Provider+"/add-users", `{"orgRolesToAdd":["msp:provider_support_user"],"users":[{"username":"support@lorem.com"}]}`)
	id := w.ticket("User Management")
	a := w.raw("POST", tickets+Provider+"/support-requests/"+id+"/upload", formBody, "csp-auth-token", w.access(Provider, ProviderSupportUser), "Content-Type", formType)
	file := w.fine(a).object(w.t)["fileId"].(string)
	return strings.NewReplacer("{provider}", Provider, "{tenant}", TenantCoke, "{request}", id, "{file}", file, "{token}", w.TokenFor(Provider, ProviderAdmin))
}

const (
	formType = "multipart/form-data; boundary=cut"
	formBody = "--cut\r\nContent-Disposition: form-data; name=\"fileDetail\"\r\n\r\nlog\r\n" +
		"--cut\r\nContent-Disposition: form-data; name=\"uploadedInputStream\"; filename=\"/logs/a.log\"\r\nContent-Type: text/plain\r\n\r\nbytes\x00\xff\r\n--cut--\r\n"
)

// Every request of the guide, sent with its own header and body, is answered with the guide's fields.
func TestGuide(t *testing.T) {
	for i, e := range examples {
		t.Run(fmt.Sprintf("%02d %s", i+1, e.section), func(t *testing.T) {
			w := newWorld(t, Options{Switches: e.switches})
			fill := prepare(w)
			a := w.send(e.method, fill.Replace(e.path), fill.Replace(e.body))
			e.check(t, a)
		})
	}
}

func (e example) check(t *testing.T, a answered) {
	t.Helper()
	if a.err != nil || a.status != e.status {
		t.Fatalf("%d %v %s", a.status, a.err, a.body)
	}
	for _, f := range e.fields {
		if !has(a.json(t), strings.Split(f, ".")) {
			t.Errorf("no %s in %s", f, a.body)
		}
	}
	if strings.HasSuffix(e.section, "Usage Report") && len(e.fields) == 0 {
		e.checkFile(t, a)
	}
}

func (e example) checkFile(t *testing.T, a answered) {
	t.Helper()
	header, rows, _ := strings.Cut(a.body, "\r\n")
	if header != `"`+strings.Join(columns, `","`)+`"` || rows == "" || a.header.Get("Content-Type") != "text/csv" {
		t.Errorf("%v %.300s", a.header, a.body)
	}
	if d := a.header.Get("Content-Disposition"); !strings.HasPrefix(d, `attachment; filename="`) || !strings.HasSuffix(d, `.csv"`) {
		t.Errorf("Content-Disposition %s", d)
	}
}

// has follows a path through objects and the first fitting element of arrays. A name with a dot, such as a mail address, ends the path.
func has(v any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return path[0] == "[]" && has(e, path[1:]) })
	case map[string]any:
		if _, ok := v[strings.Join(path, ".")]; ok {
			return true
		}
		inner, ok := v[path[0]]
		return ok && has(inner, path[1:])
	}
	return false
}

// Every section of the guide with a request has an example here, and every method of the server but the upload.
func TestGuideIsComplete(t *testing.T) {
	for _, r := range routes {
		if r.form {
			continue
		}
		if !slices.ContainsFunc(examples, func(e example) bool {
			path, _, _ := strings.Cut(strings.NewReplacer("{provider}", "o", "{tenant}", "o", "{request}", "r").Replace(e.path), "?")
			found, _, _ := find(e.method, path)
			return found != nil && found.Op == r.Op && e.section != ""
		}) {
			t.Errorf("no example of %s", r.Op)
		}
	}
}

// The same over a network, with curl.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Log("no curl here: net/http has sent the same requests")
		return
	}
	for i, e := range examples {
		t.Run(fmt.Sprintf("%02d %s", i+1, e.section), func(t *testing.T) {
			w := newWorld(t, Options{Switches: e.switches})
			fill := prepare(w)
			ts := httptest.NewServer(http.StripPrefix("/cphub", w.Server))
			defer ts.Close()
			head := filepath.Join(t.TempDir(), "head")
			args := []string{"-s", "-D", head, "-X", e.method, "-H", "csp-auth-token: " + w.access(Provider, providerRoles...)}
			if e.body != "" {
				args = append(args, "-H", "Content-Type: application/json", "--data-binary", fill.Replace(e.body))
			}
			var out bytes.Buffer
			cmd := exec.Command(curl, append(args, ts.URL+"/cphub"+fill.Replace(e.path))...)
			cmd.Stdout = &out
			check(t, cmd.Run())
			e.check(t, headOf(t, head, out.String()))
		})
	}
}

func headOf(t *testing.T, path, body string) answered {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\r\n")
	a := answered{header: http.Header{}, body: body}
	a.status, err = strconv.Atoi(strings.Fields(lines[0])[1])
	check(t, err)
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		a.header.Set(name, value)
	}
	return a
}
