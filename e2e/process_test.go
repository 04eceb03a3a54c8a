package e2e

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

// lifetime bounds every process, so that none is left when a test is.
const lifetime = 8 * time.Minute

// process is a running program and what it has written so far.
type process struct {
	cmd *exec.Cmd
	out *proctest.Output
}

// start runs a program until the test ends.
func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	p := &process{exec.CommandContext(ctx, name, args...), &proctest.Output{}}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		cancel()
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		cancel()
		p.kill()
		if t.Failed() {
			t.Logf("the last words of %s:\n%s", p.cmd, p.out.Last(6000))
		}
	})
	return p
}

// kill ends the process at once, as kill -9 does. It may have ended already.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// stop asks the process to end and returns how it did.
func (p *process) stop(t *testing.T) error {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return p.cmd.Wait()
}
