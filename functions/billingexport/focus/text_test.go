package focus

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/shopspring/decimal"
)

func unsafeText(b []byte) string { return unsafe.String(&b[0], len(b)) }

// What other producers' files hold, and what a text says that a typed value does not show any more.
func TestCheckText(t *testing.T) {
	for _, c := range []struct{ column, value, rule string }{
		{"BilledCost", "0", ""}, {"BilledCost", "-100.2", ""}, {"BilledCost", "1.234", ""}, {"BilledCost", "35.2E-7", ""}, {"BilledCost", "1E5", ""},
		{"BilledCost", "0.123456789012345678", ""}, {"BilledCost", "99999999999999999999.999999999999999999", ""}, {"BilledCost", "1E19", ""},
		{"BilledCost", "", notNull}, {"BilledCost", "NULL", nullHandling}, {"BilledCost", "N/A", nullHandling}, {"BilledCost", " ", nullHandling},
		{"BilledCost", "NaN", nullHandling}, {"BilledCost", "Infinity", numericFormat}, {"BilledCost", "0x10", numericFormat},
		{"BilledCost", "+5", numericFormat}, {"BilledCost", "1E+5", numericFormat}, {"BilledCost", "1e5", numericFormat}, {"BilledCost", "--5", numericFormat},
		{"BilledCost", "3,432,342", numericFormat}, {"BilledCost", "1,5", numericFormat}, {"BilledCost", "1.2.3", numericFormat}, {"BilledCost", "1.", numericFormat},
		{"BilledCost", ".5", numericFormat}, {"BilledCost", "$10,000.00 ", numericFormat}, {"BilledCost", "$32", numericFormat}, {"BilledCost", "32 GiB", numericFormat},
		{"BilledCost", "1 1/2", numericFormat}, {"BilledCost", "35.24 x 10^7", numericFormat}, {"BilledCost", "[4:5]", numericFormat}, {"BilledCost", "(5.00)", numericFormat},
		{"BilledCost", " 5", numericFormat}, {"BilledCost", "5\n", numericFormat}, {"BilledCost", "٥", numericFormat}, {"BilledCost", "1E999999999", numericFormat},
		{"BilledCost", "1E20", numericFormat}, {"BilledCost", "0.1234567890123456789", numericFormat}, {"BilledCost", strings.Repeat("0", 200), numericFormat},
		{"PricingQuantity", "", ""}, {"PricingQuantity", "0.000000001", ""}, {"PricingQuantity", "0.0000000001", numericFormat},
		{"PricingQuantity", "99999999999999999999999999999", ""}, {"PricingQuantity", "100000000000000000000000000000", numericFormat},
		{"ListUnitPrice", "NULL", nullHandling}, {"x_CommitQuantity", "+1", numericFormat},

		{"ChargePeriodStart", "2024-09-01T00:00:00Z", ""}, {"ChargePeriodStart", "2024-02-29T23:59:59Z", ""},
		{"ChargePeriodStart", "2024-09-01 00:00:00", timeFormat}, {"ChargePeriodStart", "2024-09-01T00:00:00", timeFormat},
		{"ChargePeriodStart", "2024-09-01", timeFormat}, {"ChargePeriodStart", "2024-09-01T00:00Z", timeFormat}, {"ChargePeriodStart", "2024-09-01T00:00:00z", timeFormat},
		{"ChargePeriodStart", "2024-09-01T00:00:00+00:00", timeFormat}, {"ChargePeriodStart", "2024-09-01T00:00:00.000Z", timeFormat},
		{"ChargePeriodStart", "2024-09-01T00:00:00,5Z", timeFormat}, {"ChargePeriodStart", "2023-02-29T00:00:00Z", timeFormat}, {"ChargePeriodStart", "2024-09-01T24:00:00Z", timeFormat},
		{"ChargePeriodStart", "2024-06-30T23:59:60Z", timeFormat}, {"ChargePeriodStart", "0000-01-01T00:00:00Z", timeFormat}, {"ChargePeriodStart", "09/01/2024", timeFormat},
		{"ChargePeriodStart", "", notNull}, {"ChargePeriodStart", "null", nullHandling},

		{"ProviderName", "VMware", ""}, {"ProviderName", "Société", ""}, {"ProviderName", "  VMware ", ""}, {"ProviderName", "Soci\xe9t\xe9", stringFormat},
		{"ProviderName", "", notNull}, {"ProviderName", "   ", nullHandling}, {"ProviderName", "\u00a0", nullHandling}, {"ProviderName", "Nutanix", ""}, {"ProviderName", "Not Applicable", nullHandling}, {"RegionId", "NULL", nullHandling},
		{"RegionId", "", ""}, {"BillingAccountName", "N/A", ""}, {"BillingAccountName", "\xff", stringFormat}, {"x_CustomerSegment", "NULL", ""},
		{"ChargeCategory", "Usage", ""}, {"ChargeCategory", "usage", allowedValues}, {"ChargeCategory", "Usage ", allowedValues}, {"ChargeCategory", "Refund", allowedValues},
		{"ChargeClass", "", ""}, {"ChargeClass", "Correction", ""}, {"ChargeClass", "Original", allowedValues}, {"ChargeFrequency", "Usage-Based", ""},
		{"ChargeFrequency", "One Time", allowedValues}, {"PricingCategory", "On-Demand", allowedValues}, {"ServiceCategory", "AI and Machine Learning", ""},
		{"ServiceCategory", "AI & ML", allowedValues}, {"ServiceSubcategory", "Other (Other)", ""}, {"ServiceSubcategory", "Other", allowedValues},
		{"BillingCurrency", "USD", ""}, {"BillingCurrency", "US$", currencyRule}, {"BillingCurrency", "XXX", currencyRule}, {"BillingCurrency", "eur", currencyRule},
		{"Tags", "", ""}, {"Tags", `{"a":"b"}`, ""}, {"Tags", `{"a":"b"`, pairsFormat}, {"Tags", `{'a':'b'}`, pairsFormat}, {"Tags", `[{"a":"b"}]`, pairsFormat},
		{"Tags", `{"a":{"b":1}}`, pairsFormat}, {"Tags", "null", nullHandling}, {"x_Extra", "null", pairsFormat}, {"x_Extra", `{"a":1,"a":1}`, pairsFormat},
		{"x_SourceRow", "2", ""}, {"x_SourceRow", "", ""}, {"x_SourceRow", "-2", numericFormat}, {"x_SourceRow", "2.0", numericFormat}, {"x_SourceRow", "9999999999999999999", numericFormat},
	} {
		if got := CheckText(named(t, c.column), c.value); got != c.rule {
			t.Errorf("%s %q breaks %q, want %q", c.column, c.value, got, c.rule)
		}
	}
}

