// Package cloud sets up the Google Cloud side of a tenant: services that are on, roles that are granted, people who are told. Each file is
// one operation of onboarding on one API, through the transport of gapi. An operation looks before it acts, acts on the difference, and looks
// again, so its answer says what is, and what of it this call changed; only that may be undone.
//
// What each does to the ledger, and why a repeat is harmless:
//
//	EnableServices            desired   reads which services are on and enables the others; enabling one that is on changes nothing
//	GrantRoles, RevokeRoles   natural   every write carries the etag of the read it was made of: on a policy that changed it is refused
//	AddContact                natural   an address is in a resource once: the second create is 409 and the contact there is found
//	ChangeContact             desired   sets fields to values
//	RemoveContact             desired   found by its address, gone if it is not there; ids are never given twice
//	Subscribe, Unsubscribe    marked    an organization's topic is the marker: found in the list, created when it is not there. The API would
//	                                    take a second subscription of the same topic, so only one caller at a time may subscribe
//	Bindings, Contacts, Subscriptions, Subscription, CanReadRecommender, CanReadServiceHealth only read
//
// Errors have the kinds of gapi.Fault and say whether the API certainly did not execute a request; one that may have been executed is
// fault.Transient and calling again is right. A success that does not say what was done counts as no answer. No error holds an address.
//
// Names are checked before they become part of a URL. E-mails are the same whatever their case.
//
// Not promised: that a policy or a service that was just set is in force everywhere: Google takes minutes. Two calls that change the same
// contact at once: Essential Contacts has no etag.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/cloudresourcemanager/v3"
	"google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/essentialcontacts/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/recommender/v1"
	"google.golang.org/api/serviceusage/v1"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Endpoints are base URLs that replace Google's.
type Endpoints struct {
	ServiceUsage      string
	ResourceManager   string
	EssentialContacts string
	Recommender       string
	ServiceHealth     string
	CloudSupport      string
}

// Options of Clients. The zero value speaks to Google with application default credentials.
type Options struct {
	Endpoints Endpoints
	Transport gapi.Options   // of every API; its Endpoint is not used
	Jitter    func() float64 // of [0, 1), for back-off; default random
}

// Clients are the clients of the Google APIs that onboarding needs. They keep no state.
type Clients struct {
	services  *serviceusage.Service
	resources *cloudresourcemanager.Service
	contacts  *essentialcontacts.Service
	recommend *recommender.Service
	support   *cloudsupport.Service
	health    health
	jitter    func() float64
}

// New returns the clients. It does no I/O.
func New(ctx context.Context, o Options) (*Clients, error) {
	c := &Clients{jitter: o.jitter()}
	var err error
	if c.services, err = service(ctx, o, o.Endpoints.ServiceUsage, serviceusage.NewService); err != nil {
		return nil, err
	}
	if c.resources, err = service(ctx, o, o.Endpoints.ResourceManager, cloudresourcemanager.NewService); err != nil {
		return nil, err
	}
	if c.contacts, err = service(ctx, o, o.Endpoints.EssentialContacts, essentialcontacts.NewService); err != nil {
		return nil, err
	}
	if c.recommend, err = service(ctx, o, o.Endpoints.Recommender, recommender.NewService); err != nil {
		return nil, err
	}
	if c.support, err = service(ctx, o, o.Endpoints.CloudSupport, cloudsupport.NewService); err != nil {
		return nil, err
	}
	c.health, err = newHealth(o)
	return c, err
}

// client is the transport for an API.
func (o Options) client(endpoint string) (*http.Client, error) {
	t := o.Transport
	t.Endpoint = endpoint
	return gapi.Client(t)
}

// service makes a generated client. Its constructor reads options and connects to nothing.
func service[S any](ctx context.Context, o Options, endpoint string, make func(context.Context, ...option.ClientOption) (*S, error)) (*S, error) {
	hc, err := o.client(endpoint)
	if err != nil {
		return nil, err
	}
	opts := []option.ClientOption{option.WithHTTPClient(hc)}
	if endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimSuffix(endpoint, "/")+"/"))
	}
	s, err := make(ctx, opts...)
	return s, fault.Wrap(fault.Bug, err, "make a Google API client")
}

var (
	projectForm  = regexp.MustCompile(`^projects/([a-z][a-z0-9-]{4,28}[a-z0-9]|[1-9][0-9]{0,18})$`)
	resourceForm = regexp.MustCompile(`^(projects/([a-z][a-z0-9-]{4,28}[a-z0-9]|[1-9][0-9]{0,18})|(folders|organizations)/[1-9][0-9]{0,18})$`)
)

// check refuses a name that is not of the form. It does not repeat it.
func check(form *regexp.Regexp, name, what string) error {
	if form.MatchString(name) {
		return nil
	}
	return fault.New(fault.Invalid, "not the name of %s", what)
}

// unreadable is the error of a success that does not say what was done.
func unreadable(what, doing string) error {
	return fault.Wrap(fault.Transient, fmt.Errorf("the answer holds no %s", what), doing)
}

// call makes one call of an API and classifies its failure.
func call[T any](ctx context.Context, doing string, do func(context.Context) (*T, error)) (*T, error) {
	var out *T
	err := gapi.Do(ctx, doing, func(ctx context.Context) (err error) {
		out, err = do(ctx)
		return err
	})
	if err == nil && out == nil {
		err = unreadable("message", doing)
	}
	return out, err
}

// isCollision reports whether a write was refused because of another one: a stale etag, an address that is there already. A failed
// precondition, 400, is a conflict as well, and none of these.
func isCollision(err error) bool {
	var g *googleapi.Error
	return fault.Is(err, fault.Conflict) && errors.As(err, &g) && g.Code == http.StatusConflict
}

// pause waits, or ends early with its context.
func pause(ctx context.Context, d time.Duration, doing string) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fault.Wrap(fault.Transient, ctx.Err(), doing)
	case <-t.C:
		return nil
	}
}
