// Package publish puts a message on a topic so that it is not lost.
//
// Promised by every implementation: when Publish returns nil the messages are durable and each subscription of the topic gets each of
// them at least once. A subscriber answers 2xx to acknowledge; anything else, or no answer before the push deadline,
// brings the message back after an exponential back-off; after a number of attempts it goes to the topic's dead-letter topic,
// "<topic>-dead". Publishing to a topic that does not exist is an error of kind fault.Missing.
//
// On a subscription that is ordered, no message with an ordering key is delivered before every earlier one with the same key was
// acknowledged or became a dead letter. Earlier is the message whose Publish returned nil before the other's Publish began and, among the
// messages of one Publish, the one that comes first in its arguments. So a message in back-off holds up those behind it; it holds up none
// with another key, and none without a key. On a subscription that is not ordered a key changes nothing. The key is delivered with the
// message, and a message that becomes a dead letter keeps it.
//
// Not promised: any other order, also that of calls that overlap and of a call that failed, whose messages may have been published; the
// order of dead letters; a single delivery; a message id that is the same when Publish is repeated. With a key, too, a message comes at
// least once: 1, 2, 1 is possible when an acknowledgement was lost, a receiver's of message 1 or the broker's of its publishing, and 1 was
// delivered, or published, again. What is replayed goes to the end of the line. Receivers therefore key on the identity of the business
// event, never on the message id.
//
// Each implementation is one folder: publish/pubsub is Google's service, publish/localbus the durable embedded broker;
// publish/publishtest has a subtest for each sentence above.
package publish

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Limits of one message, Pub/Sub's own being 10 MB for the whole request and 1 KiB for an attribute.
const (
	MaxData         = 4 << 20
	MaxAttribute    = 1 << 10 // bytes of an attribute's value
	MaxAttributeKey = 256
	MaxAttributes   = 100
	MaxOrderingKey  = 1 << 10 // bytes
)

// Message is what goes on a topic.
type Message struct {
	Topic       string // the short name: "alerts"
	Data        []byte
	Attributes  map[string]string // publisher-controlled: never evidence of who sent it
	OrderingKey string            // messages that share it keep their order; "": none. Not a secret: a broker stores it beside the data
}

// Publisher makes messages durable. The ids are in the order of the messages. On an error some messages may have been published.
type Publisher interface {
	Publish(ctx context.Context, msgs ...Message) (ids []string, err error)
}

// Dead returns the name of the dead-letter topic of a topic.
func Dead(topic string) string { return topic + "-dead" }

// Check returns the fault.Invalid that every implementation gives, before anything is published, for a message outside the limits.
func Check(msgs ...Message) error {
	for _, m := range msgs {
		if err := checkMessage(m); err != nil {
			return err
		}
	}
	return nil
}

func checkMessage(m Message) error {
	switch {
	case len(m.Data) > MaxData:
		return fault.New(fault.Invalid, "a message has %d bytes, more than %d", len(m.Data), MaxData)
	case len(m.Data) == 0 && len(m.Attributes) == 0:
		return fault.New(fault.Invalid, "a message has neither data nor attributes")
	case len(m.Attributes) > MaxAttributes:
		return fault.New(fault.Invalid, "a message has %d attributes, more than %d", len(m.Attributes), MaxAttributes)
	case len(m.OrderingKey) > MaxOrderingKey:
		return fault.New(fault.Invalid, "an ordering key has %d bytes, more than %d", len(m.OrderingKey), MaxOrderingKey)
	case !utf8.ValidString(m.OrderingKey):
		return fault.New(fault.Invalid, "an ordering key is not UTF-8")
	}
	for k, v := range m.Attributes {
		if err := checkAttribute(k, v); err != nil {
			return err
		}
	}
	return nil
}

func checkAttribute(key, value string) error {
	switch {
	case key == "" || len(key) > MaxAttributeKey:
		return fault.New(fault.Invalid, "the name of an attribute has %d bytes, not 1 to %d", len(key), MaxAttributeKey)
	case strings.HasPrefix(key, "goog"):
		return fault.New(fault.Invalid, "the name of an attribute begins with \"goog\", which is reserved")
	case len(value) > MaxAttribute:
		return fault.New(fault.Invalid, "the value of an attribute has %d bytes, more than %d", len(value), MaxAttribute)
	case !utf8.ValidString(key) || !utf8.ValidString(value):
		return fault.New(fault.Invalid, "an attribute is not UTF-8")
	}
	return nil
}
