package alert

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"strconv"
	"time"
	"unicode/utf8"
)

// Append appends an incident to b as it travels on topic "alerts": byte by byte what encoding/json writes without its escapes for HTML,
// which would make six bytes of every <, in a third of the time. A webhook's answer waits for it.
func (in Incident) Append(b []byte) []byte {
	b = appendText(append(b, `{"source":`...), in.Source)
	b = appendText(append(b, `,"sender":`...), in.Sender)
	b = appendText(append(b, `,"tenant":`...), in.Tenant)
	b = appendText(append(b, `,"key":`...), in.Key)
	b = appendText(append(b, `,"title":`...), in.Title)
	b = appendText(append(b, `,"severity":`...), string(in.Severity))
	b = appendText(append(b, `,"status":`...), string(in.Status))
	b = appendTexts(b, `,"labels":`, in.Labels)
	b = appendTexts(b, `,"annotations":`, in.Annotations)
	b = appendLinks(b, in.Links)
	b = appendAlerts(append(b, `,"alerts":`...), in.Alerts)
	if in.Omitted != 0 {
		b = strconv.AppendInt(append(b, `,"omitted":`...), int64(in.Omitted), 10)
	}
	if in.Test {
		b = append(b, `,"test":true`...)
	}
	if in.Repeat {
		b = append(b, `,"repeat":true`...)
	}
	b = appendTime(b, `,"received":`, in.Received)
	return append(appendSome(b, `,"raw":`, in.Raw), '}')
}

func appendAlerts(b []byte, all []Alert) []byte {
	if all == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, a := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.append(b)
	}
	return append(b, ']')
}

func (a Alert) append(b []byte) []byte {
	b = appendText(append(b, `{"fingerprint":`...), a.Fingerprint)
	b = appendText(append(b, `,"status":`...), string(a.Status))
	b = appendText(append(b, `,"severity":`...), string(a.Severity))
	b = appendText(append(b, `,"name":`...), a.Name)
	b = appendSome(b, `,"summary":`, a.Summary)
	b = appendSome(b, `,"resource":`, a.Resource)
	b = appendSome(b, `,"condition":`, a.Condition)
	b = appendSome(b, `,"observed":`, a.Observed)
	b = appendSome(b, `,"threshold":`, a.Threshold)
	b = appendTexts(b, `,"labels":`, a.Labels)
	b = appendTexts(b, `,"annotations":`, a.Annotations)
	b = appendLinks(b, a.Links)
	b = appendTime(b, `,"starts":`, a.Starts)
	if !a.Ends.IsZero() {
		b = appendTime(b, `,"ends":`, a.Ends)
	}
	return append(b, '}')
}

func appendLinks(b []byte, all []Link) []byte {
	if len(all) == 0 {
		return b
	}
	sep := `,"links":[{"name":`
	for _, l := range all {
		b = appendText(append(b, sep...), l.Name)
		b = append(appendText(append(b, `,"url":`...), l.URL), '}')
		sep = `,{"name":`
	}
	return append(b, ']')
}

// appendTexts appends a field, unless it is empty, in the order of the names.
func appendTexts(b []byte, name string, m map[string]string) []byte {
	if len(m) == 0 {
		return b
	}
	b = append(b, name...)
	sep := byte('{')
	var few [16]string
	for _, k := range appendNames(few[:0], m) {
		b = append(appendText(append(b, sep), k), ':')
		b = appendText(b, m[k])
		sep = ','
	}
	return append(b, '}')
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
		if odd := oddBytes(s[i : i+8]); odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// oddBytes sets the highest bit of the first byte that is not plain, of none if all eight are. What it sets above means nothing.
func oddBytes(s string) uint64 {
	const each = 0x0101010101010101
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
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
