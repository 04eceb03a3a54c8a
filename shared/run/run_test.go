package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/logs"
	"github.com/providerdesk/providerdesk/shared/signature"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

const (
	trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	push  = `{"message":{"data":"Q0FOQVJZ","messageId":"17"},"subscription":"projects/p/subscriptions/s","deliveryAttempt":3}`
)

// journal collects log lines.
type journal struct {
	mu sync.Mutex
	b  strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) log() *slog.Logger { return logs.New(j, logs.Options{Project: "acme"}) }

// lines returns the log lines as objects.
func (j *journal) lines(t testing.TB) (lines []map[string]any) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for s := range strings.Lines(j.b.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(s), &line); err != nil {
			t.Fatalf("%v: %s", err, s)
		}
		lines = append(lines, line)
	}
	return lines
}

func (j *journal) only(t testing.TB) map[string]any {
	t.Helper()
	lines := j.lines(t)
	if len(lines) != 1 {
		t.Fatalf("%d log lines, want one: %v", len(lines), lines)
	}
	return lines[0]
}

func post(body string, headers ...string) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func do(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// checkAnswer checks what every answer promises, and returns the sentence of a problem.
func checkAnswer(t *testing.T, resp *http.Response, status int) string {
	t.Helper()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", resp.StatusCode, status, body)
	}
	if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", resp.Header)
	}
	if strings.Contains(string(body), "CANARY") {
		t.Errorf("the answer repeats the request or an internal text: %s", body)
	}
	if (status == 503) != (resp.Header.Get("Retry-After") != "") && resp.Header.Get("X-Event") == "" {
		t.Errorf("status %d with Retry-After %q", status, resp.Header.Get("Retry-After"))
	}
	if status < 400 {
		return string(body)
	}
	var p problemBody
	if err := json.Unmarshal(body, &p); err != nil || p.Type != "about:blank" || p.Status != status || p.Title != http.StatusText(status) ||
		resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("no problem: %s %s", resp.Header.Get("Content-Type"), body)
	}
	return p.Detail
}

// opens returns an open function for a handler.
func opens[T any](h T) func(context.Context) (T, error) {
	return func(context.Context) (T, error) { return h, nil }
}

func returning(err error) EventHandler {
	return func(context.Context, event.Envelope) error { return err }
}

func TestEventOutcome(t *testing.T) {
	canary := errors.New("CANARY 100% %d")
	for _, c := range []struct {
		name       string
		err        error
		status     int
		retryAfter string
		want       map[string]any
	}{
		{"done", nil, 200, "", map[string]any{"severity": "INFO", "outcome": "done", "message": "handled"}},
		{"transient", fault.Wrap(fault.Transient, canary, "x"), 503, "", map[string]any{"severity": "WARNING", "outcome": "retry", "kind": "transient"}},
		{"throttled", fault.After(fault.Wrap(fault.Throttled, canary, "x"), 1500*time.Millisecond), 503, "2",
			map[string]any{"severity": "WARNING", "outcome": "retry", "kind": "throttled"}},
		{"conflict", fault.Wrap(fault.Conflict, canary, "x"), 503, "", map[string]any{"outcome": "retry", "kind": "conflict"}},
		{"unclassified", canary, 503, "", map[string]any{"outcome": "retry", "kind": "bug", "error": "CANARY 100% %d"}},
		{"deadline", context.DeadlineExceeded, 503, "", map[string]any{"outcome": "retry", "kind": "transient"}},
		{"invalid", fault.Wrap(fault.Invalid, canary, "x"), 500, "",
			map[string]any{"severity": "ERROR", "outcome": "defect", "kind": "invalid", "message": "handler returned a permanent fault; must be parked"}},
		{"denied", fault.Wrap(fault.Denied, canary, "x"), 500, "", map[string]any{"severity": "ERROR", "outcome": "defect", "kind": "denied"}},
		{"missing, with a status", Status(fault.Wrap(fault.Missing, canary, "x"), 200), 500, "", map[string]any{"outcome": "defect", "kind": "missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var j journal
			h := Event("FileCase", opens(returning(c.err)), Options{Log: j.log(), Trusted: true})
			resp := do(h, post(push, "traceparent", trace))
			resp.Header.Set("X-Event", "Retry-After only if the fault has one")
			checkAnswer(t, resp, c.status)
			if got := resp.Header.Get("Retry-After"); got != c.retryAfter {
				t.Errorf("Retry-After %q, want %q", got, c.retryAfter)
			}
			line := j.only(t)
			c.want["function"], c.want["event"], c.want["event_id"], c.want["attempt"] = "FileCase", "delivery", "17", 3.0
			c.want["subscription"], c.want["status"] = "projects/p/subscriptions/s", float64(c.status)
			c.want["logging.googleapis.com/trace"] = "projects/acme/traces/0af7651916cd43dd8448eb211c80319c"
			for k, want := range c.want {
				if line[k] != want {
					t.Errorf("log %s = %v, want %v", k, line[k], want)
				}
			}
			if _, ok := line["duration"].(float64); !ok {
				t.Errorf("no duration: %v", line)
			}
		})
	}
}

