package alert

import (
	"maps"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// texts are labels or annotations: names, each once and in the order of the alphabet, with their texts. Those of a body are mostly a piece
// of the list of its nodes, with nothing copied: a webhook's answer waits for them, and a map of each alert's takes longer than all the rest.
type texts []node

// texts returns a field that is an object of texts; nil if it is missing or null. A null inside counts as missing. what names the field in
// the error.
func (o object) texts(name, what string) (texts, error) {
	field := o.get(name)
	switch {
	case field.isNull():
		return nil, nil
	case field.kind() != '{':
		return nil, fault.New(fault.Invalid, "%s must be an object of names and texts", what)
	}
	list, missing := texts(field[1:]), false
	for i := range list {
		switch list[i].kind {
		case 'n':
			missing = true
		case '{', '[':
			return nil, fault.New(fault.Invalid, "%s must hold texts only", what)
		}
	}
	if missing || !field[0].sorted {
		list = slices.DeleteFunc(slices.Clone(list), func(n node) bool { return n.kind == 'n' })
		slices.SortFunc(list, alphabetical)
	}
	return list, nil
}

func textsOf(m map[string]string) texts {
	list := make(texts, 0, len(m))
	for k, v := range m {
		list = append(list, node{name: k, text: v})
	}
	slices.SortFunc(list, alphabetical)
	return list
}

func alphabetical(a, b node) int { return strings.Compare(a.name, b.name) }

// mapped returns the texts as a map, nil if there are none.
func (t texts) mapped() map[string]string {
	if len(t) == 0 {
		return nil
	}
	m := make(map[string]string, len(t))
	for i := range t {
		m[t[i].name] = t[i].text
	}
	return m
}

func (t texts) get(name string) string {
	for i := range t {
		if t[i].name == name {
			return t[i].text
		}
	}
	return ""
}

// first returns the first of the named texts that is not blank.
func (t texts) first(names ...string) string {
	for _, name := range names {
		if s := strings.TrimSpace(t.get(name)); s != "" {
			return s
		}
	}
	return ""
}

// over puts the texts over others.
func (t texts) over(under texts) texts {
	all := make(texts, 0, len(t)+len(under))
	for len(t) > 0 && len(under) > 0 {
		switch n := alphabetical(t[0], under[0]); {
		case n > 0:
			all, under = append(all, under[0]), under[1:]
		case n == 0:
			under = under[1:]
		default:
			all, t = append(all, t[0]), t[1:]
		}
	}
	return append(append(all, t...), under...)
}

// clipped bounds names and texts as the function of that name does.
func (t texts) clipped(limit int) texts {
	for i := range t {
		if len(t[i].name) > maxName || len(t[i].text) > limit {
			return textsOf(clipped(t.mapped(), limit))
		}
	}
	return t
}

// places writes labels as "a=b, c=d", less those that do not say where.
func (t texts) places() string {
	var list []string
	for _, l := range t {
		if l.name != "alertname" && l.name != "severity" && l.text != "" {
			list = append(list, l.name+"="+l.text)
		}
	}
	return strings.Join(list, ", ")
}

// clipped bounds the names and values of labels and annotations; nil if there are none. Of two names that are equal after the cut the
// later one in the alphabet stays.
func clipped(m map[string]string, limit int) map[string]string {
	switch {
	case len(m) == 0:
		return nil
	case fits(m, limit):
		return m
	}
	out := make(map[string]string, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out[clip(k, maxName)] = clip(m[k], limit)
	}
	return out
}

func fits(m map[string]string, limit int) bool {
	for k, v := range m {
		if len(k) > maxName || len(v) > limit {
			return false
		}
	}
	return true
}
