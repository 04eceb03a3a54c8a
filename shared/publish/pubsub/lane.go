package pubsub

import (
	"context"
	"slices"
	"sync"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxUnderWay is how many requests of one lane are under way at a time before calls wait for each other. A call that waits does so for a part
// of one request, and saves most of one. With an ordering key it is one, so that calls leave in the order of their coming.
const maxUnderWay = 2

// lane is one way to a topic. A call that finds it free goes at once; those that find it full go together when a request has come back.
// So a message alone waits for nobody, and the more come, the fewer requests each costs. There is no clock and no goroutine: a request is
// made by one of those who are on it, under that caller's own context.
type lane struct {
	send  func(context.Context, []*pubsubpb.PubsubMessage) ([]string, error)
	most  int // requests under way at a time
	users int // callers; guarded by the publisher's lock

	mu       sync.Mutex
	underWay int
	waiting  []*rider
}

// rider is what one caller has for a request.
type rider struct {
	msgs  []*pubsubpb.PubsubMessage
	bytes int
	turn  chan turn // has room for one, so that nobody waits for a rider that left
	left  bool      // guarded by the lane's lock
}

// turn ends a rider's wait in one of three ways.
type turn struct {
	lead  []*rider // it makes the request for these, the first of whom it is
	ids   []string // it was on somebody's request
	alone bool     // it was on a request that failed, for a reason that may be another rider's
}

// publish returns the ids of a rider's messages.
func (l *lane) publish(ctx context.Context, r *rider) ([]string, error) {
	if l.enter(r) {
		return l.lead(ctx, []*rider{r})
	}
	select {
	case t := <-r.turn:
		return l.take(ctx, r, t)
	case <-ctx.Done():
		l.leave(r)
		return nil, fault.Wrap(fault.Transient, ctx.Err(), "publish")
	}
}

// enter reports whether the rider may go at once. Otherwise it waits for its turn.
func (l *lane) enter(r *rider) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.underWay < l.most {
		l.underWay++
		return true
	}
	l.waiting = append(l.waiting, r)
	return false
}

func (l *lane) take(ctx context.Context, r *rider, t turn) ([]string, error) {
	switch {
	case t.alone:
		return l.send(ctx, r.msgs)
	case t.lead == nil:
		return t.ids, nil
	case ctx.Err() != nil:
		l.next(t.lead[1:])
		return nil, fault.Wrap(fault.Transient, ctx.Err(), "publish")
	}
	return l.lead(ctx, t.lead)
}

// lead makes the request of all riders for the first of them.
func (l *lane) lead(ctx context.Context, riders []*rider) ([]string, error) {
	defer l.next(nil)
	own := len(riders[0].msgs)
	var msgs []*pubsubpb.PubsubMessage
	for _, r := range riders {
		msgs = append(msgs, r.msgs...)
	}
	ids, err := l.send(ctx, msgs)
	if err != nil {
		return l.part(ctx, riders, err)
	}
	at := own
	for _, r := range riders[1:] {
		r.turn <- turn{ids: ids[at : at+len(r.msgs)]}
		at += len(r.msgs)
	}
	return ids[:own], nil
}

// part ends a request that failed: each of several riders makes its own.
func (l *lane) part(ctx context.Context, riders []*rider, err error) ([]string, error) {
	if len(riders) == 1 {
		return nil, err
	}
	for _, r := range riders[1:] {
		r.turn <- turn{alone: true}
	}
	return l.send(ctx, riders[0].msgs)
}

// next gives the place of a request that has come back to those who wait, first to those who were to be on a request that nobody made.
func (l *lane) next(first []*rider) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first = slices.DeleteFunc(first, func(r *rider) bool { return r.left })
	l.waiting = slices.Insert(l.waiting, 0, first...)
	if len(l.waiting) == 0 {
		l.underWay--
		return
	}
	n := fitting(l.waiting)
	riders := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	riders[0].turn <- turn{lead: riders}
}

// leave takes a rider out who waits no longer. One who was to lead hands that on; one who is on a request that is under way is published,
// or not, without hearing of it.
func (l *lane) leave(r *rider) {
	l.mu.Lock()
	r.left = true
	at := slices.Index(l.waiting, r)
	if at >= 0 {
		l.waiting = slices.Delete(l.waiting, at, at+1)
	}
	l.mu.Unlock()
	if at >= 0 {
		return
	}
	select {
	case t := <-r.turn:
		if t.lead != nil {
			l.next(t.lead[1:])
		}
	default:
	}
}

// fitting returns how many of the riders, at least one, fit on one request.
func fitting(riders []*rider) int {
	msgs, bytes := 0, 0
	for i, r := range riders {
		msgs, bytes = msgs+len(r.msgs), bytes+r.bytes
		if i > 0 && (msgs > maxBatch || bytes > maxBytes) {
			return i
		}
	}
	return len(riders)
}
