//go:build unix

package crash

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

// lag is how long the desk's search index stays behind: less than the settle window of the worker.
const lag = 500 * time.Millisecond

// desk is the support desk. It lives in the test's process, so whoever calls it may die.
type desk struct {
	*cloudsupport.Server
	url string

	mu      sync.Mutex
	arrived chan struct{} // closed when a call that somebody waits for has come
	waited  string        // its end of the path
	hold    func(execute func())
}

func openDesk(t *testing.T) *desk {
	t.Helper()
	s, err := cloudsupport.New(cloudsupport.Options{SearchLag: lag})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{Server: s}
	server := httptest.NewServer(d)
	d.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// Calls that change something, by the end of their path.
const (
	createCase    = "/cases"
	createComment = "/comments"
)

// expect returns a channel that is closed when the next call with the end of a path has come in whole.
func (d *desk) expect(end string) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arrived, d.waited = make(chan struct{}), end
	return d.arrived
}

// intercept gives the next call with the end of a path to hold. Its caller gets no answer.
func (d *desk) intercept(end string, hold func(execute func())) {
	d.expect(end)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hold = hold
}

// arrive notes a call that has come in whole, and returns who holds it.
func (d *desk) arrive(r *http.Request) (hold func(func())) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.arrived == nil || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, d.waited) {
		return nil
	}
	close(d.arrived)
	hold, d.arrived, d.hold = d.hold, nil, nil
	return hold
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the caller has died
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if hold := d.arrive(r); hold != nil {
		hold(func() { d.Server.ServeHTTP(httptest.NewRecorder(), r) })
		panic(http.ErrAbortHandler)
	}
	d.Server.ServeHTTP(w, r)
}

// check compares what the desk has with what the records say: one case and one comment, each the result of its effect and with its marker.
func (d *desk) check(t *testing.T, records []ledger.Record) {
	t.Helper()
	cases := d.Cases()
	if len(cases) != 1 {
		t.Fatalf("%d cases", len(cases))
	}
	c := cases[0]
	if len(c.Comments) != 1 {
		t.Fatalf("%d comments", len(c.Comments))
	}
	for _, r := range records {
		switch r.Kind {
		case "case.open":
			same(t, r, c.Name, c.Description)
		case "case.comment":
			same(t, r, c.Comments[0].Name, c.Comments[0].Body)
		default:
			t.Errorf("an effect of kind %s", r.Kind)
		}
	}
}

func same(t *testing.T, r ledger.Record, name, text string) {
	t.Helper()
	if r.Result == nil || r.Result.ID != name || len(r.Duplicates) > 0 {
		t.Errorf("%s says %v and %d duplicates, the desk has %s", r.Kind, r.Result, len(r.Duplicates), name)
	}
	if strings.Count(text, "["+r.Marker+" ") != 1 {
		t.Errorf("%s: the desk's text has not the marker of the record", r.Kind)
	}
}

// creates counts the calls that opened a case or would have.
func (d *desk) creates() int {
	_, counts := d.Calls()
	return counts["cases.create"]
}
