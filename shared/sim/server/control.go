package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Refusal is why a control was not carried out. With fields it is about those, else about the body.
type Refusal struct {
	Message string
	Fields  []Field
}

// Field is what is wrong with one field.
type Field struct{ Name, Description string }

func (r *Refusal) Error() string { return r.Message }

func (r *Refusal) add(field, description string) {
	r.Fields = append(r.Fields, Field{field, description})
	r.Message = strings.TrimSpace(r.Message + " " + field + ": " + description)
}

// control serves what the API does not have: the hands of the tester.
func (s *Server) control(r *http.Request) Reply {
	v, err := s.steer(r)
	if ready, ok := v.(Reply); ok && err == nil {
		return ready
	}
	return s.does.Render(v, err)
}

func (s *Server) steer(r *http.Request) (any, error) {
	switch r.Method + " " + r.URL.Path {
	case "POST /faults":
		var in fault
		if err := ReadControl(r, &in); err != nil {
			return nil, err
		}
		if err := s.ArmFault(in.Op, in.Fault, in.Times); err != nil {
			return nil, err
		}
	case "DELETE /faults":
		s.ClearFaults()
	case "GET /faults", "HEAD /faults":
	case "GET /calls":
		log, counts := s.Calls()
		return map[string]any{"calls": log, "counts": counts}, nil
	default:
		return s.does.Control(r)
	}
	return s.showFaults(), nil
}

func (s *Server) showFaults() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	armed := make([]fault, len(s.armed))
	for i, f := range s.armed {
		armed[i] = *f
	}
	return map[string]any{"faults": armed, "pending": len(s.pending)}
}

const maxControl = 64 << 10 // bytes of a control request

// ReadControl reads one JSON object and nothing else. The error is a *Refusal.
func ReadControl(r *http.Request, into any) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxControl+1))
	if err != nil || len(data) > maxControl {
		return &Refusal{Message: "The body is missing or has more than " + strconv.Itoa(maxControl) + " bytes."}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil || dec.More() {
		return &Refusal{Message: "The body must be one JSON object with known fields of the right types."}
	}
	return nil
}
