package reconcile

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
)

// places is to how many decimal places a quantity is exact.
const places = 9

// millionth is how far apart figures may be, relative to the greater one, of which one has been a float.
var millionth = decimal.New(1, -6)

// figure is one figure as the bill and as the hub has it.
type figure struct {
	what         string
	ours, theirs decimal.Decimal
}

func (f figure) verdict() bill.Code {
	if f.ours.Round(places).Equal(f.theirs.Round(places)) {
		return bill.Match
	}
	most := decimal.Max(f.ours.Abs(), f.theirs.Abs()).Mul(millionth)
	if f.ours.Sub(f.theirs).Abs().LessThanOrEqual(most) {
		return bill.WithinTolerance
	}
	return bill.Mismatch
}

func (f figure) text() string {
	return fmt.Sprintf("%s: file %s, report %s, difference %s.", f.what, f.ours, f.theirs, f.ours.Sub(f.theirs))
}

const maxPlain = 64 // runes of a text of the hub in a verdict

// plain makes a text of the hub fit for a sentence.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
	if r := []rune(s); len(r) > maxPlain {
		return string(r[:maxPlain]) + "…"
	}
	return s
}
