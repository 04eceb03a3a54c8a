package bigquery

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/shopspring/decimal"
)

// The columns that the control adds up, where a table has them.
const (
	costColumn     = "BilledCost"
	currencyColumn = "BillingCurrency"
)

// nullPartition is where rows are whose time is null.
const nullPartition = "__NULL__"

// sink takes the rows of a job, divided into partitions. Compressed, so that a million of them fit into memory.
type sink struct {
	table     tableRecord
	load      load
	row       []*string // the one that is being read
	parts     map[string]*part
	count     int64
	cost      int // index of the column, -1 without
	currency  int
	partition int
}

// part is what a job brings into a partition.
type part struct {
	bytes  bytes.Buffer
	zip    *gzip.Writer
	rows   int64
	size   int64 // before the compression
	billed map[string]decimal.Decimal
}

func newSink(t tableRecord, l load) *sink {
	s := &sink{table: t, load: l, row: make([]*string, len(t.Columns)), parts: map[string]*part{}}
	s.cost, s.currency, s.partition = s.index(costColumn), s.index(currencyColumn), s.index(t.Partitioned.Field)
	return s
}

// index is the place of a column in the table, -1 if it has none such.
func (s *sink) index(name string) int {
	return slices.IndexFunc(s.table.Columns, func(c column) bool { return c.Name == name })
}

// add takes one row of a file.
func (s *sink) add(row parquet.Row, convert []converter) *proto {
	clear(s.row)
	for _, v := range row {
		c := convert[v.Column()]
		if v.IsNull() {
			continue
		}
		text, err := c.text(v)
		if err != nil {
			return mismatch("Error while reading data, error message: column %s: %s", s.table.Columns[c.to].Name, err)
		}
		s.row[c.to] = &text
	}
	name := s.partitionOf()
	if want := s.load.Partition; want != "" && name != want {
		return mismatch("Some rows belong to different partitions rather than destination partition %s", want)
	}
	if err := s.part(name).put(s); err != nil {
		return &proto{Reason: "backendError", Message: "The rows cannot be written."}
	}
	s.count++
	return nil
}

// partitionOf is where the row belongs.
func (s *sink) partitionOf() string {
	switch {
	case s.partition < 0:
		return ""
	case s.row[s.partition] == nil:
		return nullPartition
	}
	n, _ := strconv.ParseInt(*s.row[s.partition], 10, 64) // the converter wrote it
	t := time.UnixMicro(n)
	if s.table.Columns[s.partition].Type == "DATE" {
		t = time.Unix(n*86400, 0)
	}
	return s.table.Partitioned.partition(t)
}

func (s *sink) part(name string) *part {
	p := s.parts[name]
	if p == nil {
		p = &part{billed: map[string]decimal.Decimal{}}
		p.zip = gzip.NewWriter(&p.bytes)
		s.parts[name] = p
	}
	return p
}

// put writes the row of a sink.
func (p *part) put(s *sink) error {
	line, err := json.Marshal(s.row)
	if err != nil {
		return err
	}
	p.rows, p.size = p.rows+1, p.size+int64(len(line))
	if s.cost >= 0 && s.row[s.cost] != nil {
		cost, err := decimal.NewFromString(*s.row[s.cost])
		if err != nil {
			return err
		}
		currency := ""
		if s.currency >= 0 && s.row[s.currency] != nil {
			currency = *s.row[s.currency]
		}
		p.billed[currency] = p.billed[currency].Add(cost)
	}
	_, err = p.zip.Write(append(line, '\n'))
	return err
}

// keep saves what a sink took, a blob for each partition.
func (tx *tx) keep(s *sink, job string) ([]segment, error) {
	var all []segment
	for _, name := range slices.Sorted(maps.Keys(s.parts)) {
		p := s.parts[name]
		if err := p.zip.Close(); err != nil {
			return nil, err
		}
		blob := fmt.Sprintf("%012d", tx.next())
		if err := tx.blobs.Save(blob, p.bytes.Bytes()); err != nil {
			return nil, err
		}
		g := segment{Partition: name, Blob: blob, Job: job, Rows: p.rows, Bytes: p.size, Billed: map[string]string{}}
		for currency, sum := range p.billed {
			g.Billed[currency] = sum.String()
		}
		all = append(all, g)
	}
	return all, nil
}