// TestEventEnvelope: what the framework drops arrives.
func TestEventEnvelope(t *testing.T) {
	var got event.Envelope
	h := Event("f", opens(EventHandler(func(_ context.Context, e event.Envelope) error { got = e; return nil })), Options{Trusted: true})
	checkAnswer(t, do(h, post(push)), 200)
	if got.Attempt != 3 || got.Subscription != "projects/p/subscriptions/s" || string(got.Data) != "CANARY" {
		t.Errorf("got %+v", got)
	}
	checkAnswer(t, do(h, post(`{"specversion":"1.0","id":"9","type":"t","source":"/s","data":1}`, "Content-Type", "application/cloudevents+json")), 200)
	if got.ID != "9" || string(got.Data) != "1" {
		t.Errorf("got %+v", got)
	}
}

func TestEventRefused(t *testing.T) {
	bearer, err := signature.Bearer("CANARY-secret")
	if err != nil {
		t.Fatal(err)
	}
	down := fault.After(fault.Wrap(fault.Transient, errors.New("CANARY"), "fetching keys"), time.Minute)
	called := false
	handler := opens(EventHandler(func(context.Context, event.Envelope) error { called = true; return nil }))
	get := httptest.NewRequest("GET", "/", nil)
	for _, c := range []struct {
		name   string
		opts   Options
		r      *http.Request
		status int
		header string
		value  string
	}{
		{"nobody may deliver", Options{}, post(push), 500, "", ""},
		{"no credentials", Options{Verify: bearer}, post(push), 401, "WWW-Authenticate", `Bearer realm="providerdesk"`},
		{"wrong credentials", Options{Verify: bearer}, post(push, "Authorization", "Bearer x"), 401, "WWW-Authenticate", `Bearer realm="providerdesk"`},
		{"trusted does not replace a verifier", Options{Verify: bearer, Trusted: true}, post(push), 401, "", ""},
		{"the sender before the body", Options{Verify: bearer}, post("CANARY"), 401, "", ""},
		{"verifier down", Options{Verify: verifierFunc(func() error { return down })}, post(push), 503, "Retry-After", "60"},
		{"verifier panics", Options{Verify: verifierFunc(func() error { panic("CANARY") })}, post(push), 500, "", ""},
		{"verifier does not open", Options{OpenVerify: func(context.Context) (signature.Verifier, error) { return nil, down }}, post(push), 503, "Retry-After", "60"},
		{"verifier misconfigured", Options{OpenVerify: func(context.Context) (signature.Verifier, error) { return signature.Bearer("") }}, post(push), 500, "", ""},
		{"bad envelope", Options{Trusted: true}, post(`{"CANARY":1}`), 400, "", ""},
		{"batch", Options{Trusted: true}, post(`[]`, "Content-Type", "application/cloudevents-batch+json"), 400, "", ""},
		{"GET", Options{Trusted: true}, get, 405, "Allow", "POST"},
		{"too large", Options{Trusted: true}, post(strings.Repeat("a", event.MaxBody+1)), 413, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := do(Event("f", handler, c.opts), c.r)
			checkAnswer(t, resp, c.status)
			if c.header != "" && resp.Header.Get(c.header) != c.value {
				t.Errorf("%s: %q, want %q", c.header, resp.Header.Get(c.header), c.value)
			}
			if called {
				t.Error("the handler was called")
			}
		})
	}
	for _, o := range []Options{{Verify: bearer}, {OpenVerify: func(context.Context) (signature.Verifier, error) { return bearer, nil }}, {Verify: signature.Platform()}} {
		checkAnswer(t, do(Event("f", handler, o), post(push, "Authorization", "Bearer CANARY-secret")), 200)
	}
}

