package hub

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Limits of one request, in bytes.
const (
	maxBody   = 1 << 20
	maxUpload = 25 << 20
)

// request is one call of the API, as of a time.
type request struct {
	*server.Request
	route *route
	vars  map[string]string
	at    time.Time

	caller identity
	org    orgRecord // of the path
	upload upload
}

// find routes a request.
func (s *Server) find(r *http.Request) (*server.Method, reply) {
	found, vars, allowed := find(r.Method, r.URL.Path)
	if found == nil {
		return nil, unknown(allowed)
	}
	limit := int64(maxBody)
	if found.form {
		limit += maxUpload
	}
	run := func(_ context.Context, in *server.Request, at time.Time) reply {
		return s.execute(&request{Request: in, route: found, vars: vars, at: at.UTC()})
	}
	return &server.Method{Op: found.Op, Limit: limit, Run: run}, reply{}
}

func unknown(allowed []string) reply {
	if len(allowed) == 0 {
		return notFound().reply()
	}
	a := fail(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "The resource does not have this method.").reply()
	a.Header.Set("Allow", strings.Join(allowed, ", "))
	return a
}

// unreadable is what was wrong already when the request was read.
func (rq *request) unreadable() *failure {
	switch {
	case rq.TooLarge:
		return fail(http.StatusRequestEntityTooLarge, "TOO_LARGE", "The body has more than %d bytes.", rq.Limit)
	case rq.BadQuery:
		return fail(http.StatusBadRequest, "INVALID_QUERY", "The query of the URL cannot be read.")
	}
	return nil
}

// admit checks how often and who calls, and what, before anything is looked up.
func (s *Server) admit(rq *request) *failure {
	if f := s.hurry(rq.at); f != nil {
		return f
	}
	if f := s.reachable(rq); f != nil {
		return f
	}
	if rq.route.roles != nil {
		if f := s.authenticate(rq); f != nil {
			return f
		}
	}
	if f := rq.unreadable(); f != nil {
		return f
	}
	if f := checkQuery(rq.route.query, rq.Query); f != nil {
		return f
	}
	return rq.parse()
}

// reachable is what the switches say about the way a request came.
func (s *Server) reachable(rq *request) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.switches.RequireTLS && rq.Base.Scheme != "https" {
		return denied("The service is reached over HTTPS only.")
	}
	if rq.route.Op == "users.add" && !s.switches.addUsersBy(rq.Verb) {
		return fail(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "The resource does not have this method.")
	}
	return nil
}

// addUsersBy says whether add-users has an HTTP method.
func (s Switches) addUsersBy(verb string) bool {
	if verb == http.MethodPatch {
		return s.AddUsersPatch || s.AddUsersPatchOnly
	}
	return !s.AddUsersPatchOnly
}

// parse checks the body against the fields of the method.
func (rq *request) parse() *failure {
	if rq.route.form {
		return rq.parseUpload()
	}
	if rq.route.body == nil {
		if len(rq.Body) > 0 {
			return fail(http.StatusBadRequest, "INVALID_BODY", "The method takes no body.")
		}
		return nil
	}
	if kind, _, err := mime.ParseMediaType(rq.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fail(http.StatusUnsupportedMediaType, "INVALID_CONTENT_TYPE", "The Content-Type must be application/json.")
	}
	return checkBody(rq.route.body, rq.Body)
}

// decode reads the body, which has been checked, into a struct.
func (rq *request) decode(v any) error {
	if err := json.Unmarshal(rq.Body, v); err != nil {
		return fail(http.StatusBadRequest, "INVALID_BODY", "The body must be one JSON object.")
	}
	return nil
}

// is reads a parameter that is true or false.
func (rq *request) is(name string) bool { return rq.Query.Get(name) == "true" }

// rate counts the calls of the current second.
type rate struct {
	second int64
	calls  int
}

func (s *Server) hurry(at time.Time) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := at.Unix(); now != s.rate.second {
		s.rate = rate{second: now}
	}
	s.rate.calls++
	if limit := s.switches.RateLimit; limit > 0 && s.rate.calls > limit {
		return fail(http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "Too many requests.")
	}
	return nil
}
