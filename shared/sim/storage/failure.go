package storage

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// failure is an answer that is not 2xx, in the error shape of Cloud Storage, which is not that of Google's other APIs.
type failure struct {
	code     int
	reason   string
	message  string
	location string // what the failure is about, of a precondition
}

func (f *failure) Error() string { return f.message }

func invalid(message string) *failure {
	return &failure{code: http.StatusBadRequest, reason: "invalid", message: message}
}

// missing never tells what was asked for.
func missing(what string) *failure {
	return &failure{code: http.StatusNotFound, reason: "notFound", message: "No such " + what + "."}
}

func unmet(condition string) *failure {
	return &failure{http.StatusPreconditionFailed, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.", condition}
}

// notModified has no body.
func notModified() *failure { return &failure{code: http.StatusNotModified} }

var reasons = map[int]string{
	http.StatusBadRequest: "invalid", http.StatusUnauthorized: "required", http.StatusForbidden: "forbidden", http.StatusNotFound: "notFound",
	http.StatusRequestTimeout: "requestTimeout", http.StatusPreconditionFailed: "conditionNotMet", http.StatusTooManyRequests: "rateLimitExceeded",
	http.StatusInternalServerError: "internalError", http.StatusBadGateway: "badGateway", http.StatusServiceUnavailable: "backendError",
}

// failCode is what a front end makes of a bare code.
func failCode(code int) *failure {
	return &failure{code: code, reason: cmp.Or(reasons[code], "backendError"), message: "Injected fault."}
}

// failureOf is what an error looks like from outside.
func failureOf(err error) *failure {
	var f *failure
	var refusal *server.Refusal
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &refusal):
		return invalid(refusal.Message)
	}
	return &failure{code: http.StatusServiceUnavailable, reason: "backendError", message: "The service is currently unavailable."}
}

func (f *failure) reply() server.Reply {
	if f.code == http.StatusNotModified {
		return server.Reply{Status: f.code}
	}
	item := map[string]string{"domain": "global", "reason": f.reason, "message": f.message}
	if f.location != "" {
		item["locationType"], item["location"] = "header", f.location
	}
	data, err := json.Marshal(map[string]any{"error": map[string]any{"code": f.code, "message": f.message, "errors": []any{item}}})
	if err != nil {
		return server.Reply{Status: http.StatusInternalServerError}
	}
	return f.head(server.Typed(f.code, rest.JSON, data))
}

// plain is the failure of a download, which is text.
func (f *failure) plain() server.Reply {
	if f.code == http.StatusNotModified {
		return f.reply()
	}
	return f.head(server.Typed(f.code, "text/html; charset=UTF-8", []byte(f.message)))
}

func (f *failure) head(a server.Reply) server.Reply {
	a.Reason = f.message
	switch f.code {
	case http.StatusUnauthorized:
		a.Header.Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/"`)
	case http.StatusTooManyRequests:
		a.Header.Set("Retry-After", "1")
	}
	return a
}

// renderControl renders the answer of a control.
func renderControl(v any, err error) server.Reply {
	if err != nil {
		return failureOf(err).reply()
	}
	return rest.Control(v, nil)
}
