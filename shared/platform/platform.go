// Package platform is what a deployed function has from where it runs: the environment, the configuration and the credentials, and who may
// call. A function's register.go puts it together; everything else of a function is given what it needs and knows nothing of this.
//
//	PROVIDERDESK_CONFIG    path of the configuration file
//	GOOGLE_CLOUD_PROJECT   project of Firestore and Pub/Sub
//	FIRESTORE_DATABASE     Firestore's database; empty: the default one
//	K_REVISION             the version in log lines
//
// Nothing here is opened before it is asked for, so a function that takes notifications in needs no database.
package platform

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/config/gsm"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/logs"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/pubsub"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/signature"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/firestore"
)

// Logger returns the log of a service, as Cloud Logging reads it.
func Logger(service string) *slog.Logger {
	return logs.New(os.Stdout, logs.Options{Service: service, Version: os.Getenv("K_REVISION"), Project: os.Getenv("GOOGLE_CLOUD_PROJECT")})
}

// Pushed returns o for a function that only Pub/Sub or the scheduler may call, as the configuration's "push" says.
func Pushed(o run.Options) run.Options {
	o.OpenVerify = func(ctx context.Context) (signature.Verifier, error) {
		c, err := Load()
		if err != nil {
			return nil, err
		}
		return PushVerifier(ctx, c.Push, time.Now)
	}
	return o
}

// Load reads the configuration. Secrets in Secret Manager are fetched with the platform's credentials when they are used.
func Load() (*config.Config, error) {
	path := os.Getenv("PROVIDERDESK_CONFIG")
	if path == "" {
		return nil, fault.New(fault.Invalid, "PROVIDERDESK_CONFIG is empty; set it to the path of the configuration file")
	}
	return config.Load(path, os.LookupEnv, config.WithManager(FetchSecret))
}

// FetchSecret reads a secret of Secret Manager with the platform's credentials.
func FetchSecret(ctx context.Context, version string) (string, error) {
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

// Store opens Firestore.
func Store(ctx context.Context) (store.DB, error) {
	project, err := project()
	if err != nil {
		return nil, err
	}
	db, err := firestore.Open(ctx, firestore.Options{Project: project, Database: os.Getenv("FIRESTORE_DATABASE")})
	if err != nil {
		return nil, err
	}
	return db, nil
}

// Publisher opens Pub/Sub.
func Publisher(ctx context.Context) (publish.Publisher, error) {
	project, err := project()
	if err != nil {
		return nil, err
	}
	p, err := pubsub.Open(ctx, project)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func project() (string, error) {
	if p := os.Getenv("GOOGLE_CLOUD_PROJECT"); p != "" {
		return p, nil
	}
	return "", fault.New(fault.Invalid, "GOOGLE_CLOUD_PROJECT is empty; set it to the project of Firestore and Pub/Sub")
}

// Support returns the client of Google's support API.
func Support(c *config.Config) (*http.Client, error) {
	return gapi.Client(Transport(c, c.Endpoints.CloudSupport))
}

// Transport returns the options for a Google API at an endpoint, "" being Google. A replaced endpoint is not Google, and is not shown Google's
// credentials.
func Transport(c *config.Config, endpoint string) gapi.Options {
	o := gapi.Options{Endpoint: endpoint, CallTimeout: c.Ledger.CallTimeout}
	if endpoint != "" {
		o.Token = gapi.StaticToken("providerdesk")
	}
	return o
}

// Provider is our own organization at the hub, and whose API tokens there are.
type Provider struct {
	Organization string                   // the master
	Token        config.Secret            // its own, which stands in for tenants without one
	Tokens       map[string]config.Secret // of tenants, by the id of their organization
	InFlight     int                      // requests at a time
}

// Hub returns a client of the hub. It does no I/O: a token is resolved when it is wanted.
func Hub(c *config.Config, p Provider, now func() time.Time) (*hub.Client, error) {
	token := func(ctx context.Context, org string) (string, error) {
		if s, ok := p.Tokens[org]; ok {
			return s.Resolve(ctx)
		}
		if org == p.Organization {
			return p.Token.Resolve(ctx)
		}
		return "", fault.New(fault.Missing, "the configuration has no API token of this organization")
	}
	return hub.New(hub.Options{Endpoint: c.Endpoints.Hub, Organization: p.Organization, Token: token, Now: now, CallTimeout: c.Ledger.CallTimeout,
		InFlight: p.InFlight})
}
