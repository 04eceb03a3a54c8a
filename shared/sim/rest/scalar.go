package rest

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strings"
)

// read returns v when it is of the field's type and not its zero value, nil otherwise. The zero value of an enumeration is the same as none.
func (f Field) read(bad *Violations, path string, v any, numbers bool) any {
	switch f.Type {
	case "any":
		return v
	case "object":
		if _, ok := v.(map[string]any); !ok {
			bad.Add(path, "Invalid value: it must be an object.")
		}
		return v
	case "boolean":
		b, ok := v.(bool)
		if !ok {
			bad.Add(path, "Invalid value: it must be true or false.")
		}
		if !b {
			return nil
		}
		return b
	case "integer", "number":
		return f.number(bad, path, v)
	}
	s, ok := v.(string)
	switch {
	case ok:
		return f.text(bad, path, s)
	case numbers && f.Format == "int64":
		if n, ok := v.(json.Number); !ok || strings.ContainsAny(n.String(), ".eE") {
			bad.Add(path, "Invalid value: it must be a whole number.")
		}
		return nil
	}
	bad.Add(path, "Invalid value: it must be a string.")
	return nil
}

func (f Field) number(bad *Violations, path string, v any) any {
	n, ok := v.(json.Number)
	if f.Type == "number" && ok {
		return n
	}
	i, err := n.Int64()
	if !ok || err != nil || i < math.MinInt32 || i > math.MaxInt32 {
		bad.Add(path, "Invalid value: it must be a 32-bit number.")
		return nil
	}
	if i == 0 {
		return nil
	}
	return i
}

func (f Field) text(bad *Violations, path, s string) any {
	_, err := base64.StdEncoding.DecodeString(s)
	switch {
	case len(f.Enum) > 0 && !slices.Contains(f.Enum, s):
		bad.Add(path, "Invalid value: it must be one of %s.", strings.Join(f.Enum, ", "))
		return nil
	case f.Format == "byte" && err != nil:
		bad.Add(path, "Invalid value: it must be base64.")
		return nil
	case len(f.Enum) > 0 && strings.HasSuffix(s, "_UNSPECIFIED"), s == "":
		return nil
	}
	return s
}
