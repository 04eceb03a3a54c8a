package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
)

// Transport returns a transport that brings every request to this server, whatever its host, without a network and without a goroutine:
// thousands of scenarios in virtual time go through it. A broken connection is an error, as it is on a network, and a trace hears of a
// connection.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	a := t.server.answer(received(r))
	if a.drop != nil {
		return nil, a.drop
	}
	return a.response(r), nil
}

// received is the request as it comes in at the other end.
func received(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI, in.Proto, in.ProtoMajor, in.ProtoMinor = r.URL.RequestURI(), "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{}
	}
	return in
}

func (a Reply) response(r *http.Request) *http.Response {
	header := a.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	length := int64(-1)
	if a.Stream == nil {
		length = int64(len(a.Body))
		header.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	body := io.NopCloser(body{a.content()})
	if r.Method == http.MethodHead {
		body = http.NoBody
	}
	return &http.Response{
		Status: strconv.Itoa(a.Status) + " " + http.StatusText(a.Status), StatusCode: a.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: r,
		Body: body, ContentLength: length,
	}
}

// body breaks as one that comes from a network.
type body struct{ io.Reader }

func (b body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, errCut) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
