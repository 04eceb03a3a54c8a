package duckdb

import (
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// header is that of the guide, in another order, with a column that it does not have. The price names no currency: the report does.
const header = `"Org Id","Org Name","Org Status","Tag","Service Id","Service Name","Subscription Id","Sku Name","Sku Description","Datacenter",` +
	`"Billable Usage Timestamp","Usage Qty","Commit Qty","Billable Qty","Price ()","Product Family","Customer Segment","Cross Reference Sku","Note"`

const (
	org    = "9d9648a7-115a-4a06-a613-a0c4077469f7"
	master = "2b3c8f60-0d5e-4a49-8b5e-5d6f9f5a3c11"
	lines  = 400 // of the bill
)

var october = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// services of which the export knows the category, and one of which it does not.
var services = []string{"VMware Cloud on AWS", "Log Intelligence", "Cost Insight", "Société «Ünïcode» 株式会社"}

// usage writes a usage file of so many rows, and adds up what it wrote by fractions.
type usage struct {
	random *rand.Rand
	line   int64            // of the file, where the next row begins
	of     map[string]*sums // by currency
}

// sums are exact.
type sums struct {
	rows                                int64
	of                                  [lines]amounts
	first, last                         time.Time // days
	lineNumbers                         int64     // of the rows in the file, added up
	noRegion, noTag, noSegment, noExtra int64
}

// amounts of a line are in billionths.
type amounts struct{ used, committed, billable big.Int }

// total adds up what a line comes to, as fractions.
func (s *sums) total(of func(n int, a *amounts) *big.Rat) *big.Rat {
	sum := new(big.Rat)
	for n := range s.of {
		sum.Add(sum, of(n, &s.of[n]))
	}
	return sum
}

func ones(billionths *big.Int) *big.Rat { return new(big.Rat).SetFrac(billionths, big.NewInt(1e9)) }

func (s *sums) billed() *big.Rat {
	return s.total(func(n int, a *amounts) *big.Rat {
		price, _ := new(big.Rat).SetString(priceOf(n))
		return price.Mul(price, ones(&a.billable))
	})
}

func (s *sums) priced() *big.Rat {
	return s.total(func(_ int, a *amounts) *big.Rat { return ones(&a.billable) })
}

func (s *sums) consumed() *big.Rat {
	return s.total(func(_ int, a *amounts) *big.Rat { return ones(&a.used) })
}

func (s *sums) committed() *big.Rat {
	return s.total(func(_ int, a *amounts) *big.Rat { return ones(&a.committed) })
}

// skus is how many lines have rows.
func (s *sums) skus() (n int) {
	for i := range s.of {
		if s.of[i].used.Sign() > 0 {
			n++
		}
	}
	return n
}

func newUsage() *usage {
	return &usage{random: rand.New(rand.NewPCG(20261001, 5)), line: 2, of: map[string]*sums{}}
}

// write writes the file. One line of the bill in fifty names no region, another no tag, and so on: those are nulls. A tag goes over two lines.
func (u *usage) write(to io.Writer, rows int64) error {
	if _, err := io.WriteString(to, header+"\r\n"); err != nil {
		return err
	}
	for range rows {
		row := u.row()
		if _, err := io.WriteString(to, row); err != nil {
			return err
		}
		u.line += int64(strings.Count(row, "\n"))
	}
	return nil
}

// row makes the next row. All that a line of a bill has in common hangs on the line's number.
func (u *usage) row() string {
	n := u.random.IntN(lines)
	at := october.AddDate(0, 0, u.random.IntN(31)).Add(time.Duration(u.random.IntN(24)) * time.Hour)
	used, commit := u.quantity(n), int64(0)
	if n%3 == 0 {
		commit = u.random.Int64N(5) * 1e9
	}
	billable := max(0, used-commit)
	note := []string{"", `a "quoted" note, with a comma`}[u.random.IntN(2)]
	u.add(n, at, used, commit, billable, note)
	cells := []string{
		org, "Acme, Inc. 株式会社", "ACTIVE", tagOf(n), "service-" + strconv.Itoa(n%4), services[n%4], "subscription-" + strconv.Itoa(n%7),
		"SKU-" + strconv.Itoa(n), descriptionOf(n), regionOf(n), strconv.FormatInt(at.UnixMilli(), 10), decimals(used), decimals(commit), decimals(billable),
		priceOf(n), "Family", segmentOf(n), crossReference(n), note,
	}
	for i, c := range cells {
		cells[i] = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
	}
	return strings.Join(cells, ",") + "\r\n"
}

// quantity is in billionths, and now and then has more digits than a double can hold.
func (u *usage) quantity(n int) int64 {
	switch n % 5 {
	case 0:
		return u.random.Int64N(1000)*1e9 + 1e9
	case 1:
		return u.random.Int64N(1e18) + 1
	case 2:
		return u.random.Int64N(1e9) + 1
	}
	return u.random.Int64N(1000000)*1e8 + 1e8
}

// decimals writes billionths as ones, with a point if it takes one.
func decimals(billionths int64) string {
	whole, rest := billionths/1e9, billionths%1e9
	if rest == 0 {
		return strconv.FormatInt(whole, 10)
	}
	digits := strconv.FormatInt(1e9+rest, 10)[1:]
	return strconv.FormatInt(whole, 10) + "." + digits
}

func priceOf(n int) string {
	switch n % 4 {
	case 0:
		return "0.1"
	case 1:
		return fmt.Sprintf("%d.%09d", n, 999999999-n)
	case 2:
		return "51987.0"
	}
	return fmt.Sprintf("0.00000000%d", n%9+1)
}

func crossReference(n int) string { return fmt.Sprintf("XREF-%d", n) }

func currencyOf(n int) string { return []string{"USD", "EUR", "JPY"}[n%3] }

func tagOf(n int) string {
	if n%50 == 1 {
		return ""
	}
	return fmt.Sprintf("cost \"center\" %d\nNorth", n%11)
}

func regionOf(n int) string {
	if n%50 == 2 {
		return ""
	}
	return fmt.Sprintf("eu-west-%d", n%5)
}

func segmentOf(n int) string {
	if n%50 == 3 {
		return ""
	}
	return "Commercial"
}

func descriptionOf(n int) string { return fmt.Sprintf("Hosts, \"i3\" %d", n) }

// add adds a row up.
func (u *usage) add(n int, at time.Time, used, commit, billable int64, note string) {
	s := u.of[currencyOf(n)]
	if s == nil {
		s = &sums{first: october.AddDate(1, 0, 0)}
		u.of[currencyOf(n)] = s
	}
	s.rows++
	s.lineNumbers += u.line
	plus(&s.of[n].used, used)
	plus(&s.of[n].committed, commit)
	plus(&s.of[n].billable, billable)
	countNull(&s.noRegion, regionOf(n))
	countNull(&s.noTag, tagOf(n))
	countNull(&s.noSegment, segmentOf(n))
	countNull(&s.noExtra, note)
	day := at.Truncate(24 * time.Hour)
	if day.Before(s.first) {
		s.first = day
	}
	if day.After(s.last) {
		s.last = day
	}
}

func plus(sum *big.Int, n int64) { sum.Add(sum, big.NewInt(n)) }

func countNull(count *int64, text string) {
	if text == "" {
		*count++
	}
}
