package hub

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"time"
)

const maxControl = 64 << 10 // bytes of a control request

var (
	replyForm = regexp.MustCompile(`^/support-requests/([0-9]{1,20})/reply$`)
	fileForm  = regexp.MustCompile(`^/files/([0-9a-f-]{36})$`)
)

// control serves what the API does not have: the hands of the tester, of the desk's people and of whoever sits at the console.
func (s *Server) control(r *http.Request) reply {
	a, err := s.steer(r)
	if err != nil {
		return failureOf(err).reply()
	}
	return a
}

func (s *Server) steer(r *http.Request) (reply, error) {
	switch path := r.URL.Path; {
	case path == "/faults":
		return s.controlFaults(r)
	case path == "/calls" && r.Method == http.MethodGet:
		log, counts := s.Calls()
		return answer(http.StatusOK, map[string]any{"calls": log, "counts": counts})
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
	return reply{}, notFound()
}

func (s *Server) controlFaults(r *http.Request) (reply, error) {
	switch r.Method {
	case http.MethodPost:
		var in struct {
			Op    string `json:"op"`
			Fault string `json:"fault"`
			Times int    `json:"times"`
		}
		if err := readControl(r, &in); err != nil {
			return reply{}, err
		}
		if err := s.ArmFault(in.Op, in.Fault, in.Times); err != nil {
			return reply{}, err
		}
	case http.MethodDelete:
		s.ClearFaults()
	case http.MethodGet, http.MethodHead:
	default:
		return reply{}, notFound()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return answer(http.StatusOK, map[string]any{"faults": append([]*fault{}, s.faults.armed...), "pending": len(s.pending)})
}

func (s *Server) controlTokens(r *http.Request) (reply, error) {
	switch r.Method {
	case http.MethodGet:
		return answer(http.StatusOK, map[string]any{"tokens": s.Tokens()})
	case http.MethodPost:
		var in struct {
			OrgID    string   `json:"orgId"`
			Username string   `json:"username"`
			Roles    []string `json:"roles"`
		}
		if err := readControl(r, &in); err != nil {
			return reply{}, err
		}
		t, err := s.IssueToken(in.OrgID, in.Username, in.Roles...)
		if err != nil {
			return reply{}, err
		}
		return answer(http.StatusCreated, t)
	}
	return reply{}, notFound()
}

func (s *Server) controlSwitches(r *http.Request) (reply, error) {
	switch r.Method {
	case http.MethodPost:
		now := s.Switches()
		if err := readControl(r, &now); err != nil {
			return reply{}, err
		}
		if err := s.SetSwitches(now); err != nil {
			return reply{}, err
		}
	case http.MethodDelete:
		if err := s.SetSwitches(s.opts.Switches); err != nil {
			return reply{}, err
		}
	case http.MethodGet:
	default:
		return reply{}, notFound()
	}
	return answer(http.StatusOK, map[string]any{"switches": s.Switches(), "ambiguities": Ambiguities()})
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

func (s *Server) controlClock(r *http.Request) (reply, error) {
	switch r.Method {
	case http.MethodPost:
		var in struct {
			Now     time.Time `json:"now"`
			Advance string    `json:"advance"`
		}
		if err := readControl(r, &in); err != nil {
			return reply{}, err
		}
		by, err := time.ParseDuration(in.Advance)
		if (in.Advance == "") == in.Now.IsZero() || in.Advance != "" && err != nil {
			return reply{}, invalid("advance", "The body has a time now or a duration advance.")
		}
		if in.Advance == "" {
			by = in.Now.Sub(s.now())
		}
		if err := s.Advance(by); err != nil {
			return reply{}, err
		}
	case http.MethodDelete:
		if err := s.moveClock(func(time.Duration) time.Duration { return 0 }); err != nil {
			return reply{}, err
		}
	case http.MethodGet:
	default:
		return reply{}, notFound()
	}
	return answer(http.StatusOK, map[string]time.Time{"now": s.now().UTC()})
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
func (s *Server) controlPeople(r *http.Request) (reply, error) {
	var in struct {
		OrgID     string `json:"orgId"`
		Username  string `json:"username"`
		Month     string `json:"month"`
		Status    string `json:"status"`
		SubStatus string `json:"subStatus"`
	}
	if err := readControl(r, &in); err != nil {
		return reply{}, err
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
		return reply{}, err
	}
	return answer(http.StatusOK, struct{}{})
}

func (s *Server) controlFile(id string) (reply, error) {
	data, err := s.File(id)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/octet-stream"}}, body: data}, nil
}

// readControl reads one JSON object and nothing else.
func readControl(r *http.Request, into any) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxControl+1))
	if err != nil || len(data) > maxControl {
		return fail(http.StatusBadRequest, "INVALID_BODY", "The body is missing or has more than %d bytes.", maxControl)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil || dec.More() {
		return fail(http.StatusBadRequest, "INVALID_BODY", "The body must be one JSON object with known fields of the right types.")
	}
	return nil
}
