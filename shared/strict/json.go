package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// maxDepth of JSON values within values.
const maxDepth = 100

// JSON returns the root of the one value that a text holds, false with a problem if there is none.
func (r *Reader) JSON(data []byte) (Value, bool) {
	if !r.Readable(data) {
		return Value{}, false
	}
	if len(bytes.TrimSpace(data)) == 0 {
		r.Add(1, "", "the file is empty; %s", r.o.Empty)
		return Value{}, false
	}
	p := &jsonParser{data: data, left: r.o.Values, line: 1, dec: json.NewDecoder(bytes.NewReader(data))}
	p.dec.UseNumber()
	root, err := p.value(0)
	if err == nil {
		err = p.end()
	}
	if err != nil {
		r.Add(p.at(), "", "%s", p.reason(err))
		return Value{}, false
	}
	return r.Tree(root), true
}

// jsonParser makes JSON a tree that knows its lines.
type jsonParser struct {
	data       []byte
	dec        *json.Decoder
	left       int // values that may still come
	line, upTo int // the line of the byte upTo
}

var (
	errDeep = fmt.Errorf("the file has more than %d values within values; write it flatter", maxDepth)
	errMany = errors.New("the file has too many values; write fewer")
	errMore = errors.New("the file goes on after its JSON value; remove the rest")
)

// reason says what is wrong, without the characters that the decoder's own errors repeat.
func (p *jsonParser) reason(err error) string {
	switch err {
	case errDeep, errMany, errMore:
		return err.Error()
	}
	return "the file is not valid JSON from here on"
}

// at returns the line of what was read last.
func (p *jsonParser) at() int {
	end := min(int(p.dec.InputOffset()), len(p.data))
	p.line += bytes.Count(p.data[p.upTo:end], []byte("\n"))
	p.upTo = end
	return p.line
}

func (p *jsonParser) value(depth int) (*yaml.Node, error) {
	token, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	if p.left--; p.left < 0 {
		return nil, errMany
	}
	if depth > maxDepth {
		return nil, errDeep
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: p.at()}
	switch t := token.(type) {
	case json.Delim:
		return n, p.members(n, t, depth)
	case nil:
		n.Tag = "!!null"
	case string:
		n.Tag, n.Value = "!!str", t
	default: // a number as it is written, true or false
		n.Value = fmt.Sprint(t)
	}
	return n, nil
}

// members reads what stands in an object or an array: in both, values one after the other.
func (p *jsonParser) members(n *yaml.Node, open json.Delim, depth int) error {
	n.Kind = yaml.MappingNode
	if open == '[' {
		n.Kind = yaml.SequenceNode
	}
	for p.dec.More() {
		child, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, child)
	}
	_, err := p.dec.Token() // its end
	return err
}

func (p *jsonParser) end() error {
	if _, err := p.dec.Token(); err != io.EOF {
		return errMore
	}
	return nil
}
