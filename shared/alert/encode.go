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
	n := in.notice()
	return n.Append(b)
}

// Append appends the incident of a notice to b likewise.
func (n *Notice) Append(b []byte) []byte {
	in := &n.Head
	b = appendText(append(b, `{"source":`...), in.Source)
	b = appendText(append(b, `,"sender":`...), in.Sender)
	b = appendText(append(b, `,"tenant":`...), in.Tenant)
	b = appendText(append(b, `,"key":`...), in.Key)
	b = appendText(append(b, `,"title":`...), in.Title)
	b = appendText(append(b, `,"severity":`...), string(in.Severity))
	b = appendText(append(b, `,"status":`...), string(in.Status))
	b = appendTexts(b, `,"labels":`, n.labels)
	b = appendTexts(b, `,"annotations":`, n.annotations)
	b = appendLinks(b, in.Links)
	b = appendAlerts(append(b, `,"alerts":`...), n.alerts)
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

func appendAlerts(b []byte, all []listed) []byte {
	if all == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = all[i].append(b)
	}
	return append(b, ']')
}

func (a *listed) append(b []byte) []byte {
	b = appendText(append(b, `{"fingerprint":`...), a.Fingerprint)
	b = appendText(append(b, `,"status":`...), string(a.Status))
	b = appendText(append(b, `,"severity":`...), string(a.Severity))
	b = appendText(append(b, `,"name":`...), a.Name)
	b = appendSome(b, `,"summary":`, a.Summary)
	b = appendSome(b, `,"resource":`, a.Resource)
	b = appendSome(b, `,"condition":`, a.Condition)
	b = appendSome(b, `,"observed":`, a.Observed)
	b = appendSome(b, `,"threshold":`, a.Threshold)
	b = appendTexts(b, `,"labels":`, a.labels)
	b = appendTexts(b, `,"annotations":`, a.annotations)
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

// appendTexts appends a field, unless it is empty.
func appendTexts(b []byte, name string, all texts) []byte {
	if len(all) == 0 {
		return b
	}
	b = append(b, name...)
	sep := byte('{')
	for i := range all {
		n := &all[i]
		if n.plain {
			b = append(append(b, sep, '"'), n.name...)
			b = append(append(append(b, `":"`...), n.text...), '"')
		} else {
			b = append(appendText(append(b, sep), n.name), ':')
			b = appendText(b, n.text)
		}
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
