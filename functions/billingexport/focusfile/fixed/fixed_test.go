package fixed_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/focusfile/fixed"
)

const nines = "99999999999999999999999999999999999999" // 38 of them

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in    string
		scale int
		want  string
		err   error
	}{
		{"0", 9, "0", nil},
		{"0.000", 9, "0", nil},
		{"1.50", 9, "1.5", nil},
		{"0.123456789", 9, "0.123456789", nil},
		{"1.0000000000000", 9, "1", nil},
		{"9223372036.854775807", 9, "9223372036.854775807", nil},
		{"9999999999999999999", 9, "9999999999999999999", nil},
		{"0.1234567891", 9, "", fixed.ErrDecimals},
		{"1e-10", 9, "", fixed.ErrDecimals},
		{"1e2", 9, "100", nil},
		{"-1.5e-3", 9, "-0.0015", nil},
		{"+5", 9, "5", nil},
		{"1.", 9, "1", nil},
		{nines, 0, nines, nil},
		{"-" + nines, 0, "-" + nines, nil},
		{nines + "9", 0, "", fixed.ErrDigits},
		{"1" + strings.Repeat("0", 38), 0, "", fixed.ErrDigits},
		{nines[:29] + "." + nines[:9], 9, nines[:29] + "." + nines[:9], nil},
		{nines[:30], 9, "", fixed.ErrDigits},
		{"1e99", 9, "", fixed.ErrDigits},
		{"0e99", 9, "0", nil},
		{"1e-900", 9, "", fixed.ErrDecimals},
		{"1e900", 9, "", fixed.ErrDigits},
		{"", 9, "", fixed.ErrForm},
		{".", 9, "", fixed.ErrForm},
		{"1.2.3", 9, "", fixed.ErrForm},
		{"$1", 9, "", fixed.ErrForm},
		{"NaN", 9, "", fixed.ErrForm},
	} {
		n, err := fixed.Parse(tt.in, tt.scale)
		if !errors.Is(err, tt.err) || err == nil && string(n.Append(nil, tt.scale)) != tt.want {
			t.Errorf("%s: %s, %v", tt.in, n.Append(nil, tt.scale), err)
		}
	}
}

func TestMulHasItsLimit(t *testing.T) {
	parse := func(s string) fixed.Number {
		n, err := fixed.Parse(s, 9)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, tt := range []struct{ a, b, want string }{
		{"0.123456789", "1.000000001", "0.123456789123456789"},
		{"-3", "0.5", "-1.5"},
		{"-3", "-0.5", "1.5"},
		{"0", "-1", "0"},
		{"99999999999999999999.999999999", "1", "99999999999999999999.999999999"},
		{"100000000000000000000", "1", ""},
		{"10000000000000000000", "9.999999999", "99999999990000000000"},
		{"10000000000000000000", "10", ""},
		{"40000000000000000000000000000", "40000000000000000000000000000", ""},
		{"18446744073.709551616", "18446744073.709551616", ""},
	} {
		p, ok := parse(tt.a).Mul(parse(tt.b))
		if ok != (tt.want != "") || ok && string(p.Append(nil, 18)) != tt.want {
			t.Errorf("%s × %s is %s, %v", tt.a, tt.b, p.Append(nil, 18), ok)
		}
	}
}

func TestSum(t *testing.T) {
	largest, err := fixed.Parse("-"+nines, 0)
	if err != nil {
		t.Fatal(err)
	}
	var s fixed.Sum
	want := new(big.Int)
	for range 100 {
		s.Add(largest)
		want.Add(want, largest.Decimal(0).BigInt())
	}
	if got := s.Decimal(0).BigInt(); got.Cmp(want) != 0 {
		t.Errorf("%v, want %v", got, want)
	}
	for range 100 {
		s.Add(largest.Neg())
	}
	if s != (fixed.Sum{}) {
		t.Errorf("%v is not nothing", s)
	}
}

// FuzzNumber: every operation does what package decimal does, or says that it cannot.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "1", "-1.5", "0.123456789", nines, "-" + nines[:29] + ".999999999", "18446744073.709551616", "1e5", "1e-10", "00012.500", "9.", ".5", "1e999", "10000000000000000000"} {
		f.Add(s, "3.000000001")
		f.Add("-12345678901234567890.5", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 200 {
			return // a row of usage is refused long before
		}
		x, dx, ok := both(t, a)
		y, dy, and := both(t, b)
		if !ok || !and {
			return
		}
		if got, want := x.Sub(y).Decimal(9), dx.Sub(dy); !got.Equal(want) {
			t.Errorf("%s - %s is %s", a, b, got)
		}
		if x.Neg().Neg() != x || x.Sign() != dx.Sign() || fixed.FromBytes(x.Bytes()) != x || string(x.AppendBytes(nil)) != string(bytesOf(x)) {
			t.Errorf("%s: %v, sign %d", a, x, x.Sign())
		}
		product := dx.Mul(dy)
		p, fits := x.Mul(y)
		_, err := fixed.From(product, 18)
		if fits != (err == nil) || fits && !p.Decimal(18).Equal(product) {
			t.Errorf("%s × %s is %s, %v", a, b, p.Decimal(18), fits)
		}
		var s fixed.Sum
		s.Add(x)
		s.Add(y)
		if got := s.Decimal(9); !got.Equal(dx.Add(dy)) {
			t.Errorf("%s + %s is %s", a, b, got)
		}
	})
}

func bytesOf(n fixed.Number) []byte {
	b := n.Bytes()
	return b[:]
}

// both parses a text twice. What is too large for the oracle to write out is not compared.
func both(t *testing.T, s string) (fixed.Number, decimal.Decimal, bool) {
	n, err := fixed.Parse(s, 9)
	d, wrong := decimal.NewFromString(s)
	if wrong != nil {
		if err == nil {
			t.Fatalf("%q was read", s)
		}
		return n, d, false
	}
	if d.Exponent() > 1000 || d.Exponent() < -1000 {
		return n, d, false
	}
	exact := d.Equal(d.Truncate(9)) && len(d.Shift(9).Abs().BigInt().String()) <= fixed.Digits
	if exact != (err == nil) && !d.IsZero() {
		t.Fatalf("%q: %v", s, err)
	}
	if err == nil && (!n.Decimal(9).Equal(d) || string(n.Append(nil, 9)) != d.String() || !n.Valid()) {
		t.Fatalf("%q was read as %s", s, n.Append(nil, 9))
	}
	return n, d, err == nil
}

func BenchmarkParse(b *testing.B) {
	b.Run("fixed", func(b *testing.B) {
		for b.Loop() {
			fixed.Parse("123.456789", 9)
		}
	})
	b.Run("shopspring", func(b *testing.B) {
		for b.Loop() {
			decimal.NewFromString("123.456789")
		}
	})
}
