package alert

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxEntries is how many labels, annotations and alerts a message may have together. More do not fit into a notification.
const maxEntries = MaxBody / len(`"":"",`)

var (
	errPacked = fault.New(fault.Invalid, "the message is not an incident as AlertWebhook publishes it")
	errMore   = fault.New(fault.Invalid, "the message goes on after its incident")
	errMany   = fault.New(fault.Invalid, "the message has more than %d labels, annotations and alerts", maxEntries)
)

// packed is an incident as it travels.
type packed struct {
	Incident
	Listed []json.RawMessage `json:"listed"`
}

// change is an alert as it travels: what it does not share with the one before it.
type change struct {
	Alert                          // begins as that one was
	Labels      map[string]*string `json:"labels"` // nil: is there no more
	Annotations map[string]*string `json:"annotations"`
	Links       []Link             `json:"links"` // nil: as before
}

// Unpack reads an incident that [Incident.Append] wrote. It also takes one with its alerts whole, in "alerts", as encoding/json writes it.
// A field that it does not know is an error, fault.Invalid like all others.
func Unpack(data []byte) (Incident, error) {
	var p packed
	if err := strictly(data, &p); err != nil {
		return Incident{}, err
	}
	if p.Listed == nil {
		return p.Incident, nil
	}
	if p.Alerts != nil {
		return Incident{}, errPacked
	}
	p.Alerts = make([]Alert, len(p.Listed))
	entries, before := 0, p.before()
	for i, data := range p.Listed {
		a, err := unpack(data, before)
		if err != nil {
			return Incident{}, err
		}
		if entries += 1 + len(a.Labels) + len(a.Annotations); entries > maxEntries {
			return Incident{}, errMany
		}
		p.Alerts[i], before = a, a
	}
	return p.Incident, nil
}

func unpack(data []byte, before Alert) (Alert, error) {
	c := change{Alert: before}
	if err := strictly(data, &c); err != nil {
		return Alert{}, err
	}
	c.Alert.Labels, c.Alert.Annotations = changed(before.Labels, c.Labels), changed(before.Annotations, c.Annotations)
	if c.Links != nil {
		c.Alert.Links = slices.Clip(c.Links) // shared by alerts: to be appended to, but not changed
	}
	if len(c.Alert.Links) == 0 {
		c.Alert.Links = nil
	}
	return c.Alert, nil
}

// changed returns a map of its own with the changes made, nil if it is empty.
func changed(before map[string]string, changes map[string]*string) map[string]string {
	now := maps.Clone(before)
	if now == nil {
		now = map[string]string{}
	}
	for name, text := range changes {
		if text == nil {
			delete(now, name)
		} else {
			now[name] = *text
		}
	}
	if len(now) == 0 {
		return nil
	}
	return now
}

// strictly reads one JSON value and nothing else.
func strictly(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if dec.Decode(v) != nil {
		return errPacked
	}
	if _, err := dec.Token(); err != io.EOF {
		return errMore
	}
	return nil
}
