package google

import (
	"net/http"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// control serves what the APIs do not have: the hands of the tester.
func (s *Server) control(r *http.Request) (any, error) {
	switch r.Method + " " + r.URL.Path {
	case "POST /services":
		return struct{}{}, s.controlServices(r)
	case "POST /permissions":
		return struct{}{}, s.controlPermissions(r)
	}
	return nil, rest.NotFound()
}

func (s *Server) controlServices(r *http.Request) error {
	var in struct {
		Project string `json:"project"`
		Service string `json:"service"`
		Do      string `json:"do"` // "use", "accept" or a Refusal
	}
	if err := server.ReadControl(r, &in); err != nil {
		return err
	}
	if in.Do == "use" {
		return s.Use(in.Project, in.Service)
	}
	return s.Refuse(in.Service, Refusal(in.Do))
}

func (s *Server) controlPermissions(r *http.Request) error {
	var in struct {
		Permission string `json:"permission"`
		Do         string `json:"do"`
	}
	if err := server.ReadControl(r, &in); err != nil {
		return err
	}
	switch in.Do {
	case "deny":
		s.Deny(in.Permission)
	case "allow":
		s.Allow(in.Permission)
	default:
		return rest.Invalid("do", "The control can deny or allow.")
	}
	return nil
}
