package gapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/api/googleapi"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func decode(resp *http.Response) error {
	defer resp.Body.Close()
	if err := googleapi.CheckResponse(resp); err != nil {
		return err
	}
	var v map[string]any
	return json.NewDecoder(resp.Body).Decode(&v)
}

// The three classes that the ledger tells apart.
const (
	notExecuted = "not executed"
	refused     = "refused"
	maybe       = "maybe"
)

func classOf(err error) string {
	switch fault.Of(err) {
	case "":
		return "executed"
	case fault.Invalid, fault.Denied, fault.Missing, fault.Conflict:
		if !fault.IsUnsent(err) {
			return refused
		}
	}
	if fault.IsUnsent(err) {
		return notExecuted
	}
	return maybe
}

func TestClassOfEveryWayToFail(t *testing.T) {
	for _, tt := range []struct {
		name     string
		answer   func(int, net.Conn, *http.Request) bool
		kind     fault.Kind
		class    string
		executed int
	}{
		{"answered", says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), "", "executed", 1},
		{"dropped after the request", says(""), fault.Transient, maybe, 1},
		{"half a status line", says("HTTP/1.1 20"), fault.Transient, maybe, 1},
		{"no HTTP at all", says("220 mail.example.com ESMTP\r\n"), fault.Transient, maybe, 1},
		{"truncated body", says("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"name\":"), fault.Transient, maybe, 1},
		{"success that is no JSON", says("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"), fault.Transient, maybe, 1},
		{"redirected", says("HTTP/1.1 307 Moved\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n"), fault.Transient, maybe, 1},
		{"503", says("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), fault.Transient, maybe, 1},
		{"a body that claims another status", says("HTTP/1.1 502 No\r\nContent-Length: 22\r\n\r\n{\"error\":{\"code\":400}}"), fault.Transient, maybe, 1},
		{"a refusal cut short", says("HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\n{\"err"), fault.Invalid, refused, 1},
		{"429", says("HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"), fault.Throttled, notExecuted, 1},
		{"401", says("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), fault.Denied, notExecuted, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := serve(t, listen(t), tt.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := do(ctx, client(t, gapi.Options{Endpoint: w.url()}), "POST", w.url(), `{"a":"b"}`)
			if fault.Of(err) != tt.kind || classOf(err) != tt.class {
				t.Errorf("kind %q, class %q, want %q, %q: %v", fault.Of(err), classOf(err), tt.kind, tt.class, err)
			}
			if n := w.executions(); n != tt.executed {
				t.Errorf("executed %d times, want %d", n, tt.executed)
			}
		})
	}
}

func TestWhatNeverLeavesIsUnsent(t *testing.T) {
	w := serve(t, listen(t), func(_ int, c net.Conn, _ *http.Request) bool { return okay(c) })
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.StartTLS()
	defer tlsServer.Close()
	closed := listen(t)
	closed.Close()
	deaf := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", closed.Addr().String())
	}}
	noNames := &http.Transport{DialContext: (&net.Dialer{Resolver: deaf}).DialContext}
	hour := func() time.Time { return time.Now().Add(time.Hour) }
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		url  string
		o    gapi.Options
		kind fault.Kind
	}{
		{"connection refused", nil, "http://" + closed.Addr().String() + "/", gapi.Options{}, fault.Transient},
		{"no such name", nil, "http://desk.invalid/", gapi.Options{Base: noNames}, fault.Transient},
		{"certificate of nobody", nil, tlsServer.URL + "/", gapi.Options{}, fault.Transient},
		{"no TLS on the other side", nil, "https://" + w.Addr().String() + "/", gapi.Options{}, fault.Transient},
		{"context over", over, w.url(), gapi.Options{}, fault.Transient},
		{"wall clock past the deadline", nil, w.url(), gapi.Options{Now: hour}, fault.Transient},
		{"wall clock past the call timeout", t.Context(), w.url(), gapi.Options{Now: hour}, fault.Transient},
		{"no token", nil, w.url(), gapi.Options{Token: func(context.Context) (string, error) { return "", errors.New("down") }}, fault.Transient},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(tt.name+" "+method, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if tt.ctx != nil {
					ctx = tt.ctx
				}
				tt.o.Endpoint = tt.url
				body := map[string]string{"POST": "{}"}[method]
				err := do(ctx, client(t, tt.o), method, tt.url, body)
				if fault.Of(err) != tt.kind || !fault.IsUnsent(err) {
					t.Errorf("kind %q, unsent %v, want %q, true: %v", fault.Of(err), fault.IsUnsent(err), tt.kind, err)
				}
			})
		}
	}
	if n := w.executions(); n != 0 {
		t.Errorf("executed %d requests, want 0", n)
	}
}

