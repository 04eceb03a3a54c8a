package alert

import (
	"strings"
	"testing"
)

// TestPlainLen puts every byte at every place of a text, among ordinary ones and among its neighbours in value.
func TestPlainLen(t *testing.T) {
	for c := range 256 {
		odd := c < ' ' || c >= 0x80 || c == '"' || c == '\\'
		for at := range 20 {
			for _, other := range []string{"a", " ", "~", "!", "#", "[", "]", "\x7f"} {
				text := strings.Repeat(other, at) + string([]byte{byte(c)}) + strings.Repeat(other, 9)
				want := len(text)
				if odd {
					want = at
				}
				if got := plainLen(text); got != want {
					t.Fatalf("%q: %d, want %d", text, got, want)
				}
			}
		}
	}
}
