package act

import (
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// A file's name at a desk begins with the marker, whatever people called it, and leads nowhere.
func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt": "M-a.txt", "../../etc/passwd": "M-_.._etc_passwd", `c:\x|y`: "M-c__x_y", "": "M-", "a\nb\x00": "M-a b", ".hidden": "M-hidden",
		strings.Repeat("x", 300): "M-" + strings.Repeat("x", 99) + "…",
	} {
		if got := fileName("M", name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Whoever writes too much, a platform that does not keep to its limit among them, is refused.
func TestLimited(t *testing.T) {
	var l limited
	if _, err := l.Write(make([]byte, MaxFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Write([]byte{1}); !fault.Is(err, fault.Invalid) || l.Len() != MaxFile {
		t.Errorf("%v, %d bytes", err, l.Len())
	}
}
