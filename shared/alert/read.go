package alert

import (
	"encoding/json"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// maxDepth is how deep objects and arrays may nest; no known sender goes beyond 10.
const maxDepth = 32

// The errors of a body that is not what it should be. They repeat nothing of it.
var (
	errEmpty  = fault.New(fault.Invalid, "the body is empty; send one JSON object")
	errLarge  = fault.New(fault.Invalid, "the body is larger than %d bytes; send fewer alerts at once (Alertmanager: max_alerts)", MaxBody)
	errUTF8   = fault.New(fault.Invalid, "the body is not valid UTF-8")
	errJSON   = fault.New(fault.Invalid, "the body is not one JSON value and nothing after it")
	errObject = fault.New(fault.Invalid, "the body is not a JSON object")
	errDeep   = fault.New(fault.Invalid, "the body nests deeper than %d levels", maxDepth)
	errBatch  = fault.New(fault.Invalid, "the body holds more than %d alerts; send fewer at once", maxBatch)
	errTwice  = fault.New(fault.Invalid, "an object of the body has the same name twice; send each name once")
)

// read reads a body that is one JSON object.
func read(body []byte) (object, error) { return readObject(body, new(Room)) }

func readObject(body []byte, room *Room) (object, error) {
	v, err := readInto(room, body)
	if err == nil && v.kind() != '{' {
		err = errObject
	}
	if err != nil {
		return nil, err
	}
	return object(v), nil
}

// readValue reads a body that is one JSON value.
func readValue(body []byte) (value, error) { return readInto(new(Room), body) }

func readInto(room *Room, body []byte) (value, error) {
	switch {
	case len(body) == 0:
		return nil, errEmpty
	case len(body) > MaxBody:
		return nil, errLarge
	case !utf8.Valid(body):
		return nil, errUTF8
	}
	r := reader{in: string(body), nodes: slices.Grow(room.nodes[:0], len(body)/usualNode+1)}
	err := r.value("", true)
	room.nodes = r.nodes
	if err != nil {
		return nil, err
	}
	if r.next(); r.at < len(r.in) {
		return nil, errJSON
	}
	return r.nodes, nil
}

// usualNode is how many bytes of a body a node takes, or a little less.
const usualNode = 32

// reader reads the JSON of RFC 8259 and takes nothing else. It is here because a webhook's answer waits for it: the tokens of encoding/json
// take nine times as long. A fuzz target holds the two against each other.
type reader struct {
	in    string // valid UTF-8
	at    int
	depth int
	nodes []node                     // of what was read
	last  struct{ raw, text string } // string with an escape, from behind its first quote to behind its last one, and what it says
}

// next skips white space and returns the character after it, 0 at the end.
func (r *reader) next() byte {
	if r.at < len(r.in) && r.in[r.at] > ' ' {
		return r.in[r.at]
	}
	return r.behindSpace()
}

func (r *reader) behindSpace() byte {
	for ; r.at < len(r.in); r.at++ {
		if c := r.in[r.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// skip takes a character if it is the next one, with no white space before it.
func (r *reader) skip(c byte) bool {
	if r.at == len(r.in) || r.in[r.at] != c {
		return false
	}
	r.at++
	return true
}

// value reads a value and all that is in it. plain says that of its name.
func (r *reader) value(name string, plain bool) (err error) {
	n := node{name: name, size: 1, kind: r.next(), plain: plain}
	switch {
	case n.kind == '"':
		n.text, n.plain, err = r.text(plain)
	case n.kind == '{', n.kind == '[':
		return r.nested(n)
	case n.kind == '-', isDigit(n.kind):
		n.text, err = r.number()
	default:
		n.text, err = r.word()
	}
	r.nodes = append(r.nodes, n)
	return err
}

// nested reads an object or an array, whose own node is n.
func (r *reader) nested(n node) error {
	if r.depth == maxDepth {
		return errDeep
	}
	begin := len(r.nodes)
	r.nodes = append(r.nodes, n)
	r.depth++
	if err := r.items(n.kind); err != nil {
		return err
	}
	r.depth--
	all := r.nodes[begin:]
	all[0].size = int32(len(all))
	if n.kind == '[' {
		return nil
	}
	all[0].sorted = object(all).ascending()
	if !all[0].sorted && object(all).twice() {
		return errTwice
	}
	return nil
}

// items reads from the opening bracket to the closing one, which stands two characters behind it in ASCII.
func (r *reader) items(open byte) (err error) {
	r.at++
	if r.next(); r.skip(open + 2) {
		return nil
	}
	for {
		if open == '{' {
			err = r.field()
		} else {
			err = r.value("", true)
		}
		if err != nil {
			return err
		}
		if r.next(); r.skip(open + 2) {
			return nil
		}
		if !r.skip(',') {
			return errJSON
		}
	}
}

func (r *reader) field() error {
	if r.next() != '"' {
		return errJSON
	}
	name, plain, err := r.text(true)
	if err != nil {
		return err
	}
	if r.next(); !r.skip(':') {
		return errJSON
	}
	if r.next() != '"' {
		return r.value(name, plain)
	}
	text, plain, err := r.text(plain) // as most are
	r.nodes = append(r.nodes, node{name: name, text: text, size: 1, kind: '"', plain: plain})
	return err
}

// text reads a string. Without escapes it is a part of the body. It also returns whether that is plain and so was what belongs to it.
func (r *reader) text(plain bool) (string, bool, error) {
	in, begin := r.in, r.at+1
	end := begin
	for ; end+8 <= len(in); end += 8 { // as in plainLen, without a call for each of so many
		if odd := oddBytes(eight(in[end : end+8])); odd != 0 {
			end += bits.TrailingZeros64(odd) / 8
			break
		}
	}
	if end < len(in) && in[end] == '"' {
		r.at = end + 1
		return in[begin:end], plain, nil
	}
	s, err := r.odd(begin, end)
	return s, false, err
}

// odd reads a string in which not all is plain, from i on.
func (r *reader) odd(begin, i int) (string, error) {
	for ; ; i++ {
		i += plainLen(r.in[i:])
		switch {
		case i == len(r.in), r.in[i] < ' ':
			return "", errJSON
		case r.in[i] == '"':
			r.at = i + 1
			return r.in[begin:i], nil
		case r.in[i] == '\\':
			return r.again(begin, i)
		}
	}
}

// again reads a string whose first escape is known, at first. It is often the same as the one before it: the address of a group's rule.
func (r *reader) again(begin, first int) (s string, err error) {
	if r.last.raw != "" && strings.HasPrefix(r.in[begin:], r.last.raw) {
		r.at = begin + len(r.last.raw)
		return r.last.text, nil
	}
	if s, err = r.escaped(first); err == nil {
		r.last.raw, r.last.text = r.in[begin:r.at], s
	}
	return s, err
}

// escaped reads a string whose first escape is known.
func (r *reader) escaped(first int) (string, error) {
	begin, text := r.at, append(make([]byte, 0, 256), r.in[r.at+1:first]...)
	for i := first; i < len(r.in); {
		switch c := r.in[i]; {
		case c == '"':
			r.at = i + 1
			return string(text), nil
		case c < ' ':
			return "", errJSON
		case c != '\\':
			n := max(plainLen(r.in[i:]), 1)
			text = append(text, r.in[i:i+n]...)
			i += n
		default:
			plain, n := unescape(r.in[i:])
			if n == 0 {
				return r.unusual(begin, i)
			}
			text = append(text, plain)
			i += n
		}
	}
	return "", errJSON
}

// unescape returns the ASCII character that an escape stands for, and the length of the escape; 0 if it stands for none.
func unescape(s string) (c byte, n int) {
	if len(s) < 2 {
		return 0, 0
	}
	if at := strings.IndexByte(`"\/bfnrt`, s[1]); at >= 0 {
		return "\"\\/\b\f\n\r\t"[at], 2
	}
	if !strings.HasPrefix(s, `\u00`) || len(s) < 6 {
		return 0, 0
	}
	v, err := strconv.ParseUint(s[4:6], 16, 7)
	if err != nil {
		return 0, 0
	}
	return byte(v), 6
}

// unusual reads a string with an escape, at from, that stands for no ASCII character. What it means is left to encoding/json.
func (r *reader) unusual(begin, from int) (s string, err error) {
	for i := from; i < len(r.in); i++ {
		switch r.in[i] {
		case '\\':
			i++
		case '"':
			r.at = i + 1
			if json.Unmarshal([]byte(r.in[begin:r.at]), &s) != nil {
				return "", errJSON
			}
			return s, nil
		}
	}
	return "", errJSON
}

func (r *reader) number() (string, error) {
	begin := r.at
	r.skip('-')
	ok := r.skip('0') || r.digits()
	if r.skip('.') {
		ok = ok && r.digits()
	}
	if r.skip('e') || r.skip('E') {
		_ = r.skip('+') || r.skip('-')
		ok = ok && r.digits()
	}
	if !ok {
		return "", errJSON
	}
	return r.in[begin:r.at], nil
}

// digits takes all digits and reports whether there was one.
func (r *reader) digits() bool {
	begin := r.at
	for r.at < len(r.in) && isDigit(r.in[r.at]) {
		r.at++
	}
	return r.at > begin
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// word reads a word. That of null is no text.
func (r *reader) word() (string, error) {
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(r.in[r.at:], word) {
			r.at += len(word)
			return strings.TrimPrefix(word, "null"), nil
		}
	}
	return "", errJSON
}
