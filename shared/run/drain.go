package run

import (
	"context"
	"sync"
)

// Drain lets a process end without losing what it is doing. It counts the requests of every function that has it in its Options; once
// closed it lets no more in.
type Drain struct {
	mu       sync.Mutex
	closed   bool
	last     int                        // number of the latest request
	inFlight map[int]context.CancelFunc // by number
	empty    chan struct{}              // closed when there is none left after Close
}

// NewDrain returns a Drain that lets requests in.
func NewDrain() *Drain {
	return &Drain{inFlight: map[int]context.CancelFunc{}, empty: make(chan struct{})}
}

// enter admits a request whose context cancel ends, unless the drain is closed, and returns its number. leave must be called when its answer was
// sent.
func (d *Drain) enter(cancel context.CancelFunc) (n int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, false
	}
	d.last++
	d.inFlight[d.last] = cancel
	return d.last, true
}

func (d *Drain) leave(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.inFlight, n)
	if d.closed && len(d.inFlight) == 0 {
		close(d.empty)
	}
}

// InFlight returns the number of requests that are being answered.
func (d *Drain) InFlight() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.inFlight)
}

// Close lets no more requests in: they are answered 503.
func (d *Drain) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	if len(d.inFlight) == 0 {
		close(d.empty)
	}
}

// Cancel ends the contexts of the requests that are in flight.
func (d *Drain) Cancel() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, cancel := range d.inFlight {
		cancel()
	}
}

// Wait returns when the drain is closed and no request is in flight any more, or with the error of ctx.
func (d *Drain) Wait(ctx context.Context) error {
	select {
	case <-d.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
