package event

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText is the most bytes of an id, a name or another piece of metadata that ends up in logs.
const maxText = 2048

// checkText refuses what no id or name holds: control characters, broken UTF-8, a page of text.
func checkText(name, s string) error {
	switch {
	case len(s) > maxText:
		return invalid("%s is longer than %d bytes", name, maxText)
	case !utf8.ValidString(s):
		return invalid("%s is not valid UTF-8", name)
	case strings.ContainsFunc(s, isControl):
		return invalid("%s has a control character", name)
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r <= 0x9f }

// single returns the one value of a header, "" if there is none.
func single(h http.Header, name string) (string, error) {
	values := h.Values(name)
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", invalid("header %s is there more than once", strings.ToLower(name))
}

func parseTime(name, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, invalid("%s is not a time as in RFC 3339", name)
	}
	return t.UTC(), nil
}

// parseAttempt reads a delivery attempt; "" is 0, the sender does not say.
func parseAttempt(name, s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, invalid("%s is not a whole number from 0 on", name)
	}
	return int(n), nil
}

// decodeHeader undoes what the HTTP binding of CloudEvents does to a value: quotes first, then percent-encoding, once.
func decodeHeader(name, value string) (string, error) {
	s, err := url.PathUnescape(unquote(value))
	if err != nil {
		return "", invalid("%s has a '%%' that begins no percent-encoding: send '%%25' for a percent sign", name)
	}
	return s, checkText(name, s)
}

// unquote resolves an HTTP quoted string; other values stay as they are.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for s = s[1 : len(s)-1]; s != ""; s = s[1:] {
		if s[0] == '\\' && len(s) > 1 {
			s = s[1:]
		}
		b.WriteByte(s[0])
	}
	return b.String()
}
