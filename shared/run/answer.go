package run

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// answer is what is sent, and why.
type answer struct {
	Response
	outcome outcome
	err     error
}

// write sends the answer as a whole, so that it is with the caller before the request counts as finished: after that the process may end.
func (a *answer) write(w http.ResponseWriter) {
	body, err := a.encode()
	if err != nil {
		*a = Options{}.problem(fault.Wrap(fault.Bug, err, "encoding the answer"))
		body, _ = a.encode()
	}
	h := w.Header()
	for name, values := range a.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	all := []string{"application/json", strconv.Itoa(len(body)), "nosniff", "no-store"} // in one piece
	if len(body) > 0 && h.Get("Content-Type") == "" {
		h["Content-Type"] = all[0:1:1]
	}
	if a.Status != http.StatusNoContent {
		h["Content-Length"] = all[1:2:2]
	}
	h["X-Content-Type-Options"] = all[2:3:3]
	h["Cache-Control"] = all[3:4:4]
	w.WriteHeader(a.Status)
	w.Write(body)
	http.NewResponseController(w).Flush() // a writer that cannot flush has nothing to lose
}

// encode fills in the status and returns the body.
func (a *answer) encode() ([]byte, error) {
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	if a.Status < 200 || a.Status > 599 || a.Status == http.StatusTooManyRequests {
		return nil, fmt.Errorf("status %d is not one to answer with", a.Status)
	}
	if a.Raw != nil || a.Body == nil {
		return a.Raw, nil
	}
	return json.Marshal(a.Body)
}
