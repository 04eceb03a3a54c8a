package event

import (
	"encoding/json"
	"net/http"
)

// traceAttribute is where Google's Pub/Sub clients put the trace context of the publisher.
const traceAttribute = "googclient_traceparent"

const pubsubSource = "//pubsub.googleapis.com/"

// parsePush decodes the body of a Pub/Sub push.
func parsePush(h http.Header, body []byte) (Envelope, error) {
	wrapper, err := parseObject("the body", body)
	if err != nil {
		return Envelope{}, err
	}
	if !wrapper.has("message") {
		return Envelope{}, invalid(`the body has no "message": send a Pub/Sub push or a CloudEvent`)
	}
	message, err := parseObject(`"message"`, wrapper["message"])
	if err != nil {
		return Envelope{}, err
	}
	e, err := readMessage(message)
	if err != nil {
		return Envelope{}, err
	}
	if err := readDelivery(wrapper, &e); err != nil {
		return Envelope{}, err
	}
	e.Traceparent = Traceparent(h, e.Attributes[traceAttribute])
	return e, nil
}

func readMessage(m object) (e Envelope, err error) {
	e.Type = Published
	if e.ID, err = m.twin("messageId", "message_id"); err != nil {
		return e, err
	}
	if e.OrderingKey, err = m.twin("orderingKey", "ordering_key"); err != nil {
		return e, err
	}
	published, err := m.twin("publishTime", "publish_time")
	if err != nil {
		return e, err
	}
	if e.Published, err = parseTime(`"publishTime"`, published); err != nil {
		return e, err
	}
	if e.Attributes, err = readAttributes(m); err != nil {
		return e, err
	}
	if e.Data, err = m.bytes("data"); err != nil {
		return e, err
	}
	if e.ID == "" && len(e.Data) == 0 && len(e.Attributes) == 0 {
		return e, invalid(`"message" has no "data", no "attributes" and no "messageId": this is no Pub/Sub push`)
	}
	return e, nil
}

func readAttributes(m object) (map[string]string, error) {
	if !m.has("attributes") {
		return nil, nil
	}
	raw, err := parseObject(`"attributes"`, m["attributes"])
	if err != nil {
		return nil, err
	}
	attributes := make(map[string]string, len(raw))
	for name, value := range raw {
		var s *string
		if json.Unmarshal(value, &s) != nil || s == nil {
			return nil, invalid(`"attributes" has a value that is not a JSON string`)
		}
		attributes[name] = *s
	}
	return attributes, nil
}

func readDelivery(wrapper object, e *Envelope) (err error) {
	if e.Subscription, err = wrapper.text("subscription"); err != nil {
		return err
	}
	e.Source = pubsubSource + e.Subscription
	attempt, twin := wrapper.number("deliveryAttempt"), wrapper.number("delivery_attempt")
	if attempt == "" {
		attempt = twin
	}
	if twin != "" && twin != attempt {
		return invalid(`"deliveryAttempt" and "delivery_attempt" differ: send one of them`)
	}
	e.Attempt, err = parseAttempt(`"deliveryAttempt"`, attempt)
	return err
}
