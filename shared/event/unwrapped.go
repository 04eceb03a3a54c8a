package event

import (
	"net/http"
	"strings"
)

// Headers of a push without its wrapper.
const (
	metaPrefix       = "X-Goog-Pubsub-"
	metaID           = metaPrefix + "Message-Id"
	metaSubscription = metaPrefix + "Subscription-Name"
	metaPublished    = metaPrefix + "Publish-Time"
	metaOrderingKey  = metaPrefix + "Ordering-Key"
	metaAttempt      = metaPrefix + "Delivery-Attempt"
)

// parseUnwrapped decodes a push whose body is the data and whose metadata and attributes are headers. HTTP folds the case of header
// names, so attributes have lower-case names here.
func parseUnwrapped(h http.Header, body []byte) (Envelope, error) {
	e := Envelope{Type: Published, Data: body, Attributes: headerAttributes(h)}
	if err := readMeta(h, &e); err != nil {
		return Envelope{}, err
	}
	e.Source = pubsubSource + e.Subscription
	e.Traceparent = Traceparent(h, e.Attributes[traceAttribute])
	return e, nil
}

// readMeta fills the fields that Pub/Sub puts in headers, where they are there.
func readMeta(h http.Header, e *Envelope) error {
	values := map[string]string{}
	for _, name := range []string{metaID, metaSubscription, metaPublished, metaOrderingKey, metaAttempt} {
		value, err := single(h, name)
		if err != nil {
			return err
		}
		if err := checkText("header "+strings.ToLower(name), value); err != nil {
			return err
		}
		values[name] = value
	}
	if e.ID == "" {
		e.ID = values[metaID]
	}
	e.Subscription, e.OrderingKey = values[metaSubscription], values[metaOrderingKey]
	var err error
	if e.Attempt, err = parseAttempt("header "+strings.ToLower(metaAttempt), values[metaAttempt]); err != nil {
		return err
	}
	published, err := parseTime("header "+strings.ToLower(metaPublished), values[metaPublished])
	if e.Published.IsZero() {
		e.Published = published
	}
	return err
}

// headerAttributes returns the headers that are no business of HTTP's, of a proxy's or of Google's front end.
func headerAttributes(h http.Header) map[string]string {
	attributes := map[string]string{}
	for name, values := range h {
		if len(values) == 1 && !isTransport(name) {
			attributes[strings.ToLower(name)] = values[0]
		}
	}
	return attributes
}

func isTransport(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Content-Encoding",
		"Content-Length", "Content-Type", "Cookie", "Forwarded", "From", "Host", "Keep-Alive", "Pragma", "Proxy-Authorization",
		"Te", "Traceparent", "Tracestate", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent", "Via", "X-Cloud-Trace-Context",
		"X-Serverless-Authorization":
		return true
	}
	return strings.HasPrefix(name, "X-Goog-") || strings.HasPrefix(name, "X-Forwarded-")
}