// The machine is suspended while the connection is being made: the context's timer has not run, the wall clock has.
func TestSuspendedBetweenConnectingAndSending(t *testing.T) {
	w := serve(t, listen(t), func(_ int, c net.Conn, _ *http.Request) bool { return okay(c) })
	var asleep atomic.Int64
	base := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		asleep.Store(int64(time.Hour))
		return c, err
	}}
	now := func() time.Time { return time.Now().Add(time.Duration(asleep.Load())) }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := do(ctx, client(t, gapi.Options{Endpoint: w.url(), Base: base, Now: now}), "POST", w.url(), "{}")
	if classOf(err) != notExecuted || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("class %q, want %q: %v", classOf(err), notExecuted, err)
	}
	if n := w.executions(); n != 0 {
		t.Errorf("executed %d requests, want 0", n)
	}
}

// A connection that is reused and drops the answer is where net/http replays what it takes for idempotent.
func TestDroppedOnAReusedConnectionExecutesOnce(t *testing.T) {
	drop := func(n int, c net.Conn, _ *http.Request) bool { return n == 1 && okay(c) }
	t.Run("this transport", func(t *testing.T) {
		w := serve(t, listen(t), drop)
		c := client(t, gapi.Options{Endpoint: w.url(), Base: &http.Transport{}})
		if err := do(t.Context(), c, "POST", w.url(), "{}"); err != nil {
			t.Fatal(err)
		}
		if err := do(t.Context(), c, "POST", w.url(), "{}"); classOf(err) != maybe {
			t.Errorf("class %q, want %q: %v", classOf(err), maybe, err)
		}
		if n := w.executions(); n != 2 || w.accepted() != 1 {
			t.Errorf("executed %d requests for 2 calls on %d connections, want 2 on 1", n, w.accepted())
		}
		for _, h := range w.headers {
			for name := range h {
				if strings.Contains(strings.ToLower(name), "idempotency") {
					t.Errorf("sent the header %s, which makes net/http replay a request", name)
				}
			}
		}
	})
	t.Run("net/http with an idempotency key", func(t *testing.T) { // shows that the trap is real
		w := serve(t, listen(t), drop)
		c := &http.Client{Transport: &http.Transport{}}
		defer c.CloseIdleConnections()
		for range 2 {
			req, _ := http.NewRequestWithContext(t.Context(), "POST", w.url(), strings.NewReader("{}"))
			req.Header.Set("Idempotency-Key", "k")
			if resp, err := c.Do(req); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}
		if n := w.executions(); n < 3 {
			t.Errorf("executed %d requests for 2 calls; the control of this test no longer replays", n)
		}
	})
}

func TestWritesDoNotShareConnections(t *testing.T) {
	w := serve(t, listen(t), func(_ int, c net.Conn, _ *http.Request) bool { return okay(c) })
	c := client(t, gapi.Options{Endpoint: w.url()})
	for _, method := range []string{"GET", "GET", "POST", "PATCH"} {
		if err := do(t.Context(), c, method, w.url(), map[string]string{"POST": "{}", "PATCH": "{}"}[method]); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.accepted(); n != 3 {
		t.Errorf("%d connections for two reads and two writes, want 3", n)
	}
}

func TestHTTP2AbortIsMaybeAndExecutedOnce(t *testing.T) {
	var executed atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.ProtoMajor != 2 {
			t.Errorf("spoken to in HTTP/%d", r.ProtoMajor)
		}
		executed.Add(1)
		panic(http.ErrAbortHandler)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := client(t, gapi.Options{Endpoint: s.URL, Base: s.Client().Transport})
	if err := do(t.Context(), c, "POST", s.URL+"/", "{}"); classOf(err) != maybe {
		t.Errorf("class %q, want %q: %v", classOf(err), maybe, err)
	}
	if n := executed.Load(); n != 1 {
		t.Errorf("executed %d times, want 1", n)
	}
}

func TestReadsAreRepeatedWritesAreNot(t *testing.T) {
	const no503 = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
	const no429 = "HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n"
	const no500 = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
	for _, tt := range []struct {
		method, fails string
		times         int
		executed      int
		kind          fault.Kind
	}{
		{"GET", no503, 3, 4, ""},
		{"GET", no429, 3, 4, ""},
		{"GET", "", 3, 4, ""},
		{"GET", no503, 4, 4, fault.Transient},
		{"GET", no500, 1, 1, fault.Transient},
		{"POST", no503, 1, 1, fault.Transient},
		{"POST", no429, 1, 1, fault.Throttled},
		{"POST", "", 1, 1, fault.Transient},
		{"PATCH", no503, 1, 1, fault.Transient},
		{"PUT", "", 1, 1, fault.Transient},
		{"DELETE", "", 1, 1, fault.Transient},
	} {
		t.Run(fmt.Sprintf("%s %.12q x %d", tt.method, tt.fails, tt.times), func(t *testing.T) {
			w := serve(t, listen(t), func(n int, c net.Conn, _ *http.Request) bool {
				if n > tt.times {
					return okay(c)
				}
				io.WriteString(c, tt.fails)
				return false
			})
			body := map[string]string{"POST": "{}", "PATCH": "{}", "PUT": "{}"}[tt.method]
			err := do(t.Context(), client(t, gapi.Options{Endpoint: w.url()}), tt.method, w.url(), body)
			if fault.Of(err) != tt.kind {
				t.Errorf("kind %q, want %q: %v", fault.Of(err), tt.kind, err)
			}
			if n := w.executions(); n != tt.executed {
				t.Errorf("executed %d times, want %d", n, tt.executed)
			}
		})
	}
}

func TestPausesOfReads(t *testing.T) {
	answer := func(after string) func(int, net.Conn, *http.Request) bool {
		return func(n int, c net.Conn, _ *http.Request) bool {
			if n == 3 {
				return okay(c)
			}
			fmt.Fprintf(c, "HTTP/1.1 503 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", after)
			return true
		}
	}
	for _, tt := range []struct {
		name, after string
		took        time.Duration
		executed    int
		kind        fault.Kind
	}{
		{"doubles its own", "0", 750 * time.Millisecond, 3, ""},
		{"as long as asked", "5", 10 * time.Second, 3, ""},
		{"does not wait past the deadline", "25", 0, 1, fault.Transient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes()
				w := serve(t, p, answer(tt.after))
				c := client(t, gapi.Options{Endpoint: w.url(), Base: &http.Transport{DialContext: p.dial}, Backoff: 250 * time.Millisecond})
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				start := time.Now()
				err := do(ctx, c, "GET", w.url(), "")
				if took := time.Since(start); took != tt.took || fault.Of(err) != tt.kind || w.executions() != tt.executed {
					t.Errorf("%d attempts in %v, kind %q; want %d in %v, %q: %v", w.executions(), took, fault.Of(err), tt.executed, tt.took, tt.kind, err)
				}
			})
		})
	}
}

