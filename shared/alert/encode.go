package alert

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"time"
	"unicode/utf8"
)

// appendLinks appends a list of links.
func appendLinks(b []byte, all []Link) []byte {
	b = append(b, '[')
	for i, l := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"name":`...), l.Name)
		b = append(appendText(append(b, `,"url":`...), l.URL), '}')
	}
	return append(b, ']')
}

// appendTexts appends a field, unless it is empty.
func appendTexts(b []byte, name string, all texts) []byte {
	if len(all) == 0 {
		return b
	}
	b = append(append(b, name...), '{')
	for i := range all {
		b = all[i].append(comma(b))
	}
	return append(b, '}')
}

// append appends a name and its text.
func (n *node) append(b []byte) []byte {
	if n.plain {
		b = append(append(b, '"'), n.name...)
		return append(append(append(b, `":"`...), n.text...), '"')
	}
	return appendText(append(appendText(b, n.name), ':'), n.text)
}

// comma appends what stands before the next field of an object.
func comma(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

func appendSome(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(append(b, name...), s)
}

func appendTime(b []byte, name string, t time.Time) []byte {
	b = append(append(b, name...), '"')
	return append(t.AppendFormat(b, time.RFC3339Nano), '"')
}

// appendText appends a string. What a backslash alone does not make fit is left to encoding/json.
func appendText(b []byte, s string) []byte {
	begin := len(b)
	b = append(b, '"')
	for rest := s; ; {
		n := plainLen(rest)
		b = append(b, rest[:n]...)
		if n == len(rest) {
			return append(b, '"')
		}
		c := rest[n]
		if c != '"' && c != '\\' {
			return appendSpecial(b[:begin], s)
		}
		b, rest = append(b, '\\', c), rest[n+1:]
	}
}

// plainLen returns how many bytes at the start of s are ASCII that stands in JSON as it is. It looks at eight at a time: nothing else looks
// at every byte of a notification.
func plainLen(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if odd := oddBytes(eight(s[i : i+8])); odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	if i > 0 && i < len(s) { // the last eight, of which the first are known
		return len(s) - 8 + bits.TrailingZeros64(oddBytes(eight(s[len(s)-8:])))/8
	}
	for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// eight returns eight bytes, the first the lowest.
func eight(s string) uint64 {
	_ = s[7] // one check of the length for all
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// oddBytes sets the highest bit of the first byte that is not plain, of none if all eight are. What it sets above means nothing.
func oddBytes(w uint64) uint64 {
	const each = 0x0101010101010101
	control, quote, backslash := w-each*' ', (w^each*'"')-each, (w^each*'\\')-each // a byte below 0 borrows
	return (w | control | quote | backslash) & (each << 7)
}

func appendSpecial(b []byte, s string) []byte {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can be encoded
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}