type verifierFunc func() error

func (f verifierFunc) Verify(*http.Request, []byte) error { return f() }

func TestPanic(t *testing.T) {
	var j journal
	event := Event("f", opens(EventHandler(func(context.Context, event.Envelope) error { panic("CANARY 100%") })), Options{Trusted: true, Log: j.log()})
	checkAnswer(t, do(event, post(push)), 500)
	request := HTTP("f", opens(HTTPHandler(func(context.Context, *http.Request) (Response, error) { panic(fault.New(fault.Invalid, "CANARY")) })), Options{Log: j.log()})
	checkAnswer(t, do(request, post("")), 500)
	lines := j.lines(t)
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		stack, _ := line["stack_trace"].(string)
		if line["severity"] != "ERROR" || line["message"] != "handler panicked" || !strings.Contains(stack, "run_test.go") {
			t.Errorf("got %v", line)
		}
	}
}

// TestDeadline: the handler's context ends in time, and what it makes of that is a retry.
func TestDeadline(t *testing.T) {
	waits := opens(EventHandler(func(ctx context.Context, _ event.Envelope) error { <-ctx.Done(); return ctx.Err() }))
	for _, c := range []struct {
		name, env string
		opts      Options
		want      time.Duration
	}{
		{"default", "", Options{}, 120 * time.Second},
		{"given", "300", Options{Timeout: time.Second}, time.Second},
		{"platform's", "300", Options{}, 295 * time.Second},
		{"platform's, own margin", "300", Options{Margin: time.Minute}, 240 * time.Second},
		{"margin eats it all", "4", Options{}, 120 * time.Second},
		{"garbage", "x", Options{}, 120 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("CLOUD_RUN_TIMEOUT_SECONDS", c.env)
			synctest.Test(t, func(t *testing.T) {
				c.opts.Trusted = true
				started := time.Now()
				resp := do(Event("f", waits, c.opts), post(push))
				if took := time.Since(started); resp.StatusCode != 503 || took != c.want {
					t.Errorf("%d after %s, want 503 after %s", resp.StatusCode, took, c.want)
				}
			})
		})
	}
}

