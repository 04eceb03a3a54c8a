package hub

import (
	"maps"
	"time"
)

// maxCalls is how many calls are remembered; the counts are of all.
const maxCalls = 10_000

// Call is one call that the server received.
type Call struct {
	Op     string    `json:"op"` // "unknown" for a method that the API does not have
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"` // 0: the connection broke
	At     time.Time `json:"at"`
	Marker string    `json:"marker,omitempty"` // of the request
	Fault  string    `json:"fault,omitempty"`  // that it met
	Reason string    `json:"reason,omitempty"` // why it was refused
}

// calls is a ring of the last calls.
type calls struct {
	log    []Call
	first  int
	counts map[string]int
}

func (c *calls) add(call Call) {
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[call.Op]++
	if len(c.log) < maxCalls {
		c.log = append(c.log, call)
		return
	}
	c.log[c.first] = call
	c.first = (c.first + 1) % maxCalls
}

// Calls returns the last calls, oldest first, and the exact number of calls of each op since the server was opened.
func (s *Server) Calls() ([]Call, map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.calls
	log := append(append(make([]Call, 0, len(c.log)), c.log[c.first:]...), c.log[:c.first]...)
	counts := maps.Clone(c.counts)
	if counts == nil {
		counts = map[string]int{}
	}
	return log, counts
}

func (s *Server) note(rq *request, f fault, a reply) {
	at := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.add(Call{
		Op: rq.route.Op, Method: rq.verb, Path: rq.path[:min(len(rq.path), 512)], Status: a.status, At: at.UTC(),
		Marker: s.marker(rq), Fault: f.Fault, Reason: a.reason,
	})
}

// marker finds the marker in what a request says, be it to write or to search.
func (s *Server) marker(rq *request) string {
	if m := s.opts.Marker.Find(rq.body[:min(len(rq.body), 1<<20)]); m != nil {
		return string(m)
	}
	return s.opts.Marker.FindString(rq.query.Encode())
}
