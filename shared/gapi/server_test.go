package gapi_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/gapi"
)

// A wire is a server of HTTP/1.1 at the level of the connection, so that a test decides what happens to it. It executes a request as soon
// as it has read all of it.
type wire struct {
	net.Listener
	answer func(n int, c net.Conn, req *http.Request) (keep bool)

	mu       sync.Mutex
	executed int
	headers  []http.Header
	open     map[net.Conn]bool // all that were accepted
	done     sync.WaitGroup
}

// serve starts a wire; answer writes the n-th answer (from 1) and reports whether the connection stays open.
func serve(t *testing.T, l net.Listener, answer func(n int, c net.Conn, req *http.Request) bool) *wire {
	t.Helper()
	w := &wire{Listener: l, answer: answer, open: map[net.Conn]bool{}}
	w.done.Go(w.accept)
	t.Cleanup(w.stop)
	return w
}

func (w *wire) stop() {
	w.Close()
	w.mu.Lock()
	for c := range w.open {
		c.Close()
	}
	w.mu.Unlock()
	w.done.Wait()
}

func (w *wire) accept() {
	for {
		c, err := w.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		w.open[c] = true
		w.mu.Unlock()
		w.done.Go(func() { w.converse(c) })
	}
}

func (w *wire) converse(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return // not a whole request: not executed
		}
		if !w.answer(w.execute(req), c, req) {
			return
		}
	}
}

func (w *wire) execute(req *http.Request) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.executed++
	w.headers = append(w.headers, req.Header)
	return w.executed
}

func (w *wire) executions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.executed
}

func (w *wire) accepted() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open)
}

func (w *wire) url() string { return "http://" + w.Addr().String() + "/" }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// says answers every request with the same bytes.
func says(raw string) func(int, net.Conn, *http.Request) bool {
	return func(_ int, c net.Conn, _ *http.Request) bool {
		io.WriteString(c, raw)
		return false
	}
}

// okay answers 200 and keeps the connection.
func okay(c net.Conn) bool {
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	return true
}

func client(t *testing.T, o gapi.Options) *http.Client {
	t.Helper()
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	c, err := gapi.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// do runs one request the way the generated clients do, which put the context's error in the place of the transport's.
func do(ctx context.Context, c *http.Client, method, url, body string) error {
	return gapi.Do(ctx, "test", func(ctx context.Context) error {
		var r io.Reader
		if body != "" {
			r = strings.NewReader(body)
		}
		req, err := http.NewRequestWithContext(ctx, method, url, r)
		if err != nil {
			return err
		}
		resp, err := c.Do(req)
		if ctx.Err() != nil && err != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		return decode(resp)
	})
}

// pipes is a network in memory, for virtual time.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	over  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), over: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.over) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case p.conns <- b:
		return a, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
