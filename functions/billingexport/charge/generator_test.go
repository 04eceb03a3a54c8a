package charge_test

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/blob"
)

// generator is a usage file of any length that is nowhere: every byte is made when it is read. Lines of the bill repeat, as they do in a detailed
// report; quantities do not.
type generator struct {
	rows, lines int
	row         int
	rest        []byte
	line        []byte
	made        []string // the cells of a line that its rows have in common, before and after time and quantities

	billable []int64 // of the rows of a line so far, in billionths
}

func newGenerator(rows, lines int) *generator {
	g := &generator{rows: rows, lines: lines, billable: make([]int64, lines)}
	g.rest = append(g.rest, `"Org Id","Org Name","Org Status","Tag","Service Id","Service Name","Subscription Id","Sku Name","Sku Description","Datacenter",`+
		`"Billable Usage Timestamp","Price (USD)","Usage Qty","Commit Qty","Billable Qty","Product Family","Customer Segment","Cross Reference Sku"`+"\r\n"...)
	for i := range lines {
		sku := i % 97
		g.made = append(g.made,
			fmt.Sprintf(`"%s","Coke","ACTIVE","hightouchVMC","svc-%d","VMware Cloud on AWS","%08x-1111-2222-3333-444455556666","VMC-SKU-%03d","VMware Cloud host i%d.metal, on demand","us-west-%d","`,
				org, sku%3, i*2654435761&0xffffffff, sku, sku%7, sku%4),
			fmt.Sprintf(`","Hosts %d","MSP","CROSS-%03d"`+"\r\n", sku%5, sku))
	}
	return g
}

// price of a line in billionths.
func (g *generator) price(line int) int64 { return 1_000_000 + int64(line)*123_456_789%9_876_543_210 }

// quantity of a row in billionths.
func (g *generator) quantity(row int) int64 { return int64(row) * 7_777_777_777 % 1_000_000_000_000 }

func (g *generator) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(g.rest) == 0 {
			if g.row == g.rows {
				break
			}
			g.next()
		}
		m := copy(p[n:], g.rest)
		g.rest = g.rest[m:]
		n += m
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (g *generator) next() {
	line := g.row % g.lines
	usage, price := g.quantity(g.row), g.price(line)
	commit := usage / 3
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli() + int64(g.row/g.lines%(31*24))*3_600_000
	b := append(g.line[:0], g.made[2*line]...)
	b = append(strconv.AppendInt(b, at, 10), `","`...)
	b = append(billionths(b, price), `","`...)
	b = append(billionths(b, usage), `","`...)
	b = append(billionths(b, commit), `","`...)
	b = append(billionths(b, usage-commit), g.made[2*line+1]...)
	g.line, g.rest = b, b
	g.row++
	g.billable[line] += usage - commit
}

func billionths(b []byte, n int64) []byte {
	b = append(strconv.AppendInt(b, n/1_000_000_000, 10), '.')
	fraction := strconv.AppendInt(nil, n%1_000_000_000, 10)
	for range 9 - len(fraction) {
		b = append(b, '0')
	}
	return append(b, fraction...)
}

// spout is a bucket from which a usage file comes, and into which everything goes and is forgotten, but for what keep has a place for.
type spout struct {
	source io.Reader
	keep   func(contentType string) io.Writer
	bytes  atomic.Int64
}

func (s *spout) Open(context.Context, string) (blob.Reader, error) { return spoutReader{s.source}, nil }

func (s *spout) List(context.Context, string, string, int) ([]blob.Object, error) { return nil, nil }

func (s *spout) Create(_ context.Context, contentType string) (blob.Writer, error) {
	w := &spoutWriter{spout: s, digest: blob.NewDigest()}
	if s.keep != nil {
		w.to = s.keep(contentType)
	}
	return w, nil
}

type spoutReader struct{ io.Reader }

func (spoutReader) Close() error        { return nil }
func (spoutReader) Object() blob.Object { return blob.Object{} }

type spoutWriter struct {
	*spout
	digest *blob.Digest
	to     io.Writer
}

func (w *spoutWriter) Write(p []byte) (int, error) {
	w.spout.bytes.Add(int64(len(p)))
	if w.to != nil {
		if n, err := w.to.Write(p); err != nil {
			return n, err
		}
	}
	return w.digest.Write(p)
}

func (w *spoutWriter) Sum() blob.Sum { return w.digest.Sum() }
func (w *spoutWriter) Abort()        {}

func (w *spoutWriter) Commit(_ context.Context, name string, _ blob.Generation) (blob.Object, error) {
	s := w.digest.Sum()
	return blob.Object{Name: name, Generation: 1, Bytes: s.Bytes, CRC32C: s.CRC32C}, nil
}

// The generator makes what package charge charges without a word.
func TestGenerator(t *testing.T) {
	g := newGenerator(5000, 100)
	text, err := io.ReadAll(g)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	c := b.charge(string(text))
	if codes(c) != "" || c.Rows != 5000 || len(c.Lines) != 100 {
		t.Errorf("%s, %d rows, %d lines", codes(c), c.Rows, len(c.Lines))
	}
	for _, f := range c.Files {
		clean(t, f.Name, b.rows(f))
	}
}
