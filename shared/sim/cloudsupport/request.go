package cloudsupport

import (
	"crypto/subtle"
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
	maxPayload = 10 << 20  // Google's own, of JSON
	maxMedia   = 100 << 20 // of one attachment
)

// request is one call of the API, read completely: it can be executed later, when its connection is long gone.
type request struct {
	route  *route
	method *method
	verb   string // the HTTP method
	path   string
	param  string // the value of the path parameter
	query  url.Values
	header http.Header
	body   []byte
	base   *url.URL // where the server is mounted

	refused *failure // what was wrong already when it was read

	at     time.Time
	lag    time.Duration // of the search index
	caller actor
	object object
	media  *media // of an upload
}

// receive routes a request and reads its body. Without a request there is nothing to execute, and the reply is final.
func (s *Server) receive(r *http.Request) (*request, reply) {
	route, param := find(r.Method, r.URL)
	if route == nil {
		a := fail("NOT_FOUND", "Method not found.").reply()
		s.note(&request{method: &method{Op: "unknown"}, verb: r.Method, path: r.URL.Path}, fault{}, a)
		return nil, a
	}
	rq := &request{
		route: route, method: route.method, verb: r.Method, path: r.URL.Path, param: param,
		header: r.Header.Clone(), base: location(r), lag: s.opts.SearchLag,
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		rq.refused = fail("INVALID_ARGUMENT", "The query of the URL cannot be read.")
	}
	rq.query = query
	if err := rq.read(r.Body); err != nil {
		return nil, reply{drop: err} // the caller broke off
	}
	return rq, reply{}
}

func (rq *request) read(body io.Reader) error {
	limit := int64(maxPayload)
	if rq.route.upload {
		limit = maxMedia + maxPayload
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if int64(len(data)) > limit {
		rq.refused = fail("INVALID_ARGUMENT", "Request payload size exceeds the limit: %d bytes.", limit)
		return nil
	}
	rq.body = data
	return err
}

// authenticate finds out who calls.
func (s *Server) authenticate(rq *request) *failure {
	scheme, token, _ := strings.Cut(rq.header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return fail("UNAUTHENTICATED", "Request is missing required authentication credential. Expected OAuth 2 access token.")
	}
	email := DefaultCaller
	if len(s.opts.Tokens) > 0 {
		email = lookup(s.opts.Tokens, strings.TrimSpace(token))
	}
	if email == "" {
		return fail("UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token.")
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
func (rq *request) parse() *failure {
	if rq.method.Request == "" {
		return rq.noBody()
	}
	if rq.route.upload {
		return rq.parseUpload()
	}
	if f := rq.parseJSON(rq.body, rq.header.Get("Content-Type")); f != nil {
		return f
	}
	return checkRequired(rq.method, rq.object).failure()
}

func (rq *request) noBody() *failure {
	if len(rq.body) > 0 {
		return fail("INVALID_ARGUMENT", "The method %s takes no request body.", rq.method.Op)
	}
	return nil
}

func (rq *request) parseJSON(body []byte, contentType string) (f *failure) {
	if kind, _, err := mime.ParseMediaType(contentType); len(body) > 0 && (err != nil || kind != "application/json") {
		return fail("INVALID_ARGUMENT", "The request body must be of type application/json.")
	}
	if len(body) > maxPayload {
		return fail("INVALID_ARGUMENT", "Request payload size exceeds the limit: %d bytes.", maxPayload)
	}
	rq.object, f = parsePayload(rq.method.Request, body)
	return f
}

// reply is what goes back: an answer, or a connection that breaks.
type reply struct {
	status int
	header http.Header
	body   []byte
	reason string // of a failure, for /calls
	drop   error  // what a caller in the same process sees of the broken connection
}

// render writes the answer of a method; raw ones are ready.
func render(rq *request, out any) reply {
	if ready, ok := out.(reply); ok {
		return ready
	}
	data, err := encode(rq, out)
	if err != nil {
		return fail("INTERNAL", "The answer cannot be written.").reply()
	}
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, body: data}
}

func encode(rq *request, out any) ([]byte, error) {
	if sel, _ := parseFields(rq.method.Response, rq.query.Get("fields")); sel != nil {
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
	if rq.query.Get("prettyPrint") == "false" {
		return json.Marshal(out)
	}
	return json.MarshalIndent(out, "", "  ")
}
