package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths that text from outside is cut to, in characters.
const (
	longestName = 160
	longestText = 800
)

// name is a name of outside as a page has it.
func name(s string) string { return clean(s, longestName) }

// prose is a sentence of outside.
func prose(s string) string { return clean(s, longestText) }

// clean makes one line of text: no control characters, none that turn the writing direction beyond itself, nothing that XML does not know.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case r == '\ufffe', r == '\uffff':
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return cut(strings.Join(strings.Fields(s), " "), most)
}

// cut keeps the first characters of a text that is too long.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
