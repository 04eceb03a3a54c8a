package report

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

func written(t testing.TB, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A tenant never reads what the hub charges us: the text of a verdict may say so.
func TestTenantsDoNotReadTheHubsPrices(t *testing.T) {
	p := cases()["one"]
	page := written(t, p)
	for _, secret := range []string{"8.368", "6225.792", "6300"} {
		if strings.Contains(page, secret) {
			t.Errorf("the tenant reads %s", secret)
		}
	}
	if !strings.Contains(page, meaning(bill.Mismatch)) || !strings.Contains(page, "host@eu") {
		t.Error("the tenant does not read that something is wrong, and with what")
	}
	p.Lens = revision.Provider
	if !strings.Contains(written(t, p), "6225.792") {
		t.Error("the provider does not read the figures")
	}
}

// A tenant whose usage could not be read has no lines, which is not the same as no usage.
func TestNothingIsSaidOfWhatCouldNotBeRead(t *testing.T) {
	const nothing, unread = "Nothing was charged in this month", "could be counted"
	p := Page{Month: october, State: revision.Unreconciled}
	if page := written(t, p); !strings.Contains(page, nothing) || strings.Contains(page, unread) {
		t.Error("a month without usage is not told as one")
	}
	p.Verdicts = []bill.Verdict{{Code: bill.Denied, Grave: true}}
	if page := written(t, p); strings.Contains(page, nothing) || !strings.Contains(page, unread) {
		t.Error("a month that could not be read is told as one without usage")
	}
}

// 5,000 lines: the exact total is that of rational numbers, the page stays small, and what is folded is counted.
func TestManyLines(t *testing.T) {
	p := cases()["many"]
	page := written(t, p)
	want, exact := exactly(p.Lines).FloatPrec()
	if !exact {
		t.Fatal("the total is no decimal")
	}
	value := exactly(p.Lines).FloatString(want)
	for _, s := range []string{`<data value="` + value + `" title="EUR ` + value + `">`, "The other 4,985 lines", "all others together", "And 30 more of the same kinds", "And 20 more."} {
		if !strings.Contains(page, s) {
			t.Errorf("%q is not on the page", s)
		}
	}
	if len(page) > 100_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

// Every sum that a page shows of one currency is the sum of its lines.
func TestTablesAddUp(t *testing.T) {
	for name, p := range cases() {
		for _, c := range p.view().Chapters {
			want := sum(slices.DeleteFunc(slices.Clone(p.Lines), func(l bill.Line) bool { return currencyName(l.Currency) != c.Currency }))
			for what, rows := range map[string]groups{"services": c.Services, "datacenters": c.Places} {
				var got decimal.Decimal
				for _, r := range rows.Rows {
					got = got.Add(dec(r.Cost.Value))
				}
				if !got.Equal(want) {
					t.Errorf("%s, %s: %s add up to %s, not %s", name, c.Currency, what, got, want)
				}
			}
			got := dec(c.Lines.Other.Value)
			for _, r := range c.Lines.Rows {
				got = got.Add(dec(r.Cost.Value))
			}
			if !got.Equal(want) || c.Lines.Total.Value != want.String() {
				t.Errorf("%s, %s: lines add up to %s, their total is %s, not %s", name, c.Currency, got, c.Lines.Total.Value, want)
			}
		}
	}
}

func TestBanners(t *testing.T) {
	grave, fine := []bill.Verdict{{Code: bill.Mismatch, Grave: true}}, []bill.Verdict{{Code: bill.Match}}
	was := []bill.Line{euros("vmc/host", "1", "1")}
	is := []bill.Line{euros("vmc/host", "1", "2")}
	for _, c := range []struct {
		p    Page
		want string
	}{
		{Page{State: revision.Preliminary}, "Preliminary"},
		{Page{State: revision.Preliminary, Verdicts: grave}, "Preliminary, with grave findings"},
		{Page{State: revision.Unreconciled, Verdicts: grave}, "Not reconciled"},
		{Page{State: revision.Unreconciled, Verdicts: fine}, "On hold"},
		{Page{State: revision.Published, Verdicts: fine}, "Final so far"},
		{Page{State: revision.Published, Verdicts: grave}, "Released with findings"},
		{Page{State: revision.Published, Lines: is, Since: was, SinceRevision: 1}, "Final so far, Restated"},
		{Page{State: revision.Published, Lines: is, Since: is, SinceRevision: 1}, "Final so far"},
		{Page{State: revision.Published, Lines: is, SinceRevision: 1}, "Final so far, Restated"},
		{Page{State: revision.Published, Lines: is, Since: was}, "Final so far"},
		{Page{State: revision.Preliminary, Lines: is, Since: was, SinceRevision: 1}, "Preliminary, Restated"},
	} {
		c.p.Month = october
		var titles []string
		for _, b := range c.p.view().Banners {
			titles = append(titles, b.Title)
		}
		if got := strings.Join(titles, ", "); got != c.want {
			t.Errorf("%s, %d verdicts: got %s, want %s", c.p.State, len(c.p.Verdicts), got, c.want)
		}
	}
}

// Every verdict and note there is has its words.
func TestEverythingHasWords(t *testing.T) {
	for _, c := range []bill.Code{
		bill.Match, bill.WithinTolerance, bill.Mismatch, bill.OnlyFile, bill.OnlyReport, bill.Truncated, bill.NoTerm, bill.NoService, bill.OutOfWindow,
		bill.PeriodMismatch, bill.OutsidePeriod, bill.Quarantined, bill.NoCurrency, bill.CurrencyClash, bill.TwoCurrencies, bill.BadFile, bill.Foreign,
		bill.Moved, bill.Denied, bill.Unreachable, bill.TooLarge, bill.UnknownService, bill.TwoSkus, bill.OddBillable, bill.Duplicates, bill.ExtraColumns,
	} {
		if meanings[c] == "" {
			t.Errorf("%s has no meaning", c)
		}
	}
	for _, c := range []bill.NoteCode{bill.NoteZeroUsage, bill.NoteStopped, bill.NoteMoved, bill.NotePrice, bill.NoteNewSku, bill.NoteVanishedSku} {
		if noteNames[c] == "" {
			t.Errorf("%s has no name", c)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct{ before, diff, want string }{
		{"100", "11.11", "+11.1 %"}, {"100", "-11.15", "−11.2 %"}, {"100", "0", "0.0 %"}, {"100", "0.01", "0.0 %"}, {"3", "1", "+33.3 %"},
		{"1", "9.99", "+999.0 %"}, {"1", "9.991", "over +999 %"}, {"1", "-11", "under −999 %"}, {"0", "5", ""}, {"-10", "5", ""},
	} {
		if got := strings.ReplaceAll(percentMore(dec(c.before), dec(c.diff)), "\u00a0", " "); got != c.want {
			t.Errorf("%s more on %s: %q, want %q", c.diff, c.before, got, c.want)
		}
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct{ part, whole, want string }{
		{"1", "3", "33.3 %"}, {"3", "3", "100.0 %"}, {"0", "3", "0.0 %"}, {"-1", "3", "–"}, {"4", "3", "–"}, {"1", "0", "–"}, {"-1", "-3", "–"},
	} {
		if got := strings.ReplaceAll(share(dec(c.part), dec(c.whole)), "\u00a0", " "); got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.part, c.whole, got, c.want)
		}
	}
}

func TestTrend(t *testing.T) {
	cost := func(amount string) []bill.Line { return []bill.Line{euros("vmc/host", amount, "1")} }
	p := Page{Month: october, Lines: cost("50"), Before: months(map[int][]bill.Line{
		-14: cost("9"), -13: cost("9"), -4: cost("100"), -3: cost("-100"), -1: {}, 0: cost("7"), 1: cost("7"),
	})}
	var got []string
	tr := p.trend("EUR", "x")
	for _, c := range tr.Months {
		s := fmt.Sprintf("%s %s+%s", c.Month, c.Top, c.Height)
		if c.Gap {
			s = c.Month.String() + " gap"
		}
		if c.Change != nil {
			s += " " + c.Change.Text
		}
		got = append(got, s)
	}
	want := []string{"2026-06 0+50", "2026-07 50+50 −200.00", "2026-08 gap", "2026-09 50+0", "2026-10 25+25 +50.00"}
	if !slices.Equal(got, want) || tr.Zero != "50" || tr.High != "EUR 100.00" || tr.Low != "EUR −100.00" {
		t.Errorf("got %q, zero at %s, from %s to %s", got, tr.Zero, tr.Low, tr.High)
	}
	p.Before = append(p.Before, months(map[int][]bill.Line{-12: cost("1")})...)
	if tr := p.trend("EUR", "x"); len(tr.Months) != mostMonths+1 || tr.Months[0].Gap {
		t.Errorf("%d months", len(tr.Months))
	}
	p.Before = months(map[int][]bill.Line{-13: cost("1"), 0: cost("1")})
	if tr := p.trend("EUR", "x"); tr != nil {
		t.Errorf("a trend of %d months, none of them in the last twelve", len(tr.Months))
	}
}

func TestBars(t *testing.T) {
	s := newScale(barWidth, dec("-50"), dec("150"))
	for _, c := range []struct {
		amount string
		want   bar
	}{
		{"150", bar{"25", "75", "25", false}}, {"-50", bar{"0", "25", "25", true}}, {"0", bar{"25", "0", "25", false}}, {"75", bar{"25", "37.5", "25", false}},
	} {
		if got := s.bar(dec(c.amount)); got != c.want {
			t.Errorf("%s: got %v, want %v", c.amount, got, c.want)
		}
	}
	if got := newScale(barWidth, decimal.Zero).bar(decimal.Zero); got != (bar{"0", "0", "0", false}) {
		t.Errorf("of nothing: %v", got)
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in, want string
		most     int
	}{
		{"plain", "plain", 5}, {"plaint", "plai…", 5}, {"жжжжж", "жжжжж", 5}, {"жжжжжж", "жжжж…", 5}, {"", "", 5},
		{" a\x00b\r\n\tc ", "a b c", 9}, {"a\xffb", "a\ufffdb", 9}, {"a\u202eb\u2066c", "abc", 9}, {"a\ufffeb", "a\ufffdb", 9}, {"שלום", "שלום", 9},
	} {
		if got := clean(c.in, c.most); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

// What is read stands out from the ground by 4.5 to 1, what is only seen by 3 to 1, in both colour schemes and on paper.
func TestContrast(t *testing.T) {
	style, err := pages.ReadFile("pages/style.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllSubmatch(style, -1)
	if len(schemes) != 3 {
		t.Fatalf("%d colour schemes", len(schemes))
	}
	for i, s := range schemes {
		colors := map[string]float64{}
		for _, m := range regexp.MustCompile(`--(\w+): #(\w{6});`).FindAllSubmatch(s[1], -1) {
			colors[string(m[1])] = luminance(t, string(m[2]))
		}
		for _, name := range strings.Fields("ink soft ok warn stop accent") {
			if got := min(contrast(colors[name], colors["paper"]), contrast(colors[name], colors["faint"])); got < 4.5 {
				t.Errorf("scheme %d: %s has a contrast of %.2f", i, name, got)
			}
		}
		for _, name := range strings.Fields("accent muted credit") { // drawings are on the paper
			if got := contrast(colors[name], colors["paper"]); got < 3 {
				t.Errorf("scheme %d: %s has a contrast of %.2f", i, name, got)
			}
		}
	}
}

func luminance(t *testing.T, hex string) (sum float64) {
	t.Helper()
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }
