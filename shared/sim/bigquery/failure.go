package bigquery

import (
	"encoding/json"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// reasons are the words by which BigQuery says why, beside the status.
var reasons = map[string]string{
	"INVALID_ARGUMENT":    "invalid",
	"FAILED_PRECONDITION": "conditionNotMet",
	"UNAUTHENTICATED":     "required",
	"PERMISSION_DENIED":   "accessDenied",
	"NOT_FOUND":           "notFound",
	"ALREADY_EXISTS":      "duplicate",
	"RESOURCE_EXHAUSTED":  "rateLimitExceeded",
	"INTERNAL":            "internalError",
	"UNAVAILABLE":         "backendError",
	"DEADLINE_EXCEEDED":   "backendError",
}

// reply renders a failure as BigQuery does: Google's shape, and the errors of the older one in it.
func reply(f *rest.Failure) server.Reply {
	a := f.Reply()
	var body struct {
		Error map[string]any `json:"error"`
	}
	if err := json.Unmarshal(a.Body, &body); err != nil {
		return server.Reply{Status: http.StatusInternalServerError}
	}
	reason := reasons[f.Status]
	if reason == "" {
		reason = "internalError"
	}
	body.Error["errors"] = []any{map[string]any{"domain": "global", "message": f.Message, "reason": reason}}
	if data, err := json.MarshalIndent(body, "", "  "); err == nil {
		a.Body = data
	}
	return a
}

// stale is the answer to a change of something that has changed meanwhile.
func stale() *rest.Failure {
	f := rest.Fail("FAILED_PRECONDITION", "Precondition check failed.")
	f.Code = http.StatusPreconditionFailed
	return f
}

// proto is an error in the status of a job.
type proto struct {
	Reason   string `json:"reason"`
	Location string `json:"location,omitempty"`
	Message  string `json:"message"`
}

func (p *proto) Error() string { return p.Message }
