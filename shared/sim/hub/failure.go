package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// failure is an answer that is not 2xx.
type failure struct {
	Code    int
	Reason  string // minorErrorCode
	Message string
	Fields  []string // parameterList
}

func (f *failure) Error() string { return f.Message }

func fail(code int, reason, format string, args ...any) *failure {
	return &failure{Code: code, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// failCode is the failure that a front end makes of a bare HTTP code.
func failCode(code int) *failure { return fail(code, "INJECTED", "Injected fault: %d.", code) }

// notFound never tells what was asked for.
func notFound() *failure {
	return fail(http.StatusNotFound, "NOT_FOUND", "The resource does not exist.")
}

func denied(format string, args ...any) *failure {
	return fail(http.StatusForbidden, "FORBIDDEN", format, args...)
}

func unauthorized(format string, args ...any) *failure {
	return fail(http.StatusUnauthorized, "UNAUTHORIZED", format, args...)
}

// invalid is the failure of one field.
func invalid(field, format string, args ...any) *failure {
	f := fail(http.StatusBadRequest, "INVALID_PARAMETER", "%s", server.Clip(field)+": "+fmt.Sprintf(format, args...))
	f.Fields = []string{server.Clip(field)}
	return f
}

// failureOf is what an error looks like from outside.
func failureOf(err error) *failure {
	var f *failure
	var refused *server.Refusal
	switch {
	case errors.As(err, &f):
		return f
	case !errors.As(err, &refused):
		return fail(http.StatusServiceUnavailable, "UNAVAILABLE", "The service is currently unavailable.")
	case len(refused.Fields) == 0:
		return fail(http.StatusBadRequest, "INVALID_BODY", "%s", refused.Message)
	}
	var bad violations
	for _, wrong := range refused.Fields {
		bad.add(wrong.Name, "%s", wrong.Description)
	}
	return bad.failure()
}

// violations collect what is wrong with a request, so that one answer names all of it.
type violations []*failure

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, invalid(field, format, args...))
}

// failure joins them; nil if there are none.
func (v violations) failure() *failure {
	const most = 20
	if len(v) == 0 {
		return nil
	}
	slices.SortStableFunc(v, func(a, b *failure) int { return strings.Compare(a.Message, b.Message) })
	all := &failure{Code: v[0].Code, Reason: v[0].Reason}
	var messages []string
	for _, f := range v[:min(len(v), most)] {
		messages = append(messages, f.Message)
		all.Fields = append(all.Fields, f.Fields...)
	}
	all.Message = strings.Join(messages, " ")
	return all
}

// reply renders the failure. Only names of fields come back to the caller, cut short, never values.
func (f *failure) reply() reply {
	data, err := json.Marshal(struct {
		Message    string   `json:"message"`
		Major      int      `json:"majorErrorCode"`
		Minor      string   `json:"minorErrorCode"`
		Parameters []string `json:"parameterList"`
	}{f.Message, f.Code, f.Reason, append([]string{}, f.Fields...)})
	if err != nil {
		return reply{Status: http.StatusInternalServerError}
	}
	a := server.Typed(f.Code, jsonType, data)
	a.Reason = f.Message
	if f.Code == http.StatusTooManyRequests {
		a.Header.Set("Retry-After", "1")
	}
	return a
}
