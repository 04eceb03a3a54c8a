package site

import (
	"context"

	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// openTenants makes the function that takes tenants in. The function given back lets go of its connections.
func openTenants(ctx context.Context, p Parts, o ledger.Options) (*tenantonboard.Function, func(), error) {
	d, err := remotes(ctx, p.Config)
	if err != nil {
		return nil, nil, err
	}
	d.DB, d.Publisher, d.Ledger, d.Log, d.Now = p.DB, p.Publisher, o, p.Log, p.Now
	f, err := tenantonboard.New(ctx, d)
	return f, d.Hub.Close, err
}

// remotes makes the clients of the hub and of Google Cloud. They have the machine's clock, by which the deadlines of calls are.
func remotes(ctx context.Context, c *config.Config) (tenantonboard.Deps, error) {
	d, err := tenantonboard.Remotes(ctx, tenantonboard.Deps{Config: c})
	if err != nil {
		return d, ConfigError{err}
	}
	return d, nil
}

// Hub returns the client of the hub of a configuration that takes tenants in.
func Hub(ctx context.Context, c *config.Config) (*hub.Client, error) {
	d, err := remotes(ctx, c)
	return d.Hub, err
}
