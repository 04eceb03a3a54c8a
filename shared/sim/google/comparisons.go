package google

import (
	"regexp"
	"slices"
	"strings"
)

// comparison is one part of the filters of Logging and of Monitoring: field, operator, value.
type comparison struct {
	field, op, value string
	quoted           bool
}

var (
	comparisonForm = regexp.MustCompile(`^\s*([a-zA-Z_]+(?:\.[A-Za-z_][A-Za-z0-9_]*){0,3})\s*(>=|<=|!=|=|<|>)\s*("(?:[^"\\]|\\.)*"|[A-Za-z0-9_./-]+)`)
	conjunction    = regexp.MustCompile(`^\s+AND\s+`)
)

const maxFilter = 20_000 // characters

// parseComparisons reads comparisons joined by AND: the part of both languages that can be checked entirely. Neither OR, NOT, functions nor
// text without a field are read here.
func parseComparisons(text string) (all []comparison, ok bool) {
	for len([]rune(text)) <= maxFilter {
		m := comparisonForm.FindStringSubmatch(text)
		if m == nil {
			return nil, false
		}
		c := comparison{field: m[1], op: m[2], value: m[3], quoted: strings.HasPrefix(m[3], `"`)}
		if c.value, ok = unescaped(c.value); !ok {
			return nil, false
		}
		all, text = append(all, c), text[len(m[0]):]
		if strings.TrimSpace(text) == "" {
			return all, true
		}
		and := conjunction.FindString(text)
		if and == "" {
			return nil, false
		}
		text = text[len(and):]
	}
	return nil, false
}

// unescaped takes the quotes off. The escapes that both languages know are those of the quote and of the backslash.
func unescaped(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, true
	}
	var b strings.Builder
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' {
			return "", false
		}
		if s[i] == '\\' {
			if i++; s[i] != '"' && s[i] != '\\' {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

// selection is what a filter selects.
type selection struct {
	metric       string
	kind         string // of the resource
	labels       map[string]string
	metricLabels map[string]string
	others       []comparison // on fields of its own that an API has
}

// selected reads a filter over the resource, the metric and the fields of others.
func selected(text string, others ...string) (s selection, ok bool) {
	all, ok := parseComparisons(text)
	s = selection{labels: map[string]string{}, metricLabels: map[string]string{}}
	for _, c := range all {
		ok = ok && s.take(c, others)
	}
	return s, ok
}

// take adds a comparison; false for one that the API does not have, or that contradicts another.
func (s *selection) take(c comparison, others []string) bool {
	label, isLabel := strings.CutPrefix(c.field, "resource.labels.")
	of, isOf := strings.CutPrefix(c.field, "metric.labels.")
	switch {
	case slices.Contains(others, c.field):
		s.others = append(s.others, c)
		return true
	case c.op != "=" || !c.quoted:
		return false
	case c.field == "resource.type":
		return set(&s.kind, c.value)
	case c.field == "metric.type":
		return set(&s.metric, c.value)
	case isLabel:
		return put(s.labels, label, c.value)
	case isOf:
		return put(s.metricLabels, of, c.value)
	}
	return false
}

func set(dst *string, value string) bool {
	fresh := *dst == ""
	*dst = value
	return fresh && value != ""
}

func put(m map[string]string, name, value string) bool {
	_, there := m[name]
	m[name] = value
	return !there && name != ""
}
