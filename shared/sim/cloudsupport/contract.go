package cloudsupport

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

// mandatory are the fields that the document calls for only in the prose of a method.
var mandatory = map[string][]string{
	"cases.create":          {"displayName", "description", "classification.id", "priority"},
	"cases.comments.create": {"body"},
	"cases.escalate":        {"escalation"},
	"media.upload":          {"attachment.filename"},
}

// route is one way to reach a method.
type route struct {
	method *method
	upload bool
	path   *regexp.Regexp
}

var routes = compile(methods)

func compile(methods []method) []route {
	var all []route
	for i := range methods {
		m := &methods[i]
		all = append(all, route{m, false, rest.PathPattern(m.Path, m.Params)})
		if m.Upload != "" {
			all = append(all, route{m, true, rest.PathPattern(m.Upload, m.Params)})
		}
	}
	return all
}

// find returns the route of a request and the value of its path parameter, nil if the API has no such method.
func find(httpMethod string, u *url.URL) (*route, string) {
	if strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return nil, "" // a slash inside a segment names nothing here
	}
	for i := range routes {
		r := &routes[i]
		if r.method.HTTP != httpMethod && !(r.upload && httpMethod == "PUT") {
			continue
		}
		if found := r.path.FindStringSubmatch(u.Path); found != nil {
			return r, found[len(found)-1]
		}
	}
	return nil, ""
}

// uploadOnly are the query parameters that the upload protocols add: the session's id, and the metadata of a body that is all media.
var uploadOnly = []field{{Name: "upload_id", Type: "string"}, {Name: "attachment.filename", Type: "string"}}

// checkQuery compares the query with the parameters that the method and the API have.
func checkQuery(r *route, query url.Values) rest.Violations {
	lists := [][]field{r.method.Params, standard}
	if r.upload {
		lists = append(lists, uploadOnly)
	}
	return append(rest.CheckQuery(query, lists...), checkAlt(r.method, query)...).Sorted()
}

// checkAlt holds what the parameters mean together. Answers in protocol buffers and JSONP are part of the API but not of this server.
func checkAlt(m *method, query url.Values) rest.Violations {
	var bad rest.Violations
	switch alt := query.Get("alt"); {
	case alt == "proto":
		bad.Add("alt", "This simulator answers in JSON only.")
	case m.Download && alt != "media":
		bad.Add("alt", "A download needs alt=media.")
	case !m.Download && alt == "media":
		bad.Add("alt", "The method has no media to download.")
	}
	if query.Get("callback") != "" {
		bad.Add("callback", "This simulator answers in JSON only.")
	}
	if _, err := parseFields(m.Response, query.Get("fields")); err != nil {
		bad.Add("fields", "%s", err.Error())
	}
	return bad
}
