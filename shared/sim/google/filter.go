package google

import (
	"regexp"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// A filter is the part of Google's filter language (AIP-160) that the two listings document: comparisons with =, != and :, joined by AND
// or by a space, by OR, which binds tighter, negated by NOT or -, in parentheses.
type filter func(value func(field string) []string) bool

const maxDepth = 20 // of parentheses

var filterToken = regexp.MustCompile(`^\s*("(?:[^"\\]|\\.)*"|!=|[=:()-]|[^\s"=:()!-][^\s"=()]*)`)

// parseFilter reads a filter over fields, given under their published names.
func parseFilter(text string, fields ...string) (filter, *rest.Failure) {
	if strings.TrimSpace(text) == "" {
		return func(func(string) []string) bool { return true }, nil
	}
	p := filterParser{rest: text, fields: fields}
	f, ok := p.all(0)
	if !ok || strings.TrimSpace(p.rest) != "" {
		return nil, rest.Invalid("filter", "The filter cannot be read, or names a field other than %s.", strings.Join(fields, ", "))
	}
	return f, nil
}

type filterParser struct {
	rest   string
	fields []string
}

// peek returns the next token and what follows it, "" at the end and where there is none.
func (p *filterParser) peek() (token, rest string) {
	m := filterToken.FindStringSubmatchIndex(p.rest)
	if m == nil {
		return "", p.rest
	}
	return p.rest[m[2]:m[3]], p.rest[m[1]:]
}

func (p *filterParser) eat(token string) bool {
	t, rest := p.peek()
	if t != token {
		return false
	}
	p.rest = rest
	return true
}

func (p *filterParser) all(depth int) (filter, bool) {
	left, ok := p.any(depth)
	for ok {
		t, _ := p.peek()
		if t == "" || t == ")" {
			break
		}
		p.eat("AND")
		var right filter
		one := left
		right, ok = p.any(depth)
		left = func(v func(string) []string) bool { return one(v) && right(v) }
	}
	return left, ok
}

func (p *filterParser) any(depth int) (filter, bool) {
	left, ok := p.term(depth)
	for ok && p.eat("OR") {
		var right filter
		one := left
		right, ok = p.term(depth)
		left = func(v func(string) []string) bool { return one(v) || right(v) }
	}
	return left, ok
}

func (p *filterParser) term(depth int) (filter, bool) {
	switch {
	case depth > maxDepth:
		return nil, false
	case p.eat("NOT"), p.eat("-"):
		inner, ok := p.term(depth + 1)
		return func(v func(string) []string) bool { return !inner(v) }, ok
	case p.eat("("):
		inner, ok := p.all(depth + 1)
		return inner, ok && p.eat(")")
	}
	return p.comparison()
}

// comparison reads "field = value". A field may be written in its original spelling, state_info.state.
func (p *filterParser) comparison() (filter, bool) {
	name, operator, ok := p.fieldAndOperator()
	if !ok {
		return nil, false
	}
	value, rest := p.peek()
	if value == "" || strings.Trim(value, "!=:()-") == "" {
		return nil, false
	}
	p.rest = rest
	value = strings.Trim(value, `"`)
	return func(v func(string) []string) bool { return slices.Contains(v(name), value) != (operator == "!=") }, true
}

// fieldAndOperator splits state=ACTIVE, where no space has to be, and targetResources:x, where the value may hold colons itself.
func (p *filterParser) fieldAndOperator() (name, operator string, ok bool) {
	text := strings.TrimLeft(p.rest, " \t")
	n := strings.IndexAny(text, " \t=:!()\"")
	if n <= 0 {
		return "", "", false
	}
	name = rest.Camel(text[:n])
	text = strings.TrimLeft(text[n:], " \t")
	for _, op := range []string{"!=", "=", ":"} {
		if rest, found := strings.CutPrefix(text, op); found {
			p.rest = rest
			return name, op, slices.Contains(p.fields, name)
		}
	}
	return "", "", false
}