func TestHTTPErrors(t *testing.T) {
	bearer, _ := signature.Bearer("CANARY-secret")
	for _, c := range []struct {
		name   string
		err    error
		status int
		detail string
		header string
		value  string
	}{
		{"invalid", fault.New(fault.Invalid, "name the tenant"), 400, "name the tenant", "", ""},
		{"invalid, no sentence", fault.Wrap(fault.Invalid, errors.New("CANARY"), "CANARY"), 400, "", "", ""},
		{"denied with a challenge", bearer.Verify(post(""), nil), 401, "the request has no Authorization header", "WWW-Authenticate", `Bearer realm="providerdesk"`},
		{"denied without", fault.New(fault.Denied, "wrong signature"), 401, "wrong signature", "WWW-Authenticate", ""},
		{"forbidden", Status(fault.New(fault.Denied, "operators only"), 403), 403, "operators only", "WWW-Authenticate", ""},
		{"forbidden with a challenge", Status(bearer.Verify(post(""), nil), 403), 403, "the request has no Authorization header", "WWW-Authenticate", ""},
		{"missing", fault.New(fault.Missing, "no such tenant"), 404, "no such tenant", "", ""},
		{"conflict", fault.New(fault.Conflict, "it changed"), 409, "it changed", "", ""},
		{"throttled", fault.After(fault.New(fault.Throttled, "busy"), 61*time.Second), 503, "busy", "Retry-After", "61"},
		{"transient", fault.Wrap(fault.Transient, errors.New("CANARY"), "x"), 503, "", "Retry-After", "5"},
		{"cancelled", context.Canceled, 503, "", "Retry-After", "5"},
		{"bug", errors.New("CANARY"), 500, "", "", ""},
		{"wrapped", fault.Wrap(fault.Transient, fault.New(fault.Invalid, "inner"), "CANARY"), 503, "inner", "", ""},
		{"never 429", Status(fault.New(fault.Throttled, "busy"), 429), 503, "busy", "Retry-After", "5"},
		{"a status out of range", Status(fault.New(fault.Invalid, "CANARY"), 42), 500, "", "", ""},
		{"too large for the server", &http.MaxBytesError{Limit: 1}, 413, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var j journal
			h := HTTP("f", opens(HTTPHandler(func(context.Context, *http.Request) (Response, error) {
				return Response{Status: 200, Body: "CANARY"}, c.err
			})), Options{Log: j.log()})
			resp := do(h, post("CANARY"))
			if got := checkAnswer(t, resp, c.status); got != c.detail {
				t.Errorf("detail %q, want %q", got, c.detail)
			}
			if c.header != "" && resp.Header.Get(c.header) != c.value {
				t.Errorf("%s: %q, want %q", c.header, resp.Header.Get(c.header), c.value)
			}
			line := j.only(t)
			if want := map[bool]string{true: "ERROR", false: "WARNING"}[c.status == 500]; line["severity"] != want || line["event"] != "request" {
				t.Errorf("got %v, want severity %s", line, want)
			}
		})
	}
}

func TestHTTPResponse(t *testing.T) {
	for _, c := range []struct {
		name   string
		resp   Response
		status int
		body   string
		header string
		value  string
	}{
		{"nothing", Response{}, 200, "", "Content-Type", ""},
		{"JSON", Response{Status: 202, Body: map[string]any{"ids": []int{1}}}, 202, `{"ids":[1]}`, "Content-Type", "application/json"},
		{"no content", Response{Status: 204}, 204, "", "Content-Length", ""},
		{"own headers", Response{Body: 1, Header: http.Header{"location": {"/x"}}}, 200, "1", "Location", "/x"},
		{"own type", Response{Body: 1, Header: http.Header{"Content-Type": {"application/feed+json"}}}, 200, "1", "Content-Type", "application/feed+json"},
		{"raw", Response{Raw: []byte("<a>"), Header: http.Header{"Content-Type": {"text/plain"}}}, 200, "<a>", "Content-Type", "text/plain"},
		{"length", Response{Body: "ü"}, 200, `"ü"`, "Content-Length", "4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := HTTP("f", opens(HTTPHandler(func(context.Context, *http.Request) (Response, error) { return c.resp, nil })), Options{})
			resp := do(h, post(""))
			if got := checkAnswer(t, resp, c.status); got != c.body || resp.Header.Get(c.header) != c.value {
				t.Errorf("got %q, %s: %q", got, c.header, resp.Header.Get(c.header))
			}
		})
	}
	for name, resp := range map[string]Response{"not JSON": {Body: func() {}}, "429": {Status: 429}, "out of range": {Status: 9}} {
		h := HTTP("f", opens(HTTPHandler(func(context.Context, *http.Request) (Response, error) { return resp, nil })), Options{})
		t.Run(name, func(t *testing.T) { checkAnswer(t, do(h, post("")), 500) })
	}
}

