package screen

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Live is a part of a terminal that is drawn again and again in its place.
type Live struct {
	Screen
	drawn int // lines
}

// Live returns a part that begins below what is written so far. Nothing else may be written until it is done with.
func (s Screen) Live() *Live { return &Live{Screen: s} }

// Draw replaces what was drawn before. A line is cut at width, because one that wraps could not be found again.
func (l *Live) Draw(width int, lines ...Painted) {
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", l.drawn)
	}
	for _, line := range lines {
		b.WriteString(cut(string(line), width))
		b.WriteByte('\n')
	}
	l.drawn = len(lines)
	fmt.Fprint(l.w, b.String()) // at once: it does not flicker
}

// cut shortens a painted line to so many characters on the screen.
func cut(line string, width int) string {
	seen, painting, painted := 0, false, false
	for i, r := range line {
		switch {
		case r == '\x1b':
			painting, painted = true, true
		case painting:
			painting = r != 'm'
		case seen == width:
			if painted {
				return line[:i] + "\x1b[0m"
			}
			return line[:i]
		default:
			seen++
		}
	}
	return line
}

// Bar is a bar of so many characters, of which done of all are full.
func (s Screen) Bar(wide, done, all int) Painted {
	full := wide
	if all > 0 {
		full = wide * done / all
	}
	return s.Good(strings.Repeat("█", full)) + s.Dim(strings.Repeat("░", wide-full))
}

// Pad is a text that takes so many characters, and is cut to them.
func Pad(text string, wide int) string {
	text = Safe(text)
	if n := utf8.RuneCountInString(text); n < wide {
		return text + strings.Repeat(" ", wide-n)
	}
	r := []rune(text)
	return string(r[:wide])
}

// Join puts painted texts beside each other.
func Join(parts ...Painted) Painted {
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = string(p)
	}
	return Painted(strings.Join(all, " "))
}
