package event

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// cloudEvent is a CloudEvent whose attributes have been read from wherever its mode keeps them.
type cloudEvent struct {
	attributes map[string]string // all of them by their names in the specification, extensions too
	data       []byte
}

// parseBinary reads attributes from ce-* headers; the body is the data.
func parseBinary(h http.Header, body []byte) (Envelope, error) {
	c := cloudEvent{attributes: map[string]string{}, data: body}
	for header := range h {
		name, ok := strings.CutPrefix(strings.ToLower(header), "ce-")
		if !ok {
			continue
		}
		if err := c.readHeader(h, name); err != nil {
			return Envelope{}, err
		}
	}
	c.attributes["datacontenttype"] = h.Get("Content-Type")
	return c.envelope(h)
}

func (c cloudEvent) readHeader(h http.Header, name string) error {
	if !isAttributeName(name) || name == "datacontenttype" || name == "data" || name == "data_base64" {
		return invalid("a ce- header has a name that no attribute has: use lower-case letters and digits, and Content-Type for the data")
	}
	values := h.Values("ce-" + name)
	if len(values) != 1 {
		return invalid("%s is there more than once", label(name))
	}
	var err error
	c.attributes[name], err = decodeHeader(label(name), values[0])
	return err
}

// parseStructured reads everything from one JSON object.
func parseStructured(h http.Header, body []byte) (Envelope, error) {
	o, err := parseObject("the body", body)
	if err != nil {
		return Envelope{}, err
	}
	c := cloudEvent{attributes: map[string]string{}}
	for name := range o {
		if name == "data" || name == "data_base64" || !o.has(name) {
			continue
		}
		if c.attributes[name], err = readAttribute(name, o[name]); err != nil {
			return Envelope{}, err
		}
	}
	if c.data, err = readData(o, c.attributes["datacontenttype"]); err != nil {
		return Envelope{}, err
	}
	return c.envelope(h)
}

// readAttribute takes the types that CloudEvents has in JSON; only an extension may be something else than a string.
func readAttribute(name string, value json.RawMessage) (string, error) {
	if !isAttributeName(name) {
		return "", invalid("the event has a member whose name is not of lower-case letters and digits")
	}
	var s string
	switch {
	case json.Unmarshal(value, &s) == nil:
		return s, checkText(label(name), s)
	case isDefined(name):
		return "", invalid("%q is not a JSON string", name)
	case isScalar(value):
		return string(value), nil
	}
	return "", invalid("an extension attribute is neither a string nor a boolean nor a whole number")
}

func isScalar(value json.RawMessage) bool {
	var b bool
	var n int32
	return json.Unmarshal(value, &b) == nil || json.Unmarshal(value, &n) == nil
}

// readData returns the bytes of "data" or "data_base64".
func readData(o object, contentType string) ([]byte, error) {
	switch {
	case o.has("data") && o.has("data_base64"):
		return nil, invalid(`the event has both "data" and "data_base64": send one of them`)
	case o.has("data_base64"):
		return o.bytes("data_base64")
	case !o.has("data"):
		return nil, nil
	}
	var text string
	if !isJSON(contentType) && json.Unmarshal(o["data"], &text) == nil {
		return []byte(text), nil
	}
	return o["data"], nil
}

// envelope checks the rules that both modes share.
func (c cloudEvent) envelope(h http.Header) (Envelope, error) {
	if err := c.check(); err != nil {
		return Envelope{}, err
	}
	at, err := parseTime("time", c.attributes["time"])
	if err != nil {
		return Envelope{}, err
	}
	trace := Traceparent(h, c.attributes["traceparent"])
	if c.attributes["type"] == Published {
		return c.unwrap(h, at, trace)
	}
	e := Envelope{
		ID:          c.attributes["id"],
		Source:      c.attributes["source"],
		Type:        c.attributes["type"],
		Subject:     c.attributes["subject"],
		Attributes:  c.extensions(),
		Data:        c.data,
		Published:   at,
		Traceparent: trace,
	}
	return e, readMeta(h, &e)
}

func (c cloudEvent) check() error {
	if c.attributes["specversion"] != "1.0" {
		return invalid("specversion is not 1.0: send a CloudEvent of version 1.0")
	}
	for _, name := range []string{"id", "source", "type"} {
		if c.attributes[name] == "" {
			return invalid("the CloudEvent has no %s", name)
		}
	}
	if _, err := url.Parse(c.attributes["source"]); err != nil {
		return invalid("source is not a URI reference")
	}
	return nil
}

// unwrap decodes the push that a CloudEvent of Pub/Sub holds; what the message leaves out the event's own attributes say.
func (c cloudEvent) unwrap(h http.Header, at time.Time, trace string) (Envelope, error) {
	e, err := parsePush(h, c.data)
	if err != nil {
		return Envelope{}, err
	}
	if e.ID == "" {
		e.ID = c.attributes["id"]
	}
	if e.Published.IsZero() {
		e.Published = at
	}
	if !isTraceparent(e.Attributes[traceAttribute]) {
		e.Traceparent = trace
	}
	return e, nil
}

func (c cloudEvent) extensions() map[string]string {
	extensions := map[string]string{}
	for name, value := range c.attributes {
		if !isDefined(name) {
			extensions[name] = value
		}
	}
	return extensions
}

// label names an attribute for the sender; the names of extensions are input and not repeated.
func label(name string) string {
	if isDefined(name) {
		return name
	}
	return "an extension attribute"
}

func isDefined(name string) bool {
	switch name {
	case "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema":
		return true
	}
	return false
}

func isAttributeName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}
