package focus

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// fits reports whether a decimal loses nothing in a DECIMAL(38, scale). Numbers of any size and exponent are judged without being written out.
func fits(d decimal.Decimal, scale int32) bool {
	if d.IsZero() {
		return true
	}
	before := int64(Precision-scale) - int64(d.Exponent()) // so many digits may the coefficient have
	behind := -int64(d.Exponent()) - int64(scale)          // so many of its last must be zeros
	return digitsAtMost(d, before) && (behind <= 0 || !digitsAtMost(d, behind) && d.Equal(d.Truncate(scale)))
}

// digitsAtMost counts in decimal only where the estimate of NumDigits, which is off by one at the powers of ten, does not decide.
func digitsAtMost(d decimal.Decimal, n int64) bool {
	switch estimate := int64(d.NumDigits()); {
	case estimate < n:
		return true
	case estimate > n+1:
		return false
	}
	return int64(len(d.Abs().Coefficient().Text(10))) <= n
}

// isMoment reports whether a time can be written as YYYY-MM-DDTHH:mm:ssZ and read back as the same.
func isMoment(t time.Time) bool {
	_, offset := t.Zone()
	return offset == 0 && t.Nanosecond() == 0 && t.Year() >= 1 && t.Year() <= 9999
}

// isString asks for Unicode and nothing more: names are kept as people wrote them.
func isString(s string) bool { return utf8.ValidString(s) }

// placeholders stand for null where null cannot be written. It can be, always. All begin with an n.
var placeholders = []string{"null", "n/a", "not applicable", "none", "nil", "nan"}

// isPlaceholder reports whether a text only pretends to be a value.
func isPlaceholder(s string) bool {
	if s != "" && s[0] > ' ' && s[0] < utf8.RuneSelf && s[0] != 'n' && s[0] != 'N' {
		return false // as most
	}
	s = strings.TrimSpace(s)
	return s == "" || slices.ContainsFunc(placeholders, func(p string) bool { return strings.EqualFold(p, s) })
}

// isObject reports whether a text is one JSON object without objects and arrays in it and without a key twice, and every key is wanted.
func isObject(s string, wanted func(key string) bool) bool {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if !utf8.ValidString(s) || !json.Valid([]byte(s)) || !opens(d) {
		return false
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		name, _ := key.(string)
		if err != nil || seen[name] || !wanted(name) || !isScalar(d) {
			return false
		}
		seen[name] = true
	}
	_, err := d.Token() // the closing brace
	_, end := d.Token()
	return err == nil && end == io.EOF
}

func opens(d *json.Decoder) bool {
	first, err := d.Token()
	return err == nil && first == json.Delim('{')
}

func isScalar(d *json.Decoder) bool {
	var value json.RawMessage
	err := d.Decode(&value)
	return err == nil && !bytes.ContainsAny(value[:1], "{[")
}

func anyKey(string) bool { return true }
