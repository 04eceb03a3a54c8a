package focusfile

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func unzip(r io.Reader) (*gzip.Reader, error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(r, bufferSize))
	return z, unreadable(err)
}

// unreadable classifies what a file fails with while it is read: its bytes are not ours, unless it says itself what is wrong.
func unreadable(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "read a FOCUS file")
}

type csvReader struct {
	zip *gzip.Reader
	in  *csv.Reader
	all []column
}

func readCSV(r io.Reader) (*csvReader, error) {
	z, err := unzip(r)
	if err != nil {
		return nil, err
	}
	c := &csvReader{zip: z, in: csv.NewReader(bufio.NewReaderSize(z, bufferSize)), all: columns()}
	c.in.ReuseRecord = true
	header, err := c.in.Read()
	if err != nil {
		return nil, unreadable(err)
	}
	if !slices.EqualFunc(header, c.all, func(name string, c column) bool { return name == c.Name }) {
		return nil, fault.New(fault.Invalid, "a FOCUS file has other columns than ours")
	}
	return c, nil
}

func (c *csvReader) next(r *focus.Row) error {
	cells, err := c.in.Read()
	if err == io.EOF {
		return io.EOF
	}
	if err != nil {
		return unreadable(err)
	}
	for i, s := range cells {
		if s == "" {
			err = c.all[i].setNull()
		} else {
			err = c.all[i].set(r, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *csvReader) close() { c.zip.Close() }

type jsonReader struct {
	zip *gzip.Reader
	in  *json.Decoder
	all []column
}

func readJSON(r io.Reader) (*jsonReader, error) {
	z, err := unzip(r)
	if err != nil {
		return nil, err
	}
	j := &jsonReader{zip: z, in: json.NewDecoder(z), all: columns()}
	j.in.UseNumber()
	return j, nil
}

// next reads an object whose members are columns, in our order: one that is not there is null.
func (j *jsonReader) next(r *focus.Row) error {
	start, err := j.in.Token()
	if err == io.EOF {
		return io.EOF
	}
	if err != nil || start != json.Delim('{') {
		return notOurs(err)
	}
	rest := j.all
	for j.in.More() {
		name, err := j.in.Token()
		if err != nil {
			return notOurs(err)
		}
		i := slices.IndexFunc(rest, func(c column) bool { return c.Name == name })
		if i < 0 {
			return fault.New(fault.Invalid, "a FOCUS file has other columns than ours, or in another order")
		}
		if err := skip(rest[:i]); err != nil {
			return err
		}
		if err := j.value(r, &rest[i]); err != nil {
			return err
		}
		rest = rest[i+1:]
	}
	if _, err := j.in.Token(); err != nil {
		return notOurs(err)
	}
	return skip(rest)
}

func (j *jsonReader) value(r *focus.Row, c *column) error {
	v, err := j.in.Token()
	if err != nil {
		return notOurs(err)
	}
	number := c.Kind == focus.Decimal || c.Kind == focus.Integer
	switch v := v.(type) {
	case json.Number:
		if number {
			return c.set(r, v.String())
		}
	case string:
		if !number && v != "" {
			return c.set(r, v)
		}
	}
	return fault.New(fault.Invalid, "a FOCUS file has a value of %s that is none", c.Name)
}

func (j *jsonReader) close() { j.zip.Close() }

// skip passes over columns that a row does not have.
func skip(all []column) error {
	for i := range all {
		if err := all[i].setNull(); err != nil {
			return err
		}
	}
	return nil
}

// notOurs is the error of a line that is not one of ours, or ends in its midst.
func notOurs(err error) error {
	if err == nil {
		err = errors.New("not an object of columns")
	}
	return unreadable(err)
}
