package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"
)

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDrain()
		release := make(chan struct{})
		h := HTTP("f", opens(HTTPHandler(func(ctx context.Context, r *http.Request) (Response, error) {
			select {
			case <-release:
				return Response{}, nil
			case <-ctx.Done():
				return Response{}, context.Cause(ctx)
			}
		})), Options{Drain: d})
		codes := make(chan int, 3)
		start := func() { go func() { codes <- do(h, post("")).StatusCode }(); synctest.Wait() }
		start()
		start()
		if d.InFlight() != 2 {
			t.Fatalf("%d in flight, want 2", d.InFlight())
		}
		d.Close()
		d.Close() // twice is once
		resp := do(h, post(""))
		checkAnswer(t, resp, 503)
		if resp.Header.Get("Connection") != "close" {
			t.Error("the connection is kept")
		}
		if err := within(t.Context(), time.Second, d.Wait); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting with requests in flight: %v", err)
		}
		release <- struct{}{}
		if got := <-codes; got != 200 {
			t.Errorf("the first got %d", got)
		}
		d.Cancel()
		if got := <-codes; got != 503 {
			t.Errorf("the cancelled one got %d", got)
		}
		if err := d.Wait(t.Context()); err != nil || d.InFlight() != 0 {
			t.Errorf("%v, %d in flight", err, d.InFlight())
		}
	})
	idle := NewDrain()
	idle.Close()
	if err := idle.Wait(t.Context()); err != nil {
		t.Errorf("an idle drain: %v", err)
	}
}

// TestServe: in-flight requests end by themselves, or with their context, or are cut off; the listener is closed at once.
func TestServe(t *testing.T) {
	quick := patience{grace: 50 * time.Millisecond, cancel: 50 * time.Millisecond}
	for _, c := range []struct {
		name     string
		patience patience
		handler  func(ctx context.Context, stopped <-chan struct{})
		status   int // 0: no answer
		log      string
	}{
		{"ends by itself", usual, func(_ context.Context, stopped <-chan struct{}) { <-stopped }, 200, ""},
		{"ends when cancelled", quick, func(ctx context.Context, _ <-chan struct{}) { <-ctx.Done() }, 200, "cancelling"},
		{"never ends", quick, nil, 0, "cut off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			entered, release := make(chan struct{}), make(chan struct{})
			defer close(release)
			drain := NewDrain()
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(entered)
				if c.handler == nil {
					<-release
					return
				}
				c.handler(r.Context(), drain.empty)
				io.WriteString(w, "ok")
			})
			var j journal
			served, status := make(chan error, 1), make(chan int, 1)
			go func() { served <- c.patience.serve(ctx, l, handler, drain, j.log()) }()
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			go func() { status <- statusFrom(client, "http://"+l.Addr().String()) }()
			<-entered
			stop()
			if got := <-status; got != c.status {
				t.Errorf("status %d, want %d", got, c.status)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
			if got := j.b.String(); !strings.Contains(got, c.log) || c.log == "" && strings.Contains(got, "cancel") {
				t.Errorf("log %s, want %q", got, c.log)
			}
			if got := statusFrom(client, "http://"+l.Addr().String()); got != 0 {
				t.Errorf("a request after the end got %d", got)
			}
		})
	}
	if err := Serve(t.Context(), "127.0.0.1:-1", nil, nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("an impossible address is no error")
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken.Close()
	if err := ServeListener(t.Context(), taken, http.NotFoundHandler(), nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a closed listener is no error")
	}
}

