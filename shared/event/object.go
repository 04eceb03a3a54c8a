package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"unicode/utf8"
)

// object is a JSON object whose members are looked up by their exact name. A member that is null is not there.
type object map[string]json.RawMessage

// parseObject is stricter than encoding/json: no member twice, no broken UTF-8, nothing after the end, and names keep their case.
func parseObject(what string, text []byte) (object, error) {
	if !utf8.Valid(text) {
		return nil, invalid("%s is not valid UTF-8", what)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, invalid("%s is not a JSON object", what)
	}
	o := object{}
	for d.More() {
		if err := o.readMember(what, d); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, invalid("%s is not valid JSON", what)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid("%s has something after its end", what)
	}
	return o, nil
}

func (o object) readMember(what string, d *json.Decoder) error {
	name, err := d.Token()
	if err != nil {
		return invalid("%s is not valid JSON", what)
	}
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return invalid("%s is not valid JSON", what)
	}
	key, _ := name.(string)
	if _, twice := o[key]; twice {
		return invalid("%s has the same member twice", what)
	}
	o[key] = value
	return nil
}

func (o object) has(name string) bool {
	v, ok := o[name]
	return ok && string(v) != "null"
}

// str returns a member that must be a string, "" if it is not there.
func (o object) str(name string) (string, error) {
	var s string
	if o.has(name) && json.Unmarshal(o[name], &s) != nil {
		return "", invalid("%q is not a JSON string", name)
	}
	return s, nil
}

// text is str for what may end up in a log.
func (o object) text(name string) (string, error) {
	s, err := o.str(name)
	if err != nil {
		return "", err
	}
	return s, checkText(`"`+name+`"`, s)
}

// twin returns a member that may go by two names, which must not contradict each other.
func (o object) twin(camel, snake string) (string, error) {
	a, err := o.text(camel)
	if err != nil {
		return "", err
	}
	b, err := o.text(snake)
	if err != nil {
		return "", err
	}
	switch {
	case !o.has(camel):
		return b, nil
	case o.has(snake) && a != b:
		return "", invalid("%q and %q differ: send one of them", camel, snake)
	}
	return a, nil
}

// number returns a member that must be a whole number, in JSON's notation; "" if it is not there.
func (o object) number(name string) string {
	if !o.has(name) {
		return ""
	}
	return string(o[name])
}

// bytes returns a member that holds base64.
func (o object) bytes(name string) ([]byte, error) {
	s, err := o.str(name)
	if err != nil || s == "" {
		return nil, err
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, invalid("%q is not base64 with the standard alphabet and padding", name)
	}
	return b, nil
}
