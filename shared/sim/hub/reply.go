package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

const jsonType = "application/json;charset=UTF-8"

// reply is what goes back: an answer, or a connection that breaks.
type reply struct {
	status int
	header http.Header
	body   []byte
	stream io.Reader // instead of the body, for an answer of any size
	cut    int64     // the connection breaks after so many bytes; 0: it does not
	reason string    // of a failure, for /calls
	drop   error     // what a caller in the same process sees of the broken connection
}

// errCut ends the content of an answer that is cut.
var errCut = errors.New("the connection broke")

// content is the body, whichever way it comes.
func (a reply) content() io.Reader {
	var all io.Reader = bytes.NewReader(a.body)
	if a.stream != nil {
		all = a.stream
	}
	if a.cut > 0 {
		return io.MultiReader(io.LimitReader(all, a.cut), broken{})
	}
	return all
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errCut }

// answer renders a value as JSON.
func answer(status int, v any) (reply, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return reply{}, err
	}
	return reply{status: status, header: http.Header{"Content-Type": {jsonType}}, body: b.Bytes()}, nil
}

// rows is a reader of what comes one piece at a time. Pieces are made when they are read, so a body of any size needs little memory.
type rows struct {
	next func([]byte) ([]byte, bool) // appends the next piece; false: it is the last
	rest []byte
	buf  []byte
	done bool
}

func (r *rows) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		r.fill()
	}
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *rows) fill() {
	const enough = 32 << 10
	r.buf = r.buf[:0]
	for !r.done && len(r.buf) < enough {
		var more bool
		r.buf, more = r.next(r.buf)
		r.done = !more
	}
	r.rest = r.buf
}
