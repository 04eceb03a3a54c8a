package bigquery

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/parquet-go/parquet-go"
)

const batch = 256 // rows read at a time

// noObjects is a bucket without any.
func noObjects(string) (io.ReaderAt, int64, error) { return nil, 0, fs.ErrNotExist }

// read brings the rows of a file into a sink, and says how many bytes it has.
func (tx *tx) read(uri string, into *sink) (_ int64, p *proto) {
	object, size, err := tx.opts.Objects(uri)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, &proto{Reason: "notFound", Location: uri, Message: "Not found: URI " + uri}
	case err != nil:
		return 0, &proto{Reason: "backendError", Location: uri, Message: "The file cannot be read now."}
	}
	if c, ok := object.(io.Closer); ok {
		defer c.Close()
	}
	defer func() { // a damaged file may make the reader panic
		if recover() != nil {
			p = unreadable(uri)
		}
	}()
	file, err := parquet.OpenFile(object, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0, unreadable(uri)
	}
	convert, p := converters(file, into)
	if p != nil {
		p.Location = uri
		return 0, p
	}
	for _, group := range file.RowGroups() {
		if p := readGroup(group, convert, into); p != nil {
			p.Location = uri
			return 0, p
		}
	}
	return size, nil
}

func unreadable(uri string) *proto {
	return &proto{Reason: "invalid", Location: uri, Message: "Error while reading data, error message: the file is not Parquet, or is damaged."}
}

// readGroup reads a row group, some rows at a time.
func readGroup(group parquet.RowGroup, convert []converter, into *sink) *proto {
	rows := group.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, batch)
	for {
		n, err := rows.ReadRows(buffer)
		for _, row := range buffer[:n] {
			if p := into.add(row, convert); p != nil {
				return p
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable("")
		}
	}
}

// converters has for each column of a file where its values go and what they become.
func converters(file *parquet.File, into *sink) ([]converter, *proto) {
	var all []converter
	seen := map[string]bool{}
	for _, c := range file.Root().Columns() {
		if !c.Leaf() || c.Repeated() {
			return nil, mismatch("Column %s: this simulator has not got nested and repeated columns.", c.Name())
		}
		to := named(into.table.Columns, c.Name())
		if to == nil {
			return nil, mismatch("No such field: %s.", c.Name())
		}
		if to.Mode == "REQUIRED" && c.Optional() {
			return nil, mismatch("Field %s is OPTIONAL in the file and REQUIRED in the table.", c.Name())
		}
		conv, err := converterOf(c, *to, into.load.Targets)
		if err != nil {
			return nil, mismatch("Error while reading data, error message: column %s %s", c.Name(), err)
		}
		conv.to = into.index(to.Name)
		all, seen[to.Name] = append(all, conv), true
	}
	for _, c := range into.table.Columns {
		if c.Mode == "REQUIRED" && !seen[c.Name] {
			return nil, mismatch("Field %s is REQUIRED and not in the file.", c.Name)
		}
	}
	return all, nil
}

// converter makes the text of a value, as tabledata.list writes it but for times, which are microseconds or days since 1970.
type converter struct {
	to   int // index of the table's column
	text func(parquet.Value) (string, error)
}

// converterOf finds the type that a column of a file becomes, which must be that of the table's column.
func converterOf(c *parquet.Column, to column, targets []string) (converter, error) {
	kind, text := natural(c, targets)
	if kind == "" {
		return converter{}, errors.New("has a type that this simulator has not got")
	}
	if kind != to.Type {
		return converter{}, fmt.Errorf("has the type %s, which is not that of the schema, %s", kind, to.Type)
	}
	return converter{text: text}, nil
}
