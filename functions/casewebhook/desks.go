package casewebhook

import (
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Desks returns the clients of the configuration's support desks by name, on a client made by gapi. It does no I/O.
func Desks(c *config.Config, client *http.Client, now func() time.Time) (map[string]desk.Desk, error) {
	all := map[string]desk.Desk{}
	for name, d := range c.Desks {
		if d.Kind != "google" {
			return nil, fault.New(fault.Invalid, "desk %s: a desk of kind %s cannot be reached from here yet", name, d.Kind)
		}
		one, err := google.New(google.Options{HTTP: client, Endpoint: c.Endpoints.CloudSupport, Parent: d.Parent, Classification: d.Classification, Now: now})
		if err != nil {
			return nil, fault.Wrap(fault.Of(err), err, "desk "+name)
		}
		all[name] = one
	}
	return all, nil
}