// statusFrom returns the status of a POST, 0 if there was no answer.
func statusFrom(c *http.Client, url string) int {
	resp, err := c.Post(url, "application/json", strings.NewReader(push))
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

const childVariable = "RUN_TEST_CHILD"

// child is a whole function process: it registers with the framework as functions do, and ends as Main says.
func child() int {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	drain := NewDrain()
	stdin := bufio.NewReader(os.Stdin)
	functions.HTTP("Target", HTTP("Target", opens(HTTPHandler(func(ctx context.Context, r *http.Request) (Response, error) {
		if r.URL.Path != "/wait" {
			return Response{}, nil
		}
		fmt.Println("in flight")
		if os.Getenv(childVariable) == "stubborn" {
			<-ctx.Done()
			return Response{}, context.Cause(ctx)
		}
		stdin.ReadString('\n')
		return Response{Body: "finished"}, nil
	})), Options{Drain: drain, Log: log}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := Main(ctx, drain, log); err != nil {
		log.Error("main", "error", err.Error())
		return 1
	}
	return 0
}

// process starts the child and waits until it answers.
func process(t *testing.T, mode string) (cmd *exec.Cmd, url string, in io.Writer, out *bufio.Reader) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+mode, "FUNCTION_TARGET=Target", "LOCAL_ONLY=true", "PORT="+port)
	cmd.Stderr = os.Stderr
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	url = "http://127.0.0.1:" + port
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for tick := time.Tick(5 * time.Millisecond); statusFrom(client, url) != 200; <-tick {
		if t.Context().Err() != nil {
			t.Fatal("the child does not answer")
		}
	}
	return cmd, url, stdin, bufio.NewReader(stdout)
}

// TestMainOnSIGTERM: the framework's own server, a real process, a real signal.
func TestMainOnSIGTERM(t *testing.T) {
	for _, c := range []struct {
		mode     string
		status   int
		from, to time.Duration
	}{
		{"patient", 200, 0, 5 * time.Second},
		{"stubborn", 503, 8 * time.Second, 10 * time.Second},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			cmd, url, in, out := process(t, c.mode)
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			status := make(chan int, 1)
			go func() { status <- statusFrom(client, url+"/wait") }()
			for line := ""; line != "in flight\n"; {
				var err error
				if line, err = out.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			started := time.Now()
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			for tick := time.Tick(5 * time.Millisecond); statusFrom(client, url) != 503; <-tick { // until the signal has arrived
				if time.Since(started) > 5*time.Second {
					t.Fatal("new requests are let in after SIGTERM")
				}
			}
			closed := time.Since(started)
			fmt.Fprintln(in, "go on")
			got := <-status
			err := cmd.Wait()
			took := time.Since(started)
			t.Logf("%s: new requests refused after %s, in-flight answered %d, exit code %d after %s", c.mode,
				closed.Round(time.Millisecond), got, cmd.ProcessState.ExitCode(), took.Round(time.Millisecond))
			if got != c.status || err != nil || took < c.from || took > c.to {
				t.Errorf("in-flight %d (want %d), exit %v, %s (want %s to %s)", got, c.status, err, took, c.from, c.to)
			}
		})
	}
}

func TestMainFails(t *testing.T) {
	t.Setenv("FUNCTION_TARGET", "NoSuchFunction")
	if err := Main(t.Context(), NewDrain(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "NoSuchFunction") {
		t.Errorf("got %v", err)
	}
}

// flushing records how many requests were in flight when the answer left the process.
type flushing struct {
	http.ResponseWriter
	drain   *Drain
	atFlush []int
}

func (f *flushing) Flush() { f.atFlush = append(f.atFlush, f.drain.InFlight()) }

// TestAnswerLeavesFirst: the process may end as soon as nothing is in flight, so the answer must be on its way before.
func TestAnswerLeavesFirst(t *testing.T) {
	d := NewDrain()
	recorder := httptest.NewRecorder()
	w := &flushing{ResponseWriter: recorder, drain: d}
	Event("f", opens(returning(nil)), Options{Trusted: true, Drain: d}).ServeHTTP(w, post(push))
	if len(w.atFlush) != 1 || w.atFlush[0] != 1 || recorder.Header().Get("Content-Length") != "0" || d.InFlight() != 0 {
		t.Errorf("flushed with %v in flight, length %q", w.atFlush, recorder.Header().Get("Content-Length"))
	}
}
