package chat

import (
	"strings"
	"unicode"
)

// Pages cuts a post into posts whose bodies cost no more than most, each with the title; what else there is stands on the last. The bodies
// joined are the body as Plain has it, less parts that are nothing but white space.
func Pages(p Post, most int, cost func(rune) int) []Post {
	parts := Parts(p.Body, most, cost)
	if len(parts) == 0 {
		p.Body = ""
		return []Post{p}
	}
	pages := make([]Post, len(parts))
	for i, part := range parts {
		pages[i] = Post{Title: p.Title, Body: part}
	}
	p.Body = parts[len(parts)-1]
	pages[len(pages)-1] = p
	return pages
}

// Parts cuts a text where a line or a word ends, if one does in the last quarter of a part, so that no part costs more than most. The cost of a
// character is what the platform counts for it. Nothing is lost but parts that are nothing but white space.
func Parts(text string, most int, cost func(rune) int) []string {
	var parts []string
	for text = Plain(text); text != ""; {
		n := cut(text, most, cost)
		if strings.TrimSpace(text[:n]) != "" {
			parts = append(parts, text[:n])
		}
		text = text[n:]
	}
	return parts
}

// cut returns the number of bytes of the first part. A character that alone costs too much is a part of its own, so that there is an end.
func cut(text string, most int, cost func(rune) int) int {
	spent, end, late, line, word := 0, len(text), most*3/4, 0, 0
	for i, r := range text {
		if spent += cost(r); spent > most && i > 0 {
			end = i
			break
		}
		switch {
		case spent <= late:
		case r == '\n':
			line = i + 1
		case r == ' ':
			word = i + 1
		}
	}
	switch {
	case end == len(text):
		return end
	case line > 0:
		return line
	case word > 0:
		return word
	}
	return end
}

// Plain is a text that came from outside as it may be shown: UTF-8, with line ends as in Unix, without control characters, and without the
// characters that turn the direction of writing, with which a text can be made to look like another.
func Plain(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s)
}

// Line is Plain on one line of at most most characters; what is cut off leaves an ellipsis.
func Line(s string, most int) string {
	return Clip(strings.Join(strings.Fields(Plain(s)), " "), most, func(rune) int { return 1 })
}

// Clip cuts a text to what costs no more than most, the ellipsis that then ends it included.
func Clip(s string, most int, cost func(rune) int) string {
	total, fits := 0, 0
	for i, r := range s {
		if total+cost('…') <= most {
			fits = i
		}
		total += cost(r)
	}
	if total <= most {
		return s
	}
	return s[:fits] + "…"
}
