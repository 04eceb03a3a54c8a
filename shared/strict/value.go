package strict

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Value is one value of the text and the key that leads to it.
type Value struct {
	*Reader
	node *yaml.Node
	key  string
}

// Fields says which keys a mapping may have and who reads each.
type Fields map[string]func(Value)

// Line is where the value stands.
func (v Value) Line() int { return v.node.Line }

// Key leads to the value from the root.
func (v Value) Key() string { return v.key }

// Empty reports whether the value is a list or a mapping with nothing in it.
func (v Value) Empty() bool { return v.node.Kind != yaml.ScalarNode && len(v.node.Content) == 0 }

// IsText reports whether the value is a scalar, for keys that take a word or a mapping.
func (v Value) IsText() bool {
	if v.node.Kind == yaml.AliasNode {
		return v.node.Alias.Kind == yaml.ScalarNode
	}
	return v.node.Kind == yaml.ScalarNode
}

// Problem notes a problem with the value.
func (v Value) Problem(format string, args ...any) { v.Add(v.node.Line, v.key, format, args...) }

// At returns the key of something inside v.
func (v Value) At(name string) string {
	if v.key == "" {
		return name
	}
	return v.key + "." + name
}

// resolve follows an alias and counts. It returns nil for a value that is not to be read, having said why.
func (v Value) resolve(kind yaml.Kind, want string) *yaml.Node {
	n := v.node
	if v.values++; v.values > v.o.Values {
		v.Problem("the file has more than %d values once its anchors are followed; write fewer", v.o.Values)
		v.full = true
		return nil
	}
	switch {
	case n.Kind == yaml.AliasNode && v.o.Hostile:
		v.Problem("is an alias, which is not followed; write out what it stands for")
		return nil
	case n.Kind == yaml.AliasNode:
		n = n.Alias
	}
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		v.Problem("must stand without a YAML tag; write it as plain text")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		v.Problem("has no value; write %s or remove the key", want)
	case n.Kind != kind:
		v.Problem("must be %s", want)
	default:
		return n
	}
	return nil
}

// Mapping reads the keys it knows, says what is wrong with the others and what is missing, and returns the values that are there; nil if v
// is no mapping.
func (v Value) Mapping(known Fields, required ...string) map[string]Value {
	there := map[string]Value{}
	names := slices.Collect(maps.Keys(known))
	ok := v.Pairs(func(name string, line int, f Value) {
		if read := known[name]; read != nil {
			there[name] = f
			read(f)
			return
		}
		v.unknown(name, line, names)
	})
	if !ok {
		return nil
	}
	for _, name := range required {
		if _, found := there[name]; !found {
			v.Add(v.node.Line, v.At(name), "is missing; it is required")
		}
	}
	return there
}

func (v Value) unknown(name string, line int, names []string) {
	if v.o.Hostile {
		v.Add(line, v.key, "has a key that is not known%s", Suggest(name, names))
		return
	}
	v.Add(line, v.At(name), "is not a known key%s", Suggest(name, names))
}

// Pairs calls f with every pair of a mapping, but once for each key. It reports whether v is a mapping.
func (v Value) Pairs(f func(name string, line int, child Value)) bool {
	n := v.resolve(yaml.MappingNode, "keys and values")
	if n == nil {
		return false
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content) && !v.full; i += 2 {
		k := n.Content[i]
		switch line, twice := first[k.Value]; {
		case k.Kind != yaml.ScalarNode:
			v.Add(k.Line, v.key, "has a key that is not a plain word")
		case k.Tag == "!!merge":
			v.Add(k.Line, v.At(k.Value), "is not read: merge keys are not supported; write the keys out")
		case twice && v.o.Hostile:
			v.Add(k.Line, v.key, "has the same key twice, first in line %d; remove one", line)
		case twice:
			v.Add(k.Line, v.At(k.Value), "is there twice, first in line %d; remove one", line)
		default:
			first[k.Value] = k.Line
			f(k.Value, k.Line, Value{v.Reader, n.Content[i+1], v.At(k.Value)})
		}
	}
	return true
}

