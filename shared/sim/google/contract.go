package google

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:generate go run ./gen

// field is one parameter of a method or one field of a schema, as published.
type field struct {
	Name     string
	Type     string // "string", "boolean", "integer", "number"; "object" and "any" without a Ref are free; empty with a Ref
	Format   string
	Ref      string // the schema of an object
	Pattern  string
	Path     bool // stands in the path, not in the query
	Array    bool
	Required bool
	Ignored  bool // output only
	Enum     []string
}

// method is one method of an API, as published.
type method struct {
	Op       string // the published id
	HTTP     string
	Path     string
	Request  string // schema names
	Response string
	Params   []field
}

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
	{"servicehealth.googleapis.com", "Service Health API", serviceusageStandard, servicehealthMethods, servicehealthSchemas},
}

// mandatory are the fields that a document calls for only in other words.
var mandatory = map[string][]string{
	"BatchEnableServicesRequest": {"serviceIds"},
	"SetIamPolicyRequest":        {"policy"},
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
			all = append(all, route{&apis[i], m, pathPattern(m.Path, m.Params)})
		}
	}
	return all
}

// pathPattern puts the published pattern of each path parameter in its place. The last segment of a path holds no ':', which begins
// the verb of a custom method.
func pathPattern(path string, params []field) *regexp.Regexp {
	expr := regexp.QuoteMeta(path)
	for _, p := range params {
		if p.Path {
			inner := strings.TrimSuffix(strings.TrimPrefix(p.Pattern, "^"), "$")
			expr = strings.Replace(expr, regexp.QuoteMeta("{+"+p.Name+"}"), "("+inner+")", 1)
		}
	}
	if cut, ok := strings.CutSuffix(expr, "[^/]+)"); ok {
		expr = cut + "[^/:]+)"
	}
	return regexp.MustCompile("^" + expr + "$")
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
func checkQuery(r *route, query url.Values) violations {
	var bad violations
	for name, values := range query {
		f := parameter(r, name)
		switch {
		case f == nil:
			bad.add(name, "Invalid JSON payload received. Unknown name %q: Cannot bind query parameter.", clip(name))
		case len(values) > 1 && !f.Array:
			bad.add(name, "The parameter is not repeated.")
		default:
			for _, v := range values {
				bad.check(name, checkParameter(*f, v))
			}
		}
	}
	for _, name := range []string{"fields", "callback"} {
		if query.Get(name) != "" {
			bad.add(name, "This simulator gives whole answers in JSON only.")
		}
	}
	if alt := query.Get("alt"); alt == "proto" || alt == "media" {
		bad.add("alt", "This simulator answers in JSON only.")
	}
	return bad.sorted()
}

func parameter(r *route, name string) *field {
	for _, list := range [][]field{r.method.Params, r.api.standard} {
		if f := named(list, name); f != nil && !f.Path {
			return f
		}
	}
	return nil
}

// named finds a field by its published name.
func named(fields []field, name string) *field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

func checkParameter(f field, value string) string {
	switch f.Type {
	case "integer":
		if n, err := strconv.ParseInt(value, 10, 32); err != nil || n < 0 {
			return "The value must be a 32-bit number that is not negative."
		}
	case "boolean":
		if value != "true" && value != "false" {
			return "The value must be true or false."
		}
	}
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, value) {
		return "The value must be one of " + strings.Join(f.Enum, ", ") + "."
	}
	return ""
}
