package cloudsupport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// What each fault does to a call: what the caller sees, and whether the case is there. In process and over a network alike.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault  string
		status int // 0: the connection breaks
		cases  int
		later  int // after an hour
	}{
		{"status:503", 503, 0, 0},
		{"status:429", 429, 0, 0},
		{"drop", 0, 0, 0},
		{"commit_then_drop", 0, 1, 1},
		{"commit_then_status:500", 500, 1, 1},
		{"commit_then_status:409", 409, 1, 1},
		{"garbage", 200, 1, 1},
		{"late:10m", 504, 0, 1},
		{"late_drop:10m", 0, 0, 1},
		{"delay:0s", 200, 1, 1},
	}
	for _, tt := range tests {
		for _, way := range []string{"in process", "network"} {
			t.Run(tt.fault+" "+way, func(t *testing.T) {
				d := open(t, Options{})
				draft := d.draft("a", "b", "P3")
				client, base := &http.Client{Transport: d.Transport()}, "http://desk.test"
				if way == "network" {
					ts := httptest.NewServer(d.Server)
					defer ts.Close()
					client, base = ts.Client(), ts.URL
				}
				call := func(path, body string) answered {
					r, err := http.NewRequest("POST", base+path, strings.NewReader(body))
					check(t, err)
					r.Header = http.Header{"Authorization": {"Bearer x"}, "Content-Type": {"application/json"}}
					return do(t, client, r)
				}
				if a := call("/faults", fmt.Sprintf(`{"op":"cases.create","fault":%q,"times":1}`, tt.fault)); a.status != 200 {
					t.Fatal(a.body)
				}
				a := call("/v2/projects/acme-prod/cases", draft)
				if a.status != tt.status || (a.err != nil) != (tt.status == 0) {
					t.Errorf("caller sees %d %v %s", a.status, a.err, a.body)
				}
				if tt.status == 429 && a.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				if tt.fault == "garbage" && strings.HasSuffix(a.body, "}") {
					t.Errorf("readable: %s", a.body)
				}
				if n := len(d.Cases()); n != tt.cases {
					t.Errorf("%d cases, want %d", n, tt.cases)
				}
				d.advance(time.Hour)
				all := d.Cases()
				if len(all) != tt.later {
					t.Fatalf("%d cases later, want %d", len(all), tt.later)
				}
				if strings.HasPrefix(tt.fault, "late") && all[0].Created != d.at.Add(-50*time.Minute) {
					t.Errorf("executed at %v", all[0].Created)
				}
				if a := call("/v2/projects/acme-prod/cases", draft); a.status != 200 {
					t.Errorf("the fault is used up: %d %s", a.status, a.body)
				}
			})
		}
	}
}

// In process a broken connection looks as on a network.
func TestDropErrors(t *testing.T) {
	d := open(t, Options{})
	for fault, want := range map[string]error{"drop": syscall.ECONNRESET, "commit_then_drop": io.EOF} {
		check(t, d.ArmFault("cases.list", fault, 1))
		if a := d.send("GET", "/v2/projects/acme-prod/cases", ""); !errors.Is(a.err, want) {
			t.Errorf("%s: %v", fault, a.err)
		}
	}
}

func TestFaultsAreChecked(t *testing.T) {
	d := open(t, Options{})
	for _, body := range []string{
		``, `[]`, `{"op":"cases.make","fault":"drop"}`, `{"op":"cases.create","fault":"explode"}`, `{"op":"cases.create","fault":"drop","times":-1}`,
		`{"op":"cases.create","fault":"status:200"}`, `{"op":"cases.create","fault":"status:abc"}`, `{"op":"cases.create","fault":"delay:soon"}`,
		`{"op":"cases.create","fault":"late:-1s"}`, `{"op":"cases.list","fault":"search_lag:1m"}`, `{"op":"cases.create","fault":"drop:1"}`,
		`{"op":"cases.create","fault":"drop","extra":1}`, `{"fault":"drop"}`, strings.Repeat(" ", maxControl+1) + `{}`,
	} {
		if a := d.send("POST", "/faults", body); a.status != 400 || !strings.Contains(a.body, "INVALID_ARGUMENT") {
			t.Errorf("%.60s: %d %s", body, a.status, a.body)
		}
	}
	for _, a := range []answered{d.send("PATCH", "/faults", ""), d.send("POST", "/calls", ""), d.send("GET", "/", "")} {
		if a.status != 404 {
			t.Errorf("%d", a.status)
		}
	}
	if list := d.must("GET", "/faults", "")["faults"].([]any); len(list) != 0 {
		t.Errorf("armed %v", list)
	}
}

