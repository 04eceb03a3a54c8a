package alert

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxRaw is the most of a notification, in bytes, that travels with an incident.
const MaxRaw = 256 << 10

// backOff is how far before the limit the end of a word is looked for.
const backOff = 8 << 10

const left = "\n[%d bytes are left out here]\n"

// Excerpt returns text as UTF-8 in at most most bytes and a last line that says how much of it is left out, if anything is. It is cut where a
// line ends, or a word if no line ends nearby, so that no half of anything stands at its end. An excerpt of an excerpt counts all of it.
func Excerpt(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	text, missing := whole(text)
	end := ending(text[:min(len(text), max(0, most-len(left)-20))]) // 20 digits are room for any number
	return text[:end] + fmt.Sprintf(left, missing+len(text)-end)
}

// whole takes the last line of an excerpt off.
func whole(text string) (string, int) {
	n := 0
	at := strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\n')
	if at < 0 {
		return text, 0
	}
	if _, err := fmt.Sscanf(text[at:], left, &n); err != nil || n < 0 || text[at:] != fmt.Sprintf(left, n) {
		return text, 0
	}
	return text[:at], n
}

// ending is where the last line of text ends, or its last word, or at least its last character. There is always one that ends far enough
// back: a word as long as that is a secret or of no use.
func ending(text string) int {
	from := max(0, len(text)-backOff)
	for _, sep := range []string{"\n", "\"' \t\r,;&<>"} {
		if n := strings.LastIndexAny(text[from:], sep); n >= 0 {
			return from + n
		}
	}
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	return from
}
