package report

import (
	"github.com/shopspring/decimal"
)

// Measures of drawings, in their own units: a drawing is stretched to the room there is, so it holds no text.
const (
	barWidth    = 100
	trendHeight = 100
	slot        = 10 // of a month, across
	room        = 15 // tenths of it, before a column of a month
)

// scale maps amounts to 0..size. Zero is on it, so that a bar begins there and a credit goes the other way.
type scale struct{ low, high, size decimal.Decimal }

func newScale(size int64, amounts ...decimal.Decimal) scale {
	s := scale{size: decimal.NewFromInt(size)}
	for _, d := range amounts {
		s.low, s.high = decimal.Min(s.low, d), decimal.Max(s.high, d)
	}
	return s
}

// at is where an amount is, to a hundredth.
func (s scale) at(d decimal.Decimal) decimal.Decimal {
	span := s.high.Sub(s.low)
	if span.IsZero() {
		return decimal.Zero
	}
	return d.Sub(s.low).Mul(s.size).DivRound(span, 2)
}

// bar is a horizontal bar.
type bar struct {
	X, Width, Zero string
	Credit         bool
}

func scaleOf(names []string, sums map[string]decimal.Decimal) scale {
	amounts := make([]decimal.Decimal, len(names))
	for i, n := range names {
		amounts[i] = sums[n]
	}
	return newScale(barWidth, amounts...)
}

func (s scale) bar(d decimal.Decimal) bar {
	zero, end := s.at(decimal.Zero), s.at(d)
	return bar{decimal.Min(zero, end).String(), end.Sub(zero).Abs().String(), zero.String(), d.IsNegative()}
}
