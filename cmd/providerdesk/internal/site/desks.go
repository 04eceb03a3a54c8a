package site

import (
	"context"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// simToken is what the simulator is shown: it takes any.
const simToken = "simulated"

// Desks makes the clients of the desks in the configuration, by name, or only of the one named. The function given back lets go of their
// connections.
func Desks(c *config.Config, only string, now func() time.Time) (map[string]desk.Desk, func(), error) {
	if _, ok := c.Desks[only]; only != "" && !ok {
		return nil, nil, fault.New(fault.Missing, "the configuration has no desk %q", only)
	}
	client, err := Client(c)
	if err != nil {
		return nil, nil, err
	}
	all := map[string]desk.Desk{}
	for name, d := range c.Desks {
		if only != "" && only != name {
			continue
		}
		if all[name], err = newDesk(c, d, client, now); err != nil {
			return nil, nil, fault.Wrap(fault.Of(err), err, "desk "+name)
		}
	}
	return all, client.CloseIdleConnections, nil
}

func newDesk(c *config.Config, d config.Desk, client *http.Client, now func() time.Time) (desk.Desk, error) {
	if d.Kind != "google" {
		return nil, fault.New(fault.Invalid, "a desk of kind %s cannot be reached from here yet", d.Kind)
	}
	return google.New(google.Options{
		HTTP: client, Endpoint: c.Endpoints.CloudSupport, Parent: d.Parent, Classification: d.Classification, Now: now,
	})
}

// Client returns the client of Google's support API. Google's own gets the application default credentials, the simulator a token that
// means nothing.
func Client(c *config.Config) (*http.Client, error) {
	o := gapi.Options{Endpoint: c.Endpoints.CloudSupport, CallTimeout: c.Ledger.CallTimeout}
	if UsesSimulator(c) {
		o.Token = func(context.Context) (string, error) { return simToken, nil }
	}
	return gapi.Client(o)
}
