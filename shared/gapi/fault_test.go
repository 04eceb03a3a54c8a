package gapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/api/googleapi"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// wantKind is the specification of the table, by ranges.
func wantKind(code int) (kind fault.Kind, unsent bool) {
	switch code {
	case 400, 405, 411, 413, 414, 415, 422, 428, 431:
		return fault.Invalid, false
	case 401:
		return fault.Denied, true
	case 402, 403, 451:
		return fault.Denied, false
	case 404, 410:
		return fault.Missing, false
	case 409, 412:
		return fault.Conflict, false
	case 429:
		return fault.Throttled, true
	case 408, 425, 499:
		return fault.Transient, false
	}
	if code >= 400 && code <= 499 {
		return fault.Bug, false
	}
	return fault.Transient, false
}

func TestFaultOfEveryStatus(t *testing.T) {
	for code := 300; code <= 599; code++ {
		kind, unsent := wantKind(code)
		err := gapi.Fault(fmt.Errorf("call: %w", &googleapi.Error{Code: code}), "test")
		if fault.Of(err) != kind || fault.IsUnsent(err) != unsent {
			t.Errorf("%d: kind %q, unsent %v; want %q, %v", code, fault.Of(err), fault.IsUnsent(err), kind, unsent)
		}
	}
}

func TestFaultOfReasons(t *testing.T) {
	item := `{"error":{"code":%d,"errors":[{"reason":"%s"}]}}`
	status := `{"error":{"code":%d,"status":"%s"}}`
	detail := `{"error":{"code":%d,"status":"PERMISSION_DENIED","details":[{"@type":"x","reason":"%s"}]}}`
	list := `[{"error":{"code":%d,"errors":[{"reason":"%s"}]}}]`
	for _, tt := range []struct {
		code         int
		form, reason string
		want         fault.Kind
	}{
		{403, item, "rateLimitExceeded", fault.Throttled},
		{403, item, "userRateLimitExceeded", fault.Throttled},
		{403, item, "quotaExceeded", fault.Throttled},
		{403, list, "quotaExceeded", fault.Throttled},
		{403, status, "RESOURCE_EXHAUSTED", fault.Throttled},
		{403, detail, "RATE_LIMIT_EXCEEDED", fault.Throttled},
		{403, detail, "SERVICE_DISABLED", fault.Denied},
		{403, item, "forbidden", fault.Denied},
		{403, status, "FAILED_PRECONDITION", fault.Denied},
		{400, status, "FAILED_PRECONDITION", fault.Conflict},
		{400, status, "INVALID_ARGUMENT", fault.Invalid},
		{400, status, "RESOURCE_EXHAUSTED", fault.Invalid},
		{503, status, "RESOURCE_EXHAUSTED", fault.Transient},
		{500, item, "rateLimitExceeded", fault.Transient},
	} {
		body := fmt.Sprintf(tt.form, tt.code, tt.reason)
		resp := &http.Response{StatusCode: tt.code, Body: io.NopCloser(strings.NewReader(body))}
		err := gapi.Fault(googleapi.CheckResponse(resp), "test")
		if fault.Of(err) != tt.want {
			t.Errorf("%s: kind %q, want %q", body, fault.Of(err), tt.want)
		}
		if !strings.Contains(err.Error(), tt.reason) {
			t.Errorf("%q does not name the reason %q", err, tt.reason)
		}
	}
}

