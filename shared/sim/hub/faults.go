package hub

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
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
//	search_lag:DURATION      a list does not show yet what was made in that time; without "times" until it is cleared
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

type faults struct{ armed []*fault }

// ArmFault arms a fault, as POST /faults does. Without times a fault is good for one call, and a search lag until it is cleared.
func (s *Server) ArmFault(op, text string, times int) error {
	f, bad := parseFault(op, text, times)
	if bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.armed = append(s.faults.armed, f)
	return nil
}

// ClearFaults disarms all faults. What is already late will still be executed.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.armed = nil
}

const maxFaultTimes = 1_000_000

func parseFault(op, text string, times int) (*fault, *failure) {
	var bad violations
	if op != "*" && !slices.ContainsFunc(routes, func(r route) bool { return r.Op == op }) {
		bad.add("op", "There is no such method.")
	}
	if times < 0 || times > maxFaultTimes {
		bad.add("times", "The number must not be negative or above %d.", maxFaultTimes)
	}
	f := &fault{Op: op, Fault: text, Times: times}
	kind, argument, _ := strings.Cut(text, ":")
	f.kind = kind
	if wrong := f.read(argument); wrong != "" {
		bad.add("fault", "%s", wrong)
	}
	if times == 0 && kind != "search_lag" {
		f.Times = 1
	}
	return f, bad.failure()
}

func (f *fault) read(argument string) string {
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
		if f.kind == "search_lag" && f.Op != "*" && !slices.Contains(lagging, f.Op) {
			return "Only lists lag: " + strings.Join(lagging, ", ") + "."
		}
	default:
		return "There is no such fault."
	}
	return ""
}

// lagging are the lists that an index may stand behind.
var lagging = []string{"tenants.list", "users.list", "invitations.list", "support.list"}

// takeFault uses up the fault that is next for a request, and the lag of a list.
func (s *Server) takeFault(rq *request) fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	fits := func(f *fault) bool { return f.Op == rq.route.Op || f.Op == "*" }
	if slices.Contains(lagging, rq.route.Op) {
		if f := s.faults.take(func(f *fault) bool { return f.kind == "search_lag" && fits(f) }); f != nil {
			rq.lag = f.wait
		}
	}
	f := s.faults.take(func(f *fault) bool { return f.kind != "search_lag" && fits(f) })
	if f == nil {
		return fault{}
	}
	return *f
}

func (fs *faults) take(fits func(*fault) bool) *fault {
	i := slices.IndexFunc(fs.armed, fits)
	if i < 0 {
		return nil
	}
	f := fs.armed[i]
	if f.Times == 0 {
		return f
	}
	if f.Times--; f.Times == 0 {
		fs.armed = slices.Delete(fs.armed, i, i+1)
	}
	return f
}

// What a caller in the same process sees of a broken connection, like one on a network: before the request was executed, and after.
var (
	errReset = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	errEOF   = io.EOF
)

// play executes a request with its fault.
func (s *Server) play(ctx context.Context, f fault, rq *request) reply {
	switch f.kind {
	case "status":
		return failCode(f.code).reply()
	case "drop":
		return reply{drop: errReset}
	case "late":
		s.postpone(rq, s.now().Add(f.wait))
		return failCode(http.StatusGatewayTimeout).reply()
	case "late_drop":
		s.postpone(rq, s.now().Add(f.wait))
		return reply{drop: errReset}
	case "delay":
		return s.delay(ctx, f.wait, rq)
	}
	return f.spoil(s.execute(rq, s.now()))
}

// spoil makes of the answer what the fault leaves of it.
func (f fault) spoil(a reply) reply {
	switch f.kind {
	case "commit_then_drop":
		return reply{drop: errEOF}
	case "commit_then_status":
		return failCode(f.code).reply()
	case "garbage":
		return reply{status: http.StatusOK, header: http.Header{"Content-Type": {jsonType}}, body: []byte(`{"id": "9d96`)}
	case "cut":
		a.cut = f.bytes
	}
	return a
}

func (s *Server) delay(ctx context.Context, wait time.Duration, rq *request) reply {
	due := s.now().Add(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.execute(rq, s.now())
	case <-ctx.Done():
		s.postpone(rq, due)
		return reply{drop: ctx.Err()}
	}
}

// pending is a request that will be executed.
type pending struct {
	rq  *request
	due time.Time
}

func (s *Server) postpone(rq *request, due time.Time) {
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

// settle executes what is due, the earliest first, each as of its own time.
func (s *Server) settle() {
	for now := s.now(); ; {
		p, ok := s.due(now)
		if !ok {
			return
		}
		s.execute(p.rq, p.due)
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
