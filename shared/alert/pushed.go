package alert

import (
	"net/http"

	"github.com/providerdesk/providerdesk/shared/event"
)

// pushed makes a decoder that also takes the message inside a Pub/Sub push: who lets Pub/Sub push to a webhook, or keeps a message as it
// was pushed, has the attributes there.
func pushed(decode Decoder) Decoder {
	return func(m Message) ([]Incident, error) {
		m, err := unwrap(m)
		if err != nil {
			return nil, err
		}
		return decode(m)
	}
}

// unwrap takes a message out of a push; any other stays as it is.
func unwrap(m Message) (Message, error) {
	o, err := read(m.Body)
	if err != nil || !isPush(o) {
		return m, err
	}
	e, err := event.Parse(http.Header{}, m.Body)
	return Message{Body: e.Data, Attributes: e.Attributes}, err
}

func isPush(o object) bool {
	m := o.object("message")
	return m.has("data") || m.has("attributes") || m.has("messageId") || m.has("message_id")
}
