package bigquery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

var (
	columnForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,299}$`)
	tableForm  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
)

func isTable(id string) bool { return tableForm.MatchString(id) && len(id) <= maxName }

// spellings are the types that are simulated, each with its older spelling, in which answers have it.
var spellings = map[string]string{
	"STRING": "STRING", "BYTES": "BYTES", "INTEGER": "INTEGER", "INT64": "INTEGER", "FLOAT": "FLOAT", "FLOAT64": "FLOAT",
	"BOOLEAN": "BOOLEAN", "BOOL": "BOOLEAN", "TIMESTAMP": "TIMESTAMP", "DATE": "DATE", "NUMERIC": "NUMERIC", "BIGNUMERIC": "BIGNUMERIC",
}

// readColumns reads a schema.
func readColumns(schema object) ([]column, *rest.Failure) {
	if name := schema.beyond("fields"); name != "" {
		return nil, unsupported("schema." + name)
	}
	var all []column
	seen := map[string]bool{}
	for _, f := range schema.objects("fields") {
		if name := f.beyond("name", "type", "mode", "description"); name != "" {
			return nil, unsupported("schema.fields." + name)
		}
		c := column{f.text("name"), spellings[f.text("type")], f.text("mode"), f.text("description")}
		if c.Mode == "" {
			c.Mode = "NULLABLE"
		}
		switch lower := strings.ToLower(c.Name); {
		case !columnForm.MatchString(c.Name), seen[lower]:
			return nil, rest.Invalid("schema.fields.name", "Invalid field name, or the name of another field.")
		case c.Type == "":
			return nil, rest.Invalid("schema.fields.type", "Invalid type, or one that this simulator has not got.")
		case c.Mode != "NULLABLE" && c.Mode != "REQUIRED":
			return nil, rest.Invalid("schema.fields.mode", "The mode must be NULLABLE or REQUIRED; this simulator has not got REPEATED.")
		default:
			seen[lower] = true
		}
		all = append(all, c)
	}
	return all, nil
}

func named(columns []column, name string) *column {
	i := slices.IndexFunc(columns, func(c column) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return nil
	}
	return &columns[i]
}

// merge says why a schema does not go with the one that a table has, nil if it does: every column of the table is there as it was, and what is
// new is allowed and may be null.
func merge(have, given []column, add, relax bool) *proto {
	for _, c := range have {
		g := named(given, c.Name)
		switch {
		case g == nil:
			return mismatch("Field %s is missing in new schema", c.Name)
		case g.Type != c.Type:
			return mismatch("Field %s has changed type from %s to %s", c.Name, c.Type, g.Type)
		case g.Mode != c.Mode && (c.Mode != "REQUIRED" || !relax):
			return mismatch("Field %s has changed mode from %s to %s", c.Name, c.Mode, g.Mode)
		}
	}
	for _, g := range given {
		switch {
		case named(have, g.Name) != nil:
		case !add:
			return mismatch("Cannot add fields (field: %s)", g.Name)
		case g.Mode == "REQUIRED":
			return mismatch("Cannot add required fields to an existing schema. (field: %s)", g.Name)
		}
	}
	return nil
}

func mismatch(format string, args ...any) *proto {
	return &proto{Reason: "invalid", Message: fmt.Sprintf(format, args...)}
}

// union is a table's schema after a merge: its own columns where they were, as they are given, and the new ones behind.
func union(have, given []column) []column {
	var all []column
	for _, c := range have {
		all = append(all, *named(given, c.Name))
	}
	for _, g := range given {
		if named(have, g.Name) == nil {
			all = append(all, g)
		}
	}
	return all
}

// layouts are how decorators name a partition.
var layouts = map[string]string{"HOUR": "2006010215", "DAY": "20060102", "MONTH": "200601", "YEAR": "2006"}

func readPartitioning(o object, columns []column) (p partitioning, f *rest.Failure) {
	if o == nil {
		return p, nil
	}
	if name := o.beyond("type", "field"); name != "" {
		return p, unsupported("timePartitioning." + name)
	}
	p = partitioning{o.text("type"), o.text("field")}
	c := named(columns, p.Field)
	switch {
	case layouts[p.Type] == "":
		return p, rest.Invalid("timePartitioning.type", "The type must be HOUR, DAY, MONTH or YEAR.")
	case c == nil || c.Type != "TIMESTAMP" && c.Type != "DATE":
		return p, rest.Invalid("timePartitioning.field", "The field must be a TIMESTAMP or a DATE of the schema; this simulator has not got the time of loading.")
	}
	return p, nil
}

// partition is where a row of that time is.
func (p partitioning) partition(t time.Time) string { return t.UTC().Format(layouts[p.Type]) }

// names reports whether a decorator names a partition.
func (p partitioning) names(decorator string) bool {
	t, err := time.Parse(layouts[p.Type], decorator)
	return p.Type != "" && err == nil && p.partition(t) == decorator
}

func readClustering(o object, columns []column) ([]string, *rest.Failure) {
	if o == nil {
		return nil, nil
	}
	fields := o.texts("fields")
	if len(fields) == 0 || len(fields) > 4 {
		return nil, rest.Invalid("clustering.fields", "A table is clustered by 1 to 4 fields.")
	}
	for _, name := range fields {
		if c := named(columns, name); c == nil || c.Type == "FLOAT" || c.Type == "BYTES" {
			return nil, rest.Invalid("clustering.fields", "A field of the clustering is not in the schema, or of a type that cannot be clustered.")
		}
	}
	return fields, nil
}

func wireSchema(columns []column) any {
	fields := []any{}
	for _, c := range columns {
		f := map[string]any{"name": c.Name, "type": c.Type, "mode": c.Mode}
		if c.Description != "" {
			f["description"] = c.Description
		}
		fields = append(fields, f)
	}
	return map[string]any{"fields": fields}
}
