// Package event is what wakes a function up: one type, Envelope, for a Pub/Sub push, a CloudEvent in binary or structured mode, and the
// unwrapped push that carries its metadata in headers.
//
// The framework's own conversion of a push drops the delivery attempt, the subscription, the ordering key and the trace, and echoes a bad
// body; this package keeps the first and never does the second.
//
// How a request says what it is, the first that holds:
//
//	Content-Type application/cloudevents+json    a CloudEvent, structured
//	a ce-specversion, -id, -source or -type      a CloudEvent, binary
//	an x-goog-pubsub-* header                    an unwrapped push: the body is the data
//	anything else                                a push: JSON with "message" and "subscription"
//
// A CloudEvent of type Published holds a push as its data and gives the same Envelope as that push. Where a message has both a camel-case
// and a snake-case member they must agree.
//
// Whatever cannot be understood is a fault.Invalid whose sentence says what to change and repeats nothing of the request. A trace context
// that cannot be read is dropped: tracing never costs an event.
//
// Not promised: that the sender is who it seems; see package signature. Nothing in an Envelope proves anything before that check.
package event

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// MaxBody is the largest body that is read, in bytes: Pub/Sub's 10 MB in base64.
const MaxBody = 14 << 20

// Published is the type of every Pub/Sub message.
const Published = "google.cloud.pubsub.topic.v1.messagePublished"

// Envelope is one delivery of one event.
type Envelope struct {
	ID           string            // message id or CloudEvent id: for logs; never the key of an effect
	Source       string            // CloudEvent source; for a push "//pubsub.googleapis.com/" and the subscription
	Type         string            // CloudEvent type; for a push "google.cloud.pubsub.topic.v1.messagePublished"
	Subject      string            // CloudEvent subject
	Subscription string            // "projects/P/subscriptions/S" of a push
	Attributes   map[string]string // of the message, or a CloudEvent's extensions: publisher-controlled, never evidence of who sent it
	Data         []byte
	Published    time.Time
	Attempt      int    // delivery attempt, 1 for the first; 0 when the sender does not say
	OrderingKey  string // of a push
	Traceparent  string // W3C trace context of the publisher if it sent one, else of the delivery, "" if none
}

// Decode reads the event that a request carries, at most MaxBody bytes of it.
func Decode(r *http.Request) (Envelope, error) {
	if r.Body == nil {
		return Parse(r.Header, nil)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	var tooLarge *http.MaxBytesError
	switch {
	case len(body) > MaxBody, errors.As(err, &tooLarge):
		return Envelope{}, fault.New(fault.Invalid, "the body is larger than %d bytes: send a smaller event", MaxBody)
	case err != nil:
		return Envelope{}, fault.Wrap(fault.Transient, err, "reading the event")
	}
	return Parse(r.Header, body)
}

// Parse is Decode for a body that was read already.
func Parse(h http.Header, body []byte) (Envelope, error) {
	switch modeOf(h) {
	case structured:
		return parseStructured(h, body)
	case binary:
		return parseBinary(h, body)
	case unwrapped:
		return parseUnwrapped(h, body)
	case batch:
		return Envelope{}, invalid("a batch of CloudEvents is not taken: send each event in a request of its own")
	case foreign:
		return Envelope{}, invalid("a CloudEvent is taken as JSON only: send Content-Type application/cloudevents+json, or binary mode")
	}
	return parsePush(h, body)
}

func invalid(sentence string, args ...any) error { return fault.New(fault.Invalid, sentence, args...) }
