package chat

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// control serves what the platforms do not have: people, the page, and the hands of the tester.
func (s *Server) control(r *http.Request) (any, error) {
	switch r.Method + " " + r.URL.Path {
	case "GET /", "HEAD /", "GET ", "HEAD ":
		return s.page(r)
	case "GET /messages":
		q := r.URL.Query()
		return map[string]any{"messages": s.Messages(q.Get("platform"), q.Get("space"), q.Get("thread"))}, nil
	case "GET /google/jwks":
		return s.key.jwks()
	case "GET /deliveries":
		made, waiting := s.Deliveries()
		return map[string]any{"deliveries": made, "waiting": waiting}, nil
	case "DELETE /deliveries":
		s.Disturb(0, 0)
		return struct{}{}, nil
	}
	if r.Method != http.MethodPost {
		return nil, rest.NotFound()
	}
	if err := ofOurPage(r); err != nil {
		return nil, err
	}
	return s.post(r)
}

// ofOurPage refuses what another site's page makes a browser send. Who is no browser sends neither header and passes.
func ofOurPage(r *http.Request) error {
	var guard http.CrossOriginProtection
	if err := guard.Check(r); err != nil {
		return rest.Fail("PERMISSION_DENIED", "The request comes from another site.")
	}
	return nil
}

func (s *Server) post(r *http.Request) (any, error) {
	switch r.URL.Path {
	case "/people/say":
		if strings.HasPrefix(r.Header.Get("Content-Type"), formType) {
			return s.typed(r)
		}
		return run(r, func(in Saying) (Said, error) { return s.Say(r.Context(), in) })
	case "/people/command":
		return run(r, func(in Commanding) (Said, error) { return s.Command(r.Context(), in) })
	case "/people/click":
		return run(r, func(in Clicking) (Said, error) { return s.Click(r.Context(), in) })
	case "/people/add", "/people/remove":
		return run(r, func(in struct{ Platform, Space, Person string }) (Said, error) {
			return s.Move(r.Context(), in.Platform, in.Space, in.Person, r.URL.Path == "/people/add")
		})
	case "/deliveries":
		return run(r, s.controlDeliveries)
	case "/deliveries/send":
		return map[string]any{"deliveries": append([]Delivery{}, s.Send(r.Context())...)}, nil
	case "/callback":
		return run(r, s.controlCallback)
	case "/slack/errors":
		return run(r, s.controlErrors)
	}
	return nil, rest.NotFound()
}

func run[In, Out any](r *http.Request, do func(In) (Out, error)) (any, error) {
	var in In
	if err := server.ReadControl(r, &in); err != nil {
		return nil, err
	}
	return do(in)
}

const maxDisturbed = 1000

func (s *Server) controlDeliveries(in struct{ Duplicate, Hold int }) (any, error) {
	if in.Duplicate < 0 || in.Hold < 0 || in.Duplicate > maxDisturbed || in.Hold > maxDisturbed {
		return nil, rest.Invalid("duplicate", "The numbers are from 0 to %d.", maxDisturbed)
	}
	s.Disturb(in.Duplicate, in.Hold)
	return struct{}{}, nil
}

func (s *Server) controlCallback(in struct{ URL, Dialect string }) (any, error) {
	return struct{}{}, s.Callback(in.URL, in.Dialect)
}

// Callback says where the platforms call, and in which dialect Google does: "addon" or "interaction"; empty: as before.
func (s *Server) Callback(address, dialect string) error {
	u, err := url.Parse(address)
	if address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return rest.Invalid("url", "The callback is a URL like http://host/path.")
	}
	if dialect != "" && dialect != "addon" && dialect != "interaction" {
		return rest.Invalid("dialect", "Google speaks addon or interaction.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callback = strings.TrimSuffix(address, "/")
	if dialect != "" {
		s.addOn = dialect == "addon"
	}
	return nil
}

func (s *Server) controlErrors(in slackError) (any, error) {
	if in.Times == 0 {
		in.Times = 1
	}
	return struct{}{}, s.Fail(in.Op, in.Error, in.Times)
}

// Fail makes a method of Slack's answer a code, so many times.
func (s *Server) Fail(op, code string, times int) error {
	if _, ok := slackMethods[op]; !ok || op == "files.download" {
		return rest.Invalid("op", "There is no such method.")
	}
	if !slackErrors[code] || times < 1 || times > maxDisturbed {
		return rest.Invalid("error", "There is no such code, or the number of times is not from 1 to %d.", maxDisturbed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors = append(s.errors, slackError{op, code, times})
	return nil
}

// renderControl writes the answer of a control.
func renderControl(v any, err error) server.Reply {
	var r *refusal
	if errors.As(err, &r) {
		return r.reply()
	}
	return rest.Control(v, err)
}
