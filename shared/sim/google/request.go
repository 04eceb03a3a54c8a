package google

import (
	"context"
	"crypto/subtle"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const maxPayload = 1 << 20 // bytes of one request

// request is one call of an API.
type request struct {
	*server.Request
	route  *route
	method *method
	param  string // the value of the path parameter
	object object
}

// find routes a request.
func (s *Server) find(r *http.Request) (*server.Method, server.Reply) {
	route, param := find(r.Method, r.URL)
	if route == nil {
		return nil, rest.Fail("NOT_FOUND", "Method not found.").Reply()
	}
	run := func(_ context.Context, in *server.Request, at time.Time) server.Reply {
		return s.execute(&request{Request: in, route: route, method: route.method, param: param}, at)
	}
	return &server.Method{Op: route.method.Op, Limit: maxPayload, Run: run}, server.Reply{}
}

// authenticate finds out whether the caller may speak at all.
func (s *Server) authenticate(rq *request) *rest.Failure {
	if !s.opts.RequireToken {
		return nil
	}
	token := rq.Bearer()
	if token == "" {
		return rest.Fail("UNAUTHENTICATED", "Request is missing required authentication credential. Expected OAuth 2 access token.")
	}
	if len(s.opts.Tokens) > 0 && !listed(s.opts.Tokens, token) {
		return rest.Fail("UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token.")
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

// parse checks the body against the schema of the method. A patch may leave out what it does not change.
func (rq *request) parse() *rest.Failure {
	all := bodies(rq.route.api.schemas)
	var f *rest.Failure
	if rq.object, f = all.Read(rq.method, rq.Request); f != nil || rq.method.HTTP == http.MethodPatch {
		return f
	}
	return all.Missing(rq.method.Request, rq.object, false).Failure()
}

// render writes the answer of a method.
func render(rq *request, out any) server.Reply {
	data, err := rest.Encode(rq.Query, out)
	if err != nil {
		return rest.Fail("INTERNAL", "The answer cannot be written.").Reply()
	}
	return server.Typed(http.StatusOK, rest.JSON, data)
}