func TestFaultOfTransportErrors(t *testing.T) {
	for _, cause := range []error{
		context.DeadlineExceeded, context.Canceled, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, net.ErrClosed, errors.New("strange"),
	} {
		err := gapi.Fault(&url.Error{Op: "Post", URL: "https://host/?query=secret", Err: cause}, "test")
		if fault.Of(err) != fault.Transient || fault.IsUnsent(err) || !errors.Is(err, cause) {
			t.Errorf("%v: kind %q, unsent %v, want a transient maybe", err, fault.Of(err), fault.IsUnsent(err))
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q holds the URL", err)
		}
	}
	if err := gapi.Fault(nil, "test"); err != nil {
		t.Errorf("Fault(nil) = %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Sun, 06 Nov 1994 08:49:30 GMT"
	for _, tt := range []struct {
		after, date string
		want        time.Duration
	}{
		{"7", "", 7 * time.Second},
		{"Sun, 06 Nov 1994 08:49:37 GMT", date, 7 * time.Second},
		{"Sun, 06 Nov 1994 08:49:00 GMT", date, 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "", 0},
		{"Mon, 06 Nov 2994 08:49:37 GMT", date, time.Hour},
		{"-3", "", 0},
		{"9223372036854775807", "", time.Hour},
		{"soon", "", 0},
		{"", "", 0},
	} {
		for _, code := range []int{429, 503} {
			h := http.Header{"Retry-After": {tt.after}, "Date": {tt.date}}
			err := gapi.Fault(&googleapi.Error{Code: code, Header: h}, "test")
			if got := fault.RetryAfter(err); got != tt.want {
				t.Errorf("%d %q: %v, want %v", code, tt.after, got, tt.want)
			}
		}
	}
}

func TestErrorsHoldNothingOfOurs(t *testing.T) {
	const request = `{"displayName":"Database of Jane","description":"first line\nsecond line","subscribers":["jane@example.com"],"note":"he said \"hi\""}`
	for _, tt := range []struct{ message, want string }{
		{`Invalid value at 'case.priority'`, `Invalid value at …`},
		{`bad title Database of Jane here`, `bad title … here`},
		{`bad text first line, second line`, `bad text …, …`},
		{`Invalid value "first li... \" tail"`, `Invalid value …`},
		{"value `Database of` is short", "value … is short"},
		{`unterminated "first li`, `unterminated …`},
		{`no access for bob.smith@corp.example, ask`, `no access for …, ask`},
		{"two\nlines\x00and\tmore", "two lines and more"},
		{strings.Repeat("long ", 100), strings.TrimSpace(strings.Repeat("long ", 100))[:299] + "…"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"error":{"code":400,"status":"INVALID_ARGUMENT","message":%q,"private":"leak"}}`, strings.ReplaceAll(tt.message, "\x00", "\u0001"))
		}))
		err := do(t.Context(), client(t, gapi.Options{Endpoint: s.URL}), "POST", s.URL+"/", request)
		s.Close()
		if strings.Contains(tt.message, "\x00") { // %q writes \x01, which is no JSON: no message at all is kept of such a body
			tt.want = ""
		}
		got, _ := strings.CutPrefix(err.Error(), "test: HTTP 400")
		got = strings.TrimPrefix(strings.TrimPrefix(got, " INVALID_ARGUMENT"), ": ")
		if got != tt.want {
			t.Errorf("%q became %q, want %q", tt.message, got, tt.want)
		}
	}
}

func FuzzFault(f *testing.F) {
	f.Add(400, `{"error":{"message":"a \"b\" c@d.e","errors":[{"reason":"x y"}]}}`, "3")
	f.Add(503, `[{"error":null}]`, "Sun, 06 Nov 1994 08:49:37 GMT")
	f.Fuzz(func(t *testing.T, code int, body, after string) {
		resp := &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {after}}, Body: io.NopCloser(strings.NewReader(body))}
		err := googleapi.CheckResponse(resp)
		if err == nil {
			return
		}
		got := gapi.Fault(err, "test")
		text := got.Error()
		if strings.ContainsAny(text, "\"\n@") || utf8.RuneCountInString(text) > 1000 || !utf8.ValidString(text) {
			t.Errorf("unfit for a log: %q", text)
		}
		if d := fault.RetryAfter(got); d < 0 || d > time.Hour {
			t.Errorf("Retry-After %v", d)
		}
	})
}
