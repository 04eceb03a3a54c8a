package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
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
	f := fail(http.StatusBadRequest, "INVALID_PARAMETER", "%s", clip(field)+": "+fmt.Sprintf(format, args...))
	f.Fields = []string{clip(field)}
	return f
}

func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return fail(http.StatusServiceUnavailable, "UNAVAILABLE", "The service is currently unavailable.")
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
		return reply{status: http.StatusInternalServerError}
	}
	h := http.Header{"Content-Type": {jsonType}}
	if f.Code == http.StatusTooManyRequests {
		h.Set("Retry-After", "1")
	}
	return reply{status: f.Code, header: h, body: data, reason: f.Message}
}

// clip cuts a name that came from outside to what an answer may hold.
func clip(name string) string {
	const most = 64
	if name = strings.ToValidUTF8(name, "?"); utf8.RuneCountInString(name) > most {
		return string([]rune(name)[:most])
	}
	return name
}
