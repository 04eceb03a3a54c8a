package alert

import (
	"encoding/json"
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
	errTwice  = fault.New(fault.Invalid, "an object of the body has the same name twice; send each name once")
)

// read reads a body that is one JSON object: values are string, json.Number, bool, nil, object and []any.
func read(body []byte) (object, error) {
	switch {
	case len(body) == 0:
		return nil, errEmpty
	case len(body) > MaxBody:
		return nil, errLarge
	case !utf8.Valid(body):
		return nil, errUTF8
	}
	r := reader{in: string(body)}
	v, err := r.value()
	if err != nil {
		return nil, err
	}
	if r.next(); r.at < len(r.in) {
		return nil, errJSON
	}
	o, ok := v.(object)
	if !ok {
		return nil, errObject
	}
	return o, nil
}

// reader reads the JSON of RFC 8259 and takes nothing else. It is here because a webhook's answer waits for it: the tokens of encoding/json
// take six times as long. A fuzz target holds the two against each other.
type reader struct {
	in    string // valid UTF-8
	at    int
	depth int
}

// next skips white space and returns the character after it, 0 at the end.
func (r *reader) next() byte {
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

func (r *reader) value() (any, error) {
	switch c := r.next(); {
	case c == '"':
		return r.text()
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '-', isDigit(c):
		return r.number()
	}
	return r.word()
}

func (r *reader) object() (object, error) {
	o := object{}
	return o, r.items('}', func() error {
		if r.next() != '"' {
			return errJSON
		}
		name, err := r.text()
		if err != nil {
			return err
		}
		if _, twice := o[name]; twice {
			return errTwice
		}
		if r.next(); !r.skip(':') {
			return errJSON
		}
		o[name], err = r.value()
		return err
	})
}

func (r *reader) array() ([]any, error) {
	list := []any{}
	err := r.items(']', func() error {
		v, err := r.value()
		list = append(list, v)
		return err
	})
	return list, err
}

// items reads from the opening bracket to the closing one; item reads what stands between two commas.
func (r *reader) items(end byte, item func() error) error {
	if r.depth == maxDepth {
		return errDeep
	}
	r.depth++
	defer func() { r.depth-- }()
	r.at++
	if r.next(); r.skip(end) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if r.next(); r.skip(end) {
			return nil
		}
		if !r.skip(',') {
			return errJSON
		}
	}
}

// text reads a string. Without escapes it is a part of the body.
func (r *reader) text() (string, error) {
	begin := r.at
	for i := begin + 1; i < len(r.in); i++ {
		switch c := r.in[i]; {
		case c == '"':
			r.at = i + 1
			return r.in[begin+1 : i], nil
		case c == '\\':
			return r.escaped(i)
		case c < ' ':
			return "", errJSON
		}
	}
	return "", errJSON
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
			text = append(text, c)
			i++
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

func (r *reader) number() (json.Number, error) {
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
	return json.Number(r.in[begin:r.at]), nil
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

func (r *reader) word() (any, error) {
	for word, v := range literals {
		if strings.HasPrefix(r.in[r.at:], word) {
			r.at += len(word)
			return v, nil
		}
	}
	return nil, errJSON
}

var literals = map[string]any{"true": true, "false": false, "null": nil}
