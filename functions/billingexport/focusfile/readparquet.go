package focusfile

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile/fixed"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// readBatch is how many values of a column are read at a time.
const readBatch = 1024

// parquetReader reads with parquet-go's own reader: whatever our writer gets wrong, it does not get wrong in the same way.
type parquetReader struct {
	all    []column
	groups []parquet.RowGroup // that are still to be read
	open   []*columnReader    // of the group that is being read
	left   int64              // rows of it
}

func readParquet(r io.ReaderAt, size int64) (*parquetReader, error) {
	file, err := parquet.OpenFile(r, size, parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, unreadable(err)
	}
	p := &parquetReader{all: columns(), groups: file.RowGroups()}
	if !p.ours(file.Metadata().Schema) {
		return nil, fault.New(fault.Invalid, "a FOCUS file has other columns than ours, or of other types")
	}
	return p, nil
}

// ours reports whether the columns are those that we write, type by type.
func (p *parquetReader) ours(schema []format.SchemaElement) bool {
	if len(schema) != len(p.all)+1 {
		return false
	}
	return slices.EqualFunc(schema[1:], p.all, func(e format.SchemaElement, c column) bool {
		want := c.element()
		return e.Name == want.Name && e.Type == want.Type && e.TypeLength == want.TypeLength && e.RepetitionType == want.RepetitionType &&
			e.Scale == want.Scale && e.Precision == want.Precision && e.ConvertedType == want.ConvertedType && !e.NumChildren.Valid
	})
}

func (p *parquetReader) next(r *focus.Row) error {
	for p.left == 0 {
		if len(p.groups) == 0 {
			return io.EOF
		}
		p.begin(p.groups[0])
		p.groups = p.groups[1:]
	}
	p.left--
	for i, c := range p.open {
		v, err := c.next()
		if err == nil {
			err = p.all[i].setValue(r, v)
		}
		if err != nil {
			return unreadable(err)
		}
	}
	return nil
}

func (p *parquetReader) begin(g parquet.RowGroup) {
	p.close()
	p.open, p.left = nil, g.NumRows()
	for _, chunk := range g.ColumnChunks() {
		p.open = append(p.open, &columnReader{in: parquet.NewColumnChunkValueReader(chunk)})
	}
}

func (p *parquetReader) close() {
	for _, c := range p.open {
		c.in.Close()
	}
}

type columnReader struct {
	in     parquet.ColumnChunkValueReader
	buffer [readBatch]parquet.Value
	values []parquet.Value
}

func (c *columnReader) next() (parquet.Value, error) {
	for len(c.values) == 0 {
		n, err := c.in.ReadValues(c.buffer[:])
		c.values = c.buffer[:n]
		if n > 0 {
			break
		}
		if err == io.EOF {
			err = errors.New("a column has fewer values than there are rows")
		}
		if err != nil {
			return parquet.Value{}, err
		}
	}
	v := c.values[0]
	c.values = c.values[1:]
	return v, nil
}

// setValue reads a value into its field.
func (c *column) setValue(r *focus.Row, v parquet.Value) error {
	if v.IsNull() {
		return c.setNull()
	}
	switch f := c.Field(r).(type) {
	case *string:
		return c.set(r, string(v.ByteArray()))
	case *time.Time:
		*f = time.UnixMicro(v.Int64()).UTC()
	case *int64:
		*f = v.Int64()
	case *decimal.Decimal:
		return c.setNumber(f, v)
	case *decimal.NullDecimal:
		f.Valid = true
		return c.setNumber(&f.Decimal, v)
	}
	return nil
}

func (c *column) setNumber(f *decimal.Decimal, v parquet.Value) error {
	n := fixed.FromBytes([fixed.Size]byte(v.ByteArray()))
	if !n.Valid() {
		return fault.New(fault.Invalid, "a FOCUS file has a value of %s that is none", c.Name)
	}
	*f = n.Decimal(int(c.Scale))
	return nil
}
