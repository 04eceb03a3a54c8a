package tenantonboard

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/providerdesk/providerdesk/shared/strict"
)

// The columns of a CSV request, one row a user. Roles and bindings are separated by ";". What is said of an organization stands in one row of
// its tenant at least, and is the same wherever it stands. Everything else that a request can say takes YAML or JSON.
var (
	organizationColumns = []string{"displayName", "companyName", "country", "city", "state", "zip", "domain"}
	userColumns         = []string{"email", "roles", "bindings"}
	optionalColumns     = []string{"bindings"}
)

func columns() []string { return slices.Concat([]string{"tenant"}, organizationColumns, userColumns) }

// csv makes the rows a tree of the same shape as the other forms, with the lines of the rows.
func (d *decoder) csv(body []byte) (strict.Value, bool) {
	if !d.Readable(body) {
		return strict.Value{}, false
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	r.FieldsPerRecord = -1 // counted here, so that one bad row does not hide the rest
	header, ok := d.header(r)
	if !ok {
		return strict.Value{}, false
	}
	t := table{decoder: d, tenants: map[string]*rows{}}
	for {
		cells, err := r.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return d.Tree(t.root()), true
		case errors.As(err, &bad):
			d.Add(bad.Line, "", "the row is not valid CSV: a text with quotes stands in quotes as a whole, with its own quotes doubled")
		case err != nil:
			d.Add(1, "", "the file cannot be read to its end")
			return strict.Value{}, false
		default:
			line, _ := r.FieldPos(0)
			t.add(line, header, cells)
		}
	}
}

// header reads the first row: every column that is needed, each once.
func (d *decoder) header(r *csv.Reader) (names []string, ok bool) {
	names, err := r.Read()
	if err != nil {
		d.Add(1, "", "the file has no header; its first row names the columns: %s", strict.Alternatives(columns()))
		return nil, false
	}
	ok = true
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
		switch {
		case !slices.Contains(columns(), names[i]):
			d.Add(1, "", "column %d is not known%s; the columns are %s", i+1, strict.Suggest(names[i], columns()), strict.Alternatives(columns()))
		case slices.Contains(names[:i], names[i]):
			d.Add(1, "", "column %s is there twice; remove one", names[i])
		default:
			continue
		}
		ok = false
	}
	for _, name := range columns() {
		if !slices.Contains(names, name) && !slices.Contains(optionalColumns, name) {
			d.Add(1, "", "column %s is missing", name)
			ok = false
		}
	}
	return names, ok
}

// table collects rows by tenant, in the order in which the tenants come.
type table struct {
	*decoder
	tenants map[string]*rows
	order   []*rows
}

// rows are those of one tenant.
type rows struct {
	line         int
	key          *yaml.Node
	organization map[string]*yaml.Node
	users        []*yaml.Node
}

func (t *table) add(line int, header, cells []string) {
	if len(cells) != len(header) {
		t.Add(line, "", "the row has %d columns, and the header %d", len(cells), len(header))
		return
	}
	row := map[string]string{}
	for i, name := range header {
		row[name] = strings.TrimSpace(cells[i])
	}
	to := t.of(row["tenant"], line)
	for _, name := range organizationColumns {
		t.agree(to, name, row[name], line)
	}
	to.users = append(to.users, userNode(row, line))
}

// of returns the rows of a tenant. A row that names none stands alone.
func (t *table) of(key string, line int) *rows {
	if to, ok := t.tenants[key]; ok && key != "" {
		return to
	}
	to := &rows{line: line, key: cell(key, line), organization: map[string]*yaml.Node{}}
	t.tenants[key], t.order = to, append(t.order, to)
	return to
}

// agree takes a cell over, unless an earlier row of the tenant says something else.
func (t *table) agree(to *rows, column, text string, line int) {
	switch before := to.organization[column]; {
	case text == "":
	case before == nil:
		to.organization[column] = cell(text, line)
	case before.Value != text:
		t.Add(line, column, "is not what line %d says of the same tenant; write the same in all its rows", before.Line)
	}
}

func (t *table) root() *yaml.Node {
	all := &yaml.Node{Kind: yaml.SequenceNode, Line: 1}
	for _, r := range t.order {
		org := &yaml.Node{Kind: yaml.MappingNode, Line: r.line}
		for _, name := range organizationColumns {
			put(org, name, r.organization[name])
		}
		tenant := &yaml.Node{Kind: yaml.MappingNode, Line: r.line}
		put(tenant, "tenant", r.key)
		put(tenant, "organization", org)
		put(tenant, "users", &yaml.Node{Kind: yaml.SequenceNode, Line: r.line, Content: r.users})
		all.Content = append(all.Content, tenant)
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Line: 1}
	put(root, "tenants", all)
	return root
}

func userNode(row map[string]string, line int) *yaml.Node {
	u := &yaml.Node{Kind: yaml.MappingNode, Line: line}
	put(u, "email", cell(row["email"], line))
	put(u, "roles", cells(row["roles"], line))
	put(u, "bindings", cells(row["bindings"], line))
	return u
}

// cell returns the node of a cell, nil of an empty one: that is as if it were not there.
func cell(text string, line int) *yaml.Node {
	if text == "" {
		return nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: line}
}

// cells returns the node of a cell that holds several words.
func cells(text string, line int) *yaml.Node {
	if text == "" {
		return nil
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Line: line}
	for word := range strings.SplitSeq(text, ";") {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.TrimSpace(word), Line: line})
	}
	return list
}

func put(to *yaml.Node, key string, v *yaml.Node) {
	if v != nil {
		to.Content = append(to.Content, cell(key, v.Line), v)
	}
}
