package bigquery

import (
	"context"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// maxPayload is how many bytes one request may have: a job of 10,000 long URIs fits.
const maxPayload = 10 << 20

// request is one call of the API.
type request struct {
	*server.Request
	route  *route
	params map[string]string // of the path
	object object
}

// find routes a request.
func (s *Server) find(r *http.Request) (*server.Method, server.Reply) {
	route, params := find(r.Method, r.URL)
	if route == nil {
		return nil, reply(rest.Fail("NOT_FOUND", "Method not found."))
	}
	run := func(_ context.Context, in *server.Request, at time.Time) server.Reply {
		return s.execute(&request{Request: in, route: route, params: params}, at)
	}
	return &server.Method{Op: route.method.Op, Limit: maxPayload, Run: run}, server.Reply{}
}

// authenticate finds out whether the caller may speak at all. Every token is somebody's.
func (s *Server) authenticate(rq *request) *rest.Failure {
	if s.opts.RequireToken && rq.Bearer() == "" {
		return rest.Fail("UNAUTHENTICATED", "Request is missing required authentication credential. Expected OAuth 2 access token.")
	}
	return nil
}

// parse checks the body against the schema of the method. A patch may leave out what it does not change.
func (rq *request) parse() *rest.Failure {
	m := rq.route.method
	var f *rest.Failure
	if rq.object, f = bodies().Read(m, rq.Request); f != nil {
		return f
	}
	return bodies().Missing(m.Request, rq.object, m.HTTP == http.MethodPatch).Failure()
}

// render writes the answer of a method.
func render(rq *request, out any) server.Reply {
	data, err := rest.Encode(rq.Query, out)
	if err != nil {
		return reply(rest.Fail("INTERNAL", "The answer cannot be written."))
	}
	return server.Typed(http.StatusOK, rest.JSON, data)
}
