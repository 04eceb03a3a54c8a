package google

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// failure is an answer that is not 2xx, in Google's error shape.
type failure struct {
	Code    int
	Status  string // google.rpc.Code
	Message string
	Fields  violations
	Details []any // further google.rpc details, with their @type
}

func (f *failure) Error() string { return f.Message }

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

func fail(status, format string, args ...any) *failure {
	return &failure{Code: statusCodes[status], Status: status, Message: fmt.Sprintf(format, args...)}
}

// failCode is the failure that a front end of Google's makes of a bare HTTP code.
func failCode(code int) *failure {
	status := "UNKNOWN"
	for name, c := range statusCodes {
		if c == code && name != "FAILED_PRECONDITION" && name != "ALREADY_EXISTS" {
			status = name
		}
	}
	return &failure{Code: code, Status: status, Message: fmt.Sprintf("Injected fault: %d.", code)}
}

// notFound never tells what was asked for.
func notFound() *failure { return fail("NOT_FOUND", "Requested entity was not found.") }

// violation says what is wrong with one field of a request.
type violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

type violations []violation

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, violation{clip(field), fmt.Sprintf(format, args...)})
}

// check adds a description unless it is empty.
func (v *violations) check(field, description string) {
	if description != "" {
		v.add(field, "%s", description)
	}
}

func (v violations) sorted() violations {
	slices.SortFunc(v, func(a, b violation) int {
		return strings.Compare(a.Field+"\x00"+a.Description, b.Field+"\x00"+b.Description)
	})
	return v
}

// failure returns the INVALID_ARGUMENT that lists the violations, nil if there are none.
func (v violations) failure() *failure {
	if len(v) == 0 {
		return nil
	}
	f := fail("INVALID_ARGUMENT", "%s", v[0].Field+": "+v[0].Description)
	f.Fields = v
	return f
}

// invalid is the failure of one field.
func invalid(field, format string, args ...any) *failure {
	var v violations
	v.add(field, format, args...)
	return v.failure()
}

// details are the google.rpc details, the violations first.
func (f *failure) details() []any {
	if len(f.Fields) == 0 {
		return f.Details
	}
	return append([]any{map[string]any{"@type": typed("google.rpc.BadRequest"), "fieldViolations": f.Fields}}, f.Details...)
}

// typed is the URL of a message's type, as in an Any.
func typed(message string) string { return "type.googleapis.com/" + message }

// because adds the machine-readable reason.
func (f *failure) because(domain, reason string, metadata map[string]string) *failure {
	f.Details = append(f.Details, map[string]any{"@type": typed("google.rpc.ErrorInfo"), "reason": reason, "domain": domain, "metadata": metadata})
	return f
}

// reply renders the failure. Only names of fields come back to the caller, cut short, never values.
func (f *failure) reply() reply {
	body := map[string]any{"code": f.Code, "message": f.Message, "status": f.Status}
	if details := f.details(); len(details) > 0 {
		body["details"] = details
	}
	data, err := json.MarshalIndent(map[string]any{"error": body}, "", "  ")
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	h := http.Header{"Content-Type": {"application/json; charset=UTF-8"}}
	switch f.Code {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/"`)
	case http.StatusTooManyRequests:
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
