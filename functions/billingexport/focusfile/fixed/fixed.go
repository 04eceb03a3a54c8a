// Package fixed is exact decimals as the columns of a file hold them, DECIMAL(38, scale): a whole number of at most 38 digits in 128 bits, and a
// scale that whoever uses it knows. A row of usage has seven of them, so they are made without allocating: the plain numbers of a usage file
// are read digit by digit, all others by package decimal, which is also what says what is right.
//
// Nothing is ever rounded: what has no exact form is an error, or not ok.
package fixed

import (
	"encoding/binary"
	"errors"
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// Size is the bytes of a number in a file.
const Size = 16

// Digits is how many a number has at most.
const Digits = 38

// Reasons why a text or a decimal has no exact form.
var (
	ErrForm     = errors.New("not a decimal number")
	ErrDecimals = errors.New("more decimals than are kept")
	ErrDigits   = errors.New("more digits than can be kept")
)

// Number is a whole number x that stands for x·10^-scale, in two's complement. The zero value is zero.
type Number struct{ hi, lo uint64 }

// Of returns a number from one that fits in 64 bits.
func Of(n int64) Number { return Number{uint64(n >> 63), uint64(n)} }

// Parse reads a decimal number exactly, at a scale from 0 to 18.
func Parse(s string, scale int) (Number, error) {
	if n, ok := parsePlain(s, scale); ok {
		return n, nil
	}
	d, err := decimal.NewFromString(s)
	if err != nil || s == "" {
		return Number{}, ErrForm
	}
	return From(d, scale)
}

// parsePlain reads digits, a point and digits, if they are together no more than 19 and none of them is beyond the scale.
func parsePlain(s string, scale int) (Number, bool) {
	if len(s) == 0 || len(s) > 20 {
		return Number{}, false
	}
	var coefficient uint64
	point := -1
	for i := range len(s) {
		switch c := s[i] - '0'; {
		case c <= 9:
			coefficient = coefficient*10 + uint64(c)
		case s[i] == '.' && point < 0 && i > 0:
			point = i
		default:
			return Number{}, false
		}
	}
	digits, decimals := len(s), 0
	if point >= 0 {
		digits, decimals = len(s)-1, len(s)-1-point
	}
	if digits > 19 || decimals > scale || scale-decimals > 18 {
		return Number{}, false
	}
	hi, lo := bits.Mul64(coefficient, powers[scale-decimals])
	return Number{hi, lo}, true
}

// powers of ten that 64 bits hold.
var powers = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// limit is 10^38, which a number's absolute value is below.
var limit = Number{0x4b3b4ca85a86c47a, 0x098a224000000000}

// From returns a decimal at a scale, exactly.
func From(d decimal.Decimal, scale int) (Number, error) {
	if d.IsZero() {
		return Number{}, nil
	}
	// Of a number with an exponent of hostile size nothing may be written out.
	before := d.NumDigits() + int(d.Exponent()) // digits before the point
	switch {
	case before > Digits-scale:
		return Number{}, ErrDigits
	case before < -scale, d.Exponent() < -1000:
		return Number{}, ErrDecimals
	}
	shifted := d.Shift(int32(scale))
	if !shifted.IsInteger() {
		return Number{}, ErrDecimals
	}
	return fromBig(shifted.BigInt())
}

func fromBig(b *big.Int) (Number, error) {
	if b.BitLen() > 127 {
		return Number{}, ErrDigits
	}
	var raw [Size]byte
	new(big.Int).Abs(b).FillBytes(raw[:])
	n := FromBytes(raw)
	if n.atLeast(limit) {
		return Number{}, ErrDigits
	}
	if b.Sign() < 0 {
		n = n.Neg()
	}
	return n, nil
}

// FromBytes reads what Bytes wrote.
func FromBytes(b [Size]byte) Number {
	return Number{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// Bytes is the number as Parquet has it: two's complement, the highest byte first.
func (n Number) Bytes() (b [Size]byte) {
	binary.BigEndian.PutUint64(b[:8], n.hi)
	binary.BigEndian.PutUint64(b[8:], n.lo)
	return b
}

// AppendBytes appends Bytes.
func (n Number) AppendBytes(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, n.hi), n.lo)
}

// Valid reports whether a number that was read has no more than 38 digits.
func (n Number) Valid() bool { return !n.abs().atLeast(limit) }

// Sign is -1, 0 or 1.
func (n Number) Sign() int {
	switch {
	case n.hi>>63 == 1:
		return -1
	case n == Number{}:
		return 0
	}
	return 1
}

// Neg returns -n.
func (n Number) Neg() Number {
	lo, borrow := bits.Sub64(0, n.lo, 0)
	hi, _ := bits.Sub64(0, n.hi, borrow)
	return Number{hi, lo}
}

func (n Number) abs() Number {
	if n.Sign() < 0 {
		return n.Neg()
	}
	return n
}

// atLeast compares without signs.
func (n Number) atLeast(m Number) bool { return n.hi > m.hi || n.hi == m.hi && n.lo >= m.lo }

// Sub returns n-m of the same scale. It cannot overflow: both are below 2^126.
func (n Number) Sub(m Number) Number {
	lo, borrow := bits.Sub64(n.lo, m.lo, 0)
	hi, _ := bits.Sub64(n.hi, m.hi, borrow)
	return Number{hi, lo}
}

// Mul returns the exact product, whose scale is the sum of both; not ok if it has more than 38 digits.
func (n Number) Mul(m Number) (p Number, ok bool) {
	a, b := n.abs(), m.abs()
	switch {
	case a.hi == 0 && b.hi == 0:
		p.hi, p.lo = bits.Mul64(a.lo, b.lo)
	case a.hi != 0 && b.hi != 0:
		return Number{}, false // at least 2^128
	default:
		if p, ok = mulWide(a, b); !ok {
			return Number{}, false
		}
	}
	if p.atLeast(limit) {
		return Number{}, false
	}
	if n.hi>>63 != m.hi>>63 {
		p = p.Neg()
	}
	return p, true
}

// mulWide multiplies a number of more than 64 bits with one that has no more.
func mulWide(a, b Number) (Number, bool) {
	if a.hi == 0 {
		a, b = b, a
	}
	hi, lo := bits.Mul64(a.lo, b.lo)
	beyond, upper := bits.Mul64(a.hi, b.lo)
	hi, carry := bits.Add64(hi, upper, 0)
	return Number{hi, lo}, beyond == 0 && carry == 0
}

// Decimal returns the number at its scale.
func (n Number) Decimal(scale int) decimal.Decimal {
	if n.hi == uint64(int64(n.lo)>>63) {
		return decimal.New(int64(n.lo), -int32(scale))
	}
	b := n.abs().Bytes()
	coefficient := new(big.Int).SetBytes(b[:])
	if n.Sign() < 0 {
		coefficient.Neg(coefficient)
	}
	return decimal.NewFromBigInt(coefficient, -int32(scale))
}

// Append appends the number at its scale in plain digits: no exponent, no plus, no zeros at the end of a fraction.
func (n Number) Append(dst []byte, scale int) []byte {
	var buffer [Digits + 2]byte
	at := len(buffer)
	hi, lo := n.abs().hi, n.abs().lo
	fraction := false
	for i := 0; hi != 0 || lo != 0 || i <= scale; i++ {
		if i == scale && fraction {
			at--
			buffer[at] = '.'
		}
		var digit uint64
		if hi == 0 {
			lo, digit = lo/10, lo%10
		} else {
			var rest uint64
			hi, rest = hi/10, hi%10
			lo, digit = bits.Div64(rest, lo, 10)
		}
		if fraction = fraction || digit != 0; fraction || i >= scale {
			at--
			buffer[at] = byte('0' + digit)
		}
	}
	if n.Sign() < 0 {
		dst = append(dst, '-')
	}
	return append(dst, buffer[at:]...)
}

// Mix stirs the number into a hash, the same on every machine.
func (n Number) Mix(hash uint64) uint64 {
	hi, lo := bits.Mul64(hash^n.lo^0x9e3779b97f4a7c15, n.hi^0xd6e8feb86659fd93)
	return hi ^ lo ^ bits.RotateLeft64(n.lo, 29)
}
