package alert

import (
	"encoding/json"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// MaxBody is the largest body a decoder reads, in bytes.
const MaxBody = 1 << 20

// object is a JSON object read by exact names. encoding/json's own structs match names whatever their case and let the last of two equal
// names win, so a body could say one thing to a person and another to us.
type object map[string]any

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
