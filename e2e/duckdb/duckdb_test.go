package duckdb

import (
	"compress/gzip"
	"encoding/csv"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// A million rows are what the generator made, in the eyes of somebody else's reader and of our own.
func TestMillionRows(t *testing.T) {
	began := time.Now()
	files, u := export(t, rows, asProvider())
	t.Logf("%d rows generated, charged and written in %d formats in %v", rows, len(files), since(began))
	t.Run("our checker is clean on them", func(t *testing.T) { isClean(t, files[0], rows) })
	t.Run("DuckDB adds them up", func(t *testing.T) {
		files[2].Columns = columns("BillingCurrency", "BilledCost", "PricingQuantity", "x_SourceRow") // to read JSON takes long
		got := look(t, installed(t), files, false)
		t.Logf("read by DuckDB %s", got.Version)
		seesTypes(t, got.Files[0])
		seesSums(t, got, u)
		for _, c := range got.Files[0].Currencies {
			t.Logf("%s: %s rows, BilledCost %s, PricingQuantity %s, by DuckDB and by fractions alike",
				c.Currency, c.Rows, c.Figures["BilledCost"].Figure, c.Figures["PricingQuantity"].Figure)
		}
	})
}

// The three formats say the same in every row and column, in both lenses.
func TestFormatsSayTheSame(t *testing.T) {
	const rows = 5_000
	for _, in := range []revision.Account{asProvider(), asTenant()} {
		t.Run(string(in.Lens), func(t *testing.T) {
			files, u := export(t, rows, in)
			for _, f := range files {
				isClean(t, f, rows)
			}
			isWellWritten(t, files[1])
			got := look(t, installed(t), files, true)
			for i, f := range got.Files {
				if f.Differ != "0" {
					t.Errorf("%s rows of %s are not those of %s", f.Differ, files[i].Format, files[0].Format)
				}
			}
			if wrong := got.Files[0].WrongProducts; wrong != "0" {
				t.Errorf("in %s rows a price times the quantity is not the cost", wrong)
			}
			if in.Lens == revision.Provider {
				seesSums(t, got, u)
			}
		})
	}
}

func since(began time.Time) time.Duration { return time.Since(began).Round(time.Millisecond) }

// seesTypes looks at the types that Parquet has by itself.
func seesTypes(t *testing.T, f seenFile) {
	t.Helper()
	var want []string
	for _, c := range focus.Columns() {
		want = append(want, c.Name+" "+typeOf(c))
	}
	if !slices.Equal(f.Columns, want) {
		t.Errorf("DuckDB sees\n%s\nwant\n%s", strings.Join(f.Columns, ", "), strings.Join(want, ", "))
	}
	if f.WrongProducts != "0" {
		t.Errorf("in %s rows a price times the quantity is not the cost", f.WrongProducts)
	}
}

func typeOf(c focus.Column) string {
	switch c.Kind {
	case focus.Decimal:
		return "DECIMAL(38," + strconv.Itoa(int(c.Scale)) + ")"
	case focus.Time:
		return "TIMESTAMP WITH TIME ZONE"
	case focus.Integer:
		return "BIGINT"
	}
	return "VARCHAR"
}

func seesSums(t *testing.T, got seen, u *usage) {
	t.Helper()
	for i, f := range got.Files {
		if len(f.Currencies) != len(u.of) {
			t.Errorf("%s: %d currencies, want %d", formats[i], len(f.Currencies), len(u.of))
		}
		for _, c := range f.Currencies {
			want := u.of[c.Currency]
			if want == nil {
				t.Errorf("%s: rows of currency %q", formats[i], c.Currency)
				continue
			}
			want.compare(t, string(formats[i])+" "+c.Currency, c)
		}
	}
}

// compare compares to the last digit what DuckDB was asked to look at.
func (s *sums) compare(t *testing.T, of string, c seenCurrency) {
	t.Helper()
	numbers, others := s.numbers(), s.others()
	for name, got := range c.Figures {
		if want := numbers[name]; want != nil {
			if n, ok := new(big.Rat).SetString(got.Figure); !ok || n.Cmp(want) != 0 {
				t.Errorf("%s: sum of %s is %s, want %s", of, name, got.Figure, want.FloatString(18))
			}
		}
		if want, ok := others[name]; ok && got.Figure != want {
			t.Errorf("%s: %s comes to %s, want %s", of, name, got.Figure, want)
		}
		if want := strconv.FormatInt(s.nulls()[name], 10); got.Nulls != want {
			t.Errorf("%s: %s is null in %s rows, want %s", of, name, got.Nulls, want)
		}
	}
	if c.Rows != strconv.FormatInt(s.rows, 10) || len(c.Figures) == 0 {
		t.Errorf("%s: %s rows and %d columns, want %d rows", of, c.Rows, len(c.Figures), s.rows)
	}
}

func (s *sums) numbers() map[string]*big.Rat {
	return map[string]*big.Rat{
		"BilledCost": s.billed(), "EffectiveCost": s.billed(), "ListCost": s.billed(), "ContractedCost": s.billed(),
		"PricingQuantity": s.priced(), "ConsumedQuantity": s.consumed(), "x_CommitQuantity": s.committed(),
		"x_SourceRow": new(big.Rat).SetInt64(s.lineNumbers),
	}
}

func (s *sums) others() map[string]string {
	day := func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	return map[string]string{
		"ChargePeriodStart": seconds(s.first, s.last), "ChargePeriodEnd": seconds(day(s.first), day(s.last)),
		"BillingPeriodStart": seconds(october, october), "BillingPeriodEnd": seconds(october.AddDate(0, 1, 0), october.AddDate(0, 1, 0)),
		"SkuPriceId": strconv.Itoa(s.skus()), "SkuId": strconv.Itoa(s.skus()),
	}
}

func seconds(first, last time.Time) string {
	return strconv.FormatInt(first.Unix(), 10) + " " + strconv.FormatInt(last.Unix(), 10)
}

// nulls: where there was nothing, and nowhere else.
func (s *sums) nulls() map[string]int64 {
	return map[string]int64{
		"RegionId": s.noRegion, "RegionName": s.noRegion, "Tags": s.noTag, "x_CustomerSegment": s.noSegment, "x_Extra": s.noExtra,
		"InvoiceId": s.rows, "ChargeClass": s.rows, "BillingAccountName": s.rows, // nobody tells the master's name
	}
}

// isClean reads a file with our own reader and lets our own checker look at every row.
func isClean(t *testing.T, of file, rows int64) {
	t.Helper()
	f, err := os.Open(of.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	checker := focus.New()
	for row, err := range focusfile.Read(of.Format, f, info.Size()) {
		if err != nil {
			t.Fatal(err)
		}
		checker.Add(row)
	}
	for _, finding := range checker.Findings() {
		t.Errorf("%s: %+v", of.Format, finding)
	}
	if checker.Rows() != rows {
		t.Errorf("%s: %d rows, want %d", of.Format, checker.Rows(), rows)
	}
	t.Logf("%s: %d rules hold in %d rows, read back in %v", of.Format, len(focus.Rules()), checker.Rows(), since(began))
}

// isWellWritten looks at a CSV file as text, before anybody gives it types.
func isWellWritten(t *testing.T, of file) {
	t.Helper()
	f, err := os.Open(of.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(unzipped).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range focus.CheckHeader(all[0]) {
		t.Error(wrong)
	}
	columns, broken := focus.Columns(), map[string]int{}
	for _, cells := range all[1:] {
		for i, c := range columns {
			if rule := focus.CheckText(c, cells[i]); rule != "" {
				broken[c.Name+" "+rule]++
			}
		}
	}
	for rule, n := range broken {
		t.Errorf("%s is broken in %d rows", rule, n)
	}
}
