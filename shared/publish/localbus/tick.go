package localbus

import (
	"context"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// tickDeadline is what a receiver of a tick gets, as with Cloud Scheduler.
const tickDeadline = 180 * time.Second

// Every posts "{}" to a receiver at every full d of the clock (UTC), with the headers that Cloud Scheduler sends, until the bus is closed.
// Ticks are not durable: one that comes due while the bus is closed, or while the receiver is still busy with the last one, is dropped.
func (b *Bus) Every(name string, d time.Duration, to Receiver) error {
	if err := to.check(); err != nil {
		return err
	}
	return b.tick(name, d, func(at time.Time) string { return b.postTick(name, at, to) })
}

// EveryPublish publishes m at every full d of the clock (UTC), until the bus is closed.
func (b *Bus) EveryPublish(name string, d time.Duration, m publish.Message) error {
	if err := publish.Check(m); err != nil {
		return err
	}
	return b.tick(name, d, func(time.Time) string {
		if _, err := b.Publish(context.Background(), m); err != nil {
			return short(err.Error())
		}
		return ""
	})
}

func (b *Bus) tick(name string, d time.Duration, do func(at time.Time) (reason string)) error {
	if err := checkName("tick", name); err != nil {
		return err
	}
	if d <= 0 {
		return fault.New(fault.Invalid, "tick %s needs a time above zero", name)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.ticks[name] {
		return fault.New(fault.Conflict, "tick %s is there already, or the bus is closed", name)
	}
	b.ticks[name] = true
	b.work.Go(func() { b.ticking(name, d, do) })
	return nil
}

func (b *Bus) ticking(name string, d time.Duration, do func(at time.Time) (reason string)) {
	var last time.Time
	for {
		now := b.opt.Now()
		at := now.Truncate(d).Add(d)
		if at.Equal(last) { // the timer was ahead of the clock
			at = at.Add(d)
		}
		last = at
		timer := time.NewTimer(at.Sub(now))
		select {
		case <-b.stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		if reason := do(at); reason != "" {
			b.opt.Log.Warn("tick failed", "tick", name, "reason", reason)
		}
	}
}

// postTick returns when the receiver has, so that a tick never overlaps the one before, or when the bus is halted.
func (b *Bus) postTick(name string, at time.Time, to Receiver) (reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), tickDeadline)
	defer cancel()
	req, err := b.post(ctx, to, []byte("{}"))
	if err != nil {
		return short(err.Error())
	}
	req.Header.Set("User-Agent", "Google-Cloud-Scheduler")
	req.Header.Set("X-CloudScheduler", "true")
	req.Header.Set("X-CloudScheduler-JobName", name)
	req.Header.Set("X-CloudScheduler-ScheduleTime", at.UTC().Format(time.RFC3339))
	select {
	case reason = <-b.call(to, req):
		return reason
	case <-b.halt:
		return "the bus was closed before the answer"
	}
}