// Faults are met in the order they were armed, as often as they say, by their own op only.
func TestFaultsQueue(t *testing.T) {
	d := open(t, Options{})
	d.must("POST", "/faults", `{"op":"cases.list","fault":"status:500","times":2}`)
	d.must("POST", "/faults", `{"op":"*","fault":"status:503"}`)
	d.must("POST", "/faults", `{"op":"cases.search","fault":"search_lag:5m"}`)
	if list := d.must("GET", "/faults", "")["faults"].([]any); len(list) != 3 || list[0].(map[string]any)["times"] != 2.0 {
		t.Errorf("armed %v", list)
	}
	get := func(op string, want int) {
		t.Helper()
		if a := d.send("GET", "/v2/projects/acme-prod/"+op, ""); a.status != want {
			t.Errorf("%s: %d, want %d", op, a.status, want)
		}
	}
	get("cases", 500)
	get("cases:search", 503)
	get("cases", 500)
	get("cases", 200)
	get("cases:search", 200)
	if list := d.must("GET", "/faults", "")["faults"].([]any); len(list) != 1 {
		t.Errorf("left %v", list)
	}
	if list := d.must("DELETE", "/faults", "")["faults"].([]any); len(list) != 0 {
		t.Errorf("cleared %v", list)
	}
	log, counts := d.Calls()
	if counts["cases.list"] != 3 || counts["cases.search"] != 2 || log[0].Fault != "status:500" || log[0].Status != 500 || log[0].Reason == "" {
		t.Errorf("counts %v, first %+v", counts, log[0])
	}
}

// A caller that leaves during a delay has not stopped the execution, in virtual time over an in-memory network.
func TestDelay(t *testing.T) {
	for _, way := range []string{"in process", "network"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := open(t, Options{Now: time.Now})
				draft := d.draft("a", "b", "P3")
				check(t, d.ArmFault("cases.create", "delay:90s", 2))
				client := &http.Client{Transport: d.Transport()}
				if way == "network" {
					client = pipes(t, d.Server)
				}
				call := func(patience time.Duration) (answered, time.Duration) {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					r, err := http.NewRequestWithContext(ctx, "POST", "http://desk.test/v2/projects/acme-prod/cases", strings.NewReader(draft))
					check(t, err)
					r.Header = http.Header{"Authorization": {"Bearer x"}, "Content-Type": {"application/json"}}
					begin := time.Now()
					a := do(t, client, r)
					return a, time.Since(begin)
				}
				if a, took := call(30 * time.Second); !errors.Is(a.err, context.DeadlineExceeded) || took != 30*time.Second {
					t.Errorf("%v after %v", a.err, took)
				}
				synctest.Wait()
				time.Sleep(59 * time.Second)
				if n := len(d.Cases()); n != 0 {
					t.Errorf("%d cases before the time", n)
				}
				time.Sleep(time.Second)
				if n := len(d.Cases()); n != 1 {
					t.Errorf("%d cases, want 1", n)
				}
				if a, took := call(2 * time.Minute); a.status != 200 || took != 90*time.Second {
					t.Errorf("%d %v after %v", a.status, a.err, took)
				}
				if n := len(d.Cases()); n != 2 {
					t.Errorf("%d cases, want 2", n)
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

// Late executions happen in the order of their times, before the next request is looked at, and once.
func TestLate(t *testing.T) {
	d := open(t, Options{})
	check(t, d.ArmFault("cases.create", "late:20m", 1))
	check(t, d.ArmFault("cases.create", "late_drop:10m", 1))
	d.send("POST", "/v2/projects/acme-prod/cases", d.draft("second", "b", "P3"))
	d.send("POST", "/v2/projects/acme-prod/cases", d.draft("first", "b", "P3"))
	if p := d.must("GET", "/faults", "")["pending"]; p != 2.0 {
		t.Errorf("pending %v", p)
	}
	d.ClearFaults()
	d.advance(20 * time.Minute)
	if n := len(names(d.must("GET", "/v2/projects/acme-prod/cases", ""))); n != 2 {
		t.Errorf("%d cases", n)
	}
	all := d.Cases()
	if all[0].DisplayName != "first" || all[1].DisplayName != "second" || all[1].Created.Sub(all[0].Created) != 10*time.Minute {
		t.Errorf("%+v", all)
	}
	log, _ := d.Calls()
	var statuses []int
	for _, c := range log {
		if c.Op == "cases.create" {
			statuses = append(statuses, c.Status)
		}
	}
	if fmt.Sprint(statuses) != "[504 0]" {
		t.Errorf("statuses %v", statuses)
	}
}

func TestCalls(t *testing.T) {
	d := open(t, Options{})
	const marker = "REFABCDEFGHIJ234567KLMNOPQRST"
	d.create("projects/acme-prod", "a", "see "+marker+".", "P3")
	d.send("GET", "/v2/projects/acme-prod/cases:search?query="+marker, "")
	d.send("GET", "/v2/nothing", "")
	log, _ := d.Calls()
	if log[1].Op != "cases.create" || log[1].Marker != marker || log[1].Method != "POST" || log[1].Path != "/v2/projects/acme-prod/cases" || log[1].Status != 200 {
		t.Errorf("create %+v", log[1])
	}
	if log[2].Marker != marker || log[3].Op != "unknown" || log[3].Status != 404 {
		t.Errorf("%+v", log[2:])
	}
	for range maxCalls {
		d.send("GET", "/v2/nothing", "")
	}
	v := d.must("GET", "/calls", "")
	if n := len(v["calls"].([]any)); n != maxCalls {
		t.Errorf("%d calls remembered", n)
	}
	if n := v["counts"].(map[string]any)["unknown"]; n != float64(maxCalls+1) {
		t.Errorf("counted %v", n)
	}
	if last, _ := d.Calls(); last[0].Op != "unknown" {
		t.Errorf("oldest %+v", last[0])
	}
}
