package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Request is one call of the API, read completely: it can be executed later, when its connection is long gone. What could not be read is
// for the simulator to refuse, in the words of its API.
type Request struct {
	Op     string
	Verb   string // the HTTP method
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte   // nil when it is too large
	Base   *url.URL // where the server is mounted, for the URLs that it hands out

	BadQuery bool          // the query is no query
	TooLarge bool          // the body has more bytes than Limit
	Limit    int64         // of the method
	Lag      time.Duration // how far the answer stands behind, of an op that lags

	run func(ctx context.Context, rq *Request, at time.Time) Reply
}

// receive reads a request. An error is the caller's, who broke off.
func receive(r *http.Request, m *Method) (*Request, error) {
	query, bad := url.ParseQuery(r.URL.RawQuery)
	rq := &Request{
		Op: m.Op, Verb: r.Method, Path: r.URL.Path, Query: query, Header: r.Header.Clone(), Base: location(r),
		BadQuery: bad != nil, Limit: m.Limit, run: m.Run,
	}
	body, err := readAll(r, m.Limit+1)
	if rq.TooLarge = int64(len(body)) > m.Limit; rq.TooLarge {
		return rq, nil
	}
	rq.Body = body
	return rq, err
}

// readAll reads at most so many bytes of a body, into as much memory as the caller says that it has.
func readAll(r *http.Request, most int64) ([]byte, error) {
	var b bytes.Buffer
	if r.ContentLength > 0 {
		b.Grow(int(min(r.ContentLength, most)) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(r.Body, most))
	return b.Bytes(), err
}

// Bearer is the token that the caller shows, empty if there is none.
func (rq *Request) Bearer() string {
	scheme, token, _ := strings.Cut(rq.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// execute runs the request as of a time.
func (rq *Request) execute(ctx context.Context, at time.Time) Reply { return rq.run(ctx, rq, at) }

func location(r *http.Request) *url.URL {
	u := &url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		u.Scheme = "https"
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	u.Path = strings.TrimSuffix(path, r.URL.EscapedPath())
	return u
}
