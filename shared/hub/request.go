package hub

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// ErrNoService means that the organization has no active service, which the hub wants before it gives tokens and reports. For a report it is
// as good as an empty one.
var ErrNoService = errors.New("the organization has no active service")

const maxRefusal = 64 << 10 // bytes of an answer that is no success

// idForm is what an id may be made of, so that it can be part of a path.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// request is one request to the hub, about an organization. Path and query are ours.
type request struct {
	doing  string
	method string
	org    string
	by     string // whose token it carries; empty: that of org
	path   string
	query  url.Values
	body   any // as JSON; nil: none

	stream *upload // instead of body
}

// answer is a success, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends r with the token of its organization, and once more with a fresh one if it was certainly not executed for want of a valid token.
func (c *Client) call(ctx context.Context, r request) (answer, error) {
	return withToken(ctx, c, r, func(token string) (answer, error) { return c.send(ctx, r, token) })
}

func withToken[T any](ctx context.Context, c *Client, r request, send func(token string) (T, error)) (T, error) {
	var none T
	if !idForm.MatchString(r.org) {
		return none, fault.New(fault.Invalid, "not the id of an organization of the hub")
	}
	for first := true; ; first = false {
		token, err := c.tokens.of(ctx, cmp.Or(r.by, r.org))
		if err != nil {
			return none, unsent(err, r.doing)
		}
		got, err := send(token)
		if gapi.Status(err) != http.StatusUnauthorized || !fault.IsUnsent(err) {
			return got, err
		}
		c.tokens.drop(token)
		if !first || !r.rewind() {
			return none, err
		}
	}
}

// unsent says of a call that it did not leave because of err.
func unsent(err error, doing string) error {
	out := fault.Wrap(fault.Of(err), err, doing)
	if d := fault.RetryAfter(err); d > 0 {
		out = fault.After(out, d)
	}
	return fault.Unsent(out)
}

// readBack says of a read after a write why it failed. Whatever that was, the write has happened: the error is no refusal and not unsent.
func readBack(err error, doing string) error {
	out := fault.Wrap(fault.Transient, err, doing+": read back")
	if d := fault.RetryAfter(err); d > 0 {
		out = fault.After(out, d)
	}
	return out
}

// refusedWith reports whether the call itself, not the exchange of a token before it, was answered with the status.
func refusedWith(err error, status int) bool {
	return gapi.Status(err) == status && !fault.IsUnsent(err)
}

// send makes one request and reads the answer.
func (c *Client) send(ctx context.Context, r request, token string) (a answer, err error) {
	if err := c.take(ctx, r.doing); err != nil {
		return answer{}, err
	}
	defer c.give()
	err = gapi.Do(ctx, r.doing, func(ctx context.Context) error {
		resp, err := c.start(ctx, c.client(r), r, token)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		a.status, a.header = resp.StatusCode, resp.Header
		a.body, err = io.ReadAll(resp.Body)
		return err
	})
	return a, err
}

// client gives an upload the patience of a report.
func (c *Client) client(r request) *http.Client {
	if r.stream != nil {
		return c.reports
	}
	return c.api
}

// open makes one request whose answer is streamed. Closing the body gives the slot back.
func (c *Client) open(ctx context.Context, r request) (*http.Response, error) {
	return withToken(ctx, c, r, func(token string) (resp *http.Response, err error) {
		if err := c.take(ctx, r.doing); err != nil {
			return nil, err
		}
		err = gapi.Do(ctx, r.doing, func(ctx context.Context) error {
			resp, err = c.start(ctx, c.reports, r, token)
			return err
		})
		if err != nil {
			c.give()
			return nil, err
		}
		resp.Body = &stream{ReadCloser: resp.Body, doing: r.doing, done: c.give}
		return resp, nil
	})
}

// start sends a request and turns what is no success into an error.
func (c *Client) start(ctx context.Context, via *http.Client, r request, token string) (*http.Response, error) {
	req, err := c.compose(ctx, r)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("csp-auth-token", token)
	}
	resp, err := via.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refused(resp)
}

func (c *Client) compose(ctx context.Context, r request) (*http.Request, error) {
	target := c.endpoint + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	body, kind, err := r.content()
	if err != nil {
		return nil, fault.Unsent(err)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, fault.Unsent(fault.Wrap(fault.Bug, errors.New("not a request"), r.doing))
	}
	req.Header.Set("Accept", "application/json, text/csv")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	return req, nil
}

func (r request) content() (body io.Reader, kind string, err error) {
	switch {
	case r.stream != nil:
		return r.stream.reader(), r.stream.kind(), nil
	case r.body == nil:
		return nil, "", nil
	}
	text, err := json.Marshal(r.body)
	if err != nil {
		return nil, "", fault.Wrap(fault.Bug, errors.New("what is to be sent is no JSON"), r.doing)
	}
	return bytes.NewReader(text), "application/json", nil
}

// rewind reports whether the same body can be sent again.
func (r request) rewind() bool { return r.stream == nil || r.stream.rewind() }

// refused reads the guide's later form of an error: message, majorErrorCode, minorErrorCode. The values in parameterList are ours or other
// people's: they stay out.
func refused(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // the status alone is telling
	o, _ := objectOf(text)
	codes := []string{o.text("majorErrorCode"), o.text("minorErrorCode")}
	err := gapi.Refused(resp, o.text("message"), codes...)
	if lacksService(codes) {
		return fmt.Errorf("%w: %w", err, ErrNoService)
	}
	return err
}

// lacksService reads codes like NO_SERVICE and NO_ACTIVE_SERVICES. The guide names none.
func lacksService(codes []string) bool {
	for _, code := range codes {
		code = strings.ToUpper(code)
		if strings.HasPrefix(code, "NO_") && strings.Contains(code, "SERVICE") {
			return true
		}
	}
	return false
}

func (c *Client) take(ctx context.Context, doing string) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.Unsent(fault.Wrap(fault.Transient, ctx.Err(), doing))
	}
}

func (c *Client) give() { <-c.slots }

// stream is the body of a report. Its errors are faults, and closing it gives the slot back, once.
type stream struct {
	io.ReadCloser
	doing string
	done  func()
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, gapi.Fault(err, s.doing)
}

func (s *stream) Close() error {
	if s.done != nil {
		s.done()
		s.done = nil
	}
	return gapi.Fault(s.ReadCloser.Close(), s.doing)
}

// unreadable is the error of a success that does not say what was done.
func unreadable(what, doing string) error {
	return fault.Wrap(fault.Transient, fmt.Errorf("the answer holds no %s that can be read", what), doing)
}

// checkEmails refuses what is no plain address, without repeating it.
func checkEmails(emails []string) error {
	if len(emails) == 0 {
		return fault.New(fault.Invalid, "at least one mail address is needed")
	}
	for i, e := range emails {
		if !isEmail(e) {
			return fault.New(fault.Invalid, "mail address number %d is not one", i+1)
		}
	}
	return nil
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 {
		return false
	}
	_, host, _ := strings.Cut(s, "@")
	return strings.Contains(host, ".") && !strings.HasPrefix(host, ".") && !strings.HasSuffix(host, ".") && !strings.Contains(host, "..")
}
