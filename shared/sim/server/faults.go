package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A fault spoils calls of one op ("*": of any), each fault in the order they were armed:
//
//	status:CODE              answered CODE, not executed; 429 with Retry-After
//	drop                     the connection breaks, not executed
//	commit_then_drop         executed, then the connection breaks
//	commit_then_status:CODE  executed, then answered CODE
//	cut:BYTES                executed, and the connection breaks after so many bytes of the answer
//	delay:DURATION           executed after the time, even when the caller has gone by then
//	garbage                  executed, then answered 200 with a body nobody can read
//	late:DURATION            answered 504 at once, executed after the time
//	late_drop:DURATION       the connection breaks at once, executed after the time
//	search_lag:DURATION      the ops that lag see what was there that long ago; without "times" until it is cleared
//
// A late execution has no goroutine that waits for its time: the next request that comes after it carries it out first, as of its time.
type fault struct {
	Op    string `json:"op"`
	Fault string `json:"fault"`
	Times int    `json:"times"` // calls it is still good for; 0: until it is cleared

	kind  string
	code  int
	bytes int64
	wait  time.Duration
}

// ArmFault arms a fault, as POST /faults does. Without times a fault is good for one call, and a search lag until it is cleared.
func (s *Server) ArmFault(op, text string, times int) error {
	f, err := s.parse(op, text, times)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = append(s.armed, f)
	return nil
}

// ClearFaults disarms all faults. What is already late will still be executed.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = nil
}

const maxTimes = 1_000_000

func (s *Server) parse(op, text string, times int) (*fault, error) {
	var bad Refusal
	if op != "*" && !s.does.Known(op) {
		bad.add("op", "There is no such method.")
	}
	if times < 0 || times > maxTimes {
		bad.add("times", "The number must not be negative or above "+strconv.Itoa(maxTimes)+".")
	}
	kind, argument, _ := strings.Cut(text, ":")
	f := &fault{Op: op, Fault: text, Times: times, kind: kind}
	if wrong := f.read(argument, s.does.Lagging); wrong != "" {
		bad.add("fault", wrong)
	}
	if len(bad.Fields) > 0 {
		return nil, &bad
	}
	if times == 0 && kind != "search_lag" {
		f.Times = 1
	}
	return f, nil
}

// read takes the argument of a fault, and says what is wrong with it.
func (f *fault) read(argument string, lagging []string) string {
	var err error
	switch f.kind {
	case "drop", "commit_then_drop", "garbage":
		if argument != "" {
			return "The fault takes no argument."
		}
	case "status", "commit_then_status":
		if f.code, err = strconv.Atoi(argument); err != nil || f.code < 400 || f.code > 599 {
			return "The fault takes a code from 400 to 599."
		}
	case "cut":
		if f.bytes, err = strconv.ParseInt(argument, 10, 64); err != nil || f.bytes < 1 {
			return "The fault takes a number of bytes, at least 1."
		}
	case "delay", "late", "late_drop", "search_lag":
		if f.wait, err = time.ParseDuration(argument); err != nil || f.wait < 0 {
			return "The fault takes a duration that is not negative."
		}
		return f.lags(lagging)
	default:
		return "There is no such fault."
	}
	return ""
}

// lags says why an op cannot lag.
func (f *fault) lags(lagging []string) string {
	switch {
	case f.kind != "search_lag", slices.Contains(lagging, f.Op):
		return ""
	case len(lagging) == 0:
		return "There is no such fault."
	case f.Op != "*":
		return "These lag, and no other: " + strings.Join(lagging, ", ") + "."
	}
	return ""
}

// take uses up the fault that is next for a request, and the lag of one that lags.
func (s *Server) take(rq *Request) fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.does.Lagging, rq.Op) {
		rq.Lag = s.does.Lag
		if f := s.use(rq.Op, true); f != nil {
			rq.Lag = f.wait
		}
	}
	if f := s.use(rq.Op, false); f != nil {
		return *f
	}
	if s.does.Latency > 0 {
		return fault{kind: "delay", wait: s.does.Latency}
	}
	return fault{}
}

// use takes one call off the first lag, or the first other fault, that is armed for an op.
func (s *Server) use(op string, lag bool) *fault {
	i := slices.IndexFunc(s.armed, func(f *fault) bool {
		return (f.kind == "search_lag") == lag && (f.Op == op || f.Op == "*")
	})
	if i < 0 {
		return nil
	}
	f := s.armed[i]
	if f.Times == 0 {
		return f
	}
	if f.Times--; f.Times == 0 {
		s.armed = slices.Delete(s.armed, i, i+1)
	}
	return f
}

// LongestLag is how far an answer may stand behind now: what is older nobody will be shown.
func (s *Server) LongestLag() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	lag := s.does.Lag
	for _, f := range s.armed {
		if f.kind == "search_lag" {
			lag = max(lag, f.wait)
		}
	}
	return lag
}

// play executes a request with its fault.
func (s *Server) play(ctx context.Context, f fault, rq *Request) Reply {
	switch f.kind {
	case "status":
		return s.does.Fail(f.code)
	case "drop":
		return Reply{drop: errReset}
	case "late":
		s.postpone(rq, s.does.Now().Add(f.wait))
		return s.does.Fail(http.StatusGatewayTimeout)
	case "late_drop":
		s.postpone(rq, s.does.Now().Add(f.wait))
		return Reply{drop: errReset}
	case "delay":
		return s.delay(ctx, f.wait, rq)
	}
	return s.spoil(f, rq.execute(ctx, s.does.Now()))
}

// spoil makes of the answer what the fault leaves of it.
func (s *Server) spoil(f fault, a Reply) Reply {
	switch f.kind {
	case "commit_then_drop":
		return Reply{drop: errEOF}
	case "commit_then_status":
		return s.does.Fail(f.code)
	case "garbage":
		return s.does.Garbage
	case "cut":
		a.cut = f.bytes
	}
	return a
}

func (s *Server) delay(ctx context.Context, wait time.Duration, rq *Request) Reply {
	due := s.does.Now().Add(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return rq.execute(ctx, s.does.Now())
	case <-ctx.Done():
		s.postpone(rq, due)
		return Reply{drop: ctx.Err()}
	}
}

// pending is a request that will be executed.
type pending struct {
	rq  *Request
	due time.Time
}

// postpone keeps the requests in the order of their times, and those of one time in the order they came.
func (s *Server) postpone(rq *Request, due time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := slices.BinarySearchFunc(s.pending, due, func(p pending, due time.Time) int {
		if p.due.After(due) {
			return 1
		}
		return -1
	})
	s.pending = slices.Insert(s.pending, i, pending{rq, due})
}

// Settle executes what is due by now, for whoever looks at the state from outside.
func (s *Server) Settle() { s.settle(context.Background()) }

// settle executes what is due, the earliest first, each as of its own time.
func (s *Server) settle(ctx context.Context) {
	for now := s.does.Now(); ; {
		p, ok := s.due(now)
		if !ok {
			return
		}
		p.rq.execute(context.WithoutCancel(ctx), p.due)
	}
}

func (s *Server) due(now time.Time) (pending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) == 0 || s.pending[0].due.After(now) {
		return pending{}, false
	}
	p := s.pending[0]
	s.pending = slices.Delete(s.pending, 0, 1)
	return p, true
}
