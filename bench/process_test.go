package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// lifetime bounds every process, so that none is left when a test is.
const lifetime = 5 * time.Minute

// process is a running program that listens at addr.
type process struct {
	cmd    *exec.Cmd
	addr   string
	out    *bytes.Buffer // read it when the process has ended
	cancel context.CancelFunc
	once   sync.Once
}

// start runs a program until the test ends, or end.
func start(t testing.TB, addr string, env []string, name string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	p := &process{cmd: exec.CommandContext(ctx, name, args...), addr: addr, out: &bytes.Buffer{}, cancel: cancel}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.out
	if err := p.cmd.Start(); err != nil {
		cancel()
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		p.end()
		if t.Failed() {
			t.Logf("what %s said:\n%s", name, p.out.String()[max(0, p.out.Len()-4000):])
		}
	})
	return p
}

// end kills the process and waits for it.
func (p *process) end() {
	p.once.Do(func() {
		p.cancel()
		_ = p.cmd.Wait() // it was killed
	})
}

// peak is the most memory that the process has had at a time, in MB; 0 where the system does not tell. What wait4 tells will not do: it
// begins with the memory of the process that started this one.
func (p *process) peak() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	var kB float64
	for line := range strings.Lines(string(status)) {
		if n, err := fmt.Sscanf(line, "VmHWM: %f kB", &kB); n == 1 && err == nil {
			return kB / 1024
		}
	}
	return 0
}

// wire is a request as it goes over a connection.
func wire(path string, body []byte) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
		path, token, len(body), body)
}

// caller keeps one connection and sends one request after the other. It does less than an http.Client, so that what is measured is the
// server: the two share the processor.
type caller struct {
	net.Conn
	in *bufio.Reader
}

func dial(addr string) (*caller, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &caller{c, bufio.NewReader(c)}, nil
}

// call sends a request and returns the status of its answer.
func (c *caller) call(request []byte) (int, error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return r.StatusCode, err
}
