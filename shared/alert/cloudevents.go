package alert

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// CloudEvents decodes CloudEvents 1.0 in binary, structured and batched mode; without a header that says which, a body that is an array is
// a batch and any other a structured event. What the data is, the event's type says:
//
//	providerdesk.<source>                          what that source sends: providerdesk.alertmanager, providerdesk.plain, ...
//	google.cloud.pubsub.topic.v1.messagePublished  recognised by its content, as Any does
//	any other                                      plain
//
// Plain data may leave out key and since: the event's source and id, which are unique, are the key then, and its time is the beginning. Of
// events with the same source and id in a batch only the first counts. A batch is taken as a whole or not at all.
func CloudEvents(m Message) ([]Incident, error) {
	h := eventHeader(m)
	if !strings.HasPrefix(contentType(h), mediaBatch) {
		return readEvent(h, m.Body)
	}
	v, err := readValue(m.Body)
	if err != nil {
		return nil, err
	}
	var events []json.RawMessage
	if v.kind() != '[' || json.Unmarshal(m.Body, &events) != nil {
		return nil, fault.New(fault.Invalid, "a batch of CloudEvents is a JSON array; send one, or a single event as %s", mediaEvent)
	}
	if len(events) > maxBatch {
		return nil, errBatch
	}
	return readBatch(events)
}

const (
	mediaEvent = "application/cloudevents+json"
	mediaBatch = "application/cloudevents-batch"
)

func contentType(h http.Header) string {
	return strings.ToLower(strings.TrimSpace(h.Get("Content-Type")))
}

// eventHeader returns the header by which an event is read. Pub/Sub carries it in attributes.
func eventHeader(m Message) http.Header {
	h := m.Header
	if h == nil {
		h = http.Header{}
		for name, s := range m.Attributes {
			if n := strings.ToLower(name); n == "content-type" || strings.HasPrefix(n, "ce-") {
				h.Set(n, s)
			}
		}
	}
	switch {
	case isEventHeader(h):
		return h
	case strings.HasPrefix(strings.TrimLeft(string(m.Body[:min(len(m.Body), 64)]), " \t\r\n"), "["):
		return http.Header{"Content-Type": {mediaBatch + "+json"}}
	}
	return http.Header{"Content-Type": {mediaEvent}}
}

// isEventHeader reports whether a header says that there is a CloudEvent.
func isEventHeader(h http.Header) bool {
	return strings.HasPrefix(contentType(h), "application/cloudevents") || h.Get("Ce-Specversion") != "" || h.Get("Ce-Id") != "" || h.Get("Ce-Type") != ""
}

func readEvent(h http.Header, body []byte) ([]Incident, error) {
	if len(body) > MaxBody {
		return nil, errLarge
	}
	e, err := event.Parse(h, body)
	if err != nil {
		return nil, err
	}
	return incidentsOf(e)
}

func readBatch(events []json.RawMessage) (all []Incident, err error) {
	type id struct{ source, id string }
	seen := map[id]bool{}
	for i, raw := range events {
		e, err := event.Parse(http.Header{"Content-Type": {mediaEvent}}, raw)
		if err != nil {
			return nil, fault.New(fault.Invalid, "event %d of the batch: %s", i+1, fault.Public(err))
		}
		if seen[id{e.Source, e.ID}] {
			continue
		}
		seen[id{e.Source, e.ID}] = true
		list, err := incidentsOf(e)
		if err != nil {
			return nil, fault.New(fault.Invalid, "event %d of the batch: %s", i+1, fault.Public(err))
		}
		all = append(all, list...)
	}
	return all, nil
}

// incidentsOf reads the data of an event as its type says.
func incidentsOf(e event.Envelope) ([]Incident, error) {
	m := Message{Body: e.Data, Attributes: e.Attributes}
	if len(e.Data) == 0 {
		return nil, fault.New(fault.Invalid, "the event has no data; send the alert as its data")
	}
	if e.Type == event.Published {
		return recognised(m)
	}
	source, ok := strings.CutPrefix(e.Type, "providerdesk.")
	if !ok {
		return readPlain(e.Data, plainDefaults{SourceCloudEvents, e.Source + " " + e.ID, e.Published.UTC()})
	}
	decode, known := ByName(source)
	if !known || source == SourceCloudEvents || source == SourceAny {
		return nil, fault.New(fault.Invalid, "the event's type names no source; write providerdesk. and one of %s, or a type of your own for plain data", strings.Join(formats(), ", "))
	}
	return decode(m)
}