func TestHTTPSender(t *testing.T) {
	bearer, _ := signature.Bearer("s")
	h := HTTP("f", opens(HTTPHandler(func(_ context.Context, r *http.Request) (Response, error) {
		body, err := Body(r, 1<<20)
		return Response{Body: len(body)}, err
	})), Options{Verify: bearer, MaxBody: 10})
	checkAnswer(t, do(h, post("0123456789")), 401)
	checkAnswer(t, do(h, post("0123456789a", "Authorization", "Bearer s")), 413)
	if got := checkAnswer(t, do(h, post("0123456789", "Authorization", "Bearer s")), 200); got != "10" {
		t.Errorf("the handler read %s bytes", got)
	}
	open := HTTP("f", opens(HTTPHandler(func(_ context.Context, r *http.Request) (Response, error) {
		_, err := io.Copy(io.Discard, r.Body)
		return Response{}, err
	})), Options{MaxBody: 10})
	checkAnswer(t, do(open, post("0123456789")), 200)
	checkAnswer(t, do(open, post("0123456789a")), 413)
}

func TestRequire(t *testing.T) {
	handler := HTTP("f", opens(HTTPHandler(func(_ context.Context, r *http.Request) (Response, error) {
		if err := errors.Join(RequireMethod(r, "POST", "PUT"), RequireJSON(r)); err != nil {
			return Response{}, err
		}
		_, err := Body(r, 3)
		return Response{}, err
	})), Options{})
	for _, c := range []struct {
		method, contentType, body string
		status                    int
	}{
		{"POST", "application/json", "123", 200},
		{"PUT", "application/JSON; charset=utf-8", "", 200},
		{"POST", "application/vnd.api+json", "", 200},
		{"POST", "application/json", "1234", 413},
		{"POST", "", "1", 415},
		{"POST", "text/json", "1", 415},
		{"POST", "text/plain", "1", 415},
		{"POST", "application/x-www-form-urlencoded", "1", 415},
		{"POST", "application/json; ;;", "1", 415},
		{"GET", "application/json", "", 405},
		{"OPTIONS", "application/json", "", 405},
		{"CANARY", "application/json", "", 405},
	} {
		r := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		resp := do(handler, r)
		if detail := checkAnswer(t, resp, c.status); c.status >= 400 && detail == "" {
			t.Errorf("%s %q: no sentence", c.method, c.contentType)
		}
		if allow := resp.Header.Get("Allow"); (c.status == 405) != (allow == "POST, PUT") {
			t.Errorf("%s: Allow %q", c.method, allow)
		}
	}
	if Status(nil, 400) != nil {
		t.Error("no error has a status")
	}
	broken := post("")
	broken.Body = io.NopCloser(io.MultiReader(strings.NewReader("a"), brokenReader{}))
	if _, err := Body(broken, 10); !fault.Is(err, fault.Transient) {
		t.Errorf("a connection that broke: %v", err)
	}
	for _, announced := range []int64{-1, 0, 2, 5, 1 << 40} {
		r := post("12345")
		r.ContentLength = announced
		if body, err := Body(r, 1<<41); err != nil || string(body) != "12345" || cap(body) > 2*believed {
			t.Errorf("a body that is announced with %d bytes: %q in %d, %v", announced, body, cap(body), err)
		}
	}
}

