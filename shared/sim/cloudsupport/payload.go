package cloudsupport

import (
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// object is a request body after the check: published names, only fields that a caller may set, no nulls.
type object map[string]any

// parsePayload checks a JSON body against a schema. The fields that may be numbers are output only.
func parsePayload(schema string, body []byte) (object, *rest.Failure) {
	return rest.Bodies[object]{Schemas: schemas, Void: "null", NamesFirst: true, Numbers: true}.Parse(schema, body)
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

func (o object) flag(name string) bool      { return rest.Of[bool](o, name) }
func (o object) texts(name string) []string { return rest.All[string](o, name) }
