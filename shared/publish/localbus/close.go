package localbus

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// grace is what cancelled receivers get to return after the drain's end.
const grace = time.Second

// Close starts no more deliveries, waits for those under way until ctx ends, cancels the rest, and closes the file. A cancelled delivery
// counts as a failed attempt. Publishing works until the last receiver is done. A receiver that ignores its cancelled context for more
// than a second is left behind with an error.
func (b *Bus) Close(ctx context.Context) error {
	if !b.shut() {
		return nil
	}
	drained := make(chan struct{})
	go func() {
		b.work.Wait() // before calls: only work starts calls
		b.calls.Wait()
		close(drained)
	}()
	var left error
	select {
	case <-drained:
	case <-ctx.Done():
		left = b.giveUp(drained)
	}
	if t, ok := b.opt.Transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	return errors.Join(left, b.file.close())
}

// shut reports whether this call was the first.
func (b *Bus) shut() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.closed = true
	close(b.stop)
	return true
}

func (b *Bus) giveUp(drained <-chan struct{}) error {
	close(b.halt)
	b.work.Wait()
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-drained:
		return nil
	case <-late.C:
		return fault.New(fault.Transient, "a receiver has not returned from a cancelled request")
	}
}

func (b *Bus) stopping() bool {
	select {
	case <-b.stop:
		return true
	default:
		return false
	}
}
