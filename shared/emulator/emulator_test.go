package emulator

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestEmulatorsAnswer(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, get := range map[string]func(testing.TB) string{"firestore": Firestore, "pubsub": PubSub} {
		hostPort := get(t)
		if again := get(t); again != hostPort {
			t.Errorf("%s: second call gives %s after %s", name, again, hostPort)
		}
		if !listens(hostPort) {
			t.Errorf("%s: nothing listens on %s", name, hostPort)
		}
	}
}

func TestEnvironmentNamesTheEmulator(t *testing.T) {
	t.Setenv("FIRESTORE_EMULATOR_HOST", "emulator.example:8080")
	if got := Firestore(t); got != "emulator.example:8080" {
		t.Errorf("Firestore = %q", got)
	}
}

// TestEndsWithItsProcess runs this test binary again as a child that starts an emulator and is then killed.
func TestEndsWithItsProcess(t *testing.T) {
	if os.Getenv("EMULATOR_TEST_CHILD") == "1" {
		fmt.Printf("emulator %s\n", PubSub(t))
		select {} // until killed
	}
	if _, err := findJar("platform/pubsub-emulator/lib/*.jar"); err != nil {
		PubSub(t) // skips or fails, as required
	}
	child := exec.Command(os.Args[0], "-test.run=^TestEndsWithItsProcess$")
	child.Env = append(os.Environ(), "EMULATOR_TEST_CHILD=1", "PUBSUB_EMULATOR_HOST=")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	hostPort := announced(bufio.NewScanner(out))
	if !listens(hostPort) {
		t.Errorf("child's emulator does not listen on %q", hostPort)
	}
	child.Process.Kill()
	child.Wait()
	for deadline := time.Now().Add(10 * time.Second); listens(hostPort); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("emulator on %s outlives the process that started it", hostPort)
		}
	}
}

func announced(lines *bufio.Scanner) string {
	for lines.Scan() {
		if hostPort, ok := strings.CutPrefix(lines.Text(), "emulator "); ok {
			return hostPort
		}
	}
	return ""
}

func listens(hostPort string) bool {
	c, err := net.Dial("tcp", hostPort)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func TestMissing(t *testing.T) {
	if _, err := findJar("platform/no-such-emulator/*.jar"); !errors.Is(err, errMissing) {
		t.Errorf("findJar of an emulator that is not installed: %v", err)
	}
	for require, want := range map[string]string{"": "skipped", "1": "failed"} {
		t.Run(want, func(t *testing.T) {
			t.Setenv("REQUIRE_EMULATORS", require)
			t.Setenv("NO_SUCH_EMULATOR_HOST", "")
			tb := &recorder{TB: t}
			tb.run(func() {
				host(tb, "NO_SUCH_EMULATOR_HOST", func() (*process, error) { return nil, errMissing })
			})
			if tb.outcome != want {
				t.Errorf("test is %q, want %q", tb.outcome, want)
			}
		})
	}
}

func TestLastWords(t *testing.T) {
	p, err := spawn([]string{"sh", "-c", "echo cannot bind"})
	if err != nil {
		t.Fatal(err)
	}
	p.hostPort = "127.0.0.1:1"
	for len(p.tail()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := p.ready(0); err == nil || !strings.Contains(err.Error(), "cannot bind") {
		t.Errorf("error does not tell what the emulator said: %v", err)
	}
}

// recorder notes how a test ended instead of ending it.
type recorder struct {
	testing.TB
	outcome string
}

func (r *recorder) Helper()               {}
func (r *recorder) Skipf(string, ...any)  { r.stop("skipped") }
func (r *recorder) Fatalf(string, ...any) { r.stop("failed") }

func (r *recorder) stop(outcome string) {
	r.outcome = outcome
	panic(r)
}

func (r *recorder) run(f func()) {
	defer func() {
		if p := recover(); p != nil && p != any(r) {
			panic(p)
		}
	}()
	f()
}
