package hub

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Limits of one request, in bytes.
const (
	maxBody   = 1 << 20
	maxUpload = 25 << 20
)

// request is one call of the API, read completely: it can be executed later, when its connection is long gone.
type request struct {
	route  *route
	verb   string // the HTTP method
	path   string
	vars   map[string]string
	query  url.Values
	header http.Header
	body   []byte
	base   *url.URL // where the server is mounted
	secure bool     // it came over TLS

	refused *failure // what was wrong already when it was read

	at     time.Time
	lag    time.Duration // of a list
	caller identity
	org    orgRecord // of the path
	upload upload
}

// receive routes a request and reads its body. Without a request there is nothing to execute, and the reply is final.
func (s *Server) receive(r *http.Request) (*request, reply) {
	found, vars, allowed := find(r.Method, r.URL.Path)
	if found == nil {
		return nil, s.unknown(r, allowed)
	}
	rq := &request{
		route: found, verb: r.Method, path: r.URL.Path, vars: vars,
		header: r.Header.Clone(), base: location(r), secure: r.TLS != nil,
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		rq.refused = fail(http.StatusBadRequest, "INVALID_QUERY", "The query of the URL cannot be read.")
	}
	rq.query = query
	if err := rq.read(r.Body); err != nil {
		return nil, reply{drop: err} // the caller broke off
	}
	return rq, reply{}
}

func (s *Server) unknown(r *http.Request, allowed []string) reply {
	a := notFound().reply()
	if len(allowed) > 0 {
		a = fail(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "The resource does not have this method.").reply()
		a.header.Set("Allow", strings.Join(allowed, ", "))
	}
	s.note(&request{route: &route{Op: "unknown"}, verb: r.Method, path: r.URL.Path}, fault{}, a)
	return a
}

func (rq *request) read(body io.Reader) error {
	limit := int64(maxBody)
	if rq.route.form {
		limit = maxUpload + maxBody
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if int64(len(data)) > limit {
		rq.refused = fail(http.StatusRequestEntityTooLarge, "TOO_LARGE", "The body has more than %d bytes.", limit)
		return nil
	}
	rq.body = data
	return err
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
	if rq.refused != nil {
		return rq.refused
	}
	if f := checkQuery(rq.route.query, rq.query); f != nil {
		return f
	}
	return rq.parse()
}

// reachable is what the switches say about the way a request came.
func (s *Server) reachable(rq *request) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.switches.RequireTLS && !rq.secure {
		return denied("The service is reached over HTTPS only.")
	}
	if rq.route.Op == "users.add" && !s.switches.addUsersBy(rq.verb) {
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
		if len(rq.body) > 0 {
			return fail(http.StatusBadRequest, "INVALID_BODY", "The method takes no body.")
		}
		return nil
	}
	if kind, _, err := mime.ParseMediaType(rq.header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fail(http.StatusUnsupportedMediaType, "INVALID_CONTENT_TYPE", "The Content-Type must be application/json.")
	}
	return checkBody(rq.route.body, rq.body)
}

// decode reads the body, which has been checked, into a struct.
func (rq *request) decode(v any) error {
	if err := json.Unmarshal(rq.body, v); err != nil {
		return fail(http.StatusBadRequest, "INVALID_BODY", "The body must be one JSON object.")
	}
	return nil
}

// is reads a parameter that is true or false.
func (rq *request) is(name string) bool { return rq.query.Get(name) == "true" }

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
