package chat

import (
	"strings"
	"testing"
)

func one(rune) int { return 1 }

func TestParts(t *testing.T) {
	for _, c := range []struct {
		what, text string
		most       int
		want       string // joined with |
	}{
		{"fits", "abc", 3, "abc"},
		{"nothing", "", 3, ""},
		{"only white space", " \n\t ", 2, ""},
		{"hard", "abcdef", 4, "abcd|ef"},
		{"at a word", "aaaaaaa bbb", 9, "aaaaaaa |bbb"},
		{"a word's end too early is none", "aa bbbbbbbbb", 9, "aa bbbbbb|bbb"},
		{"a line's end before a word's", "aaaaaa\nb bbb", 9, "aaaaaa\n|b bbb"},
		{"at a line", "aaaaaaa\nb bbb", 9, "aaaaaaa\n|b bbb"},
		{"no UTF-8", "a\xffb", 2, "a\uFFFD|b"},
		{"characters, not bytes", "日本語日", 3, "日本語|日"},
		{"a blank part is left out", "aaaa     bbbb", 4, "aaaa| bbb|b"},
		{"no end of its own", "abc", 0, "a|b|c"},
	} {
		if got := strings.Join(Parts(c.text, c.most, one), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

func TestPages(t *testing.T) {
	p := Post{Title: "T", Body: "aaabbb", Fields: []Field{{"n", "v"}}}
	got := Pages(p, 3, one)
	if len(got) != 2 || got[0].Title != "T" || got[0].Fields != nil || got[0].Body != "aaa" || got[1].Title != "T" || len(got[1].Fields) != 1 || got[1].Body != "bbb" {
		t.Errorf("%+v", got)
	}
	if got := Pages(Post{Title: "T"}, 3, one); len(got) != 1 || got[0].Title != "T" {
		t.Errorf("%+v", got)
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"日本語x", 3, "日本…"}, {"", 3, ""}, {"abc", 1, "…"}} {
		if got := Clip(c.text, c.most, one); got != c.want {
			t.Errorf("%q to %d: %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	if got := Line("  a\tb\r\n c\x00\u202e ", 10); got != "a b c" {
		t.Errorf("%q", got)
	}
}

// However a text is cut, no part costs too much and nothing is lost that could be seen.
func FuzzParts(f *testing.F) {
	f.Add("some words\nand lines  of\r\ntext", 7)
	f.Add("&&&&\xff🙂🙂", 3)
	f.Fuzz(func(t *testing.T, text string, most int) {
		if most < 4 || most > 1000 || len(text) > 10_000 {
			return
		}
		cost := func(r rune) int { return 1 + int(r)%4 }
		parts, visible := Parts(text, most, cost), ""
		for _, p := range parts {
			total := 0
			for _, r := range p {
				total += cost(r)
			}
			if total > most || strings.TrimSpace(p) == "" {
				t.Fatalf("part %q costs %d of %d", p, total, most)
			}
			visible += p
		}
		fields := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if fields(visible) != fields(Plain(text)) {
			t.Fatalf("%q became %q", text, parts)
		}
	})
}
