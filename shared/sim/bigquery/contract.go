package bigquery

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

// mandatory are the fields that the document calls for in other words only.
var mandatory = map[string][]string{
	"Table":                {"tableReference"},
	"JobConfigurationLoad": {"destinationTable", "sourceUris"},
}

// route is the way to one method.
type route struct {
	method *method
	path   *regexp.Regexp
	params []string // the names of the path parameters, in the order of the path
}

var routes = compile(methods)

var pathParameter = regexp.MustCompile(`\{\+(\w+)\}`)

func compile(all []method) []route {
	out := make([]route, len(all))
	for i := range all {
		m := &all[i]
		out[i] = route{method: m, path: rest.PathPattern(m.Path, m.Params)}
		for _, found := range pathParameter.FindAllStringSubmatch(m.Path, -1) {
			out[i].params = append(out[i].params, found[1])
		}
	}
	return out
}

// find returns the route of a request and the values of its path parameters, nil if the API has no such method.
func find(httpMethod string, u *url.URL) (*route, map[string]string) {
	if strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return nil, nil // a slash inside a segment names nothing here
	}
	for i := range routes {
		r := &routes[i]
		found := r.path.FindStringSubmatch(u.Path)
		if r.method.HTTP != httpMethod || found == nil {
			continue
		}
		params := map[string]string{}
		for n, name := range r.params {
			params[name] = found[n+1]
		}
		return r, params
	}
	return nil, nil
}

// checkQuery compares the query with the parameters that the method and the API have.
func checkQuery(r *route, query url.Values) rest.Violations {
	bad := rest.CheckQuery(query, r.method.Params, standard)
	for _, name := range []string{"fields", "callback", "selectedFields", "autodetect_schema"} {
		if query.Get(name) != "" {
			bad.Add(name, "This simulator has not got this parameter: it gives whole answers in JSON.")
		}
	}
	if alt := query.Get("alt"); alt == "proto" || alt == "media" {
		bad.Add("alt", "This simulator answers in JSON only.")
	}
	return bad.Sorted()
}
