package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing in a text that must be changed.
type Problem struct {
	File    string
	Line    int
	Key     string // from the root: senders[0].auth.bearer; "" for the text itself
	Message string // what to write instead
}

func (p Problem) String() string {
	where := fmt.Sprintf("%s:%d", p.File, p.Line)
	if p.File == "" {
		where = fmt.Sprintf("line %d", p.Line)
	}
	if p.Key == "" {
		return where + ": " + p.Message
	}
	return where + ": " + p.Key + ": " + p.Message
}

// Problems are all problems of a text, in the order of its lines. They are an error if there are any.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
	return p
}

// Suggest returns " (did you mean X?)" if one of the words is at most two letters, and less than half of it, away from what was written.
func Suggest(written string, words []string) string {
	best, at := "", 3
	for _, w := range slices.Sorted(slices.Values(words)) {
		if d := distance(written, w); d < at && 2*d < len(w) {
			best, at = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// distance counts the letters to insert, remove or replace between two words; 3 stands for 3 and more.
func distance(a, b string) int {
	if len(a) > len(b)+2 || len(b) > len(a)+2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := corner
			if a[i] != b[j] {
				replaced++
			}
			corner = row[j+1]
			row[j+1] = min(replaced, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}

// Alternatives writes words as "a, b or c".
func Alternatives(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
