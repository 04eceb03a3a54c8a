package pubsub

import "github.com/providerdesk/providerdesk/shared/publish"

// Limits of one request: a thousand messages, and 10 MB less what the encoding adds.
const (
	maxBatch = 1000
	maxBytes = 9 << 20
)

// batch is the messages of one request, by their place in the call.
type batch struct {
	topic   string
	indexes []int
	bytes   int
}

// batches puts messages of one topic together, each topic's in their order.
func batches(msgs []publish.Message) []*batch {
	var all []*batch
	filling := map[string]*batch{}
	for i, m := range msgs {
		b, n := filling[m.Topic], size(m)
		if b == nil || len(b.indexes) == maxBatch || b.bytes+n > maxBytes {
			b = &batch{topic: m.Topic}
			filling[m.Topic] = b
			all = append(all, b)
		}
		b.indexes = append(b.indexes, i)
		b.bytes += n
	}
	return all
}

func size(m publish.Message) int {
	const perField = 16
	n := len(m.Data) + perField
	for k, v := range m.Attributes {
		n += len(k) + len(v) + perField
	}
	return n
}
