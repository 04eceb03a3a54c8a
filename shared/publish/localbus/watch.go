package localbus

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Held is a message that at least one subscription has not acknowledged.
type Held struct {
	ID          string
	Published   time.Time
	Attributes  map[string]string
	OrderingKey string
	Data        []byte
	Waits       []Wait // one for each subscription that still holds it
}

// Wait is where a message stands in one subscription.
type Wait struct {
	Subscription string
	Attempts     int
	Due          time.Time // of the next attempt, if the one under way fails
	Reason       string    // why the last attempt failed, or will have if nothing more is heard of it
}

// Messages lists up to limit messages on a topic, the oldest first.
func (b *Bus) Messages(topic string, limit int) ([]Held, error) {
	var all []Held
	err := b.file.view(func(tx *bbolt.Tx) error {
		if err := requireTopic(tx, topic); err != nil {
			return err
		}
		for c, key, _ := cursor(tx.Bucket(topicsBucket).Bucket([]byte(topic))); key != nil && len(all) < limit; key, _ = c.Next() {
			h, err := readHeld(tx, topic, binary.BigEndian.Uint64(key))
			if err != nil {
				return err
			}
			all = append(all, h)
		}
		return nil
	})
	return all, err
}

func readHeld(tx *bbolt.Tx, topic string, id uint64) (Held, error) {
	m, err := getMessage(tx, topic, id)
	if err != nil {
		return Held{}, err
	}
	h := Held{ID: messageID(id), Published: m.Published, Attributes: m.Attributes, OrderingKey: m.Key, Data: m.Data}
	for _, sub := range subscribers(tx, topic) {
		s, err := getState(tx, sub, id)
		if err == nil {
			h.Waits = append(h.Waits, Wait{sub, s.Attempts, s.Due, s.Reason})
		}
	}
	return h, nil
}

// Depth is how much a subscription has before it.
type Depth struct {
	Waiting     int // for their first attempt, the next one, or the first of their ordering key
	Outstanding int // being pushed
}

// Depth tells the depth of a subscription that is attached.
func (b *Bus) Depth(subscription string) (Depth, error) {
	b.mu.Lock()
	q := b.queues[subscription]
	b.mu.Unlock()
	if q == nil {
		return Depth{}, fault.Wrap(fault.Missing, fmt.Errorf("subscription %q is not attached", subscription), "tell the depth")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return Depth{Waiting: len(q.waiting) + q.lines.behind(), Outstanding: q.outstanding}, nil
}
