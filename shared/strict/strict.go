// Package strict reads a text that people write, YAML or JSON, value by value, and says everything that is wrong with it at once: each problem
// with its line, its key and what to write instead. A key that is not known is a problem, as is one that is there twice.
//
// A caller asks a [Reader] for the root and gives functions that read values: [Text], [OneOf], [Number] and so on, put together with
// [Value.Mapping] and [Value.List]. What they read goes to where they were told; what is wrong goes to the reader, which returns it from
// [Reader.Problems]. Another form, such as CSV, becomes a tree of nodes first; see [Reader.Tree].
//
// Guaranteed: a text outside the limits costs no more than one within them; a text from outside (Options.Hostile) is never repeated in a
// problem, whose keys are then those that the caller knows.
//
// Not promised: that a text with a syntax error is read beyond it, or that two forms of the same thing have their problems in the same words.
package strict

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Options of a Reader.
type Options struct {
	File    string // its name in problems
	Bytes   int    // the most that is read
	Values  int    // the most values, once anchors are followed: a few aliases of aliases can stand for billions
	Empty   string // what to write into a file that is empty
	Hostile bool   // the text comes from outside: no alias is followed, and no problem repeats what it holds
}

// maxProblems are told; more help nobody.
const maxProblems = 1000

// Reader reads one text and collects what is wrong with it. It is for one caller at a time.
type Reader struct {
	o        Options
	problems Problems
	values   int
	full     bool     // what is found from now on is no longer reliable, or no longer told
	later    []func() // checks that need the whole text
}

// New returns a reader for one text.
func New(o Options) *Reader { return &Reader{o: o} }

// Add notes a problem.
func (r *Reader) Add(line int, key, format string, args ...any) {
	if r.full {
		return
	}
	if len(r.problems) == maxProblems {
		r.full = true
		format, args = "there are more problems than these; mend them first", nil
	}
	r.problems = append(r.problems, Problem{r.o.File, max(line, 1), key, fmt.Sprintf(format, args...)})
}

// Later runs a check when everything has been read.
func (r *Reader) Later(check func()) { r.later = append(r.later, check) }

// Problems runs the checks that wait for the end and returns what was found, in the order of the lines; none if all is well.
func (r *Reader) Problems() Problems {
	for _, check := range r.later {
		check()
	}
	r.later = nil
	return r.problems.sorted()
}

// YAML returns the root of the one document that a text holds, false with a problem if there is none.
func (r *Reader) YAML(data []byte) (Value, bool) {
	if !r.Readable(data) {
		return Value{}, false
	}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		r.Add(1, "", "the file is empty; %s", r.o.Empty)
		return Value{}, false
	}
	if err != nil {
		r.syntax(err)
		return Value{}, false
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		r.Add(1, "", "the file holds more than one YAML document; remove the others")
		return Value{}, false
	}
	return r.Tree(doc.Content[0]), true
}

// Tree returns the value at the root of a tree that the caller made. Its nodes have lines, and tags as the YAML decoder gives them.
func (r *Reader) Tree(root *yaml.Node) Value { return Value{r, root, ""} }

// Readable reports whether a text is small enough and is text.
func (r *Reader) Readable(data []byte) bool {
	switch {
	case len(data) > r.o.Bytes:
		r.Add(1, "", "the file is larger than %d bytes; make it smaller", r.o.Bytes)
	case !utf8.Valid(data):
		r.Add(1, "", "the file is not UTF-8; save it as UTF-8")
	default:
		return true
	}
	return false
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?`)

func (r *Reader) syntax(err error) {
	m := yamlLine.FindStringSubmatch(err.Error())
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m != nil {
		message = strings.TrimPrefix(err.Error(), m[0])
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	if r.o.Hostile && strings.Contains(message, "anchor") { // the one message with a word of the text
		message = "an alias is not followed; write out what it stands for"
	}
	r.Add(line, "", "the file is not valid YAML: %s", message)
}