// TestReadBody: what stood in the room before is not read, and a body that does not fit gets more.
func TestReadBody(t *testing.T) {
	for _, room := range []int{0, 1, 5, 511, 516, 517, 600} {
		old := bytes.Repeat([]byte("x"), room)
		for _, text := range []string{"", "12345", strings.Repeat("y", 3000)} {
			r := post(text)
			r.ContentLength = -1
			body, err := ReadBody(r, 3000, old)
			if err != nil || string(body) != text || len(old) != room {
				t.Errorf("%d bytes in room for %d: %q, %v", len(text), room, body, err)
			}
		}
		if _, err := ReadBody(post(strings.Repeat("y", 3001)), 3000, old); err == nil {
			t.Error("a body above the limit is read")
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestOpenRetries: a failed open is tried again by the next request, and a successful one is kept.
func TestOpenRetries(t *testing.T) {
	var j journal
	var opened int
	results := []error{fault.After(fault.New(fault.Transient, "CANARY"), 7*time.Second), fault.New(fault.Invalid, "CANARY line 3"), errors.New("CANARY"), nil}
	h := HTTP("f", func(context.Context) (HTTPHandler, error) {
		opened++
		if opened == 3 {
			panic("CANARY")
		}
		return func(context.Context, *http.Request) (Response, error) { return Response{}, nil }, results[min(opened, 4)-1]
	}, Options{Log: j.log()})
	for i, status := range []int{503, 500, 500, 200, 200} {
		resp := do(h, post(""))
		if detail := checkAnswer(t, resp, status); status >= 400 && detail != "" {
			t.Errorf("request %d: the caller reads %q", i, detail)
		}
		if after := resp.Header.Get("Retry-After"); i == 0 && after != "7" {
			t.Errorf("Retry-After %q", after)
		}
	}
	if opened != 4 {
		t.Errorf("opened %d times, want 4", opened)
	}
	var severities []string
	for _, line := range j.lines(t) {
		severities = append(severities, line["severity"].(string))
	}
	if got := strings.Join(severities, " "); got != "ERROR WARNING ERROR WARNING ERROR WARNING INFO INFO" {
		t.Errorf("log severities %s", got)
	}
}

// TestOpenShared: requests that come while the function opens share one attempt, its failure too, and leave when their own time is up.
func TestOpenShared(t *testing.T) {
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var j journal
			var opened atomic.Int32
			h := HTTP("f", func(ctx context.Context) (HTTPHandler, error) {
				opened.Add(1)
				time.Sleep(time.Second) // virtual
				if fails {
					return nil, fault.New(fault.Transient, "down")
				}
				return func(context.Context, *http.Request) (Response, error) { return Response{}, nil }, nil
			}, Options{Log: j.log()})
			codes := make(chan int, 10)
			for range 9 {
				go func() { codes <- do(h, post("")).StatusCode }()
			}
			impatient, cancel := context.WithTimeout(t.Context(), time.Second/2)
			defer cancel()
			synctest.Wait()
			if resp := do(h, post("").WithContext(impatient)); resp.StatusCode != 503 {
				t.Errorf("the impatient got %d", resp.StatusCode)
			}
			want := map[bool]int{false: 200, true: 503}[fails]
			for range 9 {
				if got := <-codes; got != want {
					t.Errorf("got %d, want %d", got, want)
				}
			}
			errorLines := 0
			for _, line := range j.lines(t) {
				if line["severity"] == "ERROR" {
					errorLines++
				}
			}
			if opened.Load() != 1 || errorLines != map[bool]int{false: 0, true: 1}[fails] {
				t.Errorf("opened %d times, %d error lines", opened.Load(), errorLines)
			}
		})
	}
}

// TestOpenContext: it outlives the first request, but not a failed or an endless attempt.
func TestOpenContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept context.Context
		var fail error
		wait := false
		h := Event("f", func(ctx context.Context) (EventHandler, error) {
			kept = ctx
			if wait {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return returning(nil), fail
		}, Options{Trusted: true, Timeout: time.Minute})
		wait = true
		started := time.Now()
		do(h, post(push))
		if took := time.Since(started); took != time.Minute || !errors.Is(context.Cause(kept), context.DeadlineExceeded) {
			t.Errorf("an endless open took %s: %v", took, context.Cause(kept))
		}
		wait, fail = false, errors.New("no")
		do(h, post(push))
		if kept.Err() == nil {
			t.Error("the context of a failed open goes on")
		}
		fail = nil
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		do(h, post(push).WithContext(gone))
		time.Sleep(time.Hour) // virtual
		if kept.Err() != nil {
			t.Error("the context of a successful open has ended")
		}
	})
}
