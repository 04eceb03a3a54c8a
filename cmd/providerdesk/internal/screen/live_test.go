package screen_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
)

func TestWhatIsLiveIsDrawnInItsPlace(t *testing.T) {
	var b bytes.Buffer
	s := screen.Rich(&b, time.UTC)
	l := s.Live()
	l.Draw(80, "one", "two")
	l.Draw(80, "three")
	l.Draw(80)
	if want := "one\ntwo\n\x1b[2A\x1b[Jthree\n\x1b[1A\x1b[J"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// A line that wrapped would not be found again.
func TestALiveLineIsCutAtTheWidth(t *testing.T) {
	for name, tc := range map[string]struct {
		line screen.Painted
		want string
	}{
		"plain":                   {"abcdef", "abcd\n"},
		"as wide":                 {"abcd", "abcd\n"},
		"letters of two bytes":    {"äöüßx", "äöüß\n"},
		"colours take no room":    {"\x1b[32mab\x1b[0mcd", "\x1b[32mab\x1b[0mcd\n"},
		"a colour that is cut":    {"ab\x1b[32mcdef\x1b[0m", "ab\x1b[32mcd\x1b[0m\n"},
		"colours behind the last": {"\x1b[32mabcd\x1b[0m", "\x1b[32mabcd\x1b[0m\n"},
	} {
		var b bytes.Buffer
		s := screen.Rich(&b, time.UTC)
		s.Live().Draw(4, tc.line)
		if b.String() != tc.want {
			t.Errorf("%s: got %q, want %q", name, b.String(), tc.want)
		}
	}
}

func TestBar(t *testing.T) {
	s := screen.New(&bytes.Buffer{}, noEnv, time.UTC)
	for _, tc := range []struct {
		done, all int
		want      screen.Painted
	}{{0, 4, "░░░░░░░░"}, {1, 4, "██░░░░░░"}, {4, 4, "████████"}, {0, 0, "████████"}} {
		if got := s.Bar(8, tc.done, tc.all); got != tc.want {
			t.Errorf("%d of %d is %q, want %q", tc.done, tc.all, got, tc.want)
		}
	}
	if got := screen.Pad("länger", 4) + "|" + screen.Pad("ä", 3) + "|"; got != "läng|ä  |" {
		t.Errorf("padded: %q", got)
	}
}
