package run

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/signature"
)

// problemBody is RFC 9457's.
type problemBody struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// problem turns an error into an answer.
func (o Options) problem(err error) answer {
	status := statusOf(err)
	a := answer{Response: problemResponse(status, err), outcome: outcomeOf(status, err), err: err}
	if status == http.StatusServiceUnavailable {
		a.Header.Set("Retry-After", seconds(fault.RetryAfter(err)))
	}
	if challenge := signature.Challenge(err); challenge != "" && status == http.StatusUnauthorized {
		a.Header.Set("WWW-Authenticate", challenge)
	}
	var s *statusError
	if errors.As(err, &s) && s.allow != "" {
		a.Header.Set("Allow", s.allow)
	}
	return a
}

func problemResponse(status int, err error) Response {
	return Response{
		Status: status,
		Header: http.Header{"Content-Type": {"application/problem+json"}},
		Body:   problemBody{"about:blank", http.StatusText(status), status, detail(err)},
	}
}

// detail is the sentence for the caller. What keeps a function from opening is none of the caller's business.
func detail(err error) string {
	var open *openError
	if errors.As(err, &open) {
		return ""
	}
	return fault.Public(err)
}

// statusOf says what a caller is told. An error that stops an open is ours, whatever its kind.
func statusOf(err error) int {
	var s *statusError
	var tooLarge *http.MaxBytesError
	var open *openError
	var permanent *permanentError
	switch {
	case errors.As(err, &open):
		if fault.Is(err, fault.Invalid) || isPanic(err) {
			return http.StatusInternalServerError
		}
		return http.StatusServiceUnavailable
	case isPanic(err), errors.As(err, &permanent):
		return http.StatusInternalServerError
	case errors.As(err, &s) && s.code == http.StatusTooManyRequests:
		return http.StatusServiceUnavailable
	case errors.As(err, &s):
		return s.code
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	}
	return kindStatus(fault.Of(err))
}

func kindStatus(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Denied:
		return http.StatusUnauthorized
	case fault.Missing:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Throttled, fault.Transient:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// outcomeOf leaves the alarm about a function that does not open to the attempt that failed: one line, not one for each request.
func outcomeOf(status int, err error) outcome {
	var open *openError
	switch {
	case status == http.StatusServiceUnavailable, errors.As(err, &open):
		return retry
	case status >= 500:
		return defect
	}
	return refused
}

// seconds is the value of a Retry-After header: whole seconds, rounded up.
func seconds(d time.Duration) string {
	if d <= 0 {
		d = defaultRetry
	}
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
