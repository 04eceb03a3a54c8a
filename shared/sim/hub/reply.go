package hub

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const jsonType = "application/json;charset=UTF-8"

// reply is what goes back.
type reply = server.Reply

// answer renders a value as JSON.
func answer(status int, v any) (reply, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return reply{}, err
	}
	return server.Typed(status, jsonType, b.Bytes()), nil
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
