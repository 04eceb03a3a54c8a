package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

//go:generate go run ./gen

const googleRoot = "/google"

// What the generated tables are made of.
type (
	field  = rest.Field
	method = rest.Method
)

// route is the way to one method.
type route struct {
	method *method
	path   *regexp.Regexp
}

var routes = compile(googleMethods)

func compile(methods []method) []route {
	all := make([]route, len(methods))
	for i := range methods {
		all[i] = route{&methods[i], rest.PathPattern(methods[i].Path, methods[i].Params)}
	}
	return all
}

// request is one call of the Google Chat API.
type request struct {
	*server.Request
	method *method
	param  string // the value of the path parameter
	body   map[string]any
}

func (s *Server) findGoogle(r *http.Request) (*server.Method, server.Reply) {
	route, param := routeOf(r.Method, r.URL)
	if route == nil {
		return nil, rest.Fail("NOT_FOUND", "Method not found.").Reply()
	}
	run := func(_ context.Context, in *server.Request, at time.Time) server.Reply {
		return s.google(&request{Request: in, method: route.method, param: param}, at)
	}
	return &server.Method{Op: route.method.Op, Limit: maxBody, Run: run}, server.Reply{}
}

func routeOf(httpMethod string, u *url.URL) (*route, string) {
	path := strings.TrimPrefix(u.Path, googleRoot)
	for i := range routes {
		if routes[i].method.HTTP != httpMethod {
			continue
		}
		if found := routes[i].path.FindStringSubmatch(path); found != nil {
			return &routes[i], found[len(found)-1]
		}
	}
	return nil, ""
}

// google executes one call.
func (s *Server) google(rq *request, at time.Time) server.Reply {
	if f := s.admit(rq); f != nil {
		return f.Reply()
	}
	out, err := s.executeGoogle(rq, at)
	if err != nil {
		return rest.FailureOf(err).Reply()
	}
	if ready, ok := out.(server.Reply); ok {
		return ready
	}
	data, err := json.Marshal(out)
	if err != nil {
		return rest.Fail("INTERNAL", "The answer cannot be written.").Reply()
	}
	return server.Typed(http.StatusOK, rest.JSON, data)
}

// admit checks who calls and what, before anything is looked up.
func (s *Server) admit(rq *request) *rest.Failure {
	if token := rq.Bearer(); len(s.opts.Tokens) > 0 && (token == "" || !s.taken(token)) {
		return rest.Fail("UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token.")
	}
	if f := cmp.Or(rest.Unreadable(rq.Request), checkQuery(rq).Failure()); f != nil {
		return f
	}
	return rq.parse()
}

// checkQuery compares the query with the parameters that the method and the API have.
func checkQuery(rq *request) rest.Violations {
	bad := rest.CheckQuery(rq.Query, rq.method.Params, googleStandard)
	if alt := rq.Query.Get("alt"); (alt == "media") != rq.method.Download && alt != "" {
		bad.Add("alt", "Media is for downloads, JSON for everything else.")
	}
	return bad.Sorted()
}

// parse checks the body against the schema of the method.
func (rq *request) parse() *rest.Failure {
	if rq.method.Request == "" {
		return rest.NoBody(rq.Request)
	}
	if kind, _, err := mime.ParseMediaType(rq.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return rest.Fail("INVALID_ARGUMENT", "The request body must be of type application/json.")
	}
	var bad rest.Violations
	if err := json.Unmarshal(rq.Body, &rq.body); err != nil {
		return rest.Fail("INVALID_ARGUMENT", "Invalid JSON payload received. It is not one JSON object.")
	}
	checkObject(&bad, rq.method.Request, "", rq.body)
	return bad.Sorted().Failure()
}

func checkObject(bad *rest.Violations, schema, at string, object map[string]any) {
	for name, v := range object {
		f := rest.Named(googleSchemas[schema], name)
		if f == nil {
			bad.Add(rest.Join(at, name), "Invalid JSON payload received. Unknown name %q: Cannot find field.", server.Clip(name))
			continue
		}
		checkValue(bad, *f, rest.Join(at, name), v)
	}
}

func checkValue(bad *rest.Violations, f field, at string, v any) {
	if v == nil {
		return
	}
	if f.Array {
		list, ok := v.([]any)
		if !ok {
			bad.Add(at, "Invalid value: it must be an array.")
		}
		f.Array = false
		for _, v := range list {
			checkValue(bad, f, at, v)
		}
		return
	}
	object, isObject := v.(map[string]any)
	switch {
	case f.Ref != "" && isObject:
		checkObject(bad, f.Ref, at, object)
	case f.Ref != "" || f.Type == "object" && !isObject:
		bad.Add(at, "Invalid value: it must be an object.")
	default:
		bad.Check(at, wrongScalar(f, v))
	}
}

func wrongScalar(f field, v any) string {
	ok := true
	switch f.Type {
	case "string":
		var s string
		if s, ok = v.(string); ok {
			return f.Wrong(s)
		}
	case "boolean":
		_, ok = v.(bool)
	case "integer", "number":
		_, ok = v.(float64)
	}
	if !ok {
		return "Invalid value: it must be a " + f.Type + "."
	}
	return ""
}

// text is the text of a field at a path of objects.
func (rq *request) text(path ...string) string {
	var v any = rq.body
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	s, _ := v.(string)
	return s
}
