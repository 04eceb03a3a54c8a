//go:build unix

package tenants

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/providerdesk/providerdesk/e2e/installed"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/sim/google"
	"github.com/providerdesk/providerdesk/shared/sim/hub"
)

// remotes are the vendors' servers. They live in the test's process, so whoever calls them may die.
type remotes struct {
	installed.Death
	hub    *hub.Server
	google *google.Server
	desk   *cloudsupport.Server
	url    string
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
	server := httptest.NewServer(r.Before(mux))
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

// requests by their methods and the ends of their paths.
var requests = map[string]struct{ method, end string }{
	"tenants.list":          {http.MethodGet, "/tenants"},
	"tenants.create":        {http.MethodPost, "/tenants"},
	"users.add":             {http.MethodPost, "/add-users"},
	"services.batchEnable":  {http.MethodPost, "/services:batchEnable"},
	"projects.setIamPolicy": {http.MethodPost, ":setIamPolicy"},
	"contacts.create":       {http.MethodPost, "/contacts"},
	"cases.create":          {http.MethodPost, "/cases"},
	"cases.close":           {http.MethodPost, ":close"},
}

// ops is a moment as the remotes see it.
func ops(m moment) installed.Moment {
	q := requests[m.op]
	return installed.Moment{Method: q.method, Ends: []string{q.end}, Nth: m.nth, Executed: m.executed}
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
