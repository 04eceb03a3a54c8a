package google

import (
	"maps"
	"time"
)

// maxCalls is how many calls are remembered; the counts are of all.
const maxCalls = 10_000

// Call is one call that the server received.
type Call struct {
	Op     string    `json:"op"` // "unknown" for a method that no API has
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"` // 0: the connection broke
	At     time.Time `json:"at"`
	Fault  string    `json:"fault,omitempty"`  // that it met
	Reason string    `json:"reason,omitempty"` // why it was refused
}

// calls is a ring of the last calls.
type calls struct {
	log    []Call
	first  int
	total  uint64
	counts map[string]int
}

func (c *calls) add(call Call) {
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[call.Op]++
	c.total++
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.add(Call{
		Op: rq.method.Op, Method: rq.verb, Path: clipPath(rq.path), Status: a.status, At: s.opts.Now().UTC(), Fault: f.Fault, Reason: a.reason,
	})
}

func clipPath(path string) string {
	return path[:min(len(path), 512)]
}
