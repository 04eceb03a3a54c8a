package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// What each fault does to a call: what the caller sees, and whether the thing is there. In process and over a network alike.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault  string
		status int   // 0: the connection breaks
		broken error // as a caller in process sees it
		things string
		later  string // after an hour
	}{
		{"status:503", 503, nil, "", ""},
		{"status:429", 429, nil, "", ""},
		{"drop", 0, syscall.ECONNRESET, "", ""},
		{"commit_then_drop", 0, io.EOF, "a", "a"},
		{"commit_then_status:500", 500, nil, "a", "a"},
		{"commit_then_status:409", 409, nil, "a", "a"},
		{"cut:5", 0, io.ErrUnexpectedEOF, "a", "a"},
		{"cut:5000", 0, io.ErrUnexpectedEOF, "a", "a"}, // at the end of the answer
		{"garbage", 200, nil, "a", "a"},
		{"late:10m", 504, nil, "", "a"},
		{"late_drop:10m", 0, syscall.ECONNRESET, "", "a"},
		{"delay:0s", 200, nil, "a", "a"},
	}
	for _, tt := range tests {
		for _, way := range []string{"in process", "network"} {
			t.Run(tt.fault+" "+way, func(t *testing.T) {
				s := open(t, Behaviour{})
				client, at := &http.Client{Transport: s.Transport()}, "http://shelf.test"
				if way == "network" {
					ts := httptest.NewServer(s.Server)
					defer ts.Close()
					client, at = ts.Client(), ts.URL
				}
				if a := s.through(client, "POST", at+"/faults", fmt.Sprintf(`{"op":"things.create","fault":%q}`, tt.fault)); a.status != 200 {
					t.Fatal(a.body)
				}
				a := s.through(client, "POST", at+"/api/things", "a")
				if (a.err != nil) != (tt.status == 0) || a.err == nil && a.status != tt.status {
					t.Errorf("caller sees %d %v %s", a.status, a.err, a.body)
				}
				if way == "in process" && !errors.Is(a.err, tt.broken) {
					t.Errorf("caller sees %v, want %v", a.err, tt.broken)
				}
				if tt.fault == "cut:5" && a.body != `{"nam` || tt.fault == "garbage" && a.body != `{"na` {
					t.Errorf("caller reads %s", a.body)
				}
				if got := s.names(); got != tt.things {
					t.Errorf("things %q, want %q", got, tt.things)
				}
				s.advance(time.Hour)
				if got := s.names(); got != tt.later {
					t.Fatalf("things later %q, want %q", got, tt.later)
				}
				if strings.HasPrefix(tt.fault, "late") && !s.things.list[0].Made.Equal(s.at.Add(-50*time.Minute)) {
					t.Errorf("executed at %v", s.things.list[0].Made)
				}
				if log, _ := s.Calls(); len(log) != 1 || log[0].Fault != tt.fault {
					t.Errorf("noted %+v", log)
				}
				if a := s.through(client, "POST", at+"/api/things", "b"); a.status != 200 {
					t.Errorf("the fault is used up: %d %s", a.status, a.body)
				}
			})
		}
	}
}

// An answer of any size is cut where the fault says, in process and over a network.
func TestCutStream(t *testing.T) {
	s := open(t, Behaviour{})
	ts := httptest.NewServer(s.Server)
	defer ts.Close()
	for range 500 {
		s.send("POST", "/api/things", strings.Repeat("x", 100))
	}
	check(t, s.ArmFault("things.list", "cut:30000", 2))
	for _, a := range []answered{s.send("GET", "/api/things?stream=1", ""), s.through(ts.Client(), "GET", ts.URL+"/api/things?stream=1", "")} {
		if len(a.body) != 30000 || !errors.Is(a.err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes, %v", len(a.body), a.err)
		}
	}
}

// In process, too, a trace hears that there was a connection: only then may a request have been executed.
func TestTrace(t *testing.T) {
	s := open(t, Behaviour{})
	heard := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { heard++ }})
	r, err := http.NewRequestWithContext(ctx, "GET", "http://shelf.test/api/things", nil)
	check(t, err)
	if a := do(&http.Client{Transport: s.Transport()}, r); a.status != 200 || heard != 1 {
		t.Errorf("%d %v, heard of %d connections", a.status, a.err, heard)
	}
}

