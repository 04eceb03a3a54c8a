package tenantonboard

import (
	"context"
	"sync"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// listing lets those who look at the same time share one list of the tenants, which the hub gives as a whole only: so a thousand tenants cost
// a few hundred lists and not some thousand, and memory for one at a time.
//
// What it returns was asked of the hub after the caller asked for it, as if the caller had asked alone: who comes while a list is on its way
// waits for the next one. It is read by one of those who wait, with that one's context; when that one is called off another takes over.
type listing struct {
	read func(ctx context.Context) ([]hub.Organization, error)
	slot chan struct{} // held by who reads

	mu   sync.Mutex
	next *list // not begun
}

// list is one reading, settled when done is closed.
type list struct {
	done   chan struct{}
	all    []hub.Organization
	err    error
	waived bool // who read it was called off: it says nothing to the others
}

func newListing(read func(ctx context.Context) ([]hub.Organization, error)) *listing {
	return &listing{read: read, slot: make(chan struct{}, 1)}
}

// tenants returns all tenants. Nobody may change them: others have the same.
func (l *listing) tenants(ctx context.Context) ([]hub.Organization, error) {
	for {
		one := l.join()
		mine, err := l.await(ctx, one)
		if err != nil {
			return nil, err
		}
		if mine || !one.waived {
			return one.all, one.err
		}
	}
}

func (l *listing) join() *list {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = &list{done: make(chan struct{})}
	}
	return l.next
}

// await returns when one is settled, and whether it was the caller who read it.
func (l *listing) await(ctx context.Context, one *list) (mine bool, err error) {
	select {
	case <-one.done:
		return false, nil
	case <-ctx.Done():
		return false, fault.Unsent(fault.Wrap(fault.Transient, ctx.Err(), "wait for the list of tenants"))
	case l.slot <- struct{}{}:
	}
	defer func() { <-l.slot }()
	if !l.begin(one) { // whoever had the slot before has read it
		return false, nil
	}
	defer close(one.done)
	one.waived = true // if read panics
	one.all, one.err = l.read(ctx)
	one.waived = ctx.Err() != nil
	return true, nil
}

// begin reports whether one had not begun; from now on others join another.
func (l *listing) begin(one *list) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next != one {
		return false
	}
	l.next = nil
	return true
}
