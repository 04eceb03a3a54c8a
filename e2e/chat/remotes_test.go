//go:build unix

package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sim "github.com/providerdesk/providerdesk/shared/sim/chat"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

// moment is when the process is killed: while a remote holds a request that has come in whole.
type moment struct {
	op       string
	executed bool // the remote has executed it, and its answer was not sent
}

// ops are requests by a piece of their paths.
var ops = map[string][]string{
	"comment": {"/comments"},
	"post":    {"/chat.postMessage", "/messages"},
}

// remotes are the vendors' servers. They live in the test's process, so whoever calls them may die.
type remotes struct {
	chat *sim.Server
	desk *cloudsupport.Server
	url  string

	mu     sync.Mutex
	want   moment
	kill   func()
	died   chan struct{} // closed when kill has returned
	push   func(message []byte) bool
	missed [][]byte // events that nobody took
}

func openRemotes(t *testing.T, callback string, addOn bool) *remotes {
	t.Helper()
	r := &remotes{}
	var err error
	if r.chat, err = sim.New(sim.Options{Callback: callback, AddOn: addOn}); err != nil {
		t.Fatal(err)
	}
	if r.desk, err = cloudsupport.New(cloudsupport.Options{AnyParent: true, Publish: r.publish}); err != nil {
		t.Fatal(err)
	}
	if err := r.desk.Announce("projects/acme-prod/topics/support-events"); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, h := range map[string]http.Handler{"/chat": r.chat, "/desk": r.desk} {
		mux.Handle(path+"/", http.StripPrefix(path, h))
	}
	server := httptest.NewServer(r.held(mux))
	r.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		for _, c := range []io.Closer{r.chat, r.desk} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// publish is Pub/Sub between the desk and us: what is not taken is kept and comes again.
func (r *remotes) publish(_ context.Context, _ string, attributes map[string]string, data []byte) error {
	body, err := json.Marshal(map[string]any{
		"message":      map[string]any{"attributes": attributes, "data": data, "messageId": "event", "publishTime": time.Now().UTC()},
		"subscription": "projects/acme-prod/subscriptions/support-events",
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	push := r.push
	r.mu.Unlock()
	if push == nil || !push(body) {
		r.mu.Lock()
		r.missed = append(r.missed, body)
		r.mu.Unlock()
	}
	return nil
}

// again delivers what nobody took.
func (r *remotes) again() {
	r.mu.Lock()
	missed := r.missed
	r.missed = nil
	r.mu.Unlock()
	for _, body := range missed {
		if !r.push(body) {
			r.mu.Lock()
			r.missed = append(r.missed, body)
			r.mu.Unlock()
		}
	}
}

// intercept has the caller killed when a moment comes. The channel is closed when it is dead.
func (r *remotes) intercept(m moment, kill func()) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.want, r.kill, r.died = m, kill, make(chan struct{})
	return r.died
}

// comes reports whether a request is the one that is waited for, and if so, what to do about it.
func (r *remotes) comes(q *http.Request) (m moment, kill func(), died chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kill == nil || q.Method != http.MethodPost {
		return m, nil, nil
	}
	for _, end := range ops[r.want.op] {
		if strings.HasSuffix(q.URL.Path, end) {
			kill, r.kill = r.kill, nil
			return r.want, kill, r.died
		}
	}
	return m, nil, nil
}

// held passes requests on. Whoever sends the one that is waited for is dead before there is an answer.
func (r *remotes) held(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // the caller has died
		}
		q.Body = io.NopCloser(bytes.NewReader(body))
		m, kill, died := r.comes(q)
		if kill == nil {
			to.ServeHTTP(w, q)
			return
		}
		if m.executed {
			to.ServeHTTP(httptest.NewRecorder(), q)
		}
		kill()
		close(died)
		panic(http.ErrAbortHandler)
	})
}