func TestFaultsAreChecked(t *testing.T) {
	s := open(t, Behaviour{})
	for body, want := range map[string]string{
		``: "one JSON object", `[]`: "one JSON object", `{"fault":"drop"}`: "op: There is no such method.",
		`{"op":"shops.open","fault":"drop"}`:                    "op: There is no such method.",
		`{"op":"things.list","fault":"explode"}`:                "fault: There is no such fault.",
		`{"op":"things.list","fault":"drop","times":-1}`:        "times: ",
		`{"op":"things.list","fault":"drop","times":1000001}`:   "times: ",
		`{"op":"things.list","fault":"status:200"}`:             "400 to 599",
		`{"op":"things.list","fault":"commit_then_status:600"}`: "400 to 599",
		`{"op":"things.list","fault":"status:abc"}`:             "400 to 599",
		`{"op":"things.list","fault":"delay:soon"}`:             "a duration",
		`{"op":"things.list","fault":"late:-1s"}`:               "a duration",
		`{"op":"things.create","fault":"search_lag:1m"}`:        "no other: things.list.",
		`{"op":"things.list","fault":"drop:1"}`:                 "no argument",
		`{"op":"things.list","fault":"cut:0"}`:                  "at least 1",
		`{"op":"things.list","fault":"drop","extra":1}`:         "known fields",
		`{"op":"things.list","fault":"drop"}{}`:                 "one JSON object",
		`{"op":"x","fault":"y"}`:                                "op: There is no such method. fault: There is no such fault.",
		strings.Repeat(" ", maxControl-1) + `{}`:                "more than 65536 bytes",
		strings.Repeat(" ", maxControl-2) + `{}`:                "op: There is no such method.",
	} {
		if a := s.send("POST", "/faults", body); a.status != 400 || !strings.Contains(a.body, want) {
			t.Errorf("%.60s: %d %s", body, a.status, a.body)
		}
	}
	for _, a := range []answered{s.send("PATCH", "/faults", ""), s.send("POST", "/calls", ""), s.send("GET", "/", "")} {
		if a.status != 404 {
			t.Errorf("%d", a.status)
		}
	}
	if a := s.send("GET", "/faults", ""); a.body != `{"faults":[],"pending":0}` {
		t.Errorf("armed %s", a.body)
	}
	s.does.Lagging = nil
	if err := s.ArmFault("*", "search_lag:1m", 0); err == nil {
		t.Error("nothing lags")
	}
}

