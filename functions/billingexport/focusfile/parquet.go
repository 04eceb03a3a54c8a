package focusfile

import (
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Bounds of a row group, and so of memory.
const (
	groupRows  = 1 << 16
	groupBytes = 24 << 20 // of its texts, and as many of what rows share
	rowSize    = 3 << 10  // about what a row that charges share takes, beside its texts
)

const createdBy = "providerdesk version 1" // never of a build: the same rows are the same bytes

const magic = "PAR1"

// parquetWriter writes a Parquet file: row groups of column chunks that are a dictionary, if any, and one data page.
//
// Parquet-go's own writer takes every value of every row through a hash table or a buffer. Here a row of a group is a number: that of the row
// with which it shares most columns. A shared column's page is made at the end of the group, from those numbers and the place that each has
// in the column's dictionary; so 38 of 50 columns cost next to nothing. The encodings, the headers and the compression are parquet-go's.
type parquetWriter struct {
	out    io.Writer
	offset int64
	chunks []chunk
	rows   int     // of the group
	bytes  int     // of its own texts
	of     []int32 // per row: the number of the row that it shares columns with
	known  map[*focus.Row]int32
	shared int // bytes that the known rows take
	last   *focus.Row
	number int32 // of last
	meta   format.FileMetaData

	scratch scratch
}

func newParquetWriter(w io.Writer) *parquetWriter {
	p := &parquetWriter{out: w, known: map[*focus.Row]int32{}}
	for _, c := range columns() {
		p.chunks = append(p.chunks, chunk{column: c})
	}
	p.meta = format.FileMetaData{
		Version: 1, Schema: schema(p.chunks), CreatedBy: createdBy,
		KeyValueMetadata: []format.KeyValue{{Key: "focusVersion", Value: revision.FocusVersion}},
	}
	for range p.chunks {
		p.meta.ColumnOrders = append(p.meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	return p
}

func (p *parquetWriter) write(batch []Charge) error {
	for len(batch) > 0 {
		n := min(len(batch), groupRows-p.rows)
		if err := p.add(batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
		if p.rows == groupRows || p.bytes >= groupBytes || p.shared >= groupBytes {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// add takes rows into the group, the few columns that are their own first.
func (p *parquetWriter) add(batch []Charge) error {
	for i := range batch {
		n, err := p.numberOf(batch[i].Of)
		if err != nil {
			return err
		}
		p.of = append(p.of, n)
		p.bytes += len(batch[i].Timestamp) + len(batch[i].Extra)
	}
	for i := range p.chunks {
		p.chunks[i].add(batch)
	}
	p.rows += len(batch)
	return nil
}

// numberOf is the number of a row that charges share.
func (p *parquetWriter) numberOf(r *focus.Row) (int32, error) {
	if r == p.last {
		return p.number, nil
	}
	n, ok := p.known[r]
	if !ok {
		n = int32(len(p.known))
		p.known[r] = n
		for i := range p.chunks {
			size, err := p.chunks[i].share(r, &p.scratch)
			if err != nil {
				return 0, err
			}
			p.shared += size
		}
		p.shared += rowSize
	}
	p.last, p.number = r, n
	return n, nil
}

// flush writes the group.
func (p *parquetWriter) flush() error {
	if p.rows == 0 {
		return nil
	}
	group := format.RowGroup{NumRows: int64(p.rows), Ordinal: int16(len(p.meta.RowGroups)), FileOffset: p.start()}
	if err := p.begin(); err != nil {
		return err
	}
	for i := range p.chunks {
		meta, err := p.chunk(i)
		if err != nil {
			return err
		}
		group.Columns = append(group.Columns, format.ColumnChunk{MetaData: meta})
		group.TotalByteSize += meta.TotalUncompressedSize
		group.TotalCompressedSize += meta.TotalCompressedSize
	}
	p.meta.RowGroups = append(p.meta.RowGroups, group)
	p.meta.NumRows += group.NumRows
	p.reset()
	return nil
}

// reset begins the next group. The rows that charges share, and the dictionaries, remain if most of them were of use: a group is like the one
// before.
func (p *parquetWriter) reset() {
	forget := p.shared >= groupBytes || 2*p.used() < len(p.known)
	for i := range p.chunks {
		p.chunks[i].reset(forget)
	}
	p.of, p.rows, p.bytes = p.of[:0], 0, 0
	if forget {
		clear(p.known)
		p.shared, p.last = 0, nil
	}
}

// used is how many of the known rows this group has.
func (p *parquetWriter) used() (n int) {
	seen := make([]bool, len(p.known))
	for _, i := range p.of {
		if !seen[i] {
			seen[i] = true
			n++
		}
	}
	return n
}

// start is where the next row group begins.
func (p *parquetWriter) start() int64 { return max(p.offset, int64(len(magic))) }

func (p *parquetWriter) begin() error {
	if p.offset > 0 {
		return nil
	}
	return p.put([]byte(magic))
}

// chunk writes a column of the group.
func (p *parquetWriter) chunk(at int) (format.ColumnMetaData, error) {
	c := &p.chunks[at]
	meta := format.ColumnMetaData{Type: c.physical(), PathInSchema: []string{c.Name}, Codec: format.Snappy, NumValues: int64(p.rows)}
	if err := c.encode(p.of, p.chunks[:at], &p.scratch); err != nil {
		return meta, fault.Wrap(fault.Bug, err, "encode a Parquet column")
	}
	meta.Statistics = c.statistics()
	meta.Encoding = c.encodings()
	if c.useful {
		meta.DictionaryPageOffset = p.offset
		if err := p.page(&meta, c.dictionaryPage(&p.scratch)); err != nil {
			return meta, err
		}
	}
	meta.DataPageOffset = p.offset
	return meta, p.page(&meta, c.data)
}

func (p *parquetWriter) page(meta *format.ColumnMetaData, g page) error {
	header, err := thrift.Marshal(new(thrift.CompactProtocol), &g.header)
	if err != nil {
		return fault.Wrap(fault.Bug, err, "encode a Parquet page")
	}
	meta.TotalUncompressedSize += int64(len(header)) + int64(g.header.UncompressedPageSize)
	meta.TotalCompressedSize += int64(len(header) + len(g.body))
	return p.put(header, g.body)
}

func (p *parquetWriter) close() error {
	if err := p.flush(); err != nil {
		return err
	}
	if err := p.begin(); err != nil {
		return err
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &p.meta)
	if err != nil {
		return fault.Wrap(fault.Bug, err, "encode a Parquet footer")
	}
	n := len(footer)
	return p.put(footer, []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}, []byte(magic))
}

func (p *parquetWriter) put(pieces ...[]byte) error {
	for _, b := range pieces {
		n, err := p.out.Write(b)
		p.offset += int64(n)
		if err != nil {
			return fault.Wrap(fault.Transient, err, "write a FOCUS file")
		}
	}
	return nil
}
