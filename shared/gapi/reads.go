package gapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	maxRepeats = 3
	maxDrain   = 64 << 10 // bytes read of an answer that is thrown away, so that its connection can be used again
)

// reads repeats a read that failed for now. Only safe methods come here.
type reads struct {
	next    *guard
	now     func() time.Time
	backoff time.Duration
}

func (r *reads) RoundTrip(req *http.Request) (*http.Response, error) {
	for n := 0; ; n++ {
		resp, err := r.next.RoundTrip(req)
		if n == maxRepeats || !passing(resp, err) {
			return resp, err
		}
		pause := r.backoff << n
		if resp != nil {
			pause = max(pause, retryAfter(resp.Header))
		}
		if !r.fits(req.Context(), pause) {
			return resp, err
		}
		discard(resp)
		sleep(req.Context(), pause)
	}
}

// passing reports whether the failure may heal within the call.
func passing(resp *http.Response, err error) bool {
	return err != nil || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable
}

// fits reports whether a pause ends before the deadline of the call.
func (r *reads) fits(ctx context.Context, pause time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || r.now().Add(pause).Before(deadline))
}

// sleep ends early with its context; the guard then refuses the next attempt.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	io.CopyN(io.Discard, resp.Body, maxDrain)
	resp.Body.Close()
}

// limited is a body that fails after left bytes: an answer cut short is as unreadable as a truncated one.
type limited struct {
	io.ReadCloser
	left int64
}

var errTooLong = errors.New("the answer is longer than allowed")

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, errTooLong
	}
	return n, err
}
