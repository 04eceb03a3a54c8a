package strict

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// everything is what a text of these tests may say.
type everything struct {
	Word, Choice string
	Words        []string
	N            int
	Yes          bool
	Wait         time.Duration
	Inner        []string
}

// read reads a text in a form; see the package comment for how.
func read(o Options, form string, text string) (e everything, p Problems) {
	o.Bytes, o.Values, o.Empty = max(o.Bytes, 1000), max(o.Values, 200), "write something"
	r := New(o)
	open := map[string]func([]byte) (Value, bool){"yaml": r.YAML, "json": r.JSON}[form]
	if root, ok := open([]byte(text)); ok {
		root.Mapping(Fields{
			"word":   Text(&e.Word),
			"choice": OneOf(&e.Choice, "left", "right"),
			"words":  Texts(&e.Words),
			"n":      Number(&e.N, 1, 9),
			"yes":    Yes(&e.Yes),
			"wait":   Duration(&e.Wait, time.Second, time.Hour),
			"inner": func(v Value) {
				seen := map[string]int{}
				v.List(func(e1 Value) {
					var a string
					there := e1.Mapping(Fields{"a": Text(&a), "b": Text(new(string))})
					e1.ExactlyOne(there, "a", "b")
					there["a"].Unique(a, "another a", seen)
					e.Inner = append(e.Inner, e1.Key())
				})
			},
		}, "word")
	}
	return e, r.Problems()
}

// TestForms: the same text in both forms is the same value.
func TestForms(t *testing.T) {
	want := everything{"é / 😀", "left", []string{"a", "b"}, 7, true, 90 * time.Second, []string{"inner[0]"}}
	for form, text := range map[string]string{
		"yaml": "word: é / 😀\nchoice: left\nwords: [a, b]\nn: 7\nyes: true\nwait: 90s\ninner: [{a: x}]\n",
		"json": `{"word":"\u00e9 \/ \ud83d\ude00","choice":"left","words":["a","b"],"n":7,"yes":true,"wait":"90s","inner":[{"a":"x"}]}`,
	} {
		if got, p := read(Options{}, form, text); len(p) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", form, got, p)
		}
	}
}

func TestProblems(t *testing.T) {
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat("a,", n), ",") }
	for _, tt := range []struct {
		name, form, text, want string
		hostile                bool
	}{
		{"nothing", "yaml", "# nothing", "line 1: the file is empty; write something", false},
		{"no JSON", "json", " \n", "line 1: the file is empty; write something", false},
		{"two documents", "yaml", "word: a\n---\nword: b", "line 1: the file holds more than one YAML document; remove the others", false},
		{"two values", "json", "{\"word\":\"a\"}\n{}", "line 2: the file goes on after its JSON value; remove the rest", false},
		{"broken YAML", "yaml", "word: a\nn: [", "line 2: the file is not valid YAML: did not find expected node content", false},
		{"broken JSON", "json", "{\"word\": \"a\",\n\n x}", "line 3: the file is not valid JSON from here on", false},
		{"JSON that ends", "json", `{"word":`, "line 1: the file is not valid JSON from here on", false},
		{"YAML is no JSON", "json", "word: a", "line 1: the file is not valid JSON from here on", false},
		{"deep", "json", strings.Repeat("[", 102), "line 1: the file has more than 100 values within values; write it flatter", false},
		{"long", "json", "[" + many(600) + "]", "line 1: the file is larger than 1000 bytes; make it smaller", false},
		{"many", "json", "[" + strings.ReplaceAll(many(210), "a", "1") + "]", "line 1: the file has too many values; write fewer", false},
		{"many in YAML", "yaml", "word: x\nwords: [" + strings.Repeat("[],", 220) + "]", "", false},
		{"types", "json", "{\n\"word\":null,\n\"n\":10,\n\"yes\":\"no\",\n\"wait\":\"1d\",\n\"words\":{},\n\"choice\":\"lefd\"}",
			"line 2: word: has no value; write a text or remove the key\nline 3: n: must be a whole number between 1 and 9\nline 4: yes: must be true or false\n" +
				"line 5: wait: must be a duration with a unit, such as 90s, 15m or 24h\nline 6: words: must be a list\nline 7: choice: must be left or right (did you mean left?)", false},
		{"limits", "yaml", "word: a\nwait: 2h\nwords: [x, x, \"\"]", "line 2: wait: must be between 1s and 1h\nline 3: words[1]: is in the list twice; remove one\nline 3: words[2]: must not be empty; write a text", false},
		{"keys", "yaml", "wrd: a\nword: b\nword: c", "line 1: wrd: is not a known key (did you mean word?)\nline 3: word: is there twice, first in line 2; remove one", false},
		{"keys from outside", "yaml", "wrd: a\nsecret: b\nsecret: c", "line 1: has a key that is not known (did you mean word?)\nline 1: word: is missing; it is required\n" +
			"line 2: has a key that is not known\nline 3: has the same key twice, first in line 2; remove one", true},
		{"an alias", "yaml", "word: &a x\nchoice: *a", "line 2: choice: must be left or right", false},
		{"an alias from outside", "yaml", "word: &a x\nchoice: *a", "line 2: choice: is an alias, which is not followed; write out what it stands for", true},
		{"no such anchor from outside", "yaml", "word: *secret", "line 1: the file is not valid YAML: an alias is not followed; write out what it stands for", true},
		{"one of two", "yaml", "word: x\ninner: [{a: x, b: y}, {}, 7, {a: x}]", "line 2: inner[0]: must have exactly one of a or b; it has 2\n" +
			"line 2: inner[1]: must have exactly one of a or b; it has 0\nline 2: inner[2]: must be keys and values\nline 2: inner[3].a: is another a, in line 2; write another", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, p := read(Options{Hostile: tt.hostile}, tt.form, tt.text)
			if tt.want != "" && p.Error() != tt.want || len(p) == 0 {
				t.Errorf("%s", p)
			}
		})
	}
}

// TestManyProblems: they end, and say so.
func TestManyProblems(t *testing.T) {
	r := New(Options{})
	for n := range 5000 {
		r.Add(n, "", "is wrong")
	}
	if p := r.Problems(); len(p) != maxProblems+1 || !strings.Contains(p[len(p)-1].Message, "more problems") {
		t.Errorf("%d problems", len(p))
	}
}

// FuzzJSON: what is accepted is what the standard library reads.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,"x\n",true,null,{}]}`, "[\n1,\n\"\\u2028\"\n]", `{"a":1,"a":2}`, "[[[", "1 2", `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := New(Options{Bytes: 1 << 16, Values: 1000, Empty: "x", Hostile: true})
		root, ok := r.JSON(data)
		if ok != (len(r.Problems()) == 0) {
			t.Fatalf("%v with %v", ok, r.Problems())
		}
		if !ok {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q is no JSON", data)
		}
		lines(t, root.node, 1+bytes.Count(data, []byte("\n")))
	})
}

// lines sees that every node has one of the lines, and none before its parent's.
func lines(t *testing.T, n *yaml.Node, last int) {
	for _, c := range n.Content {
		if c.Line < n.Line || c.Line > last {
			t.Fatalf("line %d in one of %d to %d", c.Line, n.Line, last)
		}
		lines(t, c, last)
	}
}
