package cloudsupport

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// The expressions of list, search and caseClassifications.search: restrictions like state=OPEN joined by AND, some joined by OR (which
// binds tighter, as everywhere in Google's filters), parentheses, and for search bare words and quoted phrases. Nothing more is documented,
// so nothing more is taken.

const (
	maxQuery = 8192 // bytes
	maxDepth = 16   // of parentheses
)

// queryField is a field that an expression may restrict.
type queryField struct {
	names  []string // the first is what matches is asked for
	ops    string   // the operators it takes
	values []string // empty: any
	or     bool     // may be joined by OR
	time   bool     // takes a time
}

// grammar is what an expression of one method may say.
type grammar struct {
	fields []queryField
	text   bool // bare words and phrases
}

var (
	listFields = []queryField{
		{names: []string{"state"}, ops: "=", values: []string{"OPEN", "CLOSED"}},
		{names: []string{"priority"}, ops: "=", values: []string{"P0", "P1", "P2", "P3", "P4"}, or: true},
		{names: []string{"creator.email"}, ops: "="},
	}
	caseFilter         = grammar{fields: listFields}
	caseQuery          = grammar{fields: append(slices.Clone(listFields), queryField{names: []string{"update_time"}, ops: ">", time: true}), text: true}
	subscriptionFields = grammar{fields: []queryField{
		{names: []string{"pub_sub_topic", "pubSubTopic"}, ops: "="},
		{names: []string{"state"}, ops: "=", values: []string{working, failing, deleted}},
	}}
	classFields = grammar{fields: []queryField{
		{names: []string{"display_name", "displayName"}, ops: ":="},
		{names: []string{"id"}, ops: ":="},
	}}
)

// query is a parsed expression: all of its clauses must match, and of a clause any of its terms.
type query struct{ clauses []clause }

type clause []term

// term is a restriction of a field, or, without a field, a text to be searched for.
type term struct {
	field string
	value string
	time  time.Time
	inner *query // of parentheses
}

// matcher is something that terms can be asked of.
type matcher interface{ match(t term) bool }

func (q *query) matches(m matcher) bool {
	for _, c := range q.clauses {
		if !c.matches(m) {
			return false
		}
	}
	return true
}

func (c clause) matches(m matcher) bool {
	for _, t := range c {
		if t.inner != nil && t.inner.matches(m) || t.inner == nil && m.match(t) {
			return true
		}
	}
	return false
}

// word returns a text that every match must hold, "" if there is none.
func (q *query) word() string {
	for _, c := range q.clauses {
		if len(c) == 1 && c[0].inner == nil && c[0].field == "" {
			return c[0].value
		}
	}
	return ""
}

type queryParser struct {
	lang  grammar
	rest  string
	depth int
}

// parseQuery returns the query of an expression; an empty one matches everything.
func parseQuery(text string, lang grammar) (*query, *rest.Failure) {
	if len(text) > maxQuery || !utf8.ValidString(text) {
		return nil, rest.Invalid("", "The expression is too long or not UTF-8.")
	}
	p := queryParser{lang: lang, rest: text}
	if p.space(); p.rest == "" {
		return &query{}, nil
	}
	q, complaint := p.query()
	if complaint == "" && p.rest != "" {
		complaint = "The expression has a parenthesis too many."
	}
	if complaint != "" {
		return nil, rest.Invalid("", "%s", complaint)
	}
	return q, nil
}

// about names the parameter that the expression came in.
func about(parameter string, f *rest.Failure) *rest.Failure {
	for i := range f.Fields {
		f.Fields[i].Field = parameter
	}
	f.Message = "Invalid " + parameter + f.Message
	return f
}

func (p *queryParser) space() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

func (p *queryParser) query() (*query, string) {
	q := &query{}
	for {
		c, complaint := p.clause()
		if complaint != "" {
			return nil, complaint
		}
		q.clauses = append(q.clauses, c)
		if p.rest == "" || p.rest[0] == ')' {
			return q, ""
		}
		if !p.keyword("AND") && !p.textFollows(c) {
			return nil, "The parts of the expression must be joined by AND."
		}
	}
}

// textFollows: words beside each other are as good as joined by AND.
func (p *queryParser) textFollows(c clause) bool {
	return p.lang.text && len(c) == 1 && c[0].inner == nil && c[0].field == ""
}

