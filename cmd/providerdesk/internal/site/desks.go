package site

import (
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/platform"
)

// Desks makes the clients of the desks in the configuration, by name, or only of the one named. The function given back lets go of their
// connections.
func Desks(c *config.Config, only string, now func() time.Time) (map[string]desk.Desk, func(), error) {
	if _, ok := c.Desks[only]; only != "" && !ok {
		return nil, nil, ConfigError{fault.New(fault.Missing, "the configuration has no desk %q", only)}
	}
	client, err := Client(c)
	if err != nil {
		return nil, nil, err
	}
	all, err := casewebhook.Desks(c, client, now)
	if err != nil {
		return nil, nil, ConfigError{err}
	}
	if only != "" {
		all = map[string]desk.Desk{only: all[only]}
	}
	return all, letGo(client, all), nil
}

// letGo returns what lets go of the connections of Google's client and of desks that have their own.
func letGo(client *http.Client, all map[string]desk.Desk) func() {
	return func() {
		client.CloseIdleConnections()
		for _, d := range all {
			if own, ok := d.(interface{ CloseIdleConnections() }); ok {
				own.CloseIdleConnections()
			}
		}
	}
}

// Client returns the client of Google's support API. Google's own gets the application default credentials, a server in its place a token that
// means nothing.
func Client(c *config.Config) (*http.Client, error) { return platform.Support(c) }

// ClientAt is Client for another of Google's APIs, at an endpoint that replaces Google's if it is not empty.
func ClientAt(c *config.Config, endpoint string) (*http.Client, error) {
	return gapi.Client(platform.Transport(c, endpoint))
}
