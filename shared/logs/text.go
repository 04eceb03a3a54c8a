package logs

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// NewText returns a logger for people: one short line a record, in colour only if the caller says that w is a terminal. Control characters
// are written escaped, so that what is logged cannot steer the terminal.
func NewText(w io.Writer, o Options, terminal bool) *slog.Logger {
	level := o.Level
	if level == nil {
		level = slog.LevelInfo
	}
	return slog.New(&text{out: &locked{w: w}, level: level, colour: terminal})
}

// text is immutable; the loggers derived from one share its writer.
type text struct {
	out    *locked
	level  slog.Leveler
	colour bool
	groups []string
	attrs  string // of the derived logger, as they are written
}

func (h *text) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

func (h *text) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if !r.Time.IsZero() {
		b.WriteString(r.Time.Format(time.TimeOnly) + " ")
	}
	b.WriteString(h.paint(r.Level) + " " + oneLine(r.Message) + h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, h.groups, a)
		return true
	})
	b.WriteByte('\n')
	_, err := io.WriteString(h.out, b.String())
	return err
}

func (h *text) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		appendAttr(&b, h.groups, a)
	}
	derived := *h
	derived.attrs += b.String()
	return &derived
}

func (h *text) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	derived := *h
	derived.groups = append(h.groups[:len(h.groups):len(h.groups)], name)
	return &derived
}

// paint returns the level in five columns.
func (h *text) paint(l slog.Level) string {
	name, colour := "DEBUG", "2"
	switch {
	case l >= slog.LevelError:
		name, colour = "ERROR", "31"
	case l >= slog.LevelWarn:
		name, colour = "WARN ", "33"
	case l >= slog.LevelInfo:
		name, colour = "INFO ", "32"
	}
	if !h.colour {
		return name
	}
	return "\x1b[" + colour + "m" + name + "\x1b[0m"
}

// appendAttr writes " group.key=value". Trace contexts are left out: nobody reads them on a terminal.
func appendAttr(b *strings.Builder, groups []string, a slog.Attr) {
	v := a.Value.Resolve()
	switch {
	case v.Kind() == slog.KindGroup:
		if a.Key != "" {
			groups = append(groups[:len(groups):len(groups)], a.Key)
		}
		for _, member := range v.Group() {
			appendAttr(b, groups, member)
		}
		return
	case a.Key == "" || a.Key == Traceparent:
		return
	case isSecret(groups, a.Key):
		v = slog.StringValue(hidden)
	}
	b.WriteString(" " + oneLine(strings.Join(append(groups[:len(groups):len(groups)], a.Key), ".")) + "=" + quoted(format(v)))
}

func format(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().Format(time.RFC3339)
	case slog.KindDuration:
		return v.Duration().Round(time.Microsecond).String()
	}
	return v.String()
}

// quoted quotes a value that would not be read as one word.
func quoted(s string) string {
	if s == "" || strings.ContainsAny(s, " \"=") || oneLine(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// oneLine escapes a text that has something unprintable.
func oneLine(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strings.Trim(strconv.Quote(s), `"`)
	}
	return s
}
