package cloudsupport

import (
	"net/http"
	"regexp"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

var replyForm = regexp.MustCompile(`^/cases/(?:([^/]+/[^/]+)/cases/)?([0-9]{1,20})/reply$`)

// control serves what the API does not have: the hands of the tester and of the desk's people.
func (s *Server) control(r *http.Request) (any, error) {
	switch path := r.URL.Path; {
	case path == "/classifications" && r.Method == http.MethodPost:
		return s.controlClasses(r)
	case replyForm.MatchString(path) && r.Method == http.MethodPost:
		return s.controlReply(r)
	}
	return nil, rest.NotFound()
}

func (s *Server) controlClasses(r *http.Request) (any, error) {
	var in struct {
		DisplayName string `json:"displayName"`
		Do          string `json:"do"`
	}
	if err := server.ReadControl(r, &in); err != nil {
		return nil, err
	}
	id, err := s.Retire(in.DisplayName, in.Do)
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": id}, nil
}

func (s *Server) controlReply(r *http.Request) (any, error) {
	var in struct {
		Body  string `json:"body"`
		State string `json:"state"`
	}
	if err := server.ReadControl(r, &in); err != nil {
		return nil, err
	}
	part := replyForm.FindStringSubmatch(r.URL.Path)
	c, events, err := s.deskReplies(part[1], part[2], in.Body, in.State)
	if err != nil {
		return nil, err
	}
	s.publish(r.Context(), events, s.opts.Now())
	return c, nil
}

// deskReplies lets the desk's people answer the case of a number; the parent may be left out.
func (s *Server) deskReplies(parent, number, body, state string) (wireCase, []caseEvent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	d := tx.state.byNumber[number]
	if d != nil && parent != "" {
		full, f := s.parent(parent)
		if f != nil {
			return wireCase{}, nil, f
		}
		d = tx.state.find(full, number)
	}
	if d == nil {
		return wireCase{}, nil, rest.NotFound()
	}
	if body == "" && state == "" {
		return wireCase{}, nil, rest.Invalid("body", "A reply has a body, a state or both.")
	}
	if err := tx.reply(d, body, state); err != nil {
		return wireCase{}, nil, err
	}
	if err := tx.commit(); err != nil {
		return wireCase{}, nil, err
	}
	return d.wire(), tx.events, nil
}
