package gapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxMessage = 300       // characters of a message
	maxEcho    = 256 << 10 // bytes of our own request that are looked through
	minEcho    = 4         // characters of the shortest text of ours that is cut out of a message
)

var (
	quoted  = regexp.MustCompile("\"(\\\\.|[^\"\\\\])*(\"|$)|`[^`]*(`|$)|“[^”]*(”|$)|(^|[^A-Za-z0-9])'(\\\\.|[^'\\\\])*('|$)")
	address = regexp.MustCompile(`[^\s<>(),;:"']*@[^\s<>(),;:"']*`)
	control = regexp.MustCompile(`[\s\p{C}]+`)
	plain   = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
)

// clean makes a remote's message fit for a log. A message may echo what we sent, so every text of our own request, and every line of it
// (sent), is cut out, then everything in quotes, which is how Google repeats values, even shortened ones, then e-mail addresses. The rest
// is shortened.
func clean(message string, sent []string) string {
	for _, s := range sent {
		message = strings.ReplaceAll(message, s, "…")
	}
	message = quoted.ReplaceAllString(message, " …")
	message = address.ReplaceAllString(message, "…")
	message = strings.TrimSpace(control.ReplaceAllString(message, " "))
	if message == "" {
		return ""
	}
	return ": " + shorten(message)
}

func shorten(s string) string {
	if utf8.RuneCountInString(s) <= maxMessage {
		return s
	}
	return string([]rune(s)[:maxMessage-1]) + "…"
}

// word returns s if it is one plain word, as reasons are.
func word(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return ""
}

func join(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(slices.Compact(words), " ")
}

// sent returns the texts in the JSON body of the request, longest first.
func (ev *evidence) sent() []string {
	if ev.body == nil {
		return nil
	}
	b, err := ev.body()
	if err != nil {
		return nil
	}
	defer b.Close()
	var v any
	if json.NewDecoder(io.LimitReader(b, maxEcho)).Decode(&v) != nil {
		return nil
	}
	texts := textsOf(v)
	slices.SortFunc(texts, func(a, b string) int { return len(b) - len(a) })
	return texts
}

func textsOf(v any) (out []string) {
	switch v := v.(type) {
	case string:
		for _, t := range append(strings.Split(v, "\n"), v) {
			if utf8.RuneCountInString(t) >= minEcho {
				out = append(out, t)
			}
		}
	case []any:
		for _, e := range v {
			out = append(out, textsOf(e)...)
		}
	case map[string]any:
		for _, e := range v {
			out = append(out, textsOf(e)...)
		}
	}
	return out
}

// said is an error with a text of our own; what it wraps is for errors.As only.
type said struct {
	text string
	err  error
}

func (s said) Error() string { return s.text }
func (s said) Unwrap() error { return s.err }

// quiet drops the URL, which may hold a query, and cleans the text of a transport's or a decoder's error: both quote what they received.
func quiet(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return said{strings.TrimPrefix(clean(err.Error(), nil), ": "), err}
}