func TestAnswersAreLimited(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		var size int64
		fmt.Sscan(r.URL.Query().Get("size"), &size)
		io.CopyN(w, zeros{}, size)
	}))
	defer s.Close()
	c := client(t, gapi.Options{Endpoint: s.URL})
	for _, tt := range []struct {
		query string
		size  int64
		read  int64
		class string
	}{
		{"", gapi.MaxBody, gapi.MaxBody, "executed"},
		{"", gapi.MaxBody + 1, gapi.MaxBody, maybe},
		{"", gapi.MaxBody + 1<<20, gapi.MaxBody, maybe},
		{"&alt=media", gapi.MaxBody + 1, gapi.MaxBody + 1, "executed"},
	} {
		var n int64
		err := gapi.Do(t.Context(), "test", func(ctx context.Context) error {
			req, _ := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/?size=%d%s", s.URL, tt.size, tt.query), nil)
			resp, err := c.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			n, err = io.Copy(io.Discard, resp.Body)
			return err
		})
		if n != tt.read || classOf(err) != tt.class {
			t.Errorf("%d bytes%s: read %d, class %q, want %d, %q: %v", tt.size, tt.query, n, classOf(err), tt.read, tt.class, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestSlowAnswerIsMaybe(t *testing.T) {
	hang := func(_ int, c net.Conn, _ *http.Request) bool { io.Copy(io.Discard, c); return false }
	for name, timeout := range map[string]time.Duration{"the caller's deadline": 20 * time.Second, "the call timeout": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes()
				w := serve(t, p, hang)
				c := client(t, gapi.Options{Endpoint: w.url(), Base: &http.Transport{DialContext: p.dial}})
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				start := time.Now()
				err := do(ctx, c, "POST", w.url(), "{}")
				if took := time.Since(start); classOf(err) != maybe || took != min(timeout, 30*time.Second) {
					t.Errorf("class %q after %v, want %q: %v", classOf(err), took, maybe, err)
				}
				if n := w.executions(); n != 1 {
					t.Errorf("executed %d times, want 1", n)
				}
			})
		})
	}
}

// spy keeps the last request that leaves.
type spy struct {
	http.RoundTripper
	last *http.Request
}

func (s *spy) RoundTrip(req *http.Request) (*http.Response, error) {
	s.last = req
	return s.RoundTripper.RoundTrip(req)
}

func TestWritesCannotBeReplayedOrRedirected(t *testing.T) {
	w := serve(t, listen(t), says("HTTP/1.1 307 Moved\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n"))
	s := &spy{RoundTripper: &http.Transport{DisableKeepAlives: true}}
	if err := do(t.Context(), client(t, gapi.Options{Endpoint: w.url(), Base: s}), "POST", w.url(), "{}"); classOf(err) != maybe {
		t.Errorf("class %q, want %q: %v", classOf(err), maybe, err)
	}
	if s.last.GetBody != nil || w.executions() != 1 {
		t.Errorf("a write leaves with GetBody, or left %d times", w.executions())
	}
}
