//go:build unix && !race

package exports

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	client "github.com/providerdesk/providerdesk/shared/hub"

	"github.com/providerdesk/providerdesk/e2e/installed"
	"github.com/providerdesk/providerdesk/shared/sim/bigquery"
	"github.com/providerdesk/providerdesk/shared/sim/chat"
	"github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/sim/storage"
)

const bucketName = "acme-usage"

// remotes are the vendors' servers. They live in the test's process, so whoever calls them may die. The hub's clock stands still, so that two
// stories hear the same from it; that of the others goes with the installation's.
type remotes struct {
	installed.Death
	hub      *hub.Server
	storage  *storage.Server
	bigquery *bigquery.Server
	chat     *chat.Server
	url      string
	ahead    atomic.Int64

	mu     sync.Mutex
	events []event // of topic billing-exported
}

// event is what a subscriber of billing-exported reads.
type event struct {
	ID       string
	Revision int
}

func openRemotes(t *testing.T, today time.Time) *remotes {
	t.Helper()
	r := &remotes{}
	now := func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }
	var err error
	if r.hub, err = hub.New(hub.Options{Now: func() time.Time { return today }, Rows: 1000, Tenants: 3}); err != nil {
		t.Fatal(err)
	}
	if r.storage, err = storage.New(storage.Options{Now: now, Buckets: []string{bucketName}}); err != nil {
		t.Fatal(err)
	}
	if r.bigquery, err = bigquery.New(bigquery.Options{Now: now, Objects: r.object}); err != nil {
		t.Fatal(err)
	}
	if r.chat, err = chat.New(chat.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, h := range map[string]http.Handler{"/hub": r.hub, "/storage": r.storage, "/bigquery": r.bigquery, "/chat": r.chat} {
		mux.Handle(path+"/", http.StripPrefix(path, h))
	}
	mux.HandleFunc("POST /exported", r.hear)
	server := httptest.NewServer(r.Before(mux))
	r.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		for _, c := range []io.Closer{r.hub, r.storage, r.bigquery, r.chat} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// object opens a file of the bucket, as BigQuery does.
func (r *remotes) object(uri string) (io.ReaderAt, int64, error) {
	bucket, name, _ := strings.Cut(strings.TrimPrefix(uri, "gs://"), "/")
	data, err := r.storage.Content(bucket, name)
	return bytes.NewReader(data), int64(len(data)), err
}

// hear is a subscriber of topic billing-exported.
func (r *remotes) hear(w http.ResponseWriter, q *http.Request) {
	var push struct{ Message struct{ Data []byte } }
	var e event
	if json.NewDecoder(q.Body).Decode(&push) != nil || json.Unmarshal(push.Message.Data, &e) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// heard are the events so far, by the revisions that they tell of.
func (r *remotes) heard() map[int][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	by := map[int][]string{}
	for _, e := range r.events {
		by[e.Revision] = append(by[e.Revision], e.ID)
	}
	return by
}

// token is an API token with every role of the provider.
func (r *remotes) token() (token string) {
	most := 0
	for _, t := range r.hub.Tokens() {
		if t.OrgID == hub.Provider && len(t.Roles) > most {
			token, most = t.Token, len(t.Roles)
		}
	}
	return token
}

// restate has late usage change a tenant's month.
func (r *remotes) restate(t *testing.T, month client.Period) {
	t.Helper()
	if err := r.hub.Restate(hub.TenantCoke, month.String()); err != nil {
		t.Fatal(err)
	}
}

// lateTenant makes a tenant that nobody knew of, with usage since the tenth of the month.
func (r *remotes) lateTenant(t *testing.T, today time.Time, month client.Period) {
	t.Helper()
	back := today.Sub(month.Start().AddDate(0, 0, 9))
	if err := r.hub.Advance(-back); err != nil {
		t.Fatal(err)
	}
	org := r.create(t)
	if err := r.hub.Activate(org); err != nil {
		t.Fatal(err)
	}
	if err := r.hub.Advance(back); err != nil {
		t.Fatal(err)
	}
}

// create makes an organization by the API, as the console does.
func (r *remotes) create(t *testing.T) string {
	t.Helper()
	known := r.hub.Organizations()
	c, err := client.New(client.Options{Endpoint: "https://hub.test/api", Organization: hub.Provider, Base: r.hub.Transport(), Token: constant(r.token())})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.CreateTenant(t.Context(), hub.Provider, client.TenantDraft{TenantType: "DEFAULT", Country: "DE", DisplayName: "Late", CompanyName: "Late Ltd",
		City: "Berlin", State: "Berlin", Zip: "10115", Domain: "late.example"}); err != nil {
		t.Fatal(err)
	}
	for _, o := range r.hub.Organizations() {
		if !slices.ContainsFunc(known, func(k hub.Organization) bool { return k.ID == o.ID }) {
			return o.ID
		}
	}
	t.Fatal("the hub has made no organization")
	return ""
}
