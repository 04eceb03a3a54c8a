// Package server is what every simulator is made of: all that has nothing to do with the API that it simulates. A simulator adds its
// contract, its state and its behaviour (Behaviour) and embeds the Server, which then is its http.Handler and its http.RoundTripper.
//
// A request goes this way. What was postponed and is due by now is executed first. A path of the API is routed (Behaviour.Find) and read
// completely, so that it can be executed when its connection is long gone; the fault that is armed for its op is used up; the request is
// executed (Method.Run), now, later or never, as the fault says; what became of it is noted. Every other path is a control:
//
//	POST   /faults   {"op":"…","fault":"commit_then_drop","times":1}; see faults.go
//	GET    /faults   what is armed, and how many requests wait for their time; DELETE disarms
//	GET    /calls    the last calls and exact counts by op
//
// and whatever the simulator has of its own (Behaviour.Control).
//
// Beside that there is what a state needs to outlive a kill (Journal, Blobs) and to be the same for the same seed (IDs).
//
// Guaranteed: the same faults do the same in process and over a network; a request is executed once or not at all, a late one as of its
// time; a change is in the journal, synced, when Append returns; the counts of calls are exact. There is no goroutine and no clock but
// Behaviour.Now and the timer of a delay, so a simulator runs inside a synctest bubble. Not promised: that faults, postponed requests and
// calls outlive the process. The server does not speak for the API: every error that goes back to a caller is rendered by the simulator.
package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// Behaviour is what one simulator adds. All functions may be called at the same time, none of them while the server holds its lock.
type Behaviour struct {
	Now func() time.Time
	API func(path string) bool // the other paths are controls

	// Find routes a request. Without a method the API has none such, and the reply says so.
	Find func(r *http.Request) (*Method, Reply)

	Control func(r *http.Request) (any, error) // what the simulator has beside its API; a Reply goes out as it is
	Render  func(v any, err error) Reply       // the answer of a control; an error may be a *Refusal
	Fail    func(code int) Reply               // what a front end of the API makes of a bare HTTP code
	Garbage Reply                              // what nobody can read
	Known   func(op string) bool               // whether the API has a method
	Lagging []string                           // the ops that may stand behind: lists of an index
	Lag     time.Duration                      // how far they do without a fault
	Latency time.Duration                      // of every call of the API that no fault spoils
	Marker  *regexp.Regexp                     // found in requests and shown by /calls; nil: none
}

// Method is where a request of the API goes.
type Method struct {
	Op    string
	Limit int64 // bytes of a body
	Run   func(ctx context.Context, rq *Request, at time.Time) Reply
}

// Server is the machinery of one simulator; see the package comment.
type Server struct {
	does Behaviour

	mu      sync.Mutex // never held while the simulator does something
	armed   []*fault
	pending []pending
	calls   calls
}

// New makes the server of a behaviour.
func New(b Behaviour) *Server { return &Server{does: b, calls: calls{counts: map[string]int{}}} }

// ServeHTTP serves the API and the controls. Where a fault breaks the connection it aborts, as net/http documents.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.answer(r)
	if a.drop != nil {
		panic(http.ErrAbortHandler)
	}
	for key, values := range a.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(a.Status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(w, a.content()); errors.Is(err, errCut) { // any other: the caller may be gone
		_ = http.NewResponseController(w).Flush() // what came before the break arrives
		panic(http.ErrAbortHandler)
	}
}

// answer decides what comes back for a request; ServeHTTP and Transport carry it.
func (s *Server) answer(r *http.Request) Reply {
	s.settle(r.Context())
	if s.does.API(r.URL.Path) {
		return s.call(r)
	}
	return s.control(r)
}

// call plays one call of the API, with the fault that is armed for it, and takes note of it.
func (s *Server) call(r *http.Request) Reply {
	m, a := s.does.Find(r)
	if m == nil {
		s.note(&Request{Op: "unknown", Verb: r.Method, Path: r.URL.Path}, fault{}, a)
		return a
	}
	rq, err := receive(r, m)
	if err != nil {
		return Reply{drop: err} // the caller broke off
	}
	f := s.take(rq)
	a = s.play(r.Context(), f, rq)
	s.note(rq, f, a)
	return a
}
