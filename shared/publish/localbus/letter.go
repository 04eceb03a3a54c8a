package localbus

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// The attributes that Pub/Sub adds to a message on a dead-letter topic.
const (
	SourceDeliveryCount       = "CloudPubSubDeadLetterSourceDeliveryCount"
	SourceSubscription        = "CloudPubSubDeadLetterSourceSubscription"
	SourceSubscriptionProject = "CloudPubSubDeadLetterSourceSubscriptionProject"
	SourceTopicPublishTime    = "CloudPubSubDeadLetterSourceTopicPublishTime"
	SourceDeliveryError       = "CloudPubSubDeadLetterSourceDeliveryErrorMessage"
)

// Letter is a message that a subscription gave up, kept until it is replayed or discarded.
type Letter struct {
	ID           string            `json:"-"`
	Topic        string            `json:"topic"` // where it came from and a replay goes to
	Subscription string            `json:"subscription"`
	MessageID    string            `json:"message"`
	Attempts     int               `json:"attempts"`
	Reason       string            `json:"reason"` // of the last failure
	Published    time.Time         `json:"published"`
	First        time.Time         `json:"first"` // published before any replay
	Died         time.Time         `json:"died"`
	Attributes   map[string]string `json:"attributes,omitempty"` // without those of the dead-letter topic
	OrderingKey  string            `json:"orderingKey,omitempty"`
	Data         []byte            `json:"-"`
}

// bury moves a message from its queue to the dead letters and to the subscriptions of the dead-letter topic.
func bury(tx *bbolt.Tx, project string, sub Subscription, d delivery, reason string, now time.Time) ([]queuedMessage, error) {
	copied := message{Topic: publish.Dead(sub.Topic), Key: d.Key, Data: d.Data, Published: now, First: d.First}
	copied.Attributes = sourceAttributes(project, sub, d, reason)
	queued, err := enqueue(tx, &copied, now)
	if err != nil {
		return nil, err
	}
	letter := Letter{
		Topic: sub.Topic, Subscription: sub.Name, MessageID: messageID(d.ID), Attempts: d.attempt, Reason: reason,
		Published: d.Published, First: d.First, Died: now, Attributes: d.Attributes,
		OrderingKey: d.Key,
	}
	if err := putRecord(tx.Bucket(lettersBucket), copied.ID, letter, d.Data); err != nil {
		return nil, err
	}
	return queued, dequeue(tx, sub.Topic, sub.Name, d.ID)
}

func sourceAttributes(project string, sub Subscription, d delivery, reason string) map[string]string {
	all := map[string]string{
		SourceDeliveryCount:       strconv.Itoa(d.attempt),
		SourceSubscription:        sub.Name,
		SourceSubscriptionProject: project,
		SourceTopicPublishTime:    d.Published.UTC().Format(time.RFC3339Nano),
		SourceDeliveryError:       reason,
	}
	maps.Copy(all, without(d.Attributes, all))
	return all
}

// without returns the attributes whose names are not in taken: nobody but the bus says where a dead letter came from.
func without(attributes, taken map[string]string) map[string]string {
	rest := maps.Clone(attributes)
	maps.DeleteFunc(rest, func(k, _ string) bool { _, ok := taken[k]; return ok })
	return rest
}

// Dead lists up to limit dead letters of a topic, the oldest first.
func (b *Bus) Dead(topic string, limit int) ([]Letter, error) {
	var letters []Letter
	err := b.file.view(func(tx *bbolt.Tx) error {
		if err := requireTopic(tx, topic); err != nil {
			return err
		}
		for c, key, raw := cursor(tx.Bucket(lettersBucket)); key != nil && len(letters) < limit; key, raw = c.Next() {
			l, err := readLetter(key, raw)
			if err != nil {
				return err
			}
			if l.Topic == topic {
				letters = append(letters, l)
			}
		}
		return nil
	})
	return letters, err
}

func readLetter(key, raw []byte) (Letter, error) {
	l := Letter{ID: messageID(binary.BigEndian.Uint64(key))}
	var err error
	l.Data, err = splitRecord(raw, &l)
	return l, err
}

// Replay publishes a dead letter to its topic again, for all its subscriptions and behind all that has its ordering key, and takes it off
// the list, in one transaction. A letter
// whose message was first published longer than maxAge ago is refused with fault.Conflict: receivers may have forgotten that they have
// seen it. It returns the id of the new message.
func (b *Bus) Replay(ctx context.Context, id string, maxAge time.Duration) (string, error) {
	now := b.opt.Now()
	var fresh message
	var queued []queuedMessage
	err := b.onLetter(ctx, id, func(tx *bbolt.Tx, l Letter) (err error) {
		if age := now.Sub(l.First); age > maxAge {
			return fault.New(fault.Conflict, "the message is %v old, more than the %v in which receivers recognise a repeat", age, maxAge)
		}
		if err := requireTopic(tx, l.Topic); err != nil {
			return err
		}
		fresh = message{Topic: l.Topic, Data: l.Data, Attributes: l.Attributes, Key: l.OrderingKey, Published: now, First: l.First}
		queued, err = enqueue(tx, &fresh, now)
		return err
	}, func() { b.wake(queued, now) })
	if err != nil {
		return "", err
	}
	return messageID(fresh.ID), nil
}

// Discard removes a dead letter for good.
func (b *Bus) Discard(ctx context.Context, id string) error {
	return b.onLetter(ctx, id, func(*bbolt.Tx, Letter) error { return nil }, nil)
}

// onLetter does something with a letter and removes it.
func (b *Bus) onLetter(ctx context.Context, id string, do func(*bbolt.Tx, Letter) error, after func()) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Transient, err, "take a dead letter")
	}
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return missingLetter(id)
	}
	return b.file.update(func(tx *bbolt.Tx) error {
		all := tx.Bucket(lettersBucket)
		raw := all.Get(number(n))
		if raw == nil {
			return missingLetter(id)
		}
		l, err := readLetter(number(n), raw)
		if err != nil {
			return err
		}
		if err := do(tx, l); err != nil {
			return err
		}
		return all.Delete(number(n))
	}, after)
}

func missingLetter(id string) error {
	return fault.Wrap(fault.Missing, fmt.Errorf("no dead letter %.40q", id), "take a dead letter")
}
