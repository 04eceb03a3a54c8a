//go:build unix

// Package installed is the product as its users have it, for end to ends: the command built once, "providerdesk up" in a process of its own that
// is killed with SIGKILL and started again on the same folder and address, and remotes that choose when it dies.
//
//	installed.go   an installation and its processes
//	api.go         what is asked of it over HTTP
//	death.go       requests that their sender does not survive
package installed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

// Build builds the command for the tests of this process, into a folder to be removed after them.
func Build() (dir string, err error) { return build("build") }

// BuildWithClock builds the command as its own tests run it: with a clock that can be ahead, which is all the difference. See Site.Ahead.
func BuildWithClock() (dir string, err error) { return build("test", "-c", "-vet=off") }

func build(how ...string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "providerdesk-installed-*"); err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "providerdesk")
	if out, err := exec.Command("go", append(how, "-o", bin, "github.com/providerdesk/providerdesk/cmd/providerdesk")...).CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return dir, os.Setenv(binary, bin)
}

// binary is the variable that tells the tests of a process where the command is, clock the one that tells a command built with one how far it
// is ahead.
const (
	binary = "PROVIDERDESK_TEST_BINARY"
	clock  = "PROVIDERDESK_TEST_AS_PROGRAM"
)

const lifetime = 5 * time.Minute // bounds every process, so that none is left when a test is

// Site is an installation: a folder, an address, a configuration, and the process that serves it, which dies and is started again.
type Site struct {
	*testing.T
	Addr  string
	Kills int
	Ahead time.Duration // of the clock of the commands that are started from now on; see BuildWithClock

	dir, config string
	env         []string

	mu  sync.Mutex
	cmd *exec.Cmd
	end context.CancelFunc
	out *proctest.Output // of this life
}

// Start makes an installation with a configuration and starts it. What is in env is added to the environment.
func Start(t *testing.T, addr, configuration string, env ...string) *Site {
	t.Helper()
	s := &Site{T: t, Addr: addr, dir: t.TempDir(), env: append(os.Environ(), env...)}
	s.config = s.File("config.yaml", configuration)
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("its last words:\n%s", s.words())
		}
	})
	s.Restart()
	return s
}

// File writes a file of the installation's and returns its path.
func (s *Site) File(name, content string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

func (s *Site) data() string { return filepath.Join(s.dir, "data") }

// Command is one of the product's on this installation.
func (s *Site) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Getenv(binary), append(args, "--data", s.data(), "--config", s.config)...)
	cmd.Env = append(slices.Clone(s.env), clock+"="+s.Ahead.String())
	return cmd
}

// Restart starts the process unless it lives, and returns when it answers, or is dead again.
func (s *Site) Restart() {
	s.Helper()
	if s.Lives() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	cmd, out := s.Command(ctx, "up", "--addr", s.Addr, "--sweep-every", "1s"), &proctest.Output{}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, 5*time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		s.Fatal(err)
	}
	s.mu.Lock()
	s.cmd, s.end, s.out = cmd, cancel, out
	s.mu.Unlock()
	proctest.Until(s.T, "up says that it is ready", func() bool { return ready.MatchString(out.String()) || !s.Lives() })
}

var ready = regexp.MustCompile(`(?m)^ready http`)

// Lives reports whether the process runs, as far as we know.
func (s *Site) Lives() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd != nil
}

// Kill kills the process with SIGKILL and returns when it is dead. It may be dead already.
func (s *Site) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // that it was killed is no news
	s.end()
	s.cmd = nil
	s.Kills++
}

// words are the last lines of its log that tell more than that something went well.
func (s *Site) words() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := slices.DeleteFunc(strings.Split(s.out.String(), "\n"), func(l string) bool { return strings.Contains(l, `"status":200`) })
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
