package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Reply is what goes back: an answer, or a connection that breaks.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	Stream io.Reader // instead of the body, for an answer of any size
	Reason string    // of a failure, for /calls

	drop error // what a caller in the same process sees of the broken connection
	cut  int64 // the connection breaks after so many bytes; 0: it does not
}

// Typed is a reply with a body of a type.
func Typed(status int, contentType string, body []byte) Reply {
	return Reply{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: body}
}

// What a caller in the same process sees of a broken connection, like one on a network: before the request was executed, and after.
var (
	errReset = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	errEOF   = io.EOF
)

// errCut ends the content of an answer that is cut.
var errCut = errors.New("the connection broke")

// content is the body, whichever way it comes.
func (a Reply) content() io.Reader {
	var all io.Reader = bytes.NewReader(a.Body)
	if a.Stream != nil {
		all = a.Stream
	}
	if a.cut > 0 {
		return io.MultiReader(io.LimitReader(all, a.cut), broken{})
	}
	return all
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errCut }

// Clip cuts a name that came from outside to what an answer may hold.
func Clip(name string) string {
	const most = 64
	if name = strings.ToValidUTF8(name, "?"); utf8.RuneCountInString(name) > most {
		return string([]rune(name)[:most])
	}
	return name
}
