package bill

import (
	"strings"

	"github.com/shopspring/decimal"
)

// NoCurrencyStated stands where a currency's code would, of amounts that nobody states one of.
const NoCurrencyStated = "no currency"

// Money writes an amount for people: the currency's code, then the Amount.
func Money(currency string, d decimal.Decimal) string {
	return CurrencyName(currency) + " " + Amount(d)
}

// CurrencyName is the code, or the words for there being none.
func CurrencyName(code string) string {
	if code == "" {
		return NoCurrencyStated
	}
	return code
}

// Amount writes a number for people: thousands apart, two decimals, rounded half away from zero. What would look like nothing but is not is
// written as less than a hundredth.
func Amount(d decimal.Decimal) string {
	r := d.Round(2)
	switch {
	case !r.IsZero() || d.IsZero():
		return grouped(r.StringFixed(2))
	case d.IsNegative():
		return "> −0.01"
	}
	return "< 0.01"
}

// Change is an Amount with its sign, whichever it is.
func Change(d decimal.Decimal) string {
	if d.Round(2).IsPositive() {
		return "+" + Amount(d)
	}
	return Amount(d)
}

// Exact writes all digits of a number, thousands apart.
func Exact(d decimal.Decimal) string { return grouped(d.String()) }

// grouped sets thousands apart in a plain decimal number, and gives it the sign that is as wide as a figure.
func grouped(s string) string {
	whole, fraction, dot := strings.Cut(s, ".")
	whole, negative := strings.CutPrefix(whole, "-")
	var b strings.Builder
	if negative {
		b.WriteString("−")
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if dot {
		b.WriteString("." + fraction)
	}
	return b.String()
}
