package rest

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Field is one parameter of a method or one field of a schema, as published.
type Field struct {
	Name     string
	Type     string // "string", "boolean", "integer", "number"; "object" and "any" without a Ref are free; empty with a Ref
	Format   string
	Ref      string // the schema of an object
	Pattern  string
	Path     bool // stands in the path, not in the query
	Array    bool
	Required bool
	Ignored  bool // output only, or ignored on input
	Enum     []string
}

// Method is one method of an API, as published.
type Method struct {
	Op       string // the published id, or what is left of it without the API's name
	HTTP     string
	Path     string
	Upload   string // the path of a media upload, if the method takes one
	Request  string // schema names
	Response string
	Download bool // answers media with alt=media
	Params   []Field
}

// PathPattern puts the published pattern of each path parameter in its place. The last segment of a path holds no ':', which begins
// the verb of a custom method.
func PathPattern(path string, params []Field) *regexp.Regexp {
	expr := regexp.QuoteMeta(path)
	for _, p := range params {
		if p.Path {
			inner := strings.TrimSuffix(strings.TrimPrefix(p.Pattern, "^"), "$")
			expr = strings.Replace(expr, regexp.QuoteMeta("{+"+p.Name+"}"), "("+inner+")", 1)
		}
	}
	if cut, ok := strings.CutSuffix(expr, "[^/]+)"); ok {
		expr = cut + "[^/:]+)"
	}
	return regexp.MustCompile("^" + expr + "$")
}

// Named finds a field by its published name.
func Named(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// Parameter finds a query parameter in the first list that has it.
func Parameter(name string, lists ...[]Field) *Field {
	for _, list := range lists {
		if f := Named(list, name); f != nil && !f.Path {
			return f
		}
	}
	return nil
}

// CheckQuery lists what is wrong with a query whose parameters stand in the lists, in no order.
func CheckQuery(query url.Values, lists ...[]Field) Violations {
	var bad Violations
	for name, values := range query {
		f := Parameter(name, lists...)
		switch {
		case f == nil:
			bad.Add(name, "Invalid JSON payload received. Unknown name %q: Cannot bind query parameter.", server.Clip(name))
		case len(values) > 1 && !f.Array:
			bad.Add(name, "The parameter is not repeated.")
		default:
			for _, v := range values {
				bad.Check(name, f.Wrong(v))
			}
		}
	}
	return bad
}

// Wrong says what is wrong with the value of a parameter, nothing if it is right.
func (f Field) Wrong(value string) string {
	switch f.Type {
	case "integer":
		if n, err := strconv.ParseInt(value, 10, 32); err != nil || n < 0 {
			return "The value must be a 32-bit number that is not negative."
		}
	case "boolean":
		if value != "true" && value != "false" {
			return "The value must be true or false."
		}
	}
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, value) {
		return "The value must be one of " + strings.Join(f.Enum, ", ") + "."
	}
	return ""
}
