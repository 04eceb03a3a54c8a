package focusfile

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/shared/fault"
)

const (
	layout     = "2006-01-02T15:04:05Z"
	maxPieces  = 16 << 20 // bytes of pieces that are kept
	bufferSize = 64 << 10
)

// form is how a format of lines writes values. A name is what stands before a value that is not null.
type form struct {
	header, open, end string
	name              func(dst []byte, c *column, first bool) []byte
	skipNull          bool // and its name
	quoted            bool // times stand in quotes
	text              func(dst []byte, s string) []byte
}

func csvForm() form {
	var names []string
	for _, c := range columns() {
		names = append(names, c.Name)
	}
	return form{header: strings.Join(names, ",") + "\n", end: "\n", name: comma, text: appendCell}
}

func comma(dst []byte, _ *column, first bool) []byte {
	if first {
		return dst
	}
	return append(dst, ',')
}

func jsonForm() form {
	member := func(dst []byte, c *column, first bool) []byte {
		dst = append(comma(dst, c, first), '"')
		return append(append(dst, c.Name...), `":`...)
	}
	return form{open: "{", end: "}\n", name: member, skipNull: true, quoted: true, text: appendJSON}
}

// lines writes a line a row. Of what charges share it keeps the pieces of a line that stand between their own columns.
type lines struct {
	form
	zip    *gzip.Writer
	out    *bufio.Writer
	all    []column
	own    []*column
	pieces map[*focus.Row][][]byte
	kept   int // bytes
	line   []byte
	err    error
}

func newLines(w io.Writer, f form) *lines {
	l := &lines{form: f, all: columns(), pieces: map[*focus.Row][][]byte{}}
	for i := range l.all {
		if l.all[i].own {
			l.own = append(l.own, &l.all[i])
		}
	}
	l.zip, l.err = gzip.NewWriterLevel(w, gzip.BestSpeed) // the error is of a level that does not exist
	l.out = bufio.NewWriterSize(l.zip, bufferSize)
	l.out.WriteString(f.header)
	return l
}

func (l *lines) write(batch []Charge) error {
	for i := range batch {
		pieces, err := l.piecesOf(batch[i].Of)
		if err != nil {
			return err
		}
		l.line = append(l.line[:0], l.open...)
		for j, c := range l.own {
			l.line = append(l.line, pieces[j]...)
			l.line = l.appendOwn(l.line, c, &batch[i])
		}
		l.line = append(append(l.line, pieces[len(l.own)]...), l.end...)
		l.out.Write(l.line)
	}
	_, err := l.out.Write(nil) // says whether one of the writes failed
	return fault.Wrap(fault.Transient, err, "write a FOCUS file")
}

func (l *lines) close() error {
	err := l.err
	if err == nil {
		err = l.out.Flush()
	}
	if err == nil {
		err = l.zip.Close()
	}
	return fault.Wrap(fault.Transient, err, "end a FOCUS file")
}

func (l *lines) piecesOf(r *focus.Row) ([][]byte, error) {
	if p, ok := l.pieces[r]; ok {
		return p, nil
	}
	if l.kept > maxPieces {
		clear(l.pieces)
		l.kept = 0
	}
	pieces := make([][]byte, 1, len(l.own)+1)
	for i := range l.all {
		last := len(pieces) - 1
		if l.all[i].own {
			pieces = append(pieces, nil)
			continue
		}
		var err error
		if pieces[last], err = l.appendShared(pieces[last], &l.all[i], r); err != nil {
			return nil, err
		}
	}
	l.kept += rowSize
	for _, p := range pieces {
		l.kept += len(p)
	}
	l.pieces[r] = pieces
	return pieces, nil
}

func (l *lines) appendShared(dst []byte, c *column, r *focus.Row) ([]byte, error) {
	v, err := c.sharedIn(r)
	if v.null && l.skipNull {
		return dst, err
	}
	dst = l.name(dst, c, c.Name == l.all[0].Name)
	switch {
	case v.null:
		return dst, err
	case c.Kind == focus.Time:
		return l.appendTime(dst, v.second), err
	case c.Kind == focus.Decimal:
		return v.number.Append(dst, int(c.Scale)), err
	}
	return l.text(dst, v.text), err
}

func (l *lines) appendOwn(dst []byte, c *column, charge *Charge) []byte {
	before := len(dst)
	dst = l.name(dst, c, c.Name == l.all[0].Name)
	named := len(dst)
	switch {
	case c.number != nil:
		if n, ok := c.number(charge); ok {
			dst = n.Append(dst, int(c.Scale))
		}
	case c.second != nil:
		dst = l.appendTime(dst, c.second(charge))
	case c.count != nil:
		if n := c.count(charge); n != 0 {
			dst = strconv.AppendInt(dst, n, 10)
		}
	default:
		if s := c.text(charge); s != "" {
			dst = l.text(dst, s)
		}
	}
	if len(dst) == named && l.skipNull {
		return dst[:before]
	}
	return dst
}

func (l *lines) appendTime(dst []byte, second int64) []byte {
	if l.quoted {
		dst = append(dst, '"')
	}
	dst = time.Unix(second, 0).UTC().AppendFormat(dst, layout)
	if l.quoted {
		dst = append(dst, '"')
	}
	return dst
}

// appendCell quotes what RFC 4180 asks for, and blanks at the ends, which readers like to trim.
func appendCell(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") && s == strings.TrimSpace(s) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		before, after, found := strings.Cut(s, `"`)
		dst = append(dst, before...)
		if !found {
			return append(dst, '"')
		}
		dst = append(dst, `""`...)
		s = after
	}
}

func appendJSON(dst []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil { // of a string: never
		return append(dst, "null"...)
	}
	return append(dst, strings.TrimSuffix(b.String(), "\n")...)
}

// isPlain reports whether a text stands in JSON as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
