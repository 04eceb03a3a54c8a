//go:build unix

package installed

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Moment is when a process is killed: while a remote holds a request of its that has come in whole.
type Moment struct {
	Method   string
	Ends     []string // of the path: one of them
	Says     string   // what stands in the address or at the beginning of the body; empty: anything
	Nth      int      // of such requests from now on; 0 stands for 1
	Executed bool     // the remote has executed it, and its answer was not sent
	Sent     int      // so many bytes of the answer were sent
}

// Death stands before remotes and has whoever calls them killed in the middle of a request.
type Death struct {
	mu   sync.Mutex
	want Moment
	left int
	kill func()
	died chan struct{} // closed when kill has returned
}

// Await has the caller killed when a moment comes. The channel is closed when it is dead.
func (d *Death) Await(m Moment, kill func()) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.want, d.left, d.kill, d.died = m, max(m.Nth, 1), kill, make(chan struct{})
	return d.died
}

// comes reports whether a request is the one that is waited for, and if so, what to do about it.
func (d *Death) comes(q *http.Request, body []byte) (m Moment, kill func(), died chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == 0 || q.Method != d.want.Method || !endsIn(q.URL.Path, d.want.Ends) || !d.want.in(q, body) {
		return m, nil, nil
	}
	if d.left--; d.left > 0 {
		return m, nil, nil
	}
	return d.want, d.kill, d.died
}

const beginning = 4 << 10 // bytes of a body

// in reports whether a request says what it should.
func (m Moment) in(q *http.Request, body []byte) bool {
	return strings.Contains(q.URL.RequestURI(), m.Says) || bytes.Contains(body[:min(len(body), beginning)], []byte(m.Says))
}

func endsIn(path string, ends []string) bool {
	for _, end := range ends {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

// Before passes requests on. Whoever sends the one that is waited for is dead before there is an answer.
func (d *Death) Before(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // the caller has died
		}
		q.Body = io.NopCloser(bytes.NewReader(body))
		m, kill, died := d.comes(q, body)
		if kill == nil {
			to.ServeHTTP(w, q)
			return
		}
		if m.Executed || m.Sent > 0 {
			answer := httptest.NewRecorder()
			to.ServeHTTP(answer, q)
			begin(w, answer, m.Sent)
		}
		kill()
		close(died)
		panic(http.ErrAbortHandler)
	})
}

// begin sends the beginning of an answer.
func begin(w http.ResponseWriter, answer *httptest.ResponseRecorder, bytes int) {
	if bytes == 0 {
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	if _, err := w.Write(answer.Body.Next(bytes)); err != nil || http.NewResponseController(w).Flush() != nil {
		panic(http.ErrAbortHandler) // the caller has died
	}
}
