//go:build unix

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
)

// supervisor keeps a worker running: when it was killed it is started again, without the order to die. The socket is the supervisor's, so
// who calls while nobody serves waits until somebody does.
type supervisor struct {
	*testing.T
	orders orders
	socket *os.File
	base   string
	out    proctest.Output
	ended  chan struct{} // closed when the last worker has ended

	mu       sync.Mutex
	worker   *exec.Cmd
	dead     chan struct{} // closed when that worker has ended
	stopping bool
	deaths   []death
}

// death is how and when a worker ended.
type death struct {
	how syscall.WaitStatus
	at  time.Time
}

// supervise starts a worker.
func supervise(t *testing.T, o orders) *supervisor {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	s := &supervisor{T: t, orders: o, socket: socket, base: "http://" + l.Addr().String(), ended: make(chan struct{})}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	go s.watch()
	t.Cleanup(func() {
		s.end(syscall.SIGKILL)
		socket.Close()
		if t.Failed() {
			t.Logf("the workers' last words:\n%s", s.out.Last(6000))
		}
	})
	return s
}

// start starts a worker with the orders as they are.
func (s *supervisor) start() error {
	text, err := json.Marshal(s.orders)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), ordersEnv+"="+string(text), tokenEnv+"="+token)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &s.out, &s.out, []*os.File{s.socket}
	if _, err := cmd.StdinPipe(); err != nil { // the worker ends with us
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.worker, s.dead = cmd, make(chan struct{})
	return nil
}

// watch starts the worker again whenever it was killed.
func (s *supervisor) watch() {
	defer close(s.ended)
	for {
		_ = s.worker.Wait() // how it ended is in its state
		if !s.again() {
			return
		}
		s.orders.Die = ""
		if err := s.start(); err != nil {
			s.Errorf("start the worker again: %v", err)
			return
		}
	}
}

// again notes a death and reports whether there is to be another worker.
func (s *supervisor) again() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	how, _ := s.worker.ProcessState.Sys().(syscall.WaitStatus)
	s.deaths = append(s.deaths, death{how, time.Now()})
	close(s.dead)
	return !s.stopping && how.Signaled()
}

// kill kills the worker and returns when it is dead.
func (s *supervisor) kill() {
	s.mu.Lock()
	worker, dead := s.worker, s.dead
	s.mu.Unlock()
	if err := worker.Process.Kill(); err != nil {
		s.Error(err)
	}
	<-dead
}

// end sends the last worker a signal and waits for its end.
func (s *supervisor) end(signal os.Signal) {
	s.mu.Lock()
	s.stopping = true
	_ = s.worker.Process.Signal(signal) // it may have ended
	s.mu.Unlock()
	<-s.ended
}

// stop ends the worker in good order and returns the deaths of those before it.
func (s *supervisor) stop() []death {
	s.Helper()
	s.end(syscall.SIGTERM)
	last := len(s.deaths) - 1
	if how := s.deaths[last].how; !how.Exited() || how.ExitStatus() != 0 {
		s.Errorf("the last worker ended with %v", how)
	}
	return s.deaths[:last]
}

// deliver hands a notification to the worker until it is accepted, however often the worker dies of it: to AlertWebhook as a sender does
// when the bus is the worker's own, to FileCase as Pub/Sub does when it is not.
func (s *supervisor) deliver(status alert.Status) {
	s.Helper()
	attempt := 0
	until(s.T, "the message is accepted", func(ctx context.Context) (bool, any) {
		attempt++
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		url, body, want := s.base+"/AlertWebhook/prod-alertmanager", notification(status), http.StatusAccepted
		if s.orders.Folder == "" {
			url, body, want = s.base+"/FileCase", push(s.T, status, attempt), http.StatusOK
		}
		got, err := post(ctx, url, token, body)
		return got == want, fmt.Sprint(got, err)
	})
}

// await waits until n effects are recorded and done, and returns their records.
func (s *supervisor) await(n int) (records []ledger.Record) {
	s.Helper()
	until(s.T, fmt.Sprintf("%d effects are done", n), func(ctx context.Context) (bool, any) {
		r, err := s.report(ctx)
		if err != nil {
			return false, err
		}
		records = r.Records
		return r.done(n), fmt.Sprint(r.Waiting, " messages waiting; ", summary(records))
	})
	return records
}

// awaitKill waits until a worker was killed, and returns when.
func (s *supervisor) awaitKill() (at time.Time) {
	s.Helper()
	until(s.T, "the worker is killed", func(context.Context) (bool, any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.deaths) > 0 {
			at = s.deaths[0].at
		}
		return len(s.deaths) > 0, "it lives"
	})
	return at
}

func (s *supervisor) report(ctx context.Context) (r report, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	status, body, err := send(ctx, http.MethodGet, s.base+"/report", "", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("answered %d", status)
	}
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(body, &r)
}
