package billingexport

import (
	"context"
	"strings"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/providerdesk/providerdesk/functions/billingexport/warehouse"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/dir"
	"github.com/providerdesk/providerdesk/shared/blob/gcs"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/say/rooms"
)

// drain lets requests in flight end when the platform stops the process. It is the one piece of package state: the framework gives a main
// no way to reach the handlers that init registered.
var drain = run.NewDrain()

func init() {
	functions.HTTP("ExportUsage", run.Event("ExportUsage", openExportUsage, platform.Pushed(options())))
	functions.HTTP("ExportTenantUsage", run.Event("ExportTenantUsage", openExportTenantUsage, platform.Pushed(options())))
	functions.HTTP("SweepExports", run.HTTP("SweepExports", openSweepExports, platform.Pushed(options())))
}

const service = "billingexport"

// Main serves the function that FUNCTION_TARGET names until ctx ends, and lets requests in flight end.
func Main(ctx context.Context) error { return run.Main(ctx, drain, platform.Logger(service)) }

func options() run.Options { return run.Options{Log: platform.Logger(service), Drain: drain} }

func openExportUsage(ctx context.Context) (run.EventHandler, error) {
	f, err := openFunction(ctx)
	if err != nil {
		return nil, err
	}
	return f.ExportUsage, nil
}

func openExportTenantUsage(ctx context.Context) (run.EventHandler, error) {
	f, err := openFunction(ctx)
	if err != nil {
		return nil, err
	}
	return f.ExportTenantUsage, nil
}

func openSweepExports(ctx context.Context) (run.HTTPHandler, error) {
	f, err := openFunction(ctx)
	if err != nil {
		return nil, err
	}
	return f.SweepExports, nil
}

// openFunction opens everything: configuration, Firestore, Pub/Sub, the bucket and the clients. All targets may finish a month.
func openFunction(ctx context.Context) (*Function, error) {
	d := Deps{Log: platform.Logger(service)}
	var err error
	if d.Config, err = platform.Load(); err != nil {
		return nil, err
	}
	if d, err = Remotes(ctx, d); err != nil {
		return nil, err
	}
	if d.DB, err = platform.Store(ctx); err != nil {
		return nil, err
	}
	if d.Publisher, err = platform.Publisher(ctx); err != nil {
		return nil, err
	}
	return New(d)
}

// Remotes returns d with the bucket, the clients and the chats that its configuration describes. It does no I/O but to fetch the chats' secrets
// and to make the folder of a bucket that is one.
func Remotes(ctx context.Context, d Deps) (Deps, error) {
	b := d.Config.Billing
	if b.Organization == "" {
		return d, fault.New(fault.Invalid, "the configuration has no billing; write it, or do not deploy this function")
	}
	var err error
	us := platform.Provider{Organization: b.Organization, Token: b.Token, Tokens: b.Tokens, InFlight: b.InFlight}
	if d.Hub, err = platform.Hub(d.Config, us, d.Now); err != nil {
		return d, err
	}
	if d.Bucket, err = openBucket(d.Config); err != nil {
		return d, err
	}
	if len(d.Config.Billing.Rooms) > 0 {
		if d.Rooms, err = rooms.Open(ctx, d.Config, d.Now); err != nil {
			return d, err
		}
	}
	d.Warehouse, err = openWarehouse(ctx, d)
	return d, err
}

// place is where the objects are: a folder of this machine, or a bucket of Cloud Storage and a folder in it.
func place(b config.Billing) (folder, bucket, prefix string) {
	if folder, ok := strings.CutPrefix(b.Bucket, "file:"); ok {
		return folder, "", ""
	}
	bucket, prefix, _ = strings.Cut(strings.TrimPrefix(b.Bucket, "gs://"), "/")
	return "", bucket, prefix
}

func openBucket(c *config.Config) (blob.Bucket, error) {
	folder, bucket, prefix := place(c.Billing)
	if folder != "" {
		return dir.New(folder)
	}
	return gcs.New(gcs.Options{Bucket: bucket, Prefix: prefix, Transport: platform.Transport(c, c.Endpoints.Storage)})
}

func openWarehouse(ctx context.Context, d Deps) (*warehouse.Warehouse, error) {
	q := d.Config.Billing.BigQuery
	if q == nil {
		return nil, nil
	}
	return warehouse.New(ctx, warehouse.Options{Project: q.Project, Dataset: q.Dataset, Location: q.Location, Endpoint: d.Config.Endpoints.BigQuery,
		Transport: platform.Transport(d.Config, d.Config.Endpoints.BigQuery), Bucket: d.Bucket, Root: strings.TrimSuffix(d.Config.Billing.Bucket, "/") + "/", Now: d.Now})
}
