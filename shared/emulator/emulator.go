// Package emulator gives tests the Cloud SDK's emulators of Firestore and Pub/Sub. Only tests import it.
//
// An emulator named by FIRESTORE_EMULATOR_HOST or PUBSUB_EMULATOR_HOST is used as it is. Otherwise the first test of a process that asks
// starts one on a free port of the loopback interface, and all tests of the process share it: a test keeps to itself with a project id,
// a prefix or topic names of its own. This is the one place with state per process, because that is how long an emulator lives.
//
// An emulator ends with the process that started it, however that ends: a small shell stands between the two, reads from a pipe that only
// the test process holds open, and kills the emulator when the pipe closes. There is no goroutine, so goleak sees nothing.
//
// Where the SDK or Java is missing the test is skipped with the reason; with REQUIRE_EMULATORS=1 it fails.
package emulator

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// startup bounds the wait for an emulator; a busy machine takes some 10 s.
const startup = 60 * time.Second

// Firestore returns the host:port of a Firestore emulator.
func Firestore(t testing.TB) (hostPort string) {
	t.Helper()
	return host(t, "FIRESTORE_EMULATOR_HOST", firestore)
}

// PubSub returns the host:port of a Pub/Sub emulator.
func PubSub(t testing.TB) (hostPort string) {
	t.Helper()
	return host(t, "PUBSUB_EMULATOR_HOST", pubsub)
}

var (
	firestore = sync.OnceValues(func() (*process, error) {
		return start("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar", func(jar, port string) []string {
			return []string{"-cp", jar, "com.google.cloud.datastore.emulator.firestore.CloudFirestore", "start", "--host=127.0.0.1", "--port=" + port}
		})
	})
	pubsub = sync.OnceValues(func() (*process, error) {
		return start("platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar", func(jar, port string) []string {
			return []string{"-jar", jar, "--host=127.0.0.1", "--port=" + port}
		})
	})
)

// errMissing is the error of a machine without the SDK or Java, the only one that skips a test.
var errMissing = errors.New("not installed")

func host(t testing.TB, env string, start func() (*process, error)) string {
	t.Helper()
	if h := os.Getenv(env); h != "" {
		return h
	}
	p, err := start()
	switch {
	case errors.Is(err, errMissing) && os.Getenv("REQUIRE_EMULATORS") != "1":
		t.Skipf("needs an emulator: set %s or install the Cloud SDK's: %v", env, err)
	case err != nil:
		t.Fatalf("emulator for %s: %v", env, err)
	}
	return p.hostPort
}

// process is a running emulator. It lives as long as alive stays open, which is why this is kept.
type process struct {
	hostPort string
	alive    *os.File
	log      *os.File
}

// start runs the emulator whose jar matches the pattern under an SDK root, with the arguments that args gives for java.
func start(pattern string, args func(jar, port string) []string) (*process, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, fmt.Errorf("%w: java", errMissing)
	}
	jar, err := findJar(pattern)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	// Fast to start and small rather than fast for hours.
	argv := append([]string{java, "-Duser.language=en", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g"}, args(jar, port)...)
	p, err := spawn(argv)
	if err != nil {
		return nil, err
	}
	p.hostPort = net.JoinHostPort("127.0.0.1", port)
	return p, p.ready(startup)
}

func findJar(pattern string) (string, error) {
	for _, root := range roots() {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%w: %s", errMissing, filepath.Base(pattern))
}

// roots returns where the SDK may be: around the gcloud on the PATH, and where Debian's package puts it.
func roots() []string {
	roots := []string{"/usr/lib/google-cloud-sdk"}
	gcloud, err := exec.LookPath("gcloud")
	if err != nil {
		return roots
	}
	if gcloud, err = filepath.EvalSymlinks(gcloud); err != nil {
		return roots
	}
	return append([]string{filepath.Dir(filepath.Dir(gcloud))}, roots...)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// guard runs its arguments until its standard input ends, then kills them. It has a process group of its own, so that the signal that
// interrupts a test run does not take the guard away before the emulator.
const guard = `"$@" </dev/null & child=$!; read -r _; kill -9 $child`

func spawn(argv []string) (*process, error) {
	log, err := os.CreateTemp("", "emulator-*.log")
	if err != nil {
		return nil, err
	}
	os.Remove(log.Name()) // only we read it, through the open file
	stdin, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	cmd := exec.Command("sh", append([]string{"-c", guard, "sh"}, argv...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, log, log
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{alive: alive, log: log}, nil
}

// ready waits until the emulator answers "Ok" to a plain GET, as both of them do.
func (p *process) ready(limit time.Duration) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	deadline := time.Now().Add(limit)
	for !answers(client, p.hostPort) {
		if time.Now().After(deadline) {
			p.alive.Close()
			return fmt.Errorf("does not answer on %s after %v; its last words:\n%s", p.hostPort, limit, p.tail())
		}
		time.Sleep(20 * time.Millisecond) // between two looks at a condition
	}
	return nil
}

func answers(client *http.Client, hostPort string) bool {
	r, err := client.Get("http://" + hostPort + "/")
	if err != nil {
		return false
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, 64))
	return err == nil && strings.TrimSpace(string(body)) == "Ok"
}

func (p *process) tail() []byte {
	size, err := p.log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	from := max(0, size-2000)
	b := make([]byte, size-from)
	n, _ := p.log.ReadAt(b, from)
	return b[:n]
}