func named(t testing.TB, name string) Column {
	t.Helper()
	c, ok := ColumnNamed(name)
	if !ok {
		t.Fatalf("no column %s", name)
	}
	return c
}

func TestCheckHeader(t *testing.T) {
	ours := func() (names []string) {
		for _, c := range Columns() {
			names = append(names, c.Name)
		}
		return names
	}
	for _, c := range []struct {
		name  string
		names []string
		wrong string
	}{
		{"ours", ours(), ""},
		{"the mandatory alone", mandatory, ""},
		{"a column of theirs", append(ours(), "Id"), "column 51 is neither one of FOCUS that is known here nor named x_"},
		{"one missing", mandatory[1:], "BilledCost is missing"},
		{"twice", append(ours(), "x_Extra"), "column 51 has the name of another"},
		{"own in between", append([]string{"x_A"}, mandatory...)[:22], "BilledCost stands behind a column of our own"},
		{"no Pascal case", append(ours(), "x_source_row"), "column 51 has a name of no allowed form"},
		{"nothing behind the prefix", append(ours(), "x_"), "column 51 has a name of no allowed form"},
		{"too long", append(ours(), "x_A"+strings.Repeat("b", 48)), "column 51 has a name of no allowed form"},
		{"nothing", nil, "BilledCost is missing"},
	} {
		wrong := CheckHeader(c.names)
		if first := strings.Join(wrong[:min(1, len(wrong))], ""); first != c.wrong {
			t.Errorf("%s: %q, want %q", c.name, wrong, c.wrong)
		}
	}
}

