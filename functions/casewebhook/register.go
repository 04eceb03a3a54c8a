package casewebhook

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/config/gsm"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/logs"
	"github.com/providerdesk/providerdesk/shared/publish/pubsub"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/signature"
	"github.com/providerdesk/providerdesk/shared/store/firestore"
)

// drain lets requests in flight end when the platform stops the process. It is the one piece of package state: the framework gives a main
// no way to reach the handlers that init registered.
var drain = run.NewDrain()

func init() {
	functions.HTTP("AlertWebhook", run.HTTP("AlertWebhook", openAlertWebhook, options()))
	functions.HTTP("FileCase", run.Event("FileCase", openFileCase, pushed()))
	functions.HTTP("SweepCases", run.HTTP("SweepCases", openSweepCases, pushed()))
}

// Main serves the function that FUNCTION_TARGET names until ctx ends, and lets requests in flight end.
func Main(ctx context.Context) error { return run.Main(ctx, drain, logger()) }

func logger() *slog.Logger {
	return logs.New(os.Stdout, logs.Options{Service: "casewebhook", Version: os.Getenv("K_REVISION"), Project: os.Getenv("GOOGLE_CLOUD_PROJECT")})
}

func options() run.Options { return run.Options{Log: logger(), Drain: drain, MaxBody: 2 << 20} }

// pushed are the options of a function that only Pub/Sub or the scheduler may call, as the configuration's "push" says.
func pushed() run.Options {
	o := options()
	o.OpenVerify = func(ctx context.Context) (signature.Verifier, error) {
		c, err := load()
		if err != nil {
			return nil, err
		}
		return PushVerifier(ctx, c.Push, time.Now)
	}
	return o
}

// openAlertWebhook opens what taking a notification in needs: the configuration and Pub/Sub, neither store nor desks.
func openAlertWebhook(ctx context.Context) (run.HTTPHandler, error) {
	c, err := load()
	if err != nil {
		return nil, err
	}
	d, err := published(ctx, Deps{Config: c, Log: logger()})
	if err != nil {
		return nil, err
	}
	f, err := New(ctx, d)
	if err != nil {
		return nil, err
	}
	return f.AlertWebhook, nil
}

func openFileCase(ctx context.Context) (run.EventHandler, error) {
	f, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return f.FileCase, nil
}

func openSweepCases(ctx context.Context) (run.HTTPHandler, error) {
	f, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return f.SweepCases, nil
}

// open opens everything: configuration, Firestore, Pub/Sub and the desks.
func open(ctx context.Context) (*Function, error) {
	c, err := load()
	if err != nil {
		return nil, err
	}
	project, err := project()
	if err != nil {
		return nil, err
	}
	d := Deps{Config: c, Log: logger()}
	if d.DB, err = firestore.Open(ctx, firestore.Options{Project: project, Database: os.Getenv("FIRESTORE_DATABASE")}); err != nil {
		return nil, err
	}
	client, err := gapi.Client(clientOptions(c))
	if err != nil {
		return nil, err
	}
	if d.Desks, err = Desks(c, client, time.Now); err != nil {
		return nil, err
	}
	if d, err = published(ctx, d); err != nil {
		return nil, err
	}
	return New(ctx, d)
}

func published(ctx context.Context, d Deps) (Deps, error) {
	project, err := project()
	if err != nil {
		return d, err
	}
	d.Publisher, err = pubsub.Open(ctx, project)
	return d, err
}

// clientOptions of the support desk's client. A replaced endpoint is not Google, and is not shown Google's credentials.
func clientOptions(c *config.Config) gapi.Options {
	o := gapi.Options{Endpoint: c.Endpoints.CloudSupport, CallTimeout: c.Ledger.CallTimeout}
	if o.Endpoint != "" {
		o.Token = gapi.StaticToken("providerdesk")
	}
	return o
}

func project() (string, error) {
	if p := os.Getenv("GOOGLE_CLOUD_PROJECT"); p != "" {
		return p, nil
	}
	return "", fault.New(fault.Invalid, "GOOGLE_CLOUD_PROJECT is empty; set it to the project of Firestore and Pub/Sub")
}

// load reads the configuration. Secrets in Secret Manager are fetched with the platform's credentials when they are used.
func load() (*config.Config, error) {
	path := os.Getenv("PROVIDERDESK_CONFIG")
	if path == "" {
		return nil, fault.New(fault.Invalid, "PROVIDERDESK_CONFIG is empty; set it to the path of the configuration file")
	}
	return config.Load(path, os.LookupEnv, config.WithManager(fetchSecret))
}

func fetchSecret(ctx context.Context, version string) (string, error) {
	client, err := gapi.Client(gapi.Options{})
	if err != nil {
		return "", err
	}
	fetch, err := gsm.Manager(client, "")
	if err != nil {
		return "", err
	}
	return fetch(ctx, version)
}
