package run

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// lazy opens something on first use. Only success is remembered; callers that come while an attempt is under way share it.
type lazy[T any] struct {
	open    func(context.Context) (T, error)
	log     *slog.Logger
	timeout time.Duration

	mu      sync.Mutex
	attempt *attempt[T] // the successful one, the one under way, or nil
}

// attempt is one call of open. value and err are set when done is closed.
type attempt[T any] struct {
	done  chan struct{}
	value T
	err   error
}

func newLazy[T any](o Options, open func(context.Context) (T, error)) *lazy[T] {
	return &lazy[T]{open: open, log: o.Log, timeout: o.Timeout}
}

func (l *lazy[T]) get(ctx context.Context) (T, error) {
	a, first := l.join()
	if first {
		l.run(ctx, a)
	}
	select {
	case <-a.done: // preferred over a context that has ended as well
		return a.value, a.err
	default:
	}
	select {
	case <-a.done:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, &openError{fault.Wrap(fault.Transient, ctx.Err(), "waiting for the function to open")}
	}
}

// join returns the attempt to wait for, and whether the caller must make it.
func (l *lazy[T]) join() (a *attempt[T], first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.attempt != nil {
		return l.attempt, false
	}
	l.attempt = &attempt[T]{done: make(chan struct{})}
	return l.attempt, true
}

func (l *lazy[T]) run(ctx context.Context, a *attempt[T]) {
	err := guard(func() (err error) {
		a.value, err = l.openWithin(ctx)
		return err
	})
	if err != nil {
		a.err = &openError{err}
		l.log.LogAttrs(ctx, slog.LevelError, "the function did not open", failure(err)...)
		l.forget()
	}
	close(a.done)
}

// openWithin calls open with a context that is cancelled when it takes too long, or failed, but not when the first request goes away or
// the open has succeeded: clients keep their context and refresh their tokens with it.
func (l *lazy[T]) openWithin(ctx context.Context) (T, error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	timer := time.AfterFunc(l.timeout, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	value, err := l.open(ctx)
	if err != nil {
		cancel(err)
	}
	return value, err
}

func (l *lazy[T]) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attempt = nil
}

// openError is a failure to open: the request was in order.
type openError struct{ err error }

func (e *openError) Error() string { return "opening: " + e.err.Error() }
func (e *openError) Unwrap() error { return e.err }
