package localbus

import (
	"net/http"
)

// inProcess is a connection to a handler of this process.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	served := req.Clone(req.Context())
	served.RequestURI = req.URL.RequestURI()
	served.RemoteAddr = "127.0.0.1:0"
	served.Proto, served.ProtoMajor, served.ProtoMinor = "HTTP/1.1", 1, 1
	w := &statusWriter{header: http.Header{}}
	p.ServeHTTP(w, served)
	w.WriteHeader(http.StatusOK) // unless the handler wrote another
	return &http.Response{StatusCode: w.status, Header: w.header, Body: http.NoBody, Request: req}, nil
}

// statusWriter keeps the status of an answer and drops its body, which a broker has no use for.
type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header { return w.header }

// WriteHeader takes the first final status: those below 200 only announce it.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(p), nil
}
