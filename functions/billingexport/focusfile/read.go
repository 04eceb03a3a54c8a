package focusfile

import (
	"io"
	"iter"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile/fixed"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Read returns the rows of a file that a Writer wrote. It knows no other files: columns must be ours, in our order, of our types, and values as
// we write them. The sequence ends after its first error, which is fault.Invalid but for what r fails with. Of a text in CSV, a CR before an
// LF is not given back, as encoding/csv reads it.
func Read(f revision.Format, r io.ReaderAt, size int64) iter.Seq2[focus.Row, error] {
	return func(yield func(focus.Row, error) bool) {
		rows, err := newReader(f, r, size)
		if err != nil {
			yield(focus.Row{}, err)
			return
		}
		defer rows.close()
		for {
			var row focus.Row
			err := rows.next(&row)
			switch {
			case err == io.EOF:
				return
			case err != nil:
				yield(focus.Row{}, err)
				return
			case !yield(row, nil):
				return
			}
		}
	}
}

// reader fills in one row after the other, and returns io.EOF after the last.
type reader interface {
	next(*focus.Row) error
	close()
}

func newReader(f revision.Format, r io.ReaderAt, size int64) (reader, error) {
	switch f {
	case revision.Parquet:
		return readParquet(r, size)
	case revision.CSV:
		return readCSV(io.NewSectionReader(r, 0, size))
	case revision.JSONL:
		return readJSON(io.NewSectionReader(r, 0, size))
	}
	return nil, fault.New(fault.Bug, "no FOCUS file has this format")
}

// plain is a number as we write it.
var plain = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,37})(\.[0-9]{0,17}[1-9])?$`)

// set reads a value that is not null, as CSV and JSON have it, into its field.
func (c *column) set(r *focus.Row, s string) error {
	ok := true
	switch f := c.Field(r).(type) {
	case *string:
		*f = s
		ok = s != "" && utf8.ValidString(s)
	case *time.Time:
		t, err := time.Parse(layout, s)
		*f, ok = t, err == nil && !t.IsZero()
	case *decimal.Decimal:
		*f, ok = c.decimal(s)
	case *decimal.NullDecimal:
		f.Decimal, f.Valid = c.decimal(s)
		ok = f.Valid
	case *int64:
		n, err := strconv.ParseInt(s, 10, 64)
		*f, ok = n, err == nil && n != 0
	}
	if !ok {
		return fault.New(fault.Invalid, "a FOCUS file has a value of %s that is none", c.Name)
	}
	return nil
}

func (c *column) decimal(s string) (decimal.Decimal, bool) {
	if !plain.MatchString(s) {
		return decimal.Decimal{}, false
	}
	n, err := fixed.Parse(s, int(c.Scale))
	return n.Decimal(int(c.Scale)), err == nil
}

// setNull leaves a field as it is, if it may be.
func (c *column) setNull() error {
	if !c.Nullable {
		return fault.New(fault.Invalid, "a FOCUS file has a row without %s", c.Name)
	}
	return nil
}
