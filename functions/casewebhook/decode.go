package casewebhook

import (
	"path"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// attrAlone marks a message whose incident was made for a single alert of a group, so that it is not taken apart again.
const attrAlone = "providerdesk-alone"

// delivery is a decoded message of topic "alerts".
type delivery struct {
	incidents []alert.Incident
	alone     bool
}

// decode reads a message of topic "alerts": an incident that AlertWebhook published, or, on a subscription that belongs to a
// sender, that sender's own notification. An error is fault.Invalid: the message can never succeed.
func decode(e event.Envelope, senders map[string]sender) (delivery, error) {
	if s, ok := bySubscription(e.Subscription, senders); ok {
		return decodeRaw(e, s)
	}
	in, err := alert.Unpack(e.Data)
	if err != nil {
		return delivery{}, fault.New(fault.Invalid, "%s, and its subscription belongs to no sender", fault.Public(err))
	}
	s, ok := senders[in.Sender]
	if !ok || s.Tenant != in.Tenant || in.Key == "" || in.Received.IsZero() {
		return delivery{}, fault.New(fault.Invalid, "the incident names no configured sender of its tenant, or has no key or time of receipt")
	}
	return delivery{incidents: []alert.Incident{in}, alone: e.Attributes[attrAlone] != ""}, nil
}

func bySubscription(subscription string, senders map[string]sender) (sender, bool) {
	for _, s := range senders {
		if s.Subscription != "" && (s.Subscription == subscription || s.Subscription == path.Base(subscription)) {
			return s, true
		}
	}
	return sender{}, false
}

func decodeRaw(e event.Envelope, s sender) (delivery, error) {
	incidents, err := decodeAs(s, alert.Message{Body: e.Data, Attributes: e.Attributes})
	if err != nil {
		return delivery{}, err
	}
	for i := range incidents {
		incidents[i].Received = e.Published
	}
	return delivery{incidents: incidents}, nil
}

func noDecoder(s sender) error { return fault.New(fault.Invalid, "no decoder for source %q", s.Source) }

// decodeAs reads a notification of a sender and notes whose it is.
func decodeAs(s sender, m alert.Message) ([]alert.Incident, error) {
	read, ok := alert.ByName(s.Source)
	if !ok {
		return nil, noDecoder(s)
	}
	incidents, err := read(m)
	for i := range incidents {
		incidents[i].Sender, incidents[i].Tenant = s.Name, s.Tenant
	}
	return incidents, err
}
