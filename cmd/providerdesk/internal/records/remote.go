package records

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// maxAnswer is the most bytes that are read of an answer: a page of the largest records.
const maxAnswer = 64 << 20

// Remote is the book of a running "up".
type Remote struct {
	Base   string // http://127.0.0.1:8080
	Token  string // of its administrator
	Client *http.Client
}

var _ Book = Remote{}

// Get returns the record with the id.
func (r Remote) Get(ctx context.Context, id string) (rec ledger.Record, err error) {
	return rec, r.Do(ctx, http.MethodGet, "/api/ledger/"+url.PathEscape(id), nil, &rec)
}

// List returns a page of records.
func (r Remote) List(ctx context.Context, s ledger.State, afterID string, limit int) ([]ledger.Record, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if s != "" {
		q.Set("state", string(s))
	}
	if afterID != "" {
		q.Set("after", afterID)
	}
	var l list
	return l.Records, r.Do(ctx, http.MethodGet, "/api/ledger?"+q.Encode(), nil, &l)
}

// Decide sends a decision.
func (r Remote) Decide(ctx context.Context, id string, d ledger.Decision) (rec ledger.Record, err error) {
	return rec, r.Do(ctx, http.MethodPost, "/api/ledger/"+url.PathEscape(id)+"/decision", wordsOf(d), &rec)
}

// Do makes one request, with the JSON of say unless that is nil, and decodes the answer into a value. A failure is the fault that the server
// answered.
func (r Remote) Do(ctx context.Context, method, path string, say, into any) error {
	var body []byte
	if say != nil {
		var err error
		if body, err = json.Marshal(say); err != nil {
			return fault.Wrap(fault.Bug, err, "encode a request")
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, r.Base+path, bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "ask the server")
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	resp, err := r.Client.Do(req)
	if err != nil {
		return fault.Wrap(fault.Transient, err, "ask the server")
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return fault.Wrap(fault.Transient, err, "read the server's answer")
	case resp.StatusCode/100 != 2:
		return refusal(resp.StatusCode, answer)
	}
	return fault.Wrap(fault.Bug, json.Unmarshal(answer, into), "decode the server's answer")
}

// kinds are the faults behind the answers of a server.
var kinds = map[int]fault.Kind{
	http.StatusBadRequest:            fault.Invalid,
	http.StatusRequestEntityTooLarge: fault.Invalid,
	http.StatusUnauthorized:          fault.Denied,
	http.StatusNotFound:              fault.Missing,
	http.StatusConflict:              fault.Conflict,
	http.StatusServiceUnavailable:    fault.Transient,
}

// refusal turns an answer back into the fault it was made of.
func refusal(status int, body []byte) error {
	var p struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &p) != nil || p.Detail == "" {
		p.Detail = "the server answered " + strconv.Itoa(status) + " " + http.StatusText(status)
	}
	if kind, ok := kinds[status]; ok {
		return fault.New(kind, "%s", p.Detail)
	}
	return fault.Wrap(fault.Bug, errors.New(p.Detail), "ask the server")
}
