package commands

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner reads words. Its rest never begins or ends with white space.
type scanner struct{ rest string }

// Phones and desktops make curly quotes of straight ones.
func isOpening(r rune) bool { return r == '"' || r == '“' || r == '„' }
func isClosing(r rune) bool { return r == '"' || r == '”' || r == '“' }

// quoted reports whether the next word stands in quotes.
func (s *scanner) quoted() bool {
	r, _ := utf8.DecodeRuneInString(s.rest)
	return s.rest != "" && isOpening(r)
}

// word reads the next word; one in quotes may hold anything.
func (s *scanner) word() (word string, quoted bool, err error) {
	if !s.quoted() {
		word = s.peek()
		s.skip(len(word))
		return word, false, nil
	}
	word, n := unquote(s.rest)
	if n == 0 {
		return "", true, invalid("A quotation mark is not closed.")
	}
	s.skip(n)
	return word, true, nil
}

// peek returns the next word as it stands, without reading it.
func (s *scanner) peek() string {
	if i := strings.IndexFunc(s.rest, unicode.IsSpace); i >= 0 {
		return s.rest[:i]
	}
	return s.rest
}

func (s *scanner) skip(n int) { s.rest = strings.TrimSpace(s.rest[n:]) }

// remainder reads all that is left as it stands, without the quotes if they are around the whole.
func (s *scanner) remainder() string {
	text := s.rest
	if s.quoted() {
		if inner, n := unquote(text); n == len(text) {
			text = inner
		}
	}
	s.rest = ""
	return strings.TrimSpace(text)
}

// unquote reads a text in quotes and returns how many bytes it took, 0 if the quotes are not closed. Inside, \" is a quotation mark and \\ a
// backslash; any other backslash is itself.
func unquote(s string) (text string, n int) {
	var b strings.Builder
	escaped := false
	for i, r := range s {
		switch {
		case i == 0:
		case escaped:
			if r != '\\' && !isOpening(r) && !isClosing(r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case isClosing(r):
			return b.String(), i + utf8.RuneLen(r)
		default:
			b.WriteRune(r)
		}
	}
	return "", 0
}

// quote is the opposite of unquote.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "“", "\\“", "”", "\\”", "„", "\\„").Replace(s) + `"`
}

// String writes a command as a person could.
func (c Command) String() string {
	words := []string{c.Verb}
	add := func(ok bool, more ...string) {
		if ok {
			words = append(words, more...)
		}
	}
	switch {
	case strings.Contains(c.Case, "/"):
		words = append(words, c.Case)
	case c.Case != "":
		words = append(words, "#"+c.Case)
	}
	add(c.Desk != "", "at", c.Desk)
	add(c.Priority != "", string(c.Priority))
	add(c.All, "all")
	add(c.Page > 1, "page", itoa(c.Page))
	add(c.Reason != "", c.Reason)
	add(c.Title != "", quote(c.Title))
	add(c.Text != "", quote(c.Text))
	add(c.What != "", c.What)
	add(len(c.Addresses) > 0, c.Addresses...)
	return strings.Join(words, " ")
}
