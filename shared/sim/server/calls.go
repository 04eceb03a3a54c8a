package server

import (
	"maps"
	"regexp"
	"slices"
	"time"
)

const (
	maxCalls  = 10_000  // are remembered; the counts are of all
	maxPath   = 512     // bytes of a path that are
	maxMarked = 1 << 20 // bytes of a body in which a marker is looked for
)

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
	return log, maps.Clone(c.counts)
}

func (s *Server) note(rq *Request, f fault, a Reply) {
	call := Call{
		Op: rq.Op, Method: rq.Verb, Path: rq.Path[:min(len(rq.Path), maxPath)], Status: a.Status, At: s.does.Now().UTC(),
		Marker: rq.find(s.does.Marker), Fault: f.Fault, Reason: a.Reason,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.add(call)
}

// find finds the marker in what a request says, be it to write or to search.
func (rq *Request) find(marker *regexp.Regexp) string {
	if marker == nil {
		return ""
	}
	if m := marker.Find(rq.Body[:min(len(rq.Body), maxMarked)]); m != nil {
		return string(m)
	}
	for _, name := range slices.Sorted(maps.Keys(rq.Query)) {
		for _, v := range rq.Query[name] {
			if m := marker.FindString(v); m != "" {
				return m
			}
		}
	}
	return ""
}
