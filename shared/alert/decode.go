package alert

import (
	"iter"
	"slices"
)

// MaxBody is the largest body a decoder reads, in bytes.
const MaxBody = 1 << 20

// node is a value of a body. Behind the node of an object or an array stand the nodes of all that is in it, so that a body is one list
// and a value a piece of it.
type node struct {
	name   string // of a field
	text   string // a string's, or a number or truth value as the sender wrote it; "" if it is anything else
	size   int32  // how many nodes it is, itself and what is in it
	kind   byte   // the first character
	plain  bool   // name and text surely stand in JSON as they are, between quotes
	sorted bool   // an object's fields surely stand in the order of the alphabet
}

// object is a JSON object read by exact names, a list of nodes or nothing. encoding/json's own structs match names whatever their case and
// let the last of two equal names win, so a body could say one thing to a person and another to us.
type object []node

// value is a value of any kind, nil if there is none.
type value []node

func (v value) kind() byte {
	if len(v) == 0 {
		return 0
	}
	return v[0].kind
}

func (v value) isNumber() bool { return v.kind() == '-' || isDigit(v.kind()) }

// isNull reports whether there is no value, or null.
func (v value) isNull() bool { return v.kind() == 0 || v.kind() == 'n' }

// object returns a value that is an object, nil if it is anything else.
func (v value) object() object {
	if v.kind() != '{' {
		return nil
	}
	return object(v)
}

// text returns a value that is a text, or a number or truth value as the sender wrote it; "" if it is anything else.
func (v value) text() string {
	if len(v) == 0 {
		return ""
	}
	return v[0].text
}

// items are the elements of an array or the fields of an object.
func (v value) items() iter.Seq[value] {
	return func(yield func(value) bool) {
		for rest := v[min(1, len(v)):]; len(rest) > 0; rest = rest[rest[0].size:] {
			if !yield(rest[:rest[0].size]) {
				return
			}
		}
	}
}

// count returns how many items there are.
func (v value) count() (n int) {
	for range v.items() {
		n++
	}
	return n
}

// get returns a field.
func (o object) get(name string) value {
	for at := 1; at < len(o); at += int(o[at].size) {
		if o[at].name == name {
			return value(o[at : at+int(o[at].size)])
		}
	}
	return nil
}

// has reports whether the field is there and not null.
func (o object) has(name string) bool { return !o.get(name).isNull() }

func (o object) object(name string) object { return o.get(name).object() }

func (o object) text(name string) string { return o.get(name).text() }

// first returns the first of the fields that has a text.
func (o object) first(names ...string) string {
	for _, n := range names {
		if s := o.text(n); s != "" {
			return s
		}
	}
	return ""
}

// ascending reports whether each field has a name behind the one before it in the alphabet, so that none is there twice.
func (o object) ascending() bool {
	last := ""
	for at := 1; at < len(o); at += int(o[at].size) {
		if at > 1 && o[at].name <= last {
			return false
		}
		last = o[at].name
	}
	return true
}

// twice reports whether two fields have one name. In an object of many they are found by sorting, so that no body takes long.
func (o object) twice() bool {
	var few [16]string
	names := few[:0]
	for f := range value(o).items() {
		if len(names) < len(few) && slices.Contains(names, f[0].name) {
			return true
		}
		names = append(names, f[0].name)
	}
	if len(names) <= len(few) {
		return false
	}
	slices.Sort(names)
	return len(slices.Compact(names)) < len(names)
}
