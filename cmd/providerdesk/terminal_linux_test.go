package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/term"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

// terminal is a terminal with a command that runs on it: what a person sees and types.
type terminal struct {
	*exec.Cmd
	control *os.File
	mu      sync.Mutex
	seen    bytes.Buffer
	ended   chan struct{}
}

// onTerminal runs the command on a terminal of its own.
func onTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	control, screen := openTerminal(t)
	p := &terminal{Cmd: exec.Command(os.Args[0], args...), control: control, ended: make(chan struct{})}
	p.Env = append(os.Environ(), asProgram+"=0s", "PROVIDERDESK_CONFIG=", "TERM=xterm", "NO_COLOR=")
	p.Stdin, p.Stdout, p.Stderr = screen, screen, screen
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	screen.Close()
	go p.watch()
	t.Cleanup(func() {
		p.Process.Kill()
		p.Wait()
		<-p.ended
		control.Close()
	})
	return p
}

// watch reads the screen until nobody has it open.
func (p *terminal) watch() {
	defer close(p.ended)
	for b := make([]byte, 4096); ; {
		n, err := p.control.Read(b)
		p.mu.Lock()
		p.seen.Write(b[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *terminal) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.String()
}

// answer waits for a question, and types.
func (p *terminal) answer(t *testing.T, question, typed string) {
	t.Helper()
	proctest.Until(t, "the question "+question, func() bool { return strings.Contains(p.text(), question) })
	if _, err := p.control.WriteString(typed); err != nil {
		t.Fatal(err)
	}
}

// exit returns the exit code.
func (p *terminal) exit() int {
	<-p.ended
	p.Wait() // an error is an exit code other than 0
	return p.ProcessState.ExitCode()
}

// openTerminal makes a pseudo-terminal, a hundred characters wide.
func openTerminal(t *testing.T) (control, screen *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number, unlock int32
	size := [4]uint16{40, 100}
	ioctl(t, control, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	ioctl(t, control, syscall.TIOCGPTN, unsafe.Pointer(&number))
	ioctl(t, control, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !term.IsTerminal(int(screen.Fd())) {
		t.Fatal("it is no terminal")
	}
	return control, screen
}

func ioctl(t *testing.T, f *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(argument)); errno != 0 {
		t.Fatal(errno)
	}
}
