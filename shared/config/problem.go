package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing in the file that must be changed.
type Problem struct {
	File    string
	Line    int
	Key     string // from the root: senders[0].auth.bearer; "" for the file itself
	Message string // what to write instead
}

func (p Problem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Key, p.Message)
}

// Problems are all problems of a file, in the order of its lines. They are the error of [Load] and [Parse].
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

// suggest returns " (did you mean X?)" if one of the words is at most two letters, and less than half of it, away from what was written.
func suggest(written string, words []string) string {
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
