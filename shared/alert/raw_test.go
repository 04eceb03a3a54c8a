package alert

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestExcerpt(t *testing.T) {
	lines := strings.Repeat("0123456789\n", 100)
	for _, tt := range []struct {
		what, text string
		most       int
		want       string
	}{
		{"all of it", "short", 100, "short"},
		{"at the end of a line", lines, 200, strings.Repeat("0123456789\n", 13)[:142] + "\n[958 bytes are left out here]\n"},
		{"no half of a word", strings.Repeat("x", 60) + " token=" + strings.Repeat("s", 300), 200, strings.Repeat("x", 60) + "\n[307 bytes are left out here]\n"},
		{"a word without an end", strings.Repeat("x", 300), 200, "\n[300 bytes are left out here]\n"},
		{"no room at all", "much", 1, "\n[4 bytes are left out here]\n"},
		{"mended", "a\xffb", 100, "a\uFFFDb"},
	} {
		if got := Excerpt(tt.text, tt.most); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
	if got, want := Excerpt(Excerpt(lines, 500), 200), Excerpt(lines, 200); got != want {
		t.Errorf("twice:\n%s\nonce:\n%s", got, want)
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add("a\nb c\n[3 bytes are left out here]\n", 40)
	f.Add(strings.Repeat("é", 100), 99)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = min(max(most, 100), 1<<20)
		got := Excerpt(text, most)
		if len(got) > most || !utf8.ValidString(got) || Excerpt(got, most) != got {
			t.Errorf("%d bytes of at most %d: %.80q", len(got), most, got)
		}
	})
}

// A notification travels once however many incidents its alerts become.
func TestRawIsSharedByTheAlertsOfAGroup(t *testing.T) {
	in := Incident{Source: SourceAlertmanager, Key: "k", Raw: strings.Repeat("line of a notification\n", 10_000)}
	for i := range 100 {
		in.Alerts = append(in.Alerts, Alert{Fingerprint: fmt.Sprint(i)})
	}
	total := 0
	for _, one := range Split(in) {
		total += len(one.Raw)
	}
	if total < MaxRaw || total > 4*MaxRaw {
		t.Errorf("%d bytes travel, want at most %d", total, 4*MaxRaw)
	}
}
