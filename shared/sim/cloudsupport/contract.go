package cloudsupport

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

//go:generate go run ./gen

// field is one parameter of a method or one field of a schema, as published.
type field struct {
	Name     string
	Type     string // "string", "boolean", "integer"; empty with a Ref
	Format   string
	Ref      string // the schema of an object
	Pattern  string
	Path     bool // stands in the path, not in the query
	Array    bool
	Required bool
	Ignored  bool // output only, or ignored on input
	Enum     []string
}

// method is one method of the API, as published.
type method struct {
	Op       string // the published id less "cloudsupport."
	HTTP     string
	Path     string
	Upload   string // the path of a media upload, if the method takes one
	Request  string // schema names
	Response string
	Download bool // answers media with alt=media
	Params   []field
}

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
		all = append(all, route{m, false, pathPattern(m.Path, m.Params)})
		if m.Upload != "" {
			all = append(all, route{m, true, pathPattern(m.Upload, m.Params)})
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
func checkQuery(r *route, query url.Values) violations {
	var bad violations
	for name, values := range query {
		f := parameter(r, name)
		switch {
		case f == nil:
			bad.add(name, "Invalid JSON payload received. Unknown name %q: Cannot bind query parameter.", clip(name))
		case len(values) > 1:
			bad.add(name, "The parameter is not repeated.")
		default:
			bad.check(name, checkParameter(*f, values[0]))
		}
	}
	bad = append(bad, checkAlt(r.method, query)...)
	return bad.sorted()
}

func parameter(r *route, name string) *field {
	lists := [][]field{r.method.Params, standard}
	if r.upload {
		lists = append(lists, uploadOnly)
	}
	for _, list := range lists {
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
	if len(f.Enum) > 0 && !contains(f.Enum, value) {
		return "The value must be one of " + strings.Join(f.Enum, ", ") + "."
	}
	return ""
}

// checkAlt holds what the parameters mean together. Answers in protocol buffers and JSONP are part of the API but not of this server.
func checkAlt(m *method, query url.Values) violations {
	var bad violations
	switch alt := query.Get("alt"); {
	case alt == "proto":
		bad.add("alt", "This simulator answers in JSON only.")
	case m.Download && alt != "media":
		bad.add("alt", "A download needs alt=media.")
	case !m.Download && alt == "media":
		bad.add("alt", "The method has no media to download.")
	}
	if query.Get("callback") != "" {
		bad.add("callback", "This simulator answers in JSON only.")
	}
	if _, err := parseFields(m.Response, query.Get("fields")); err != nil {
		bad.add("fields", "%s", err.Error())
	}
	return bad
}

func contains(list []string, value string) bool {
	for _, s := range list {
		if s == value {
			return true
		}
	}
	return false
}
