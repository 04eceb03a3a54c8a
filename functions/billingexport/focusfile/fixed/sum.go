package fixed

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// Sum adds numbers of one scale. It has 192 bits: it would take 2^64 of the largest to overflow. The zero value is zero.
type Sum struct{ top, hi, lo uint64 }

// Add adds a number.
func (s *Sum) Add(n Number) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, n.lo, 0)
	s.hi, carry = bits.Add64(s.hi, n.hi, carry)
	s.top, _ = bits.Add64(s.top, uint64(int64(n.hi)>>63), carry)
}

// Decimal returns the sum at its scale.
func (s Sum) Decimal(scale int) decimal.Decimal {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:8], s.top)
	binary.BigEndian.PutUint64(b[8:16], s.hi)
	binary.BigEndian.PutUint64(b[16:], s.lo)
	coefficient := new(big.Int).SetBytes(b[:])
	if s.top>>63 == 1 {
		coefficient.Sub(coefficient, new(big.Int).Lsh(big.NewInt(1), 192))
	}
	return decimal.NewFromBigInt(coefficient, -int32(scale))
}
