package gapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// kinds are the refusals that prove that nothing was done. What is not listed leaves it open: redirects and 5xx may come from something
// between us and the API that has already passed the request on.
var kinds = map[int]fault.Kind{
	400: fault.Invalid,
	401: fault.Denied,
	402: fault.Denied,
	403: fault.Denied,
	404: fault.Missing,
	405: fault.Invalid,
	409: fault.Conflict,
	410: fault.Missing,
	411: fault.Invalid,
	412: fault.Conflict,
	413: fault.Invalid,
	414: fault.Invalid,
	415: fault.Invalid,
	422: fault.Invalid,
	428: fault.Invalid,
	429: fault.Throttled,
	431: fault.Invalid,
	451: fault.Denied,
}

// quotas are the reasons with which a 403 means "not now" instead of "not you".
var quotas = map[string]bool{
	"rateLimitExceeded":     true,
	"userRateLimitExceeded": true,
	"quotaExceeded":         true,
	"dailyLimitExceeded":    true,
	"RATE_LIMIT_EXCEEDED":   true,
	"RESOURCE_EXHAUSTED":    true,
}

// maxAfter caps the time that a remote may send us away.
const maxAfter = time.Hour

// Do runs one API call and classifies its failure. It knows more than Fault: the generated clients replace the error of a transport by
// that of an ended context, and a body may claim another status than the answer had. call makes one request, with the context it is given.
func Do(ctx context.Context, doing string, call func(context.Context) error) error {
	var ev evidence
	err := call(context.WithValue(ctx, evidenceKey{}, &ev))
	if err == nil {
		return nil
	}
	if ev.failed != nil {
		err = ev.failed
	}
	return classify(err, &ev, doing)
}

// Fault classifies the error of a Google API call and says what was being done:
//
//	400, 405, 411, 413 to 415, 422, 428, 431    Invalid; Conflict for 400 FAILED_PRECONDITION
//	401                                         Denied, unsent: fresh credentials may help
//	402, 403, 451                               Denied; Throttled for 403 with the reason of a quota
//	404, 410                                    Missing
//	409, 412                                    Conflict
//	429                                         Throttled, with Retry-After
//	other 4xx                                   Bug: maybe executed
//	408, 425, 499, 3xx, 5xx                     Transient: maybe executed
//	no answer, or an unreadable one             Transient: maybe executed, unless the transport says unsent
//
// The text is the status, the reason and Google's message as cleaned by clean. It returns nil for a nil err.
func Fault(err error, doing string) error {
	if err == nil {
		return nil
	}
	return classify(err, &evidence{}, doing)
}

// Refused makes the error that Do and Fault classify out of an answer that is no success, for an API whose errors do not look like Google's.
// The message and the reasons are the remote's; they are cleaned before they become text. It leaves the body alone.
func Refused(resp *http.Response, message string, reasons ...string) error {
	g := &googleapi.Error{Code: resp.StatusCode, Header: resp.Header, Message: message}
	for _, r := range reasons {
		g.Errors = append(g.Errors, googleapi.ErrorItem{Reason: r})
	}
	return g
}

// Status returns the HTTP status of the answer that became err, 0 if there was none.
func Status(err error) int {
	var g *googleapi.Error
	if errors.As(err, &g) {
		return g.Code
	}
	return 0
}

func classify(err error, ev *evidence, doing string) error {
	var g *googleapi.Error
	var f *fault.Error
	switch {
	case errors.As(err, &g):
		return answered(err, g, ev, doing)
	case errors.As(err, &f):
		return keep(f, doing)
	}
	return fault.Wrap(fault.Transient, quiet(err), doing)
}

// keep says what was being done of an error that is classified already, without the URL that http.Client puts before it.
func keep(f *fault.Error, doing string) error {
	err := fault.Wrap(f.Kind, f, doing)
	if d := fault.RetryAfter(f); d > 0 {
		err = fault.After(err, d)
	}
	if fault.IsUnsent(f) {
		err = fault.Unsent(err)
	}
	return err
}

func answered(cause error, g *googleapi.Error, ev *evidence, doing string) error {
	code := g.Code
	if ev.status != 0 {
		code = ev.status
	}
	reasons := reasonsOf(g)
	text := fmt.Sprintf("HTTP %d%s%s", code, join(reasons), clean(g.Message, ev.sent()))
	kind := kindOf(code, reasons)
	err := fault.Wrap(kind, said{text, cause}, doing)
	if d := retryAfter(g.Header); d > 0 {
		err = fault.After(err, d)
	}
	if code == http.StatusUnauthorized {
		err = fault.Unsent(err)
	}
	return err
}

func kindOf(code int, reasons []string) fault.Kind {
	for _, r := range reasons {
		switch {
		case code == http.StatusForbidden && quotas[r]:
			return fault.Throttled
		case code == http.StatusBadRequest && r == "FAILED_PRECONDITION":
			return fault.Conflict
		}
	}
	if k, ok := kinds[code]; ok {
		return k
	}
	if code >= 400 && code < 500 && code != 408 && code != 425 && code != 499 {
		return fault.Bug
	}
	return fault.Transient
}

// reasonsOf returns the words by which Google's errors say why: the status, and the reason of each item and detail.
func reasonsOf(g *googleapi.Error) []string {
	var body struct {
		Error struct {
			Status  string
			Details []struct{ Reason string }
		}
	}
	_ = json.Unmarshal([]byte(g.Body), &body) // an error page that is no JSON has no reasons
	all := []string{body.Error.Status}
	for _, e := range g.Errors {
		all = append(all, e.Reason)
	}
	for _, d := range body.Error.Details {
		all = append(all, d.Reason)
	}
	var out []string
	for _, r := range all {
		if r = word(r); r != "" {
			out = append(out, r)
		}
	}
	return out
}

// retryAfter reads Retry-After, as seconds or as a date. A date is compared with the remote's own clock where it tells it.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil {
		return min(max(0, time.Duration(min(s, int(maxAfter/time.Second)))*time.Second), maxAfter)
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(0, at.Sub(now)), maxAfter)
}

// evidence is what the transport saw of the call that Do runs.
type evidence struct {
	status int   // of the answer, 0 without one
	failed error // of the transport, classified
	body   func() (io.ReadCloser, error)
}

type evidenceKey struct{}

// evidenceOf returns the evidence to be filled, one that nobody reads outside Do.
func evidenceOf(ctx context.Context) *evidence {
	if ev, ok := ctx.Value(evidenceKey{}).(*evidence); ok {
		return ev
	}
	return new(evidence)
}

func (ev *evidence) open(req *http.Request) { *ev = evidence{body: req.GetBody} }

func (ev *evidence) close(resp *http.Response, err error) {
	ev.failed = err
	if resp != nil {
		ev.status = resp.StatusCode
	}
}
