package tenantonboard

import (
	"context"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/desk/google"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/run"
)

// drain lets requests in flight end when the platform stops the process. It is the one piece of package state: the framework gives a main
// no way to reach the handlers that init registered.
var drain = run.NewDrain()

func init() {
	functions.HTTP("TenantWebhook", run.HTTP("TenantWebhook", openTenantWebhook, options()))
	functions.HTTP("OnboardTenant", run.Event("OnboardTenant", openOnboardTenant, platform.Pushed(options())))
	functions.HTTP("InvitationSweep", run.HTTP("InvitationSweep", openInvitationSweep, platform.Pushed(options())))
	functions.HTTP("SweepTenants", run.HTTP("SweepTenants", openSweepTenants, platform.Pushed(options())))
}

const service = "tenantonboard"

// Main serves the function that FUNCTION_TARGET names until ctx ends, and lets requests in flight end.
func Main(ctx context.Context) error { return run.Main(ctx, drain, platform.Logger(service)) }

func options() run.Options {
	return run.Options{Log: platform.Logger(service), Drain: drain, MaxBody: 2 << 20}
}

func openTenantWebhook(ctx context.Context) (run.HTTPHandler, error) {
	f, err := openFunction(ctx)
	if err != nil {
		return nil, err
	}
	return f.TenantWebhook, nil
}

func openOnboardTenant(ctx context.Context) (run.EventHandler, error) {
	f, err := openFunction(ctx)
	if err != nil {
		return nil, err
	}
	return f.OnboardTenant, nil
}

func openInvitationSweep(ctx context.Context) (run.HTTPHandler, error) {
	f, err := openFunction(ctx)
	if err != nil {
		return nil, err
	}
	return f.InvitationSweep, nil
}

func openSweepTenants(ctx context.Context) (run.HTTPHandler, error) {
	f, err := openFunction(ctx)
	if err != nil {
		return nil, err
	}
	return f.SweepTenants, nil
}

// openFunction opens everything: configuration, Firestore, Pub/Sub and the clients. All targets look at the remotes.
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
	return New(ctx, d)
}

// Remotes returns d with the clients that its configuration describes. It does no I/O.
func Remotes(ctx context.Context, d Deps) (Deps, error) {
	o := d.Config.Onboarding
	if o.Organization == "" {
		return d, fault.New(fault.Invalid, "the configuration has no onboarding; write it, or do not deploy this function")
	}
	var err error
	us := platform.Provider{Organization: o.Organization, Token: o.Token, Tokens: o.Tokens, InFlight: o.InFlight}
	if d.Hub, err = platform.Hub(d.Config, us, d.Now); err != nil {
		return d, err
	}
	if d.Cloud, err = cloudClients(ctx, d.Config, d.Now); err != nil {
		return d, err
	}
	d.Cases, err = caseDesks(d.Config, d.Now)
	return d, err
}

// cloudClients returns clients of Google's APIs. If all are replaced they are shown a token that means nothing; Google's own credentials go to
// Google only.
func cloudClients(ctx context.Context, c *config.Config, now func() time.Time) (*cloud.Clients, error) {
	e := c.Endpoints
	o := cloud.Options{
		Endpoints: cloud.Endpoints{ServiceUsage: e.ServiceUsage, ResourceManager: e.ResourceManager, EssentialContacts: e.EssentialContacts,
			Recommender: e.Recommender, ServiceHealth: e.ServiceHealth, CloudSupport: e.CloudSupport},
		Transport: gapi.Options{CallTimeout: c.Ledger.CallTimeout},
	}
	replaced := true
	for _, endpoint := range []string{e.ServiceUsage, e.ResourceManager, e.EssentialContacts, e.Recommender, e.ServiceHealth, e.CloudSupport} {
		replaced = replaced && endpoint != ""
	}
	if replaced {
		o.Transport = platform.Transport(c, e.CloudSupport)
	}
	o.Transport.Now = now
	return cloud.New(ctx, o)
}

// caseDesks returns what opens the test case on a parent.
func caseDesks(c *config.Config, now func() time.Time) (CaseDesk, error) {
	client, err := platform.Support(c)
	if err != nil {
		return nil, err
	}
	classification := computeEngine
	if d, ok := c.Desks[c.Onboarding.Desk]; ok {
		classification = d.Classification
	}
	return func(parent string) (desk.Desk, error) {
		return google.New(google.Options{HTTP: client, Endpoint: c.Endpoints.CloudSupport, Parent: parent, Classification: classification, Now: now})
	}, nil
}
