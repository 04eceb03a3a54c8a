package cloudsupport

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
)

const maxControl = 64 << 10 // bytes of a control request

var replyForm = regexp.MustCompile(`^/cases/(?:([^/]+/[^/]+)/cases/)?([0-9]{1,20})/reply$`)

// control serves what the API does not have: the hands of the tester and of the desk's people.
func (s *Server) control(r *http.Request) reply {
	switch path := r.URL.Path; {
	case path == "/faults":
		return s.controlFaults(r)
	case path == "/calls" && r.Method == http.MethodGet:
		log, counts := s.Calls()
		return answerJSON(map[string]any{"calls": log, "counts": counts})
	case path == "/classifications" && r.Method == http.MethodPost:
		return s.controlClasses(r)
	case replyForm.MatchString(path) && r.Method == http.MethodPost:
		return s.controlReply(r)
	}
	return notFound().reply()
}

func (s *Server) controlFaults(r *http.Request) reply {
	switch r.Method {
	case http.MethodPost:
		var in struct {
			Op    string `json:"op"`
			Fault string `json:"fault"`
			Times int    `json:"times"`
		}
		if f := readControl(r, &in); f != nil {
			return f.reply()
		}
		if err := s.ArmFault(in.Op, in.Fault, in.Times); err != nil {
			return failureOf(err).reply()
		}
	case http.MethodDelete:
		s.ClearFaults()
	case http.MethodGet, http.MethodHead:
	default:
		return notFound().reply()
	}
	return s.armed()
}

func (s *Server) armed() reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	return answerJSON(map[string]any{"faults": append([]*fault{}, s.faults.armed...), "pending": len(s.pending)})
}

func (s *Server) controlClasses(r *http.Request) reply {
	var in struct {
		DisplayName string `json:"displayName"`
		Do          string `json:"do"`
	}
	if f := readControl(r, &in); f != nil {
		return f.reply()
	}
	id, err := s.Retire(in.DisplayName, in.Do)
	if err != nil {
		return failureOf(err).reply()
	}
	return answerJSON(map[string]string{"id": id})
}

func (s *Server) controlReply(r *http.Request) reply {
	var in struct {
		Body  string `json:"body"`
		State string `json:"state"`
	}
	if f := readControl(r, &in); f != nil {
		return f.reply()
	}
	part := replyForm.FindStringSubmatch(r.URL.Path)
	c, events, err := s.deskReplies(part[1], part[2], in.Body, in.State)
	if err != nil {
		return failureOf(err).reply()
	}
	s.publish(r.Context(), events, s.opts.Now())
	return answerJSON(c)
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
		return wireCase{}, nil, notFound()
	}
	if body == "" && state == "" {
		return wireCase{}, nil, invalid("body", "A reply has a body, a state or both.")
	}
	if err := tx.reply(d, body, state); err != nil {
		return wireCase{}, nil, err
	}
	if err := tx.commit(); err != nil {
		return wireCase{}, nil, err
	}
	return d.wire(), tx.events, nil
}

// readControl reads one JSON object and nothing else.
func readControl(r *http.Request, into any) *failure {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxControl+1))
	if err != nil || len(data) > maxControl {
		return fail("INVALID_ARGUMENT", "The body is missing or has more than %d bytes.", maxControl)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil || dec.More() {
		return fail("INVALID_ARGUMENT", "The body must be one JSON object with known fields of the right types.")
	}
	return nil
}

func answerJSON(v any) reply {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fail("INTERNAL", "The answer cannot be written.").reply()
	}
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, body: append(data, '\n')}
}
