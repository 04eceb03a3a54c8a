package gapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// guard sends a request once, if its time has not passed, and says of a failure whether the remote can have executed the request.
//
// The evidence for "cannot" (fault.Unsent) is, for a request with a body, that no byte of the body was ever handed out: the guard owns the
// body, shuts it when the attempt has failed, and a request that lacks its body is malformed, in HTTP/1 as in HTTP/2. That holds
// whatever a writer in the background still does, which a trace of written headers cannot say. For a request without a body it is that no
// connection was obtained. Anything else is "maybe".
type guard struct {
	base http.RoundTripper
	now  func() time.Time
}

var (
	errLate = fmt.Errorf("the deadline of the call has passed on the wall clock: %w", context.DeadlineExceeded)
	errShut = errors.New("the request was given up before its body was sent")
)

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.late(req.Context()); err != nil {
		closeBody(req)
		return nil, err
	}
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	out := req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	if req.Body == nil || req.Body == http.NoBody {
		resp, err := g.base.RoundTrip(out)
		return resp, sendFault(err, !connected.Load())
	}
	body := &gate{ReadCloser: req.Body, late: func() error { return g.late(req.Context()) }}
	out.Body, out.GetBody = body, nil
	resp, err := g.base.RoundTrip(out)
	if err == nil {
		return resp, nil
	}
	untouched, why := body.shut()
	if why != nil {
		return nil, why
	}
	return nil, sendFault(err, untouched)
}

// late returns why a request must not leave any more, nil if it may.
func (g *guard) late(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Unsent(fault.Wrap(fault.Transient, err, "not sent"))
	}
	deadline, ok := ctx.Deadline()
	if ok && !g.now().Round(0).Before(deadline.Round(0)) { // Round strips the monotonic clock
		return fault.Unsent(fault.Wrap(fault.Transient, errLate, "not sent"))
	}
	return nil
}

func sendFault(err error, unsent bool) error {
	if err == nil {
		return nil
	}
	err = fault.Wrap(fault.Transient, quiet(err), "send")
	if unsent {
		return fault.Unsent(err)
	}
	return err
}

// gate is the body of a request. It opens at the first Read, unless it is too late or the attempt is over.
type gate struct {
	io.ReadCloser
	late func() error

	mu     sync.Mutex
	opened bool
	closed error // why nothing more comes out
	why    error // what late said
}

func (g *gate) Read(p []byte) (int, error) {
	if err := g.enter(); err != nil {
		return 0, err
	}
	return g.ReadCloser.Read(p)
}

func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil || g.opened {
		return g.closed
	}
	if g.why = g.late(); g.why != nil {
		g.closed = g.why
		return g.closed
	}
	g.opened = true
	return nil
}

// shut lets nothing more out. It reports whether nothing ever came out, and why the gate refused if it did.
func (g *gate) shut() (untouched bool, why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = errShut
	}
	return !g.opened, g.why
}
