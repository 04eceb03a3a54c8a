package google

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

//go:generate go run ./gen

// What the generated tables are made of.
type (
	field  = rest.Field
	method = rest.Method
)

// api is one of the APIs.
type api struct {
	service  string // its name in Service Usage
	title    string
	standard []field // the query parameters that every method takes
	methods  []method
	schemas  map[string][]field
}

var apis = []api{
	{"serviceusage.googleapis.com", "Service Usage API", serviceusageStandard, serviceusageMethods, serviceusageSchemas},
	{"cloudresourcemanager.googleapis.com", "Cloud Resource Manager API", cloudresourcemanagerStandard, cloudresourcemanagerMethods, cloudresourcemanagerSchemas},
	{"essentialcontacts.googleapis.com", "Essential Contacts API", essentialcontactsStandard, essentialcontactsMethods, essentialcontactsSchemas},
	{"recommender.googleapis.com", "Recommender API", recommenderStandard, recommenderMethods, recommenderSchemas},
	{"logging.googleapis.com", "Cloud Logging API", loggingStandard, loggingMethods, loggingSchemas},
	{"monitoring.googleapis.com", "Cloud Monitoring API", monitoringStandard, monitoringMethods, monitoringSchemas},
	{"servicehealth.googleapis.com", "Service Health API", serviceusageStandard, servicehealthMethods, servicehealthSchemas},
}

// mandatory are the fields that a document calls for only in other words.
var mandatory = map[string][]string{
	"BatchEnableServicesRequest": {"serviceIds"},
	"SetIamPolicyRequest":        {"policy"},
	"ListLogEntriesRequest":      {"resourceNames"},
	"TestIamPermissionsRequest":  {"permissions"},
}

// route is the way to one method.
type route struct {
	api    *api
	method *method
	path   *regexp.Regexp
}

var routes = compile(apis)

func compile(apis []api) []route {
	var all []route
	for i := range apis {
		for j := range apis[i].methods {
			m := &apis[i].methods[j]
			all = append(all, route{&apis[i], m, rest.PathPattern(m.Path, m.Params)})
		}
	}
	return all
}

// find returns the route of a request and the value of its path parameter, nil if no API has such a method.
func find(httpMethod string, u *url.URL) (*route, string) {
	if strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return nil, "" // a slash inside a segment names nothing here
	}
	for i := range routes {
		r := &routes[i]
		if r.method.HTTP != httpMethod {
			continue
		}
		if found := r.path.FindStringSubmatch(u.Path); found != nil {
			return r, found[len(found)-1]
		}
	}
	return nil, ""
}

// checkQuery compares the query with the parameters that the method and the API have.
func checkQuery(r *route, query url.Values) rest.Violations {
	bad := rest.CheckQuery(query, r.method.Params, r.api.standard)
	for _, name := range []string{"fields", "callback"} {
		if query.Get(name) != "" {
			bad.Add(name, "This simulator gives whole answers in JSON only.")
		}
	}
	if alt := query.Get("alt"); alt == "proto" || alt == "media" {
		bad.Add("alt", "This simulator answers in JSON only.")
	}
	return bad.Sorted()
}
