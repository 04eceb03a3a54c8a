package cloudsupport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// object is a request body after the check: published names, only fields that a caller may set, no nulls.
type object map[string]any

// parsePayload checks a JSON body against a schema. Like every proto3 JSON parser it takes a field under its published name and under
// its original one (display_name), and null for an absent field. It checks what it ignores, too.
func parsePayload(schema string, body []byte) (object, *rest.Failure) {
	if !utf8.Valid(body) {
		return nil, rest.Fail("INVALID_ARGUMENT", "Invalid JSON payload received. The text is not UTF-8.")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return object{}, nil
	}
	p := payload{dec: json.NewDecoder(bytes.NewReader(body))}
	p.dec.UseNumber()
	obj, err := p.object(schema, "")
	if err == nil {
		if _, err = p.dec.Token(); errors.Is(err, io.EOF) {
			if len(p.bad) == 0 {
				return obj, nil
			}
		}
	}
	if f := p.bad.Sorted().Failure(); f != nil {
		return nil, f
	}
	return nil, rest.Fail("INVALID_ARGUMENT", "Invalid JSON payload received. It is not one JSON object.")
}

type payload struct {
	dec *json.Decoder
	bad rest.Violations
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
	f := rest.Named(schemas[schema], rest.Camel(key))
	if f == nil || (key != f.Name && key != rest.Snake(f.Name)) {
		p.bad.Add(rest.Join(at, key), "Invalid JSON payload received. Unknown name %q: Cannot find field.", server.Clip(key))
		return p.dec.Decode(new(json.RawMessage))
	}
	path := rest.Join(at, f.Name)
	if seen[f.Name] {
		p.bad.Add(path, "The field is set twice.")
	}
	seen[f.Name] = true
	v, err := p.value(*f, path)
	if err == nil && v != nil && !f.Ignored {
		obj[f.Name] = v
	}
	return err
}

func (p *payload) value(f field, path string) (any, error) {
	if f.Array {
		return p.array(f, path)
	}
	if f.Ref != "" {
		return p.nested(f, path)
	}
	var v any
	if err := p.dec.Decode(&v); err != nil {
		return nil, err
	}
	return p.scalar(f, path, v), nil
}

// nested reads an object, or null. It looks at the raw bytes so that a wrong type does not end the whole check.
func (p *payload) nested(f field, path string) (any, error) {
	var raw json.RawMessage
	if err := p.dec.Decode(&raw); err != nil {
		return nil, err
	}
	if string(raw) == "null" {
		return nil, nil
	}
	inner := payload{dec: json.NewDecoder(bytes.NewReader(raw))}
	inner.dec.UseNumber()
	obj, err := inner.object(f.Ref, path)
	p.bad = append(p.bad, inner.bad...)
	if err != nil && len(inner.bad) == 0 {
		return nil, err
	}
	return obj, nil
}

func (p *payload) array(f field, path string) (any, error) {
	var raws []json.RawMessage
	var raw json.RawMessage
	if err := p.dec.Decode(&raw); err != nil {
		return nil, err
	}
	if string(raw) == "null" {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &raws); err != nil {
		p.bad.Add(path, "Invalid value: it must be an array.")
		return nil, nil
	}
	one := f
	one.Array = false
	list := make([]any, 0, len(raws))
	for _, r := range raws {
		inner := payload{dec: json.NewDecoder(bytes.NewReader(r))}
		inner.dec.UseNumber()
		v, err := inner.value(one, path)
		p.bad = append(p.bad, inner.bad...)
		if err == nil && v == nil && len(inner.bad) == 0 {
			p.bad.Add(path, "Invalid value: null inside an array.")
		}
		list = append(list, v)
	}
	return list, nil
}

// scalar returns v when it is of the field's type, nil otherwise. An enumeration's zero value is the same as no value.
func (p *payload) scalar(f field, path string, v any) any {
	switch s, isString := v.(string); {
	case v == nil:
		return nil
	case f.Type == "boolean":
		if _, ok := v.(bool); !ok {
			p.bad.Add(path, "Invalid value: it must be true or false.")
			return nil
		}
	case f.Format == "int64" && !isString:
		if n, ok := v.(json.Number); !ok || strings.ContainsAny(n.String(), ".eE") {
			p.bad.Add(path, "Invalid value: it must be a whole number.")
		}
		return nil // only output fields are numbers
	case !isString:
		p.bad.Add(path, "Invalid value: it must be a string.")
		return nil
	case len(f.Enum) > 0 && !slices.Contains(f.Enum, s):
		p.bad.Add(path, "Invalid value: it must be one of %s.", strings.Join(f.Enum, ", "))
		return nil
	case len(f.Enum) > 0 && strings.HasSuffix(s, "_UNSPECIFIED"), s == "":
		return nil
	}
	return v
}

// checkRequired lists the required fields that are missing: those marked in the schema, and those that the method's prose calls for.
func checkRequired(m *method, obj object) rest.Violations {
	var bad rest.Violations
	checkFields(&bad, m.Request, "", obj)
	for _, path := range mandatory[m.Op] {
		if text, ok := obj.at(path).(string); obj.at(path) == nil || ok && strings.TrimSpace(text) == "" {
			if !slices.ContainsFunc(bad, func(known rest.Violation) bool { return known.Field == path }) {
				bad.Add(path, "Required field is missing.")
			}
		}
	}
	return bad.Sorted()
}

func checkFields(bad *rest.Violations, schema, at string, obj object) {
	for _, f := range schemas[schema] {
		inner, isObject := obj[f.Name].(object)
		switch {
		case f.Required && obj[f.Name] == nil:
			bad.Add(rest.Join(at, f.Name), "Required field is missing.")
		case isObject:
			checkFields(bad, f.Ref, rest.Join(at, f.Name), inner)
		}
	}
}

// at returns the value at a dotted path, nil if there is none.
func (o object) at(path string) any {
	head, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return o[head]
	}
	inner, ok := o[head].(object)
	if !ok {
		return nil
	}
	return inner.at(rest)
}

func (o object) text(path string) string {
	s, _ := o.at(path).(string)
	return s
}

func (o object) flag(path string) bool {
	b, _ := o.at(path).(bool)
	return b
}

func (o object) texts(path string) []string {
	list, _ := o.at(path).([]any)
	var all []string
	for _, v := range list {
		s, _ := v.(string)
		all = append(all, s)
	}
	return all
}
