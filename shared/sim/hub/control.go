package hub

import (
	"net/http"
	"regexp"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

var (
	replyForm = regexp.MustCompile(`^/support-requests/([0-9]{1,20})/reply$`)
	fileForm  = regexp.MustCompile(`^/files/([0-9a-f-]{36})$`)
)

// control serves what the API does not have: the hands of the tester, of the desk's people and of whoever sits at the console.
func (s *Server) control(r *http.Request) (any, error) {
	switch path := r.URL.Path; {
	case path == "/tokens":
		return s.controlTokens(r)
	case path == "/switches":
		return s.controlSwitches(r)
	case path == "/clock":
		return s.controlClock(r)
	case r.Method == http.MethodPost:
		return s.controlPeople(r)
	case fileForm.MatchString(path) && r.Method == http.MethodGet:
		return s.controlFile(fileForm.FindStringSubmatch(path)[1])
	}
	return nil, notFound()
}

func (s *Server) controlTokens(r *http.Request) (any, error) {
	switch r.Method {
	case http.MethodGet:
		return map[string]any{"tokens": s.Tokens()}, nil
	case http.MethodPost:
		var in struct {
			OrgID    string   `json:"orgId"`
			Username string   `json:"username"`
			Roles    []string `json:"roles"`
		}
		if err := server.ReadControl(r, &in); err != nil {
			return nil, err
		}
		t, err := s.IssueToken(in.OrgID, in.Username, in.Roles...)
		if err != nil {
			return nil, err
		}
		return answer(http.StatusCreated, t)
	}
	return nil, notFound()
}

func (s *Server) controlSwitches(r *http.Request) (any, error) {
	switch r.Method {
	case http.MethodPost:
		now := s.Switches()
		if err := server.ReadControl(r, &now); err != nil {
			return nil, err
		}
		if err := s.SetSwitches(now); err != nil {
			return nil, err
		}
	case http.MethodDelete:
		if err := s.SetSwitches(s.opts.Switches); err != nil {
			return nil, err
		}
	case http.MethodGet:
	default:
		return nil, notFound()
	}
	return map[string]any{"switches": s.Switches(), "ambiguities": Ambiguities()}, nil
}

// Switches are the readings that are in force.
func (s *Server) Switches() Switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switches
}

// SetSwitches puts others in force.
func (s *Server) SetSwitches(to Switches) error {
	to, err := to.settled()
	if err != nil {
		return fail(http.StatusBadRequest, "INVALID_PARAMETER", "%s", err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switches = to
	return nil
}

func (s *Server) controlClock(r *http.Request) (any, error) {
	switch r.Method {
	case http.MethodPost:
		var in struct {
			Now     time.Time `json:"now"`
			Advance string    `json:"advance"`
		}
		if err := server.ReadControl(r, &in); err != nil {
			return nil, err
		}
		by, err := time.ParseDuration(in.Advance)
		if (in.Advance == "") == in.Now.IsZero() || in.Advance != "" && err != nil {
			return nil, invalid("advance", "The body has a time now or a duration advance.")
		}
		if in.Advance == "" {
			by = in.Now.Sub(s.now())
		}
		if err := s.Advance(by); err != nil {
			return nil, err
		}
	case http.MethodDelete:
		if err := s.moveClock(func(time.Duration) time.Duration { return 0 }); err != nil {
			return nil, err
		}
	case http.MethodGet:
	default:
		return nil, notFound()
	}
	return map[string]time.Time{"now": s.now().UTC()}, nil
}

// Advance moves the clock, be it back.
func (s *Server) Advance(by time.Duration) error {
	return s.moveClock(func(now time.Duration) time.Duration { return now + by })
}

// moveClock changes how far the clock is moved.
func (s *Server) moveClock(to func(time.Duration) time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	const most = 100 * 365 * 24 * time.Hour
	offset := to(s.state.clock)
	if offset > most || offset < -most {
		return invalid("advance", "The clock moves by a hundred years at most.")
	}
	tx := s.begin(s.opts.Now())
	n := int64(offset)
	tx.change.Clock = &n
	return tx.commit()
}

// controlPeople is what people do outside the API.
func (s *Server) controlPeople(r *http.Request) (any, error) {
	var in struct {
		OrgID     string `json:"orgId"`
		Username  string `json:"username"`
		Month     string `json:"month"`
		Status    string `json:"status"`
		SubStatus string `json:"subStatus"`
	}
	if err := server.ReadControl(r, &in); err != nil {
		return nil, err
	}
	var err error
	switch path := r.URL.Path; {
	case path == "/services":
		err = s.Activate(in.OrgID)
	case path == "/invitations/accept":
		err = s.Accept(in.OrgID, in.Username)
	case path == "/restate":
		err = s.Restate(in.OrgID, in.Month)
	case replyForm.MatchString(path):
		err = s.Reply(replyForm.FindStringSubmatch(path)[1], in.Status, in.SubStatus)
	default:
		err = notFound()
	}
	if err != nil {
		return nil, err
	}
	return struct{}{}, nil
}

func (s *Server) controlFile(id string) (any, error) {
	data, err := s.File(id)
	if err != nil {
		return nil, err
	}
	return server.Typed(http.StatusOK, "application/octet-stream", data), nil
}

func renderControl(v any, err error) reply {
	if err == nil {
		var a reply
		if a, err = answer(http.StatusOK, v); err == nil {
			return a
		}
	}
	return failureOf(err).reply()
}
