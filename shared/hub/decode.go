package hub

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object read tolerantly: members are looked up by name, padded texts are trimmed, a value of another type is read as what
// was meant if that is plain and as absent otherwise.
type object map[string]json.RawMessage

// objectOf reads text as an object; ok is false for anything else, null included.
func objectOf(text []byte) (o object, ok bool) {
	return o, json.Unmarshal(text, &o) == nil && o != nil
}

// text returns the first of the members that is a string, a number or a boolean and not blank, trimmed.
func (o object) text(names ...string) string {
	for _, name := range names {
		if s := textOf(o[name]); s != "" {
			return s
		}
	}
	return ""
}

func textOf(raw json.RawMessage) string {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case float64, bool:
		return string(raw)
	}
	return ""
}

// flag reads true, "true" and " TRUE ".
func (o object) flag(name string) bool { return strings.EqualFold(o.text(name), "true") }

func (o object) time(names ...string) time.Time { return timeOf(o.text(names...)) }

func (o object) object(name string) object {
	inner, _ := objectOf(o[name])
	return inner
}

// integer returns a member that is a whole number, ok is false for anything else.
func (o object) integer(name string) (n int, ok bool) {
	f, err := strconv.ParseFloat(o.text(name), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return 0, false
	}
	return int(f), true
}

// list returns the elements of a member that is an array. A single value is read as an array of one.
func (o object) list(name string) []json.RawMessage {
	raw := o[name]
	var l []json.RawMessage
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil
	case json.Unmarshal(raw, &l) == nil:
		return l
	}
	return []json.RawMessage{raw}
}

// texts returns the texts of a member that is an array: of strings, or of objects that have one of the members.
func (o object) texts(name string, members ...string) []string {
	var out []string
	for _, raw := range o.list(name) {
		s := textOf(raw)
		if inner, ok := objectOf(raw); ok {
			s = inner.text(members...)
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// listOf returns the elements of an answer that is an array, bare or as the one of the members of an object that is there.
func listOf(text []byte, wrappers ...string) (elements []json.RawMessage, ok bool) {
	if json.Unmarshal(text, &elements) == nil && elements != nil {
		return elements, true
	}
	o, _ := objectOf(text)
	for _, w := range wrappers {
		if raw, there := o[w]; there {
			return o.list(w), string(raw) != "null"
		}
	}
	return nil, false
}

// decimalForm keeps a hostile exponent from growing into gigabytes where the number is used.
var decimalForm = regexp.MustCompile(`^[+-]?[0-9]{1,38}(\.[0-9]{0,38})?([eE][+-]?[0-9]{1,2})?$`)

// number returns a member that is a decimal number, as a number or as a string, with its digits as they were sent; "" if it is none.
func (o object) number(name string) json.Number { return numberOf(o.text(name)) }

func numberOf(s string) json.Number {
	if s = strings.TrimSpace(s); !decimalForm.MatchString(s) {
		return ""
	}
	return json.Number(s)
}

// Epoch reads a number of seconds, milliseconds or microseconds since 1970 by its magnitude: below 1e11 seconds (until the year 5138), below
// 1e14 milliseconds, below 1e17 microseconds. The guide says milliseconds and shows all three. ok is false for 0, which the hub sends for
// "never", and for what is outside.
func Epoch(n int64) (t time.Time, ok bool) {
	switch {
	case n <= 0 || n >= 1e17:
		return time.Time{}, false
	case n < 1e11:
		return time.Unix(n, 0).UTC(), true
	case n < 1e14:
		return time.UnixMilli(n).UTC(), true
	}
	return time.UnixMicro(n).UTC(), true
}

// timeOf reads an epoch, or a time as in RFC 3339; anything else is the zero time.
func timeOf(s string) time.Time {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if f >= 1 && f < 1e17 {
			t, _ := Epoch(int64(f))
			return t
		}
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
