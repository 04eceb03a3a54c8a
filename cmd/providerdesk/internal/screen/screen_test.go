package screen_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
)

func noEnv(string) (string, bool) { return "", false }

func TestTable(t *testing.T) {
	rows := func(s screen.Screen) [][]screen.Cell {
		return [][]screen.Cell{
			{screen.Plain("a"), {Text: "OPEN", Paint: s.Good}, screen.Plain("first")},
			{screen.Plain("länger"), screen.Plain("CLOSED"), screen.Plain("second\x1b[2J\nline")},
		}
	}
	for name, tc := range map[string]struct {
		screen func(*bytes.Buffer) screen.Screen
		want   string
	}{
		"a pipe gets aligned text": {
			func(b *bytes.Buffer) screen.Screen { return screen.New(b, noEnv, time.UTC) },
			"NAME    STATE   TITLE\na       OPEN    first\nlänger  CLOSED  second�[2J line\n",
		},
		"a terminal gets lines and colours": {
			func(b *bytes.Buffer) screen.Screen { return screen.Rich(b, time.UTC) },
			"\x1b[1mNAME\x1b[0m   │ \x1b[1mSTATE\x1b[0m  │ \x1b[1mTITLE\x1b[0m\n" +
				"───────┼────────┼────────────────\n" +
				"a      │ \x1b[32mOPEN\x1b[0m   │ first\n" +
				"länger │ CLOSED │ second�[2J line\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			s := tc.screen(&b)
			s.Table([]string{"NAME", "STATE", "TITLE"}, rows(s))
			if b.String() != tc.want {
				t.Errorf("got\n%q\nwant\n%q", b.String(), tc.want)
			}
		})
	}
}

func TestTextFromOutsideCannotSteerTheTerminal(t *testing.T) {
	var b bytes.Buffer
	s := screen.Rich(&b, time.UTC)
	evil := "a\x1b]0;owned\x07\u009b31m\u202egnp.exe\r\nb"
	s.Line("%s", evil)
	s.Text(evil, "  ")
	s.Facts([2]string{"title", evil})
	if strings.ContainsAny(b.String(), "\x07\u009b\u202e\r") || strings.Contains(b.String(), "\x1b]") {
		t.Errorf("printed %q", b.String())
	}
}

func TestTimeHasAZone(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)
	tokyo := time.FixedZone("JST", 9*3600)
	if got := screen.New(&bytes.Buffer{}, noEnv, tokyo).Time(at); got != "2026-03-01 21:00:05 JST" {
		t.Errorf("got %q", got)
	}
	if got := screen.New(&bytes.Buffer{}, noEnv, tokyo).Time(time.Time{}); got != "-" {
		t.Errorf("no time is %q", got)
	}
}

func TestFactsWithoutAValueAreLeftOut(t *testing.T) {
	var b bytes.Buffer
	screen.New(&b, noEnv, time.UTC).Facts([2]string{"case", "c1"}, [2]string{"url", ""}, [2]string{"state", "NEW"})
	if want := "case   c1\nstate  NEW\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestTextKeepsItsLines(t *testing.T) {
	var b bytes.Buffer
	screen.New(&b, noEnv, time.UTC).Text("one\n\ntwo\r\nthree", "  ")
	if want := "  one\n\n  two\n  three\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func FuzzSafe(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b[31m\u009b\u202e\u2066\u2028\r\n\t")
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range screen.Safe(text) {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q is printed as %q", text, screen.Safe(text))
			}
		}
	})
}
