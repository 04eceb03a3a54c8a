package site

import (
	"context"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/run"
)

// exporting reports whether a configuration exports usage.
func exporting(c *config.Config) bool { return c.Billing.Organization != "" }

// openExports makes the function that exports usage. The function given back lets go of its connections.
func openExports(ctx context.Context, p Parts, o ledger.Options) (*billingexport.Function, func(), error) {
	d, err := billingexport.Remotes(ctx, billingexport.Deps{Config: p.Config})
	if err != nil {
		return nil, nil, ConfigError{err}
	}
	d.DB, d.Publisher, d.Ledger, d.Log, d.Now = p.DB, p.Publisher, o, p.Log, p.Now
	f, err := billingexport.New(d)
	return f, d.Hub.Close, err
}

// ExportReader makes the function that exports usage for who reads the bucket and nothing else: it has no store and no bus. The function given
// back lets go of its connections.
func ExportReader(ctx context.Context, c *config.Config, now func() time.Time) (*billingexport.Function, func(), error) {
	return openExports(ctx, Parts{Config: c, Now: now}, ledger.Options{})
}

// exportTick is the scheduler's message on topic "billing-export".
func (f Functions) exportTick(ctx context.Context, _ *http.Request) (run.Response, error) {
	ids, err := f.publisher.Publish(ctx, publish.Message{Topic: billingexport.TopicExport, Data: []byte("{}")})
	return run.Response{Body: map[string][]string{"ids": ids}}, err
}
