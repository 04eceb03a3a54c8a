package hub

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Many callers at once, over a network and under a mount: nothing is lost, nothing is done twice, and reading does not hold up writing.
func TestParallel(t *testing.T) {
	w := newWorld(t, Options{Dir: t.TempDir(), Rows: 2000})
	ts := httptest.NewServer(http.StripPrefix("/sim/hub", w.Server))
	defer ts.Close()
	access := w.access(Provider, providerRoles...)
	call := func(method, path, body string) answered {
		r, err := http.NewRequest(method, ts.URL+"/sim/hub"+path, strings.NewReader(body))
		if err != nil {
			return answered{err: err}
		}
		r.Header = http.Header{"Csp-Auth-Token": {access}}
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		return do(t, ts.Client(), r)
	}
	const callers, each = 8, 5
	var wait sync.WaitGroup
	failed := make(chan answered, callers*each*3)
	for c := range callers {
		wait.Go(func() {
			for i := range each {
				made := call("POST", tickets+Provider+"/support-requests", ticketJSON(Provider, fmt.Sprint(c, "-", i)))
				where := strings.TrimPrefix(made.header.Get("Location"), ts.URL+"/sim/hub")
				for _, a := range []answered{made, call("GET", where, ""), call("GET", bills+Provider+"/usage-report/file?"+october, "")} {
					if a.err != nil || a.status > 299 {
						failed <- a
					}
				}
			}
		})
	}
	wait.Wait()
	close(failed)
	for a := range failed {
		t.Errorf("%d %v %.200s", a.status, a.err, a.body)
	}
	ids := map[string]bool{}
	for _, r := range w.SupportRequests() {
		ids[r.ID] = true
	}
	if len(ids) != callers*each {
		t.Errorf("%d support requests, want %d", len(ids), callers*each)
	}
}
