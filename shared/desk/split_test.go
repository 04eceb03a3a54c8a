package desk_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/desk"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		limit      int
		want       []string
	}{
		{"empty", "", 10, nil},
		{"white space", " \n\t ", 10, nil},
		{"fits", "short", 10, []string{"short"}},
		{"fits exactly", "0123456789", 10, []string{"0123456789"}},
		{"no place to cut", "0123456789abc", 10, []string{"0123456789", "abc"}},
		{"at a word", "12345678 90123", 10, []string{"12345678", "90123"}},
		{"at a line before a word", "1234567890123456\n8 9 0123", 20, []string{"1234567890123456", "8 9 0123"}},
		{"not at an early word", "12 3456789012", 10, []string{"12 3456789", "012"}},
		{"characters, not bytes", strings.Repeat("é", 15), 10, []string{strings.Repeat("é", 10), strings.Repeat("é", 5)}},
		{"many parts", "aaaaaaaaa bbbbbbbbb ccccccccc", 10, []string{"aaaaaaaaa", "bbbbbbbbb", "ccccccccc"}},
		{"one character", "ab", 1, []string{"a", "b"}},
	} {
		if got := desk.Split(tt.text, tt.limit); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("a word\nand a line with 日本語", 5)
	f.Add("\xff\xfe broken", 2)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 1 || limit > 1000 {
			return
		}
		parts := desk.Split(text, limit)
		for _, p := range parts {
			if n := utf8.RuneCountInString(p); n == 0 || n > limit {
				t.Errorf("a part of %d characters, limit %d", n, limit)
			}
		}
		if got, want := strings.Join(parts, ""), strings.ToValidUTF8(text, "\uFFFD"); bare(got) != bare(want) {
			t.Errorf("joined %q, want %q", got, want)
		}
	})
}

// bare is s without white space.
func bare(s string) string { return strings.Join(strings.Fields(s), "") }
