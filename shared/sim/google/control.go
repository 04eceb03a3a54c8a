package google

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

const maxControl = 64 << 10 // bytes of a control request

// control serves what the APIs do not have: the hands of the tester.
func (s *Server) control(r *http.Request) reply {
	switch path := r.URL.Path; {
	case path == "/faults":
		return s.controlFaults(r)
	case path == "/calls" && r.Method == http.MethodGet:
		log, counts := s.Calls()
		return answerJSON(map[string]any{"calls": log, "counts": counts})
	case path == "/services" && r.Method == http.MethodPost:
		return s.controlServices(r)
	case path == "/permissions" && r.Method == http.MethodPost:
		return s.controlPermissions(r)
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

func (s *Server) controlServices(r *http.Request) reply {
	var in struct {
		Project string `json:"project"`
		Service string `json:"service"`
		Do      string `json:"do"` // "use", "accept" or a Refusal
	}
	if f := readControl(r, &in); f != nil {
		return f.reply()
	}
	var err error
	if in.Do == "use" {
		err = s.Use(in.Project, in.Service)
	} else {
		err = s.Refuse(in.Service, Refusal(in.Do))
	}
	if err != nil {
		return failureOf(err).reply()
	}
	return answerJSON(struct{}{})
}

func (s *Server) controlPermissions(r *http.Request) reply {
	var in struct {
		Permission string `json:"permission"`
		Do         string `json:"do"`
	}
	if f := readControl(r, &in); f != nil {
		return f.reply()
	}
	switch in.Do {
	case "deny":
		s.Deny(in.Permission)
	case "allow":
		s.Allow(in.Permission)
	default:
		return invalid("do", "The control can deny or allow.").reply()
	}
	return answerJSON(struct{}{})
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
