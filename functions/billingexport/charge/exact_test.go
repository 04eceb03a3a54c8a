package charge_test

import (
	"encoding/csv"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/charge"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// A million rows: the sums of the Parquet files, read back, of their descriptions and of the bill are those of big.Rat, to the last digit.
func TestMillionRowsExactly(t *testing.T) {
	const rows, lines = 1_000_000, 2_000
	g := newGenerator(rows, lines)
	var files []*os.File
	s := &spout{source: g, keep: func(contentType string) io.Writer {
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		return f
	}}
	o := options()
	o.Formats = o.Formats[:1]
	c, err := charge.Charge(t.Context(), s, fetched, charge.Stated{}, folder, o)
	if err != nil || c.Rows != rows || len(c.Lines) != lines || len(c.Verdicts) > 0 {
		t.Fatalf("%d rows, %d lines, %v: %v", c.Rows, len(c.Lines), c.Verdicts, err)
	}
	quantity, cost, marked := g.sums(t)
	var billed, billable big.Rat
	for _, l := range c.Lines {
		billed.Add(&billed, l.Cost.Rat())
		billable.Add(&billable, l.Billable.Rat())
	}
	if billed.Cmp(cost) != 0 || billable.Cmp(quantity) != 0 || c.Bill.Billed[0].Amount.Rat().Cmp(cost) != 0 {
		t.Errorf("the bill has %s of %s", billed.FloatString(18), billable.FloatString(9))
	}
	for i, want := range []*big.Rat{cost, marked} {
		if got := columnSum(t, files[i], "BilledCost", 18); got.Cmp(want) != 0 || c.Files[i].Billed[0].Amount.Rat().Cmp(want) != 0 {
			t.Errorf("%s has %s, and says %s", c.Files[i].Lens, got.FloatString(18), c.Files[i].Billed[0].Amount)
		}
		if got := columnSum(t, files[i], "PricingQuantity", 9); got.Cmp(quantity) != 0 {
			t.Errorf("%s has a quantity of %s", c.Files[i].Lens, got.FloatString(9))
		}
	}
}

// sums are the billable quantity, what it costs, and what it costs in lens tenant.
func (g *generator) sums(t *testing.T) (quantity, cost, marked *big.Rat) {
	quantity, cost, marked = new(big.Rat), new(big.Rat), new(big.Rat)
	billion := big.NewInt(1_000_000_000)
	for i, n := range g.billable {
		q, price := big.NewRat(n, 1), big.NewRat(g.price(i), 1)
		q.Quo(q, new(big.Rat).SetInt(billion))
		price.Quo(price, new(big.Rat).SetInt(billion))
		quantity.Add(quantity, q)
		cost.Add(cost, new(big.Rat).Mul(q, price))
		// 15% more, to nine decimals: FloatString rounds halves away from zero.
		unit, ok := new(big.Rat).SetString(new(big.Rat).Mul(price, big.NewRat(115, 100)).FloatString(9))
		if !ok {
			t.Fatal("no rounded price")
		}
		marked.Add(marked, unit.Mul(unit, q))
	}
	return quantity, cost, marked
}

// columnSum adds up a column, read by parquet-go alone.
func columnSum(t *testing.T, f *os.File, name string, scale int64) *big.Rat {
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	leaf, ok := file.Schema().Lookup(name)
	if !ok {
		t.Fatalf("no column %s", name)
	}
	sum, n := new(big.Int), new(big.Int)
	values := make([]parquet.Value, 4096)
	for _, group := range file.RowGroups() {
		in := parquet.NewColumnChunkValueReader(group.ColumnChunks()[leaf.ColumnIndex])
		for {
			count, err := in.ReadValues(values)
			for _, v := range values[:count] {
				sum.Add(sum, n.SetBytes(v.ByteArray())) // none is negative
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		in.Close()
	}
	return new(big.Rat).SetFrac(sum, new(big.Int).Exp(big.NewInt(10), big.NewInt(scale), nil))
}

// naive charges a file as one would who has all the time and memory: with big.Rat, row by row. It returns the cost by line of the file of rows
// that have one, and how many rows there are.
func naive(text string) (costs map[int64]*big.Rat, rows int64) {
	costs = map[int64]*big.Rat{}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\xef\xbb\xbf")))
	header, err := r.Read()
	if err != nil {
		return nil, 0
	}
	at := func(name string) int {
		return slices.IndexFunc(header, func(c string) bool {
			return strings.EqualFold(strings.TrimSpace(c), name) || name == "Price" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(c)), "price (")
		})
	}
	price, billable := at("Price"), at("Billable Qty")
	for {
		cells, err := r.Read()
		if err != nil {
			return costs, rows
		}
		rows++
		if price < 0 || billable < 0 {
			continue
		}
		p, ok := new(big.Rat).SetString(strings.TrimSpace(cells[price]))
		q, and := new(big.Rat).SetString(strings.TrimSpace(cells[billable]))
		if ok && and {
			line, _ := r.FieldPos(0)
			costs[int64(line)] = p.Mul(p, q)
		}
	}
}

// FuzzCharge: whatever the file is, every row of it is charged, outside or in quarantine, in every file alike, and what is charged is charged
// exactly.
func FuzzCharge(f *testing.F) {
	odd := file(cells(), cells("Price", "-0.000000001"), cells("Billable Usage", "2026-09-01"), cells("Cross", "CROSS-B"), cells("Org Id", "other"))
	for _, s := range []string{
		file(cells()), odd, "\xef\xbb\xbf" + odd, odd[:len(odd)-9], file(), "", "a,b\n", strings.Replace(odd, "USD", "", 1), strings.Replace(odd, "Tag", "New", 1),
		file(cells("Billable Usage", "2026-10-01"), cells("Billable Qty", "1e5"), cells("Price", "+1.5", "Usage Qty", "99999999999999999999999999999")),
		strings.ReplaceAll(odd, "\n", "\r\n"), file(cells("Sku Desc", "a\xffb", "Tag", "\"\r\n<>&")),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b := newBench(t)
		c := b.charge(text)
		costs, rows := naive(text)
		broken := slices.ContainsFunc(c.Verdicts, func(v bill.Verdict) bool { return v.Code == bill.BadFile })
		bad := b.quarantine(c)
		if counted := c.Rows + c.Outside + int64(max(len(bad)-1, 0)); counted != rows && !(broken && counted <= rows) {
			t.Fatalf("%d rows charged, %d outside, %d in quarantine, of %d", c.Rows, c.Outside, len(bad)-1, rows)
		}
		total := map[revision.Lens]*big.Rat{revision.Provider: new(big.Rat), revision.Tenant: new(big.Rat)}
		for i, f := range c.Files {
			sum := new(big.Rat)
			for _, r := range b.rows(f) {
				if f.Lens == revision.Provider && (costs[r.XSourceRow] == nil || costs[r.XSourceRow].Cmp(r.BilledCost.Rat()) != 0) {
					t.Errorf("%s: line %d costs %s, not %s", f.Name, r.XSourceRow, costs[r.XSourceRow], r.BilledCost)
				}
				sum.Add(sum, r.BilledCost.Rat())
			}
			if f.Rows != c.Rows || i%3 > 0 && sum.Cmp(total[f.Lens]) != 0 || sum.Cmp(added(f.Billed)) != 0 {
				t.Errorf("%s: %d rows of %d, %s", f.Name, f.Rows, c.Rows, sum.FloatString(18))
			}
			total[f.Lens] = sum
		}
		lines, err := charge.ReadBill(t.Context(), b.bucket, c.Bill)
		if err != nil {
			t.Fatal(err)
		}
		sum := new(big.Rat)
		for _, l := range lines {
			sum.Add(sum, l.Cost.Rat())
		}
		if sum.Cmp(total[revision.Provider]) != 0 {
			t.Errorf("the bill has %s, the file %s", sum, total[revision.Provider])
		}
	})
}

func added(all []revision.Money) *big.Rat {
	sum := decimal.Decimal{}
	for _, m := range all {
		sum = sum.Add(m.Amount)
	}
	return sum.Rat()
}
