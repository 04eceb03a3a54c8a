package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxValues bounds the values of a file once its anchors are followed: a few aliases of aliases can stand for billions.
const maxValues = 20000

// reader reads one file and collects what is wrong with it.
type reader struct {
	file     string
	sources  Sources
	problems Problems
	values   int
	full     bool     // too many values; what is found after that is no longer reliable
	later    []func() // checks that need the whole file
}

// value is one value of the file and the key that leads to it.
type value struct {
	*reader
	node *yaml.Node
	key  string
}

// fields says which keys a mapping may have and who reads each.
type fields map[string]func(value)

func (v value) problem(format string, args ...any) { v.add(v.node.Line, v.key, format, args...) }

// at returns the key of something inside v.
func (v value) at(name string) string {
	if v.key == "" {
		return name
	}
	return v.key + "." + name
}

// resolve follows an alias and counts. It returns nil for a value that is not to be read, having said why.
func (v value) resolve(kind yaml.Kind, want string) *yaml.Node {
	n := v.node
	if v.values++; v.values > maxValues {
		v.problem("the file has more than %d values once its anchors are followed; write fewer", maxValues)
		v.full = true
		return nil
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		v.problem("must stand without a YAML tag; write it as plain text")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		v.problem("has no value; write %s or remove the key", want)
	case n.Kind != kind:
		v.problem("must be %s", want)
	default:
		return n
	}
	return nil
}

// mapping reads the keys it knows, says what is wrong with the others and what is missing, and returns the values that are there; nil if v
// is no mapping.
func (v value) mapping(known fields, required ...string) map[string]value {
	there := map[string]value{}
	ok := v.pairs(func(name string, line int, f value) {
		there[name] = f
		if read := known[name]; read != nil {
			read(f)
			return
		}
		v.add(line, f.key, "is not a known key%s", suggest(name, slices.Collect(maps.Keys(known))))
	})
	if !ok {
		return nil
	}
	for _, name := range required {
		if _, found := there[name]; !found {
			v.add(v.node.Line, v.at(name), "is missing; it is required")
		}
	}
	return there
}

// pairs calls f with every pair of a mapping, but once for each key. It reports whether v is a mapping.
func (v value) pairs(f func(name string, line int, child value)) bool {
	n := v.resolve(yaml.MappingNode, "keys and values")
	if n == nil {
		return false
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content) && !v.full; i += 2 {
		k := n.Content[i]
		child := value{v.reader, n.Content[i+1], v.at(k.Value)}
		switch line, twice := first[k.Value]; {
		case k.Kind != yaml.ScalarNode:
			v.add(k.Line, v.key, "has a key that is not a plain word")
		case k.Tag == "!!merge":
			v.add(k.Line, child.key, "is not read: merge keys are not supported; write the keys out")
		case twice:
			v.add(k.Line, child.key, "is there twice, first in line %d; remove one", line)
		default:
			first[k.Value] = k.Line
			f(k.Value, k.Line, child)
		}
	}
	return true
}

// list calls f with every element. It reports whether v is a list.
func (v value) list(f func(value)) bool {
	n := v.resolve(yaml.SequenceNode, "a list")
	if n == nil {
		return false
	}
	for i, c := range n.Content {
		if v.full {
			break
		}
		f(value{v.reader, c, fmt.Sprintf("%s[%d]", v.key, i)})
	}
	return true
}

// scalar returns the text of a scalar as it is written; "" with a problem if there is none.
func (v value) scalar(want string) string {
	n := v.resolve(yaml.ScalarNode, want)
	if n == nil {
		return ""
	}
	if strings.TrimSpace(n.Value) == "" {
		v.problem("must not be empty; write %s", want)
		return ""
	}
	return n.Value
}

// check says what is wrong with a text, "" if nothing is.
type check func(string) string

func text(dst *string, checks ...check) func(value) {
	return func(v value) {
		s := v.scalar("a text")
		if s == "" {
			return
		}
		for _, c := range checks {
			if message := c(s); message != "" {
				v.problem("%s", message)
				return
			}
		}
		*dst = s
	}
}

func texts(dst *[]string, checks ...check) func(value) {
	return func(v value) {
		v.list(func(e value) {
			var s string
			text(&s, checks...)(e)
			if s != "" && slices.Contains(*dst, s) {
				e.problem("is in the list twice; remove one")
			} else if s != "" {
				*dst = append(*dst, s)
			}
		})
	}
}

func oneOf(dst *string, words ...string) func(value) {
	return text(dst, func(s string) string {
		if slices.Contains(words, s) {
			return ""
		}
		return "must be " + alternatives(words) + suggest(s, words)
	})
}

// alternatives writes words as "a, b or c".
func alternatives(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func duration(dst *time.Duration, least, most time.Duration) func(value) {
	return func(v value) {
		s := v.scalar("a duration such as 15m")
		if s == "" {
			return
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			v.problem("must be a duration with a unit, such as 90s, 15m or 24h")
			return
		}
		if d < least || d > most {
			v.problem("must be %s", limits(least, most))
			return
		}
		*dst = d
	}
}

const forever = time.Duration(math.MaxInt64)

func limits(least, most time.Duration) string {
	if most == forever {
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

func number(dst *int, least, most int) func(value) {
	return func(v value) {
		s := v.scalar("a number")
		if s == "" {
			return
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			v.problem("must be a whole number between %d and %d", least, most)
			return
		}
		*dst = n
	}
}

func yes(dst *bool) func(value) {
	return func(v value) {
		switch v.scalar("true or false") {
		case "":
		case "true":
			*dst = true
		case "false":
			*dst = false
		default:
			v.problem("must be true or false")
		}
	}
}

// secret reads a reference and, where that can be done offline, sees that it leads to a secret.
func secret(dst *Secret) func(value) {
	return func(v value) {
		ref := v.scalar(howToWriteSecret[len("write "):])
		if ref == "" {
			return
		}
		s, err := NewSecret(ref, v.sources)
		if err != nil {
			v.problem("%s", fault.Public(err))
			return
		}
		if !strings.HasPrefix(ref, "secret:") {
			if _, err := s.lookup(context.Background()); err != nil {
				v.problem("%s cannot be used: %v", ref, cause(err))
				return
			}
		}
		*dst = s
	}
}

// cause is an error less the path in it, which the reference names already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
