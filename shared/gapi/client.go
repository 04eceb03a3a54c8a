// Package gapi is the plumbing under every Google REST client of this project: who we are, where the API is, what may be sent when, and
// what a failure means. It is the only package that knows OAuth.
//
// [Client] returns an http.Client for the generated clients of google.golang.org/api. It promises:
//   - Nothing is sent after the deadline of the call. The guard asks the wall clock as well as the context, because a suspended machine
//     stops the monotonic clock behind a context's timer; it asks before a connection is made and again before the first byte of the body.
//   - A request that is not a read leaves once. It cannot be replayed by net/http (no GetBody, and nothing here sets an idempotency
//     header), it is not redirected, and it travels on a connection of its own, so that a connection which died while the machine was
//     suspended cannot leave us in doubt.
//   - Reads (GET) are repeated up to three times after 429, 503 and failed connections, within the deadline.
//   - A failure says whether the remote can have executed the request: see guard.
//   - An answer ends after [MaxBody] bytes, or Options.MaxBody, except media downloads, which the reader must limit.
//   - Credentials go to the API only: https and *.googleapis.com, or exactly the replaced endpoint.
//
// [Do] runs one API call and classifies its failure; [Fault] is the table behind it. Neither lets response bodies, addresses of people
// or what we sent into an error.
//
// Not promised: that a call without a deadline in its context ends before Options.CallTimeout.
package gapi

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// MaxBody is the most bytes of one answer, unless Options say otherwise.
const MaxBody = 16 << 20

// Options of a Client. The zero value speaks to Google with application default credentials.
type Options struct {
	Endpoint string   // base URL that replaces Google's; no default credentials are looked for then
	Scopes   []string // of the default credentials; empty: cloud-platform
	Token    Token    // replaces the default credentials; without it a replaced endpoint gets no credentials

	Base        http.RoundTripper // must honour httptrace, as http.Transport does; default: one for reads and one for writes
	Now         func() time.Time  // default time.Now
	CallTimeout time.Duration     // of a call as a whole, with its body; default 30s
	Backoff     time.Duration     // before a read is repeated, doubled each time; default 250ms
	MaxBody     int64             // most bytes of one answer; default MaxBody
}

// Client returns a client as described in the package comment. It does no I/O: credentials are looked for at the first call.
func Client(o Options) (*http.Client, error) {
	remote, err := remoteOf(o.Endpoint)
	if err != nil {
		return nil, err
	}
	o = withDefaults(o)
	read, write := bases(o.Base)
	return &http.Client{
		Timeout:       o.CallTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &chain{
			remote: remote,
			token:  o.Token,
			most:   o.MaxBody,
			read:   &reads{next: &guard{base: read, now: o.Now}, now: o.Now, backoff: o.Backoff},
			write:  &guard{base: write, now: o.Now},
		},
	}, nil
}

func withDefaults(o Options) Options {
	if o.Token == nil && o.Endpoint == "" {
		o.Token = defaultCredentials(o.Scopes)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = 30 * time.Second
	}
	if o.Backoff == 0 {
		o.Backoff = 250 * time.Millisecond
	}
	if o.MaxBody == 0 {
		o.MaxBody = MaxBody
	}
	return o
}

// bases returns the transports for reads and for writes. Only reads share connections.
func bases(base http.RoundTripper) (read, write http.RoundTripper) {
	if base != nil {
		return base, base
	}
	r := http.DefaultTransport.(*http.Transport).Clone()
	w := r.Clone()
	w.DisableKeepAlives = true
	return r, w
}

// remoteOf parses the URL that replaces Google's, nil if none does.
func remoteOf(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fault.New(fault.Invalid, "an endpoint must be a URL like https://host/ without a user")
	}
	return u, nil
}

// chain is the outermost transport: it authorizes a request, sends it down the way of reads or of writes, and limits the answer.
type chain struct {
	remote      *url.URL // nil: Google
	token       Token
	most        int64 // bytes of one answer
	read, write http.RoundTripper
}

func (c *chain) RoundTrip(req *http.Request) (*http.Response, error) {
	ev := evidenceOf(req.Context())
	ev.open(req)
	resp, err := c.send(req)
	ev.close(resp, err)
	if err != nil {
		return nil, err
	}
	if req.URL.Query().Get("alt") != "media" {
		resp.Body = &limited{ReadCloser: resp.Body, left: c.most}
	}
	return resp, nil
}

func (c *chain) send(req *http.Request) (*http.Response, error) {
	out, err := c.authorized(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	if req.Method == http.MethodGet {
		return c.read.RoundTrip(out)
	}
	return c.write.RoundTrip(out)
}

// allowed reports whether u is the API's, so that credentials may go there.
func (c *chain) allowed(u *url.URL) bool {
	if c.remote != nil {
		return u.Scheme == c.remote.Scheme && u.Host == c.remote.Host
	}
	return u.Scheme == "https" && strings.HasSuffix(u.Hostname(), ".googleapis.com")
}

// rebase puts the path of a replaced endpoint back where the generated clients lose it: they resolve uploads from the root of the host.
func (c *chain) rebase(u *url.URL) {
	if c.remote == nil {
		return
	}
	prefix := strings.TrimSuffix(c.remote.Path, "/")
	if strings.HasPrefix(u.Path, prefix+"/") {
		return
	}
	u.Path = prefix + u.Path
	if u.RawPath != "" {
		u.RawPath = prefix + u.RawPath
	}
}

// CloseIdleConnections is called by http.Client's method of the same name.
func (c *chain) CloseIdleConnections() {
	for _, rt := range []http.RoundTripper{c.read.(*reads).next.base, c.write.(*guard).base} {
		if i, ok := rt.(interface{ CloseIdleConnections() }); ok {
			i.CloseIdleConnections()
		}
	}
}

// closeBody keeps the promise of a RoundTripper for a request that goes no further.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