func (p *queryParser) clause() (clause, string) {
	var c clause
	for {
		t, or, complaint := p.term()
		if complaint != "" {
			return nil, complaint
		}
		c = append(c, t)
		more := p.keyword("OR")
		if (more || len(c) > 1) && !or {
			return nil, "Only priority can have several values joined by OR."
		}
		if !more {
			return c, ""
		}
	}
}

// keyword eats a word that stands alone, and the space after it.
func (p *queryParser) keyword(word string) bool {
	rest, ok := strings.CutPrefix(p.rest, word)
	if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t\r\n(") {
		return false
	}
	p.rest = rest
	p.space()
	return true
}

func (p *queryParser) term() (t term, or bool, complaint string) {
	if strings.HasPrefix(p.rest, "(") {
		return p.parentheses()
	}
	name, quoted, ok := p.value()
	if !ok || name == "" && !quoted {
		return t, false, "The expression has a part that cannot be read."
	}
	p.space()
	if p.rest == "" || !strings.ContainsRune("=<>:!", rune(p.rest[0])) {
		return p.text(name, quoted)
	}
	return p.restriction(name, quoted)
}

func (p *queryParser) parentheses() (t term, or bool, complaint string) {
	if p.depth++; p.depth > maxDepth {
		return t, false, "The expression is nested too deeply."
	}
	p.rest = p.rest[1:]
	p.space()
	q, complaint := p.query()
	if complaint == "" && !strings.HasPrefix(p.rest, ")") {
		complaint = "The expression has an open parenthesis."
	}
	if complaint != "" {
		return t, false, complaint
	}
	p.rest = p.rest[1:]
	p.space()
	p.depth--
	return term{inner: q}, q.alternatives(), ""
}

// alternatives reports whether a query in parentheses may itself stand in an OR.
func (q *query) alternatives() bool {
	for _, c := range q.clauses {
		for _, t := range c {
			if t.inner != nil && !t.inner.alternatives() || t.inner == nil && t.field != "priority" {
				return false
			}
		}
	}
	return true
}

func (p *queryParser) text(word string, quoted bool) (term, bool, string) {
	switch {
	case !p.lang.text:
		return term{}, false, "The expression has a word without a field."
	case !quoted && (word == "AND" || word == "OR" || word == "NOT" || strings.HasPrefix(word, "-")):
		return term{}, false, "The expression has an operator in the wrong place."
	}
	return term{value: word}, false, ""
}

func (p *queryParser) restriction(name string, quoted bool) (term, bool, string) {
	i := slices.IndexFunc(p.lang.fields, func(f queryField) bool { return slices.Contains(f.names, name) })
	if i < 0 || quoted {
		return term{}, false, "The expression restricts a field that cannot be used here."
	}
	f := p.lang.fields[i]
	if !strings.Contains(f.ops, p.rest[:1]) || len(p.rest) > 1 && strings.ContainsRune("=<>:!", rune(p.rest[1])) {
		return term{}, false, "The field " + f.names[0] + " takes only the operator " + f.ops[:1] + "."
	}
	p.rest = p.rest[1:]
	p.space()
	value, quoted, ok := p.value()
	if !ok || value == "" && !quoted {
		return term{}, false, "The field " + f.names[0] + " has no value."
	}
	p.space()
	return f.term(value)
}

func (f queryField) term(value string) (term, bool, string) {
	t := term{field: f.names[0], value: value}
	if len(f.values) > 0 && !slices.Contains(f.values, value) {
		return t, false, "The field " + t.field + " takes only " + strings.Join(f.values, ", ") + "."
	}
	if f.time {
		at, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return t, false, "The field " + t.field + " takes a time in RFC 3339 in quotes."
		}
		t.time = at
	}
	return t, f.or, ""
}

// value reads a quoted string or a bare word.
func (p *queryParser) value() (value string, quoted, ok bool) {
	if strings.HasPrefix(p.rest, `"`) {
		return p.quoted()
	}
	n := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`()"=<>:!`, r) })
	if n < 0 {
		n = len(p.rest)
	}
	value, p.rest = p.rest[:n], p.rest[n:]
	return value, false, true
}

func (p *queryParser) quoted() (string, bool, bool) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), true, true
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", true, false
}
