package run

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// statusError is an error that knows its HTTP status better than its kind does.
type statusError struct {
	err   error
	code  int
	allow string
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// Status gives err the HTTP status that an answer to it has, in place of the one of its kind. It returns nil for a nil err.
func Status(err error, code int) error {
	if err == nil {
		return nil
	}
	return &statusError{err: err, code: code}
}

// errStopping answers requests that arrive after the process was told to end.
var errStopping = fault.New(fault.Transient, "this instance is stopping: send the request again")

// believed is how many bytes of a body a buffer is made for because the request announces them.
const believed = 64 << 10

// Body reads a request's body of at most limit bytes; a larger one is answered 413.
func Body(r *http.Request, limit int64) ([]byte, error) { return ReadBody(r, limit, nil) }

// ReadBody is Body for who has room for it: what is read stands in room if it fits, else in new memory.
func ReadBody(r *http.Request, limit int64, room []byte) ([]byte, error) {
	announced := int(min(max(r.ContentLength, 0), limit, believed))
	body, err := readAll(io.LimitReader(r.Body, limit+1), slices.Grow(room[:0], announced+bytes.MinRead))
	if err == nil && int64(len(body)) <= limit {
		return body, nil
	}
	var tooLarge *http.MaxBytesError
	if int64(len(body)) > limit || errors.As(err, &tooLarge) {
		return nil, Status(fault.New(fault.Invalid, "the body is larger than this function reads: send less at once"), http.StatusRequestEntityTooLarge)
	}
	return nil, fault.Wrap(fault.Transient, err, "reading the body")
}

// readAll appends all that r has to body.
func readAll(r io.Reader, body []byte) ([]byte, error) {
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case err == io.EOF:
			return body, nil
		case err != nil:
			return body, err
		case len(body) == cap(body):
			body = slices.Grow(body, bytes.MinRead)
		}
	}
}

// RequireJSON returns an error that is answered 415 unless the request says that it is JSON.
func RequireJSON(r *http.Request) error {
	sent := r.Header.Get("Content-Type")
	if sent == "application/json" {
		return nil // as nearly all send it
	}
	media, _, err := mime.ParseMediaType(sent)
	if err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) {
		return nil
	}
	return Status(fault.New(fault.Invalid, "the body is not JSON by its Content-Type: send application/json"), http.StatusUnsupportedMediaType)
}

// RequireMethod returns an error that is answered 405 with Allow unless the request has one of the methods.
func RequireMethod(r *http.Request, methods ...string) error {
	if slices.Contains(methods, r.Method) {
		return nil
	}
	allow := strings.Join(methods, ", ")
	return &statusError{fault.New(fault.Invalid, "this address takes %s only", allow), http.StatusMethodNotAllowed, allow}
}
