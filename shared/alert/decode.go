package alert

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// MaxBody is the largest body a decoder reads, in bytes.
const MaxBody = 1 << 20

// maxDepth is how deep objects and arrays may nest; no known sender goes beyond 10.
const maxDepth = 32

// object is a JSON object read by exact names. encoding/json's own structs match names whatever their case and let the last of two equal
// names win, so a body could say one thing to a person and another to us.
type object map[string]any

// read reads a body that is one JSON object: values are string, json.Number, bool, nil, object and []any.
func read(body []byte) (object, error) {
	switch {
	case len(body) == 0:
		return nil, fault.New(fault.Invalid, "the body is empty; send one JSON object")
	case len(body) > MaxBody:
		return nil, fault.New(fault.Invalid, "the body is larger than %d bytes; send fewer alerts at once (Alertmanager: max_alerts)", MaxBody)
	case !utf8.Valid(body):
		return nil, fault.New(fault.Invalid, "the body is not valid UTF-8")
	case !json.Valid(body):
		return nil, fault.New(fault.Invalid, "the body is not one JSON value and nothing after it")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	v, err := readValue(dec, 0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, fault.New(fault.Invalid, "the body is not a JSON object")
	}
	return o, nil
}

func readValue(dec *json.Decoder, depth int) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, fault.New(fault.Invalid, "the body is not valid JSON")
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == maxDepth {
		return nil, fault.New(fault.Invalid, "the body nests deeper than %d levels", maxDepth)
	}
	if delim == '{' {
		return readObject(dec, depth+1)
	}
	return readArray(dec, depth+1)
}

func readObject(dec *json.Decoder, depth int) (object, error) {
	o := object{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, fault.New(fault.Invalid, "the body is not valid JSON")
		}
		name, _ := t.(string)
		if _, twice := o[name]; twice {
			return nil, fault.New(fault.Invalid, "an object of the body has the same name twice; send each name once")
		}
		if o[name], err = readValue(dec, depth); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return o, err
}

func readArray(dec *json.Decoder, depth int) ([]any, error) {
	list := []any{}
	for dec.More() {
		v, err := readValue(dec, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := dec.Token()
	return list, err
}

// has reports whether the field is there and not null.
func (o object) has(name string) bool { return o[name] != nil }

// object returns a field that is an object, nil if it is anything else.
func (o object) object(name string) object {
	f, _ := o[name].(object)
	return f
}

// text returns a field that is a text, or a number or truth value as the sender wrote it; "" if it is anything else.
func (o object) text(name string) string { return scalar(o[name]) }

// first returns the first of the fields that has a text.
func (o object) first(names ...string) string {
	for _, n := range names {
		if s := o.text(n); s != "" {
			return s
		}
	}
	return ""
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// texts returns a field that is an object of texts; nil if it is missing, null or empty. A null inside counts as missing. what names the
// field in the error.
func (o object) texts(name, what string) (map[string]string, error) {
	if !o.has(name) {
		return nil, nil
	}
	f, ok := o[name].(object)
	if !ok {
		return nil, fault.New(fault.Invalid, "%s must be an object of names and texts", what)
	}
	m := make(map[string]string, len(f))
	for k, v := range f {
		switch v.(type) {
		case nil:
		case object, []any:
			return nil, fault.New(fault.Invalid, "%s must hold texts only", what)
		default:
			m[k] = scalar(v)
		}
	}
	return m, nil
}