// Faults are met in the order they were armed, as often as they say, by their own op only. A lag is met beside them.
func TestFaultsQueue(t *testing.T) {
	s := open(t, Behaviour{})
	check(t, s.ArmFault("things.list", "status:500", 2))
	check(t, s.ArmFault("*", "status:502", 1))
	check(t, s.ArmFault("things.list", "search_lag:5m", 0))
	check(t, s.ArmFault("things.list", "status:503", 9))
	if a := s.send("GET", "/faults", ""); !strings.HasPrefix(a.body, `{"faults":[{"op":"things.list","fault":"status:500","times":2},`) {
		t.Errorf("armed %s", a.body)
	}
	var got []int
	for _, method := range []string{"GET", "GET", "POST", "POST", "GET", "PUT"} {
		got = append(got, s.send(method, "/api/things", "a").status)
	}
	if fmt.Sprint(got) != "[500 500 502 200 503 200]" {
		t.Errorf("%v", got)
	}
	if a := s.send("DELETE", "/faults", ""); a.body != `{"faults":[],"pending":0}` {
		t.Errorf("cleared %s", a.body)
	}
	if a := s.send("GET", "/api/things", ""); a.body != `["a"]` {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// What lags does so by what the simulator says, or by what is armed; the longest lag is that of any answer that may still come.
func TestLag(t *testing.T) {
	s := open(t, Behaviour{Lag: time.Minute})
	s.send("POST", "/api/things", "a")
	list := func() string { return s.send("GET", "/api/things", "").body }
	if got := list(); got != "null" {
		t.Errorf("at once %s", got)
	}
	s.advance(time.Minute)
	if got := list(); got != `["a"]` {
		t.Errorf("after a minute %s", got)
	}
	check(t, s.ArmFault("things.list", "search_lag:5m", 1))
	check(t, s.ArmFault("*", "search_lag:2m", 0))
	if lag := s.LongestLag(); lag != 5*time.Minute {
		t.Errorf("longest %v", lag)
	}
	s.advance(2 * time.Minute)
	for _, want := range []string{"null", `["a"]`, `["a"]`} {
		if got := list(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	s.ClearFaults()
	if lag := s.LongestLag(); lag != time.Minute {
		t.Errorf("longest %v", lag)
	}
}

// Late executions happen in the order of their times, before the next request is looked at, and once.
func TestLate(t *testing.T) {
	s := open(t, Behaviour{})
	for name, fault := range map[string]string{"second": "late:20m", "first": "late_drop:10m"} {
		check(t, s.ArmFault("things.create", fault, 1))
		s.send("POST", "/api/things", name)
	}
	if a := s.send("GET", "/faults", ""); a.body != `{"faults":[],"pending":2}` {
		t.Errorf("%s", a.body)
	}
	s.ClearFaults()
	s.advance(20 * time.Minute)
	for range 2 {
		if a := s.send("GET", "/api/things", ""); a.body != `["first","second"]` {
			t.Errorf("%s", a.body)
		}
	}
}

// A caller that leaves during a delay has not stopped the execution, in virtual time over an in-memory network.
func TestDelay(t *testing.T) {
	for _, way := range []string{"in process", "network"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, Behaviour{Now: time.Now})
				check(t, s.ArmFault("things.create", "delay:90s", 2))
				client := &http.Client{Transport: s.Transport()}
				if way == "network" {
					client = pipes(t, s.Server)
				}
				call := func(patience time.Duration) (answered, time.Duration) {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					r, err := http.NewRequestWithContext(ctx, "POST", "http://shelf.test/api/things", strings.NewReader("a"))
					check(t, err)
					begin := time.Now()
					a := do(client, r)
					return a, time.Since(begin)
				}
				if a, took := call(30 * time.Second); !errors.Is(a.err, context.DeadlineExceeded) || took != 30*time.Second {
					t.Errorf("%v after %v", a.err, took)
				}
				synctest.Wait()
				time.Sleep(59 * time.Second)
				if got := s.names(); got != "" {
					t.Errorf("%q before the time", got)
				}
				time.Sleep(time.Second)
				if got := s.names(); got != "a" {
					t.Errorf("%q, want a", got)
				}
				if a, took := call(2 * time.Minute); a.status != 200 || took != 90*time.Second {
					t.Errorf("%d %v after %v", a.status, a.err, took)
				}
				if got := s.names(); got != "a a" {
					t.Errorf("%q, want a a", got)
				}
			})
		})
	}
}

// pipes is a client whose connections to the server are in memory.
func pipes(t *testing.T, s *Server) *http.Client {
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	hs := &http.Server{Handler: s}
	go hs.Serve(l)
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		select {
		case l.conns <- far:
			return near, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(func() { tr.CloseIdleConnections(); hs.Close() })
	return &http.Client{Transport: tr}
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// Every call of the API takes its time, unless a fault says otherwise; a control takes none.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Behaviour{Now: time.Now, Latency: 20 * time.Millisecond})
		check(t, s.ArmFault("things.list", "status:500", 1))
		begin := time.Now()
		for path, want := range map[string]int{"/api/things": 500, "/cooked": 200} {
			if a := s.send("GET", path, ""); a.status != want || !time.Now().Equal(begin) {
				t.Errorf("%s: %d after %v", path, a.status, time.Since(begin))
			}
		}
		if a := s.send("GET", "/api/things", ""); a.status != 200 || time.Since(begin) != 20*time.Millisecond {
			t.Errorf("%d after %v", a.status, time.Since(begin))
		}
		if log, _ := s.Calls(); log[1].Fault != "" {
			t.Errorf("noted %+v", log[1])
		}
	})
}
