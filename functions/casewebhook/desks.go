package casewebhook

import (
	"context"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	hubdesk "github.com/providerdesk/providerdesk/shared/desk/hub"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Desks returns the clients of the configuration's support desks by name: Google's on a client made by gapi, the hub's each on one of its own
// with the token of its organization. It does no I/O. A desk with a method CloseIdleConnections has connections of its own to let go.
func Desks(c *config.Config, client *http.Client, now func() time.Time) (map[string]desk.Desk, error) {
	all := map[string]desk.Desk{}
	for name, d := range c.Desks {
		one, err := deskOf(c, d, client, now)
		if err != nil {
			return nil, fault.Wrap(fault.Of(err), err, "desk "+name)
		}
		all[name] = one
	}
	return all, nil
}

func deskOf(c *config.Config, d config.Desk, client *http.Client, now func() time.Time) (desk.Desk, error) {
	if d.Kind == "hub" {
		return hubDesk(c, d, now)
	}
	return google.New(google.Options{HTTP: client, Endpoint: c.Endpoints.CloudSupport, Parent: d.Parent, Classification: d.Classification, Now: now})
}

func hubDesk(c *config.Config, d config.Desk, now func() time.Time) (desk.Desk, error) {
	token := func(ctx context.Context, _ string) (string, error) { return d.Token.Resolve(ctx) }
	client, err := hub.New(hub.Options{Endpoint: c.Endpoints.Hub, Organization: d.Organization, Token: token, Now: now, CallTimeout: c.Ledger.CallTimeout})
	if err != nil {
		return nil, err
	}
	return hubdesk.New(hubdesk.Options{Client: client, Organization: d.Organization, Classification: d.Classification, Now: now})
}
