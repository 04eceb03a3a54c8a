package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Bodies says how an API reads the bodies of its requests. O is the simulator's own type of a JSON object, so that it has methods.
//
// Like every proto3 JSON parser it takes a field under its published name and under its original one (service_ids), and null for an absent
// field. It checks what it ignores, too. An object after the check has published names, only fields that a caller may set, no nulls and no
// zero values.
type Bodies[O ~map[string]any] struct {
	Schemas   map[string][]Field
	Mandatory map[string][]string // by schema: the fields that the document calls for only in other words

	Void       string // what the API says that it does not find inside an array; default "nothing"
	NamesFirst bool   // a name is judged although its value is no JSON
	Numbers    bool   // an int64 may be a number, which is checked and not kept
}

// Read reads the body of a request as the method has it: nothing, or an object of its schema.
func (b Bodies[O]) Read(m *Method, rq *server.Request) (O, *Failure) {
	if m.Request == "" {
		return nil, NoBody(rq)
	}
	if f := JSONBody(rq.Header.Get("Content-Type"), rq.Body); f != nil {
		return nil, f
	}
	return b.Parse(m.Request, rq.Body)
}

// NoBody refuses the body of a request whose method takes none.
func NoBody(rq *server.Request) *Failure {
	if len(rq.Body) > 0 {
		return Fail("INVALID_ARGUMENT", "The method %s takes no request body.", rq.Op)
	}
	return nil
}

// JSONBody refuses a body that does not say that it is JSON.
func JSONBody(contentType string, body []byte) *Failure {
	if kind, _, err := mime.ParseMediaType(contentType); len(body) > 0 && (err != nil || kind != "application/json") {
		return Fail("INVALID_ARGUMENT", "The request body must be of type application/json.")
	}
	return nil
}

// Parse checks a JSON body against a schema.
func (b Bodies[O]) Parse(schema string, body []byte) (O, *Failure) {
	if !utf8.Valid(body) {
		return nil, Fail("INVALID_ARGUMENT", "Invalid JSON payload received. The text is not UTF-8.")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return O{}, nil
	}
	p := b.payload(body)
	obj, err := p.object(schema, "")
	if err == nil {
		if _, err = p.dec.Token(); errors.Is(err, io.EOF) && len(p.bad) == 0 {
			return obj, nil
		}
	}
	if f := p.bad.Sorted().Failure(); f != nil {
		return nil, f
	}
	return nil, Fail("INVALID_ARGUMENT", "Invalid JSON payload received. It is not one JSON object.")
}

// payload is some JSON under the check.
type payload[O ~map[string]any] struct {
	Bodies[O]
	dec *json.Decoder
	bad Violations
}

func (b Bodies[O]) payload(raw []byte) *payload[O] {
	p := &payload[O]{Bodies: b, dec: json.NewDecoder(bytes.NewReader(raw))}
	p.dec.UseNumber()
	return p
}

var errNotJSON = errors.New("not JSON of the schema")

func (p *payload[O]) object(schema, at string) (O, error) {
	if t, err := p.dec.Token(); err != nil || t != json.Delim('{') {
		p.bad.Add(at, "Invalid value: it must be an object.")
		return nil, errNotJSON
	}
	obj := O{}
	seen := map[string]bool{}
	for p.dec.More() {
		if err := p.member(schema, at, obj, seen); err != nil {
			return nil, err
		}
	}
	_, err := p.dec.Token()
	return obj, err
}

func (p *payload[O]) member(schema, at string, obj O, seen map[string]bool) error {
	t, err := p.dec.Token()
	key, ok := t.(string)
	if err != nil || !ok {
		return errNotJSON
	}
	var raw json.RawMessage
	broken := p.dec.Decode(&raw)
	if broken != nil && !p.NamesFirst {
		return broken
	}
	f := Named(p.Schemas[schema], Camel(key))
	if f == nil || (key != f.Name && key != Snake(f.Name)) {
		p.bad.Add(Join(at, key), "Invalid JSON payload received. Unknown name %q: Cannot find field.", server.Clip(key))
		return broken
	}
	path := Join(at, f.Name)
	if seen[f.Name] {
		p.bad.Add(path, "The field is set twice.")
	}
	seen[f.Name] = true
	if broken != nil {
		return broken
	}
	if v := p.value(*f, path, raw); v != nil && !f.Ignored {
		obj[f.Name] = v
	}
	return nil
}

// value reads one value out of its raw bytes, so that a wrong type does not end the whole check. It is nil for null and for a bad one.
func (p *payload[O]) value(f Field, path string, raw json.RawMessage) any {
	switch {
	case string(raw) == "null":
		return nil
	case f.Array:
		return p.array(f, path, raw)
	}
	inner := p.payload(raw)
	defer func() { p.bad = append(p.bad, inner.bad...) }()
	if f.Ref != "" {
		obj, err := inner.object(f.Ref, path)
		if err != nil {
			return nil
		}
		return obj
	}
	var v any
	if err := inner.dec.Decode(&v); err != nil {
		return nil
	}
	return f.read(&inner.bad, path, v, p.Numbers)
}

func (p *payload[O]) array(f Field, path string, raw json.RawMessage) any {
	var raws []json.RawMessage
	if err := json.Unmarshal(raw, &raws); err != nil {
		p.bad.Add(path, "Invalid value: it must be an array.")
		return nil
	}
	f.Array = false
	list := make([]any, 0, len(raws))
	for _, r := range raws {
		before := len(p.bad)
		v := p.value(f, path, r)
		if v == nil && len(p.bad) == before {
			p.bad.Add(path, "Invalid value: %s inside an array.", cmp.Or(p.Void, "nothing"))
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// Of is the value of a field, the zero value of its type if it is not there.
func Of[T any, O ~map[string]any](o O, name string) T {
	v, _ := o[name].(T)
	return v
}

// All are the values of an array, none if it holds something else.
func All[T any, O ~map[string]any](o O, name string) []T {
	list, _ := o[name].([]any)
	var all []T
	for _, v := range list {
		if one, ok := v.(T); ok {
			all = append(all, one)
		}
	}
	return all
}
