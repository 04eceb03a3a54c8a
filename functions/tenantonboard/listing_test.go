package tenantonboard

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// slowHub is a hub whose list takes a second and shows what was there when it was asked.
type slowHub struct {
	reads, tenants atomic.Int64
	err            error
}

func (r *slowHub) list(ctx context.Context) ([]hub.Organization, error) {
	r.reads.Add(1)
	seen := make([]hub.Organization, r.tenants.Load())
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
		return seen, r.err
	}
}

// A hundred who look in the same second share two lists, and each sees every tenant that was there before it asked.
func TestAListIsSharedAndNeverStale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := &slowHub{}
		l := newListing(r.list)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				made := r.tenants.Add(1)
				got, err := l.tenants(t.Context())
				if err != nil || int64(len(got)) < made {
					t.Errorf("%d tenants, %v; %d were there", len(got), err, made)
				}
			})
			time.Sleep(10 * time.Millisecond) // virtual
		}
		all.Wait()
		if n := r.reads.Load(); n != 2 {
			t.Errorf("%d lists, want 2", n)
		}
	})
}

func TestAListWhoseReaderIsCalledOffIsReadByAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := &slowHub{}
		r.tenants.Store(3)
		l := newListing(r.list)
		first, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		ask := func(ctx context.Context, want fault.Kind) {
			all.Go(func() {
				if got, err := l.tenants(ctx); fault.Of(err) != want || err == nil && len(got) != 3 {
					t.Errorf("%d tenants, %v; want %q", len(got), err, want)
				}
			})
			synctest.Wait()
		}
		ask(t.Context(), "")
		ask(first, fault.Transient) // waits and gives up
		ask(t.Context(), "")
		all.Wait()
		second, cancelSecond := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancelSecond()
		ask(second, fault.Transient) // reads and gives up
		ask(t.Context(), "")
		all.Wait()
		if n := r.reads.Load(); n != 4 {
			t.Errorf("%d lists, want 4", n)
		}
	})
}

func TestAListThatFailsOrPanicsLeavesTheNextAlone(t *testing.T) {
	down := errors.New("down")
	r := &slowHub{err: down}
	panics := true
	l := newListing(func(ctx context.Context) ([]hub.Organization, error) {
		if panics {
			panics = false
			panic("a bug")
		}
		return nil, r.err
	})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		_, _ = l.tenants(t.Context())
	}()
	if _, err := l.tenants(t.Context()); !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
	r.err = nil
	if _, err := l.tenants(t.Context()); err != nil {
		t.Errorf("%v", err)
	}
}
