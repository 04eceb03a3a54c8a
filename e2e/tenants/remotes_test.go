//go:build unix

package tenants

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/sim/google"
	"github.com/providerdesk/providerdesk/shared/sim/hub"
)

// remotes are the vendors' servers. They live in the test's process, so whoever calls them may die.
type remotes struct {
	hub    *hub.Server
	google *google.Server
	desk   *cloudsupport.Server
	url    string

	mu   sync.Mutex
	want moment // waited for, if left is above zero
	left int
	kill func()
	died chan struct{} // closed when kill has returned
}

func openRemotes(t *testing.T) *remotes {
	t.Helper()
	r := &remotes{}
	var err error
	if r.hub, err = hub.New(hub.Options{Switches: hub.Switches{TokenScope: "tenants"}}); err != nil {
		t.Fatal(err)
	}
	if r.google, err = google.New(google.Options{AnyParent: true}); err != nil {
		t.Fatal(err)
	}
	if r.desk, err = cloudsupport.New(cloudsupport.Options{AnyParent: true}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, h := range map[string]http.Handler{"/hub": r.hub, "/google": r.google, "/desk": r.desk} {
		mux.Handle(path+"/", http.StripPrefix(path, h))
	}
	server := httptest.NewServer(r.held(mux))
	r.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		for _, c := range []io.Closer{r.hub, r.google, r.desk} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// ops are requests by method and end of path.
var ops = map[string]struct{ method, end string }{
	"tenants.list":          {http.MethodGet, "/tenants"},
	"tenants.create":        {http.MethodPost, "/tenants"},
	"users.add":             {http.MethodPost, "/add-users"},
	"services.batchEnable":  {http.MethodPost, "/services:batchEnable"},
	"projects.setIamPolicy": {http.MethodPost, ":setIamPolicy"},
	"contacts.create":       {http.MethodPost, "/contacts"},
	"cases.create":          {http.MethodPost, "/cases"},
	"cases.close":           {http.MethodPost, ":close"},
}

// intercept has the caller killed when a moment comes. The channel is closed when it is dead.
func (r *remotes) intercept(m moment, kill func()) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.want, r.left, r.kill, r.died = m, max(m.nth, 1), kill, make(chan struct{})
	return r.died
}

// comes reports whether a request is the one that is waited for, and if so, what to do about it.
func (r *remotes) comes(q *http.Request) (m moment, kill func(), died chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	op := ops[r.want.op]
	if r.left == 0 || q.Method != op.method || !strings.HasSuffix(q.URL.Path, op.end) {
		return m, nil, nil
	}
	if r.left--; r.left > 0 {
		return m, nil, nil
	}
	return r.want, r.kill, r.died
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

// hubToken is an API token with every role of the provider.
func (r *remotes) hubToken() (token string) {
	most := 0
	for _, t := range r.hub.Tokens() {
		if t.OrgID == hub.Provider && len(t.Roles) > most {
			token, most = t.Token, len(t.Roles)
		}
	}
	return token
}

// organizations are the ids of a tenant's.
func (r *remotes) organizations(tenant string) (ids []string) {
	for _, o := range r.hub.Organizations() {
		if o.DisplayName == "The "+tenant {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// standing counts the memberships and invitations of a person.
func (r *remotes) standing(org, email string) (n int) {
	for _, m := range r.hub.Members(org) {
		if m.Username == email {
			n++
		}
	}
	for _, i := range r.hub.Invitations(org) {
		if i.Username == email {
			n++
		}
	}
	return n
}

// figures counts the requests that the remotes got.
func (r *remotes) figures() string {
	_, h := r.hub.Calls()
	_, g := r.google.Calls()
	_, d := r.desk.Calls()
	return fmt.Sprintf("%d organizations of %d tenants.create, %d users.add, %d contacts.create, %d setIamPolicy, %d cases of %d cases.create",
		len(r.hub.Organizations())-3, h["tenants.create"], h["users.add"], g["essentialcontacts.projects.contacts.create"],
		g["cloudresourcemanager.projects.setIamPolicy"], len(r.desk.Cases()), d["cases.create"])
}