// FuzzCheckText: a text that is let through is what it says, by other means.
func FuzzCheckText(f *testing.F) {
	for _, s := range []string{"1.5", "+5", "1E+5", "-0.1E-3", "2024-09-01T00:00:00Z", `{"a":1}`, `{"a":{}}`, "NULL", "Usage", "\xff", "$10,000.00 ", ""} {
		for i := range columns {
			f.Add(byte(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, place byte, s string) {
		c := columns[int(place)%width]
		if CheckText(c, s) != "" || s == "" {
			return
		}
		switch c.Kind {
		case Decimal:
			n, ok := new(big.Rat).SetString(s)
			if !ok || strings.ContainsAny(s, "+, ") || !decimalHolds(n, c.Scale) {
				t.Errorf("%s lets %q through", c.Name, s)
			}
		case Time:
			if at, err := time.Parse(time.RFC3339, s); err != nil || at.Format(TimeLayout) != s {
				t.Errorf("%s lets %q through", c.Name, s)
			}
		case Pairs:
			if !isFlat(s) {
				t.Errorf("%s lets %q through", c.Name, s)
			}
		}
	})
}

// decimalHolds says by fractions what fits says by exponents.
func decimalHolds(n *big.Rat, scale int32) bool {
	shifted := new(big.Rat).Mul(n, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	return shifted.IsInt() && shifted.Num().CmpAbs(new(big.Int).Exp(big.NewInt(10), big.NewInt(Precision), nil)) < 0
}

func isFlat(s string) bool {
	var object map[string]any
	if json.Unmarshal([]byte(s), &object) != nil || object == nil {
		return false
	}
	for _, v := range object {
		switch v.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return true
}

// FuzzAdd: whatever a row holds, a checker ends, and lets through the numbers that fractions let through, and the values whose texts it does.
func FuzzAdd(f *testing.F) {
	f.Add(byte(billedCost), "x", int64(15), int32(-1), int64(0))
	f.Add(byte(listUnitPrice), "", int64(3), int32(math.MaxInt32), int64(1))
	f.Add(byte(pricingQuantity), "NULL", int64(0), int32(math.MaxInt32), int64(0))
	f.Add(byte(listCost), "NULL", int64(0), int32(math.MinInt32), int64(0))
	f.Add(byte(pricingQuantity), "{}", int64(-1), int32(math.MinInt32), int64(-1))
	f.Add(byte(billedCost), "Usage", int64(999999999999999), int32(5), int64(253402300800))
	f.Add(byte(tags), `{"a":[]}`, int64(1000), int32(17), int64(-62135596801))
	f.Fuzz(func(t *testing.T, place byte, s string, coefficient int64, exponent int32, seconds int64) {
		c := columns[int(place)%width]
		r := good()
		number := decimal.New(coefficient, exponent)
		switch field := c.Field(&r).(type) {
		case *string:
			*field = s
		case *decimal.Decimal:
			*field = number
		case *decimal.NullDecimal:
			*field = decimal.NewNullDecimal(number)
		case *time.Time:
			*field = time.Unix(seconds%(1<<40), 0).UTC()
		case *int64:
			*field = seconds
		}
		checker := New()
		checker.Add(r)
		checker.Add(good())
		own := findingOf(checker.Findings(), c.Name)
		switch {
		case c.Kind == Decimal && exponent > -1000 && exponent < 1000:
			if want := decimalHolds(number.Rat(), c.Scale); want == (own == numericFormat) {
				t.Errorf("%s %v: fractions say %v, the checker %q", c.Name, number, want, own)
			}
		case c.Kind == Text || c.Kind == Pairs:
			if want := CheckText(c, s); (want == "") != (own == "") {
				t.Errorf("%s %q: as text %q, in a row %q", c.Name, s, want, own)
			}
		}
	})
}

// findingOf returns the first broken rule of a column by itself.
func findingOf(found []Finding, column string) string {
	for _, f := range found {
		if _, byItself := says[f.Name]; byItself && f.Column == column {
			return f.Name
		}
	}
	return ""
}
