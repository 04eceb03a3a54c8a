package rest

import (
	"slices"
	"strings"
)

// Missing lists the required fields that an object of a schema has not got, or has blank. A partial one may leave out any of its own, but
// what it has must be whole.
func (b Bodies[O]) Missing(schema string, obj O, partial bool) Violations {
	var bad Violations
	b.missing(&bad, schema, "", obj, partial)
	return bad.Sorted()
}

func (b Bodies[O]) missing(bad *Violations, schema, at string, obj O, partial bool) {
	for _, f := range b.Schemas[schema] {
		path := Join(at, f.Name)
		text, isText := obj[f.Name].(string)
		blank := obj[f.Name] == nil || isText && strings.TrimSpace(text) == ""
		if blank && !partial && (f.Required || slices.Contains(b.Mandatory[schema], f.Name)) {
			bad.Add(path, "Required field is missing.")
		}
		if inner, ok := obj[f.Name].(O); ok {
			b.missing(bad, f.Ref, path, inner, false)
		}
		for _, inner := range All[O](obj, f.Name) {
			b.missing(bad, f.Ref, path, inner, false)
		}
	}
}
