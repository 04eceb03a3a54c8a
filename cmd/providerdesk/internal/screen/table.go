package screen

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Cell is one field of a table, coloured or not.
type Cell struct {
	Text  string
	Paint func(string) Painted // nil: plain
}

// Plain returns a cell without colour.
func Plain(text string) Cell { return Cell{Text: text} }

// Table writes rows under a header, aligned. The last column is not padded, so long texts belong there.
func (s Screen) Table(header []string, rows [][]Cell) {
	titles := make([]Cell, len(header))
	for i, h := range header {
		titles[i] = Cell{h, s.Bold}
	}
	wide := widths(titles, rows)
	s.row(wide, titles)
	if s.rich {
		s.rule(wide)
	}
	for _, r := range rows {
		s.row(wide, r)
	}
}

func widths(titles []Cell, rows [][]Cell) []int {
	wide := make([]int, len(titles))
	for _, r := range append([][]Cell{titles}, rows...) {
		for i, c := range r {
			wide[i] = max(wide[i], utf8.RuneCountInString(Safe(c.Text)))
		}
	}
	return wide
}

func (s Screen) row(wide []int, cells []Cell) {
	parts := make([]string, len(cells))
	for i, c := range cells {
		text := Safe(c.Text)
		pad := strings.Repeat(" ", wide[i]-utf8.RuneCountInString(text))
		if i == len(cells)-1 {
			pad = ""
		}
		if c.Paint != nil {
			text = string(c.Paint(text))
		}
		parts[i] = text + pad
	}
	fmt.Fprintln(s.w, strings.TrimRight(strings.Join(parts, s.gap()), " "))
}

func (s Screen) gap() string {
	if s.rich {
		return " │ "
	}
	return "  "
}

func (s Screen) rule(wide []int) {
	parts := make([]string, len(wide))
	for i, n := range wide {
		parts[i] = strings.Repeat("─", n)
	}
	fmt.Fprintln(s.w, strings.Join(parts, "─┼─"))
}

// Facts writes names and values, one a line, aligned; those without a value are left out.
func (s Screen) Facts(facts ...[2]string) {
	wide := 0
	for _, f := range facts {
		wide = max(wide, utf8.RuneCountInString(f[0]))
	}
	for _, f := range facts {
		if f[1] != "" {
			fmt.Fprintf(s.w, "%s%s  %s\n", s.Bold(f[0]), strings.Repeat(" ", wide-utf8.RuneCountInString(f[0])), Safe(f[1]))
		}
	}
}
