// Package rest is what simulators of Google's REST APIs have in common beside package server: errors in Google's shape, the vocabulary of a
// published contract and the check of queries and bodies against it, names, and pages. The generated tables of a simulator (package
// discovery) are made of Field and Method.
//
// What is an API's own stays in its simulator: the way to a method, the parameters that it has not got, the words of its refusals.
package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Failure is an answer that is not 2xx, in Google's error shape.
type Failure struct {
	Code    int
	Status  string // google.rpc.Code
	Message string
	Fields  Violations
	Details []any // further google.rpc details, with their @type
}

func (f *Failure) Error() string { return f.Message }

// statusCodes are the HTTP codes of google.rpc.Code; INVALID_ARGUMENT and FAILED_PRECONDITION share 400, ALREADY_EXISTS and
// ABORTED 409.
var statusCodes = map[string]int{
	"INVALID_ARGUMENT":    http.StatusBadRequest,
	"FAILED_PRECONDITION": http.StatusBadRequest,
	"UNAUTHENTICATED":     http.StatusUnauthorized,
	"PERMISSION_DENIED":   http.StatusForbidden,
	"NOT_FOUND":           http.StatusNotFound,
	"ALREADY_EXISTS":      http.StatusConflict,
	"ABORTED":             http.StatusConflict,
	"RESOURCE_EXHAUSTED":  http.StatusTooManyRequests,
	"CANCELLED":           499,
	"INTERNAL":            http.StatusInternalServerError,
	"UNIMPLEMENTED":       http.StatusNotImplemented,
	"UNAVAILABLE":         http.StatusServiceUnavailable,
	"DEADLINE_EXCEEDED":   http.StatusGatewayTimeout,
}

// Fail is the failure of a google.rpc.Code.
func Fail(status, format string, args ...any) *Failure {
	return &Failure{Code: statusCodes[status], Status: status, Message: fmt.Sprintf(format, args...)}
}

// FailCode is the failure that a front end of Google's makes of a bare HTTP code.
func FailCode(code int) *Failure {
	status := "UNKNOWN"
	for name, c := range statusCodes {
		if c == code && name != "FAILED_PRECONDITION" && name != "ALREADY_EXISTS" {
			status = name
		}
	}
	return &Failure{Code: code, Status: status, Message: fmt.Sprintf("Injected fault: %d.", code)}
}

// NotFound never tells what was asked for.
func NotFound() *Failure { return Fail("NOT_FOUND", "Requested entity was not found.") }

// Invalid is the failure of one field.
func Invalid(field, format string, args ...any) *Failure {
	var v Violations
	v.Add(field, format, args...)
	return v.Failure()
}

// FailureOf is what an error looks like from outside.
func FailureOf(err error) *Failure {
	var f *Failure
	var refused *server.Refusal
	switch {
	case errors.As(err, &f):
		return f
	case !errors.As(err, &refused):
		return Fail("UNAVAILABLE", "The service is currently unavailable.")
	case len(refused.Fields) == 0:
		return Fail("INVALID_ARGUMENT", "%s", refused.Message)
	}
	var bad Violations
	for _, wrong := range refused.Fields {
		bad.Check(wrong.Name, wrong.Description)
	}
	return bad.Failure()
}

// Because adds the machine-readable reason.
func (f *Failure) Because(domain, reason string, metadata map[string]string) *Failure {
	f.Details = append(f.Details, map[string]any{"@type": Typed("google.rpc.ErrorInfo"), "reason": reason, "domain": domain, "metadata": metadata})
	return f
}

// Typed is the URL of a message's type, as in an Any.
func Typed(message string) string { return "type.googleapis.com/" + message }

// details are the google.rpc details, the violations first.
func (f *Failure) details() []any {
	if len(f.Fields) == 0 {
		return f.Details
	}
	return append([]any{map[string]any{"@type": Typed("google.rpc.BadRequest"), "fieldViolations": f.Fields}}, f.Details...)
}

// Reply renders the failure. Only names of fields come back to the caller, cut short, never values.
func (f *Failure) Reply() server.Reply {
	body := struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
		Details []any  `json:"details,omitempty"`
	}{f.Code, f.Message, f.Status, f.details()}
	data, err := json.MarshalIndent(map[string]any{"error": body}, "", "  ")
	if err != nil {
		return server.Reply{Status: http.StatusInternalServerError}
	}
	a := server.Typed(f.Code, JSON, data)
	a.Reason = f.Message
	switch f.Code {
	case http.StatusUnauthorized:
		a.Header.Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/"`)
	case http.StatusTooManyRequests:
		a.Header.Set("Retry-After", "1")
	}
	return a
}

// JSON is the type of every answer that is no media.
const JSON = "application/json; charset=UTF-8"

// Control renders the answer of a control.
func Control(v any, err error) server.Reply {
	if err != nil {
		return FailureOf(err).Reply()
	}
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return Fail("INTERNAL", "The answer cannot be written.").Reply()
	}
	return server.Typed(http.StatusOK, JSON, append(data, '\n'))
}

// Encode writes an answer as the query wants it: for people, or short.
func Encode(query url.Values, out any) ([]byte, error) {
	if query.Get("prettyPrint") == "false" {
		return json.Marshal(out)
	}
	return json.MarshalIndent(out, "", "  ")
}

// Unreadable is what was wrong already when a request was read, nil if nothing was.
func Unreadable(rq *server.Request) *Failure {
	switch {
	case rq.TooLarge:
		return Fail("INVALID_ARGUMENT", "Request payload size exceeds the limit: %d bytes.", rq.Limit)
	case rq.BadQuery:
		return Fail("INVALID_ARGUMENT", "The query of the URL cannot be read.")
	}
	return nil
}

// Violation says what is wrong with one field of a request.
type Violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

// Violations are all that is wrong with a request.
type Violations []Violation

// Add adds a violation.
func (v *Violations) Add(field, format string, args ...any) {
	*v = append(*v, Violation{server.Clip(field), fmt.Sprintf(format, args...)})
}

// Check adds a description unless it is empty.
func (v *Violations) Check(field, description string) {
	if description != "" {
		v.Add(field, "%s", description)
	}
}

// Sorted sorts the violations by field.
func (v Violations) Sorted() Violations {
	slices.SortFunc(v, func(a, b Violation) int {
		return strings.Compare(a.Field+"\x00"+a.Description, b.Field+"\x00"+b.Description)
	})
	return v
}

// Failure returns the INVALID_ARGUMENT that lists the violations, nil if there are none.
func (v Violations) Failure() *Failure {
	if len(v) == 0 {
		return nil
	}
	f := Fail("INVALID_ARGUMENT", "%s", v[0].Field+": "+v[0].Description)
	f.Fields = v
	return f
}
