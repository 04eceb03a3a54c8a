package publishtest

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// Kept keeps what is published on its topics, for tests in virtual time that deliver it themselves. It is a publish.Publisher.
type Kept struct {
	Topics       []string // others are unknown
	Subscription string   // that the messages are delivered by
	Down         error    // what every Publish returns; nil: it works

	mu   sync.Mutex
	last int
	msgs map[string][]event.Envelope
}

// Publish keeps the messages, all or none.
func (k *Kept) Publish(ctx context.Context, msgs ...publish.Message) ([]string, error) {
	if err := publish.Check(msgs...); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Transient, err, "publish")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.Down != nil {
		return nil, k.Down
	}
	for _, m := range msgs {
		if !slices.Contains(k.Topics, m.Topic) {
			return nil, fault.New(fault.Missing, "no such topic")
		}
	}
	ids := make([]string, len(msgs))
	for i, m := range msgs {
		ids[i] = k.keep(m)
	}
	return ids, nil
}

func (k *Kept) keep(m publish.Message) (id string) {
	if k.msgs == nil {
		k.msgs = map[string][]event.Envelope{}
	}
	k.last++
	id = strconv.Itoa(k.last)
	k.msgs[m.Topic] = append(k.msgs[m.Topic], event.Envelope{ID: id, Type: event.Published, Subscription: k.Subscription,
		Data: bytes.Clone(m.Data), Attributes: m.Attributes, OrderingKey: m.OrderingKey, Published: time.Now().UTC(), Attempt: 1})
	return id
}

// Take returns what was published on a topic since the last time, as it is delivered.
func (k *Kept) Take(topic string) []event.Envelope {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.msgs[topic]
	delete(k.msgs, topic)
	return all
}
