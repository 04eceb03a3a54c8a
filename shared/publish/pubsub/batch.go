package pubsub

import (
	"slices"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/providerdesk/providerdesk/shared/publish"
)

// Limits of one request: a thousand messages, and 10 MB less what the encoding adds.
const (
	maxBatch = 1000
	maxBytes = 9 << 20
)

// way is what the messages of one request have in common: the service takes one ordering key a request, or none.
type way struct{ topic, key string }

// batch is what one call has for one request: messages that go the same way, by their place in the call.
type batch struct {
	way     way
	indexes []int
	bytes   int
}

// batches puts messages that go the same way together, in their order.
func batches(msgs []publish.Message) []*batch {
	var all []*batch
	for i, m := range msgs {
		w, n := way{m.Topic, m.OrderingKey}, size(m)
		b := filling(all, w)
		if b == nil || len(b.indexes) == maxBatch || b.bytes+n > maxBytes {
			b = &batch{way: w}
			all = append(all, b)
		}
		b.indexes = append(b.indexes, i)
		b.bytes += n
	}
	return all
}

// filling returns the last batch of a way; there are few.
func filling(all []*batch, w way) *batch {
	for _, b := range slices.Backward(all) {
		if b.way == w {
			return b
		}
	}
	return nil
}

// rider is the batch of msgs as it waits for a request.
func (b *batch) rider(msgs []publish.Message) *rider {
	r := &rider{bytes: b.bytes, turn: make(chan turn, 1), msgs: make([]*pubsubpb.PubsubMessage, len(b.indexes))}
	for i, at := range b.indexes {
		r.msgs[i] = &pubsubpb.PubsubMessage{Data: msgs[at].Data, Attributes: msgs[at].Attributes, OrderingKey: b.way.key}
	}
	return r
}

func size(m publish.Message) int {
	const perField = 16
	n := len(m.Data) + len(m.OrderingKey) + 2*perField
	for k, v := range m.Attributes {
		n += len(k) + len(v) + perField
	}
	return n
}
