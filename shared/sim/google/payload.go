package google

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// object is a request body after the check: published names, only fields that a caller may set, no nulls, no zero enumerations.
type object map[string]any

// parsePayload checks a JSON body against a schema. Like every proto3 JSON parser it takes a field under its published name and under
// its original one (service_ids), and null for an absent field. It checks what it ignores, too.
func parsePayload(schemas map[string][]field, schema string, body []byte) (object, *rest.Failure) {
	if !utf8.Valid(body) {
		return nil, rest.Fail("INVALID_ARGUMENT", "Invalid JSON payload received. The text is not UTF-8.")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return object{}, nil
	}
	p := newPayload(schemas, body)
	obj, err := p.object(schema, "")
	if err == nil {
		if _, err = p.dec.Token(); errors.Is(err, io.EOF) && len(p.bad) == 0 {
			return obj, nil
		}
	}
	if f := p.bad.Sorted().Failure(); f != nil {
		return nil, f
	}
	return nil, rest.Fail("INVALID_ARGUMENT", "Invalid JSON payload received. It is not one JSON object.")
}

type payload struct {
	schemas map[string][]field
	dec     *json.Decoder
	bad     rest.Violations
}

func newPayload(schemas map[string][]field, raw []byte) *payload {
	p := &payload{schemas: schemas, dec: json.NewDecoder(bytes.NewReader(raw))}
	p.dec.UseNumber()
	return p
}

var errNotJSON = errors.New("not JSON of the schema")

func (p *payload) object(schema, at string) (object, error) {
	if t, err := p.dec.Token(); err != nil || t != json.Delim('{') {
		p.bad.Add(at, "Invalid value: it must be an object.")
		return nil, errNotJSON
	}
	obj := object{}
	seen := map[string]bool{}
	for p.dec.More() {
		if err := p.member(schema, at, obj, seen); err != nil {
			return nil, err
		}
	}
	_, err := p.dec.Token()
	return obj, err
}

func (p *payload) member(schema, at string, obj object, seen map[string]bool) error {
	t, err := p.dec.Token()
	key, ok := t.(string)
	if err != nil || !ok {
		return errNotJSON
	}
	var raw json.RawMessage
	if err := p.dec.Decode(&raw); err != nil {
		return err
	}
	f := rest.Named(p.schemas[schema], rest.Camel(key))
	if f == nil || (key != f.Name && key != rest.Snake(f.Name)) {
		p.bad.Add(rest.Join(at, key), "Invalid JSON payload received. Unknown name %q: Cannot find field.", server.Clip(key))
		return nil
	}
	path := rest.Join(at, f.Name)
	if seen[f.Name] {
		p.bad.Add(path, "The field is set twice.")
	}
	seen[f.Name] = true
	if v := p.value(*f, path, raw); v != nil && !f.Ignored {
		obj[f.Name] = v
	}
	return nil
}

// value reads one value out of its raw bytes, so that a wrong type does not end the whole check. It is nil for null and for a bad one.
func (p *payload) value(f field, path string, raw json.RawMessage) any {
	switch {
	case string(raw) == "null":
		return nil
	case f.Array:
		return p.array(f, path, raw)
	}
	inner := newPayload(p.schemas, raw)
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
	return inner.scalar(f, path, v)
}

func (p *payload) array(f field, path string, raw json.RawMessage) any {
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
			p.bad.Add(path, "Invalid value: nothing inside an array.")
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// scalar returns v when it is of the field's type and not its zero value, nil otherwise.
func (p *payload) scalar(f field, path string, v any) any {
	switch f.Type {
	case "any":
		return v
	case "object":
		if _, ok := v.(map[string]any); !ok {
			p.bad.Add(path, "Invalid value: it must be an object.")
		}
		return v
	case "boolean":
		b, ok := v.(bool)
		if !ok {
			p.bad.Add(path, "Invalid value: it must be true or false.")
		}
		if !b {
			return nil
		}
		return b
	case "integer", "number":
		return p.number(f, path, v)
	}
	s, ok := v.(string)
	if !ok {
		p.bad.Add(path, "Invalid value: it must be a string.")
		return nil
	}
	return p.text(f, path, s)
}

func (p *payload) number(f field, path string, v any) any {
	n, ok := v.(json.Number)
	if f.Type == "number" && ok {
		return n
	}
	i, err := n.Int64()
	if !ok || err != nil || i < math.MinInt32 || i > math.MaxInt32 {
		p.bad.Add(path, "Invalid value: it must be a 32-bit number.")
		return nil
	}
	if i == 0 {
		return nil
	}
	return i
}

func (p *payload) text(f field, path, s string) any {
	_, err := base64.StdEncoding.DecodeString(s)
	switch {
	case len(f.Enum) > 0 && !slices.Contains(f.Enum, s):
		p.bad.Add(path, "Invalid value: it must be one of %s.", strings.Join(f.Enum, ", "))
		return nil
	case f.Format == "byte" && err != nil:
		p.bad.Add(path, "Invalid value: it must be base64.")
		return nil
	case len(f.Enum) > 0 && strings.HasSuffix(s, "_UNSPECIFIED"), s == "":
		return nil
	}
	return s
}

// checkRequired lists the required fields that are missing. A patch may leave out what it does not change.
func checkRequired(r *route, obj object) rest.Violations {
	if r.method.HTTP == "PATCH" {
		return nil
	}
	var bad rest.Violations
	checkFields(&bad, r.api.schemas, r.method.Request, "", obj)
	return bad.Sorted()
}

func checkFields(bad *rest.Violations, schemas map[string][]field, schema, at string, obj object) {
	for _, f := range schemas[schema] {
		text, isText := obj[f.Name].(string)
		blank := obj[f.Name] == nil || isText && strings.TrimSpace(text) == ""
		if blank && (f.Required || slices.Contains(mandatory[schema], f.Name)) {
			bad.Add(rest.Join(at, f.Name), "Required field is missing.")
		}
		if inner, ok := obj[f.Name].(object); ok {
			checkFields(bad, schemas, f.Ref, rest.Join(at, f.Name), inner)
		}
	}
}

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o object) flag(name string) bool {
	b, _ := o[name].(bool)
	return b
}

func (o object) number(name string) int64 {
	n, _ := o[name].(int64)
	return n
}

func (o object) object(name string) object {
	inner, _ := o[name].(object)
	return inner
}

func (o object) texts(name string) []string {
	list, _ := o[name].([]any)
	var all []string
	for _, v := range list {
		s, _ := v.(string)
		all = append(all, s)
	}
	return all
}

func (o object) objects(name string) []object {
	list, _ := o[name].([]any)
	var all []object
	for _, v := range list {
		inner, _ := v.(object)
		all = append(all, inner)
	}
	return all
}
