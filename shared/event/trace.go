package event

import (
	"net/http"
	"strings"
)

// Traceparent returns the first readable W3C trace context of the candidates, and then of the request's header; "" if there is none.
func Traceparent(h http.Header, candidates ...string) string {
	for _, s := range append(candidates, h.Get("Traceparent")) {
		if isTraceparent(s) {
			return s
		}
	}
	return ""
}

// isTraceparent reports whether s has the form of version 00: version-trace-span-flags in lower-case hexadecimal, neither id all zero.
func isTraceparent(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 4 || parts[0] != "00" {
		return false
	}
	return isID(parts[1], 32) && isID(parts[2], 16) && isHex(parts[3], 2)
}

func isID(s string, n int) bool { return isHex(s, n) && strings.Trim(s, "0") != "" }

func isHex(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789abcdef") == "" }
