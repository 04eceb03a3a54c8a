package localbus

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Receiver is who gets requests: a Handler in this process or, without one, the server at URL. A Handler sees the path of URL.
type Receiver struct {
	Handler http.Handler
	URL     string
}

// Subscription pushes every message of Topic to a receiver. Times and numbers left out have the defaults named.
type Subscription struct {
	Name        string
	Topic       string
	To          Receiver
	AckDeadline time.Duration // for the answer; default 180 s
	MinBackoff  time.Duration // before the second attempt; default 10 s
	MaxBackoff  time.Duration // default 600 s
	MaxAttempts int           // then it is a dead letter; default 20
	Outstanding int           // pushes under way at a time; default 16
	Ordered     bool          // messages with one ordering key are pushed one after the other
}

func (s Subscription) withDefaults() Subscription {
	orDuration(&s.AckDeadline, 180*time.Second)
	orDuration(&s.MinBackoff, 10*time.Second)
	orDuration(&s.MaxBackoff, 600*time.Second)
	if s.MaxAttempts == 0 {
		s.MaxAttempts = 20
	}
	if s.Outstanding == 0 {
		s.Outstanding = 16
	}
	return s
}

func orDuration(d *time.Duration, otherwise time.Duration) {
	if *d == 0 {
		*d = otherwise
	}
}

func (s Subscription) check() error {
	if err := checkName("subscription", s.Name); err != nil {
		return err
	}
	switch {
	case s.AckDeadline < 0, s.MinBackoff < 0, s.MaxBackoff < s.MinBackoff:
		return fault.New(fault.Invalid, "subscription %s: a time is negative or the largest back-off is below the smallest", s.Name)
	case s.MaxAttempts < 0, s.Outstanding < 0:
		return fault.New(fault.Invalid, "subscription %s: a number is negative", s.Name)
	}
	return s.To.check()
}

func (r Receiver) check() error {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil:
		return fault.New(fault.Invalid, "the receiver's URL cannot be read")
	case r.Handler == nil && (u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")):
		return fault.New(fault.Invalid, "a receiver needs a handler or an http URL")
	}
	return nil
}

func checkName(what, name string) error {
	if name == "" || len(name) > 255 || strings.ContainsAny(name, "/ \t\r\n") {
		return fault.New(fault.Invalid, "the name of a %s is empty, too long, or has a slash or space", what)
	}
	return nil
}

// Subscribe attaches a receiver to a subscription, which it makes if the file does not know it, and starts delivering. The topic must
// exist, and stays the same for ever.
func (b *Bus) Subscribe(s Subscription) error {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return err
	}
	q := newQueue(b, s)
	attached := false
	err := b.file.update(func(tx *bbolt.Tx) error {
		if err := requireTopic(tx, s.Topic); err != nil {
			return err
		}
		if err := makeSubscription(tx, s); err != nil {
			return err
		}
		return q.load(tx)
	}, func() { attached = b.attach(q) }) // before the next commit: no message can slip between load and attach
	if err != nil {
		return err
	}
	if !attached {
		return fault.New(fault.Conflict, "subscription %s is attached already, or the bus is closed", s.Name)
	}
	return nil
}

func makeSubscription(tx *bbolt.Tx, s Subscription) error {
	all := tx.Bucket(subscriptionsBucket)
	if of := all.Get([]byte(s.Name)); of != nil && string(of) != s.Topic {
		return fault.Wrap(fault.Conflict, fmt.Errorf("subscription %s is of another topic, %s", s.Name, of), "subscribe")
	}
	if err := all.Put([]byte(s.Name), []byte(s.Topic)); err != nil {
		return err
	}
	_, err := tx.Bucket(queuesBucket).CreateBucketIfNotExists([]byte(s.Name))
	return err
}

func (b *Bus) attach(q *queue) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.queues[q.sub.Name] != nil {
		return false
	}
	b.queues[q.sub.Name] = q
	b.work.Go(q.run)
	return true
}
