// Package screen writes results for a person at a terminal and for a pipe alike: colours and lines only on a terminal, plain aligned text
// otherwise, JSON when asked.
//
// What it prints may come from outside (the title of an alert): characters that would steer a terminal, or change the direction of the text
// around them, are never printed.
package screen

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"
)

// Screen is where a command writes.
type Screen struct {
	w     io.Writer
	rich  bool // colours and lines
	place *time.Location
}

// New returns the screen for w. Only a terminal is rich, unless NO_COLOR is set or the terminal is dumb. Times are shown in place.
func New(w io.Writer, env func(string) (string, bool), place *time.Location) Screen {
	return Screen{w: w, rich: IsTerminal(w) && wantsColour(env), place: place}
}

// Rich returns a screen that is drawn as on a terminal.
func Rich(w io.Writer, place *time.Location) Screen { return Screen{w: w, rich: true, place: place} }

// IsRich reports whether colours are wanted.
func (s Screen) IsRich() bool { return s.rich }

// IsTerminal reports whether what a command reads or writes is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is how many characters a line of the terminal has; 80 where that is not known.
func (s Screen) Width() int {
	if f, ok := s.w.(*os.File); ok {
		if wide, _, err := term.GetSize(int(f.Fd())); err == nil && wide > 0 {
			return wide
		}
	}
	return 80
}

// wantsColour follows NO_COLOR, which counts when it is there and not empty.
func wantsColour(env func(string) (string, bool)) bool {
	no, _ := env("NO_COLOR")
	kind, _ := env("TERM")
	return no == "" && kind != "dumb"
}

// Line writes one line. The format is ours; its arguments are made safe.
func (s Screen) Line(format string, args ...any) {
	for i, a := range args {
		switch v := a.(type) {
		case Painted:
		case string:
			args[i] = Safe(v)
		case error:
			args[i] = Safe(v.Error())
		}
	}
	fmt.Fprintf(s.w, format+"\n", args...)
}

// Ask writes a question, and leaves the line open for the answer.
func (s Screen) Ask(question string) { fmt.Fprint(s.w, s.Bold(question)) }

// JSON writes v for a program.
func (s Screen) JSON(v any) error {
	enc := json.NewEncoder(s.w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Time shows a time with its zone, "-" for none.
func (s Screen) Time(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(s.place).Format("2006-01-02 15:04:05 MST")
}

// Painted is text that is safe to print and may have a colour.
type Painted string

// Good, Bad, Dim and Bold paint a text on a terminal and leave it plain elsewhere.
func (s Screen) Good(text string) Painted { return s.paint("32", text) }
func (s Screen) Bad(text string) Painted  { return s.paint("31", text) }
func (s Screen) Dim(text string) Painted  { return s.paint("2", text) }
func (s Screen) Bold(text string) Painted { return s.paint("1", text) }

// Warn paints what a person should look at.
func (s Screen) Warn(text string) Painted { return s.paint("33", text) }

// Plain is text without a colour.
func (s Screen) Plain(text string) Painted { return Painted(Safe(text)) }

func (s Screen) paint(code, text string) Painted {
	if !s.rich {
		return Painted(Safe(text))
	}
	return Painted("\x1b[" + code + "m" + Safe(text) + "\x1b[0m")
}

// Safe replaces what would steer a terminal: control characters, line ends too, and the marks of direction.
func Safe(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return '�'
		}
		return r
	}, text)
}

// Text writes a text of several lines, each indented.
func (s Screen) Text(text, indent string) {
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		if line = Safe(strings.TrimRight(line, "\n")); line != "" {
			line = indent + line
		}
		fmt.Fprintln(s.w, strings.TrimRight(line, " "))
	}
}
