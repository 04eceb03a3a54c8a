package alert

import (
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// list collects names, each once.
type list struct{ names []string }

func (l *list) add(name string) {
	if name = strings.TrimSpace(name); name != "" && !slices.Contains(l.names, name) && len(l.names) < maxListed {
		l.names = append(l.names, name)
	}
}

// maxListed is how many names are worth showing.
const maxListed = 100

func (l *list) String() string { return strings.Join(l.names, ", ") }

// joined reads a list that Google writes into a log as a text, "['us-east1','us-west1']", with either quote, or as an array.
func joined(v value) string {
	var l list
	for e := range v.items() {
		l.add(e.text())
	}
	s := strings.TrimSpace(v.text())
	if inner, ok := strings.CutPrefix(s, "["); ok {
		s = strings.TrimSuffix(inner, "]")
	}
	for s != "" {
		var name string
		name, s = cutQuoted(s)
		l.add(name)
	}
	return l.String()
}

// cutQuoted cuts the first element off a list: what stands in quotes, in which a backslash stands before a quote, or all before the comma.
func cutQuoted(s string) (name, rest string) {
	s = strings.TrimLeft(s, " \t\n,")
	if s == "" || s[0] != '\'' && s[0] != '"' {
		name, rest, _ = strings.Cut(s, ",")
		return name, rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// optionalTime reads a time in RFC 3339; the zero time if there is none.
func optionalTime(o object, name string) (time.Time, error) {
	if !o.has(name) {
		return time.Time{}, nil
	}
	t, ok := instant(o.text(name))
	if !ok {
		return time.Time{}, fault.New(fault.Invalid, "%s must be a time such as 2026-01-31T15:04:05Z", name)
	}
	return t, nil
}
