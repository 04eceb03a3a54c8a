package bench

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	priceForm = regexp.MustCompile(`(?m)^\| ([RWDPQ]) \| .* \| ([0-9.]+) / ([0-9,]+|TiB) \|$`)
	costForm  = regexp.MustCompile(`(?m)^([a-z ,]+) \| ([0-9.]+) \| ([0-9.]+) \| ([0-9,]+) \| ([0-9]+) \| ([0-9]+) \| ([0-9.]+)$`)
)

func number(t *testing.T, s string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCostsPage: docs/operate.md says what is promised here, and calculates with it.
func TestCostsPage(t *testing.T) {
	text, err := os.ReadFile("../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	price := map[string]float64{}
	for _, m := range priceForm.FindAllStringSubmatch(string(text), -1) {
		of := 1 << 40
		if m[3] != "TiB" {
			of = int(number(t, m[3]))
		}
		price[m[1]] = number(t, m[2]) / float64(of)
	}
	rows := map[string][]string{}
	for _, m := range costForm.FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m
		reads, writes, bytes, requests := number(t, m[2]), number(t, m[3]), number(t, m[4]), number(t, m[6])
		cost := 1e6 * (reads*price["R"] + writes*(price["W"]+price["D"]) + 2*bytes*price["P"] + requests*price["Q"])
		if got := fmt.Sprintf("%.1f", cost); got != m[7] {
			t.Errorf("a million of %s costs %s, not %s", m[1], got, m[7])
		}
	}
	for _, o := range occasions {
		row := rows[strings.ReplaceAll(o.name, "-", " ")]
		if row == nil {
			t.Errorf("the page has no %s", o.name)
			continue
		}
		told := [3]float64{number(t, row[2]), number(t, row[3]), number(t, row[5])}
		if promised := [3]float64{float64(o.limit.store.Reads), float64(o.limit.store.Writes), float64(o.limit.calls)}; told != promised {
			t.Errorf("%s: the page says %v reads, writes and calls, promised are %v", o.name, told, promised)
		}
	}
	if len(price) != 5 || len(rows) != 5 {
		t.Errorf("read %d prices and %d rows", len(price), len(rows))
	}
}
