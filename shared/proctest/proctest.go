// Package proctest is what tests of real processes need: an address to listen at, what a process has written so far, and patience until
// something holds. It is for tests only.
package proctest

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

const (
	patience = time.Minute
	glance   = 10 * time.Millisecond // between two looks
)

// FreeAddress returns a loopback address that nobody listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Until looks again and again until the condition holds, at most for a minute.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	look := time.NewTicker(glance)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// Output collects what a process or a log writes while others read it. The zero value is ready.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// String returns all that was written.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Last returns the last n bytes.
func (o *Output) Last(n int) string {
	s := o.String()
	return s[max(0, len(s)-n):]
}
