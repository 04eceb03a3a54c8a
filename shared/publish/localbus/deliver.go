package localbus

import (
	"time"

	"go.etcd.io/bbolt"
)

// delivery is one attempt to get a message to one subscription.
type delivery struct {
	message
	appointment
	attempt int
}

const killed = "the process ended during the delivery"

// beginning is what became of messages that were due.
type beginning struct {
	begun  []delivery
	ended  []appointment   // without a delivery
	buried []queuedMessage // on the dead-letter topic
}

// start begins an attempt for each message and pushes them concurrently.
func (q *queue) start(due []appointment) {
	var b beginning
	now := q.bus.opt.Now()
	err := q.bus.file.update(func(tx *bbolt.Tx) (err error) {
		b, err = q.begin(tx, due, now)
		return err
	}, func() { q.bus.wake(b.buried, now) })
	if err != nil {
		q.putBack(err, due...)
		return
	}
	for _, d := range b.begun {
		q.bus.work.Go(func() { q.settle(d, q.push(d)) })
	}
	q.done(b.ended...)
}

// begin counts the attempts. A message that has no attempt left lost its last one with its process: it is buried.
func (q *queue) begin(tx *bbolt.Tx, due []appointment, now time.Time) (b beginning, err error) {
	for _, a := range due {
		d, s, err := q.read(tx, a)
		switch {
		case err != nil: // damage to one record holds up no other; it stays in the file
			q.bus.opt.Log.Error("cannot read a message", "subscription", q.sub.Name, "message", messageID(a.id), "err", err)
			b.ended = append(b.ended, a)
			continue
		case q.exhausted(s.Attempts):
			var queued []queuedMessage
			queued, err = bury(tx, q.bus.opt.Project, q.sub, d, s.Reason, now)
			b.ended, b.buried = append(b.ended, a), append(b.buried, queued...)
		default:
			d.attempt++
			b.begun = append(b.begun, d)
			err = putState(tx, q.sub.Name, a.id, state{Attempts: d.attempt, Due: now.Add(q.backoff(d.attempt)), Reason: killed})
		}
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

func (q *queue) read(tx *bbolt.Tx, a appointment) (delivery, state, error) {
	s, err := getState(tx, q.sub.Name, a.id)
	if err != nil {
		return delivery{}, s, err
	}
	m, err := getMessage(tx, q.sub.Topic, a.id)
	return delivery{m, a, s.Attempts}, s, err
}

// exhausted reports whether a message has no attempt left. A dead-letter topic has no dead letters of its own.
func (q *queue) exhausted(attempts int) bool {
	return attempts >= q.sub.MaxAttempts && !isDead(q.sub.Topic)
}

// settle records how an attempt ended: reason is empty for an acknowledgement.
func (q *queue) settle(d delivery, reason string) {
	var err error
	switch {
	case reason == "":
		err = q.ack(d)
	case q.exhausted(d.attempt):
		err = q.giveUp(d, reason)
	default:
		err = q.retry(d, reason)
	}
	if err != nil {
		q.putBack(err, d.appointment)
	}
}

func (q *queue) ack(d delivery) error {
	return q.bus.file.update(func(tx *bbolt.Tx) error {
		return dequeue(tx, q.sub.Topic, q.sub.Name, d.ID)
	}, func() { q.done(d.appointment) })
}

func (q *queue) retry(d delivery, reason string) error {
	d.due = q.bus.opt.Now().Add(q.backoff(d.attempt))
	q.log("delivery failed", d, reason)
	return q.bus.file.update(func(tx *bbolt.Tx) error {
		return putState(tx, q.sub.Name, d.ID, state{Attempts: d.attempt, Due: d.due, Reason: reason})
	}, func() { q.postpone(d.appointment) })
}

func (q *queue) giveUp(d delivery, reason string) error {
	now := q.bus.opt.Now()
	var queued []queuedMessage
	q.log("dead letter", d, reason)
	return q.bus.file.update(func(tx *bbolt.Tx) (err error) {
		queued, err = bury(tx, q.bus.opt.Project, q.sub, d, reason, now)
		return err
	}, func() {
		q.bus.wake(queued, now)
		q.done(d.appointment)
	})
}

// putBack returns messages whose state could not be written, to be tried when the disk may be well again.
func (q *queue) putBack(err error, again ...appointment) {
	q.bus.opt.Log.Error("the bus's file cannot be written", "subscription", q.sub.Name, "messages", len(again), "err", err)
	due := q.bus.opt.Now().Add(max(q.sub.MinBackoff, time.Second))
	for i := range again {
		again[i].due = due
	}
	q.postpone(again...)
}

func (q *queue) log(what string, d delivery, reason string) {
	q.bus.opt.Log.Warn(what, "subscription", q.sub.Name, "message", messageID(d.ID), "attempt", d.attempt, "reason", reason)
}

func (q *queue) backoff(attempt int) time.Duration {
	return backoff(q.sub.MinBackoff, q.sub.MaxBackoff, attempt, q.bus.opt.Rand())
}

// backoff doubles from least to most with every attempt. Up to a quarter of jitter makes it longer on the way and shorter at the end, so
// that it grows with every attempt and never leaves its limits.
func backoff(least, most time.Duration, attempt int, random float64) time.Duration {
	step := least
	for ; attempt > 1 && step < most; attempt-- {
		step *= 2
	}
	jitter := random / 4
	longer := min(float64(step)*(1+jitter), float64(most)*(1-jitter))
	return max(time.Duration(longer), least)
}
