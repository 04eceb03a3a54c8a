package cloudsupport

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Limits of one request, in bytes.
const (
	maxPayload = 10 << 20  // Google's own, of JSON
	maxMedia   = 100 << 20 // of one attachment
)

// request is one call of the API, as of a time.
type request struct {
	*server.Request
	route  *route
	method *method
	param  string // the value of the path parameter
	at     time.Time

	caller actor
	object object
	media  *media // of an upload
}

// find routes a request.
func (s *Server) find(r *http.Request) (*server.Method, server.Reply) {
	route, param := find(r.Method, r.URL)
	if route == nil {
		return nil, rest.Fail("NOT_FOUND", "Method not found.").Reply()
	}
	limit := int64(maxPayload)
	if route.upload {
		limit += maxMedia
	}
	run := func(ctx context.Context, in *server.Request, at time.Time) server.Reply {
		return s.execute(ctx, &request{Request: in, route: route, method: route.method, param: param, at: at})
	}
	return &server.Method{Op: route.method.Op, Limit: limit, Run: run}, server.Reply{}
}

// authenticate finds out who calls.
func (s *Server) authenticate(rq *request) *rest.Failure {
	token := rq.Bearer()
	if token == "" {
		return rest.Fail("UNAUTHENTICATED", "Request is missing required authentication credential. Expected OAuth 2 access token.")
	}
	email := DefaultCaller
	if len(s.opts.Tokens) > 0 {
		email = lookup(s.opts.Tokens, token)
	}
	if email == "" {
		return rest.Fail("UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token.")
	}
	rq.caller = actor{Name: email, Email: email}
	return nil
}

// lookup takes the same time for every token.
func lookup(tokens map[string]string, token string) string {
	email := ""
	for known, e := range tokens {
		if subtle.ConstantTimeCompare([]byte(known), []byte(token)) == 1 {
			email = e
		}
	}
	return email
}

// parse checks the body against the schema of the method.
func (rq *request) parse() *rest.Failure {
	if rq.method.Request == "" {
		return rest.NoBody(rq.Request)
	}
	if rq.route.upload {
		return rq.parseUpload()
	}
	if f := rq.parseJSON(rq.Body, rq.Header.Get("Content-Type")); f != nil {
		return f
	}
	return checkRequired(rq.method, rq.object).Failure()
}

func (rq *request) parseJSON(body []byte, contentType string) (f *rest.Failure) {
	if f := rest.JSONBody(contentType, body); f != nil {
		return f
	}
	if len(body) > maxPayload {
		return rest.Fail("INVALID_ARGUMENT", "Request payload size exceeds the limit: %d bytes.", maxPayload)
	}
	rq.object, f = parsePayload(rq.method.Request, body)
	return f
}

// render writes the answer of a method; raw ones are ready.
func render(rq *request, out any) server.Reply {
	if ready, ok := out.(server.Reply); ok {
		return ready
	}
	data, err := encode(rq, out)
	if err != nil {
		return rest.Fail("INTERNAL", "The answer cannot be written.").Reply()
	}
	return server.Typed(http.StatusOK, rest.JSON, data)
}

func encode(rq *request, out any) ([]byte, error) {
	if sel, _ := parseFields(rq.method.Response, rq.Query.Get("fields")); sel != nil {
		data, err := json.Marshal(out)
		if err != nil {
			return nil, err
		}
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			return nil, err
		}
		out = sel.keep(v)
	}
	return rest.Encode(rq.Query, out)
}
