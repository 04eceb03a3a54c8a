package google

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

const maxPayload = 1 << 20 // bytes of one request

// request is one call of an API, read completely: it can be executed later, when its connection is long gone.
type request struct {
	route  *route
	method *method
	verb   string // the HTTP method
	path   string
	param  string // the value of the path parameter
	query  url.Values
	header http.Header
	body   []byte

	refused *failure // what was wrong already when it was read
	object  object
}

// receive routes a request and reads its body. Without a request there is nothing to execute, and the reply is final.
func (s *Server) receive(r *http.Request) (*request, reply) {
	route, param := find(r.Method, r.URL)
	if route == nil {
		a := fail("NOT_FOUND", "Method not found.").reply()
		s.note(&request{method: &method{Op: "unknown"}, verb: r.Method, path: r.URL.Path}, fault{}, a)
		return nil, a
	}
	rq := &request{route: route, method: route.method, verb: r.Method, path: r.URL.Path, param: param, header: r.Header.Clone()}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		rq.refused = fail("INVALID_ARGUMENT", "The query of the URL cannot be read.")
	}
	rq.query = query
	if rq.body, err = io.ReadAll(io.LimitReader(r.Body, maxPayload+1)); err != nil {
		return nil, reply{drop: err} // the caller broke off
	}
	if len(rq.body) > maxPayload {
		rq.refused = fail("INVALID_ARGUMENT", "Request payload size exceeds the limit: %d bytes.", maxPayload)
	}
	return rq, reply{}
}

// authenticate finds out whether the caller may speak at all.
func (s *Server) authenticate(rq *request) *failure {
	if !s.opts.RequireToken {
		return nil
	}
	scheme, token, _ := strings.Cut(rq.header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return fail("UNAUTHENTICATED", "Request is missing required authentication credential. Expected OAuth 2 access token.")
	}
	if len(s.opts.Tokens) > 0 && !listed(s.opts.Tokens, token) {
		return fail("UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token.")
	}
	return nil
}

// listed takes the same time for every token.
func listed(tokens map[string]string, token string) bool {
	found := 0
	for known := range tokens {
		found |= subtle.ConstantTimeCompare([]byte(known), []byte(token))
	}
	return found == 1
}

// parse checks the body against the schema of the method.
func (rq *request) parse() *failure {
	if rq.method.Request == "" {
		if len(rq.body) > 0 {
			return fail("INVALID_ARGUMENT", "The method %s takes no request body.", rq.method.Op)
		}
		return nil
	}
	if kind, _, err := mime.ParseMediaType(rq.header.Get("Content-Type")); len(rq.body) > 0 && (err != nil || kind != "application/json") {
		return fail("INVALID_ARGUMENT", "The request body must be of type application/json.")
	}
	obj, f := parsePayload(rq.route.api.schemas, rq.method.Request, rq.body)
	if f != nil {
		return f
	}
	rq.object = obj
	return checkRequired(rq.route, obj).failure()
}

// reply is what goes back: an answer, or a connection that breaks.
type reply struct {
	status int
	header http.Header
	body   []byte
	reason string // of a failure, for /calls
	drop   error  // what a caller in the same process sees of the broken connection
}

// render writes the answer of a method.
func render(rq *request, out any) reply {
	write := func(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }
	if rq.query.Get("prettyPrint") == "false" {
		write = json.Marshal
	}
	data, err := write(out)
	if err != nil {
		return fail("INTERNAL", "The answer cannot be written.").reply()
	}
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, body: data}
}