// List calls f with every element. It reports whether v is a list.
func (v Value) List(f func(Value)) bool {
	n := v.resolve(yaml.SequenceNode, "a list")
	if n == nil {
		return false
	}
	for i, c := range n.Content {
		if v.full {
			break
		}
		f(Value{v.Reader, c, fmt.Sprintf("%s[%d]", v.key, i)})
	}
	return true
}

// Scalar returns the text of a scalar as it is written; "" with a problem if there is none. want says what to write.
func (v Value) Scalar(want string) string {
	n := v.resolve(yaml.ScalarNode, want)
	if n == nil {
		return ""
	}
	if strings.TrimSpace(n.Value) == "" {
		v.Problem("must not be empty; write %s", want)
		return ""
	}
	return n.Value
}

// ExactlyOne says so unless one of the keys is there, and only one. there is what Mapping returned.
func (v Value) ExactlyOne(there map[string]Value, names ...string) {
	n := 0
	for _, name := range names {
		if _, ok := there[name]; ok {
			n++
		}
	}
	if n != 1 && there != nil {
		v.Problem("must have exactly one of %s; it has %d", Alternatives(names), n)
	}
}

// Unique says so if the text was seen before, in which line, or notes it. what says whose the other one is.
func (v Value) Unique(s, what string, seen map[string]int) {
	if s == "" {
		return
	}
	if line, twice := seen[s]; twice {
		v.Problem("is %s, in line %d; write another", what, line)
		return
	}
	seen[s] = v.node.Line
}

// Check says what is wrong with a text, "" if nothing is.
type Check func(string) string

// Text reads a text that passes the checks.
func Text(dst *string, checks ...Check) func(Value) {
	return func(v Value) {
		s := v.Scalar("a text")
		if s == "" {
			return
		}
		for _, c := range checks {
			if message := c(s); message != "" {
				v.Problem("%s", message)
				return
			}
		}
		*dst = s
	}
}

// Texts reads a list of texts, each there once.
func Texts(dst *[]string, checks ...Check) func(Value) {
	return func(v Value) {
		seen := map[string]bool{}
		v.List(func(e Value) {
			var s string
			Text(&s, checks...)(e)
			if s == "" {
				return
			}
			if seen[s] {
				e.Problem("is in the list twice; remove one")
				return
			}
			seen[s], *dst = true, append(*dst, s)
		})
	}
}

// OneOf reads one of some words.
func OneOf(dst *string, words ...string) func(Value) {
	return Text(dst, Words(words...))
}

// Words is the check for one of some words.
func Words(words ...string) Check {
	return func(s string) string {
		if slices.Contains(words, s) {
			return ""
		}
		return "must be " + Alternatives(words) + Suggest(s, words)
	}
}

// Forever is no upper limit of a duration.
const Forever = time.Duration(math.MaxInt64)

// Duration reads a duration within limits.
func Duration(dst *time.Duration, least, most time.Duration) func(Value) {
	return func(v Value) {
		s := v.Scalar("a duration such as 15m")
		if s == "" {
			return
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			v.Problem("must be a duration with a unit, such as 90s, 15m or 24h")
			return
		}
		if d < least || d > most {
			v.Problem("must be %s", limits(least, most))
			return
		}
		*dst = d
	}
}

func limits(least, most time.Duration) string {
	if most == Forever {
		return "at least " + short(least)
	}
	return "between " + short(least) + " and " + short(most)
}

// short writes a duration as people do: 15m, not 15m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Number reads a whole number within limits.
func Number(dst *int, least, most int) func(Value) {
	return func(v Value) {
		s := v.Scalar("a number")
		if s == "" {
			return
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			v.Problem("must be a whole number between %d and %d", least, most)
			return
		}
		*dst = n
	}
}

// Yes reads true or false.
func Yes(dst *bool) func(Value) {
	return func(v Value) {
		switch v.Scalar("true or false") {
		case "":
		case "true":
			*dst = true
		case "false":
			*dst = false
		default:
			v.Problem("must be true or false")
		}
	}
}
