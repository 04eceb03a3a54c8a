// Package hub speaks to VMware Cloud Provider Hub: all 22 endpoints of its API guide, typed, and nothing that decides when to call them.
//
// [New] returns a [Client]. Every call names the organization it is about; the client exchanges that organization's API token for an access
// token, keeps it, and sends it as csp-auth-token to the endpoint and nowhere else. Organization and UpdateTenant take the master
// organization's: the roles that they need exist in a provider's organization only. The plumbing is gapi's, with its promises: https (or
// exactly the replaced endpoint), no redirect, nothing sent after the deadline, one send per write, a limit on every answer. At most
// Options.InFlight requests are under way at a time; a report that is being read is one of them until it has been read or closed.
//
// The guide contradicts itself in many places. Where it does, the comment of the method says which reading is sent, and the result is judged
// by what can be read back. Decoding is tolerant: padding is trimmed, numbers may be strings, strings may be booleans, unknown members are
// ignored, lists come bare or wrapped. An answer without the id of what was asked for is an error.
//
// # What may be sent again
//
// The client repeats reads (up to three times after 429, 503 and failed connections) and, after one refresh of the access token, whatever was
// refused with 401, which a server does before it executes. It repeats nothing else. What a caller may do after an uncertain failure:
//
//	call                        safe to send again?
//	Token exchange              yes: it only makes another access token; any number are valid at once
//	every GET                   yes
//	CreateTenant                no: no key, names need not be unique. Find the tag with FindTenants first
//	UpdateTenant                yes: PUT replaces the whole; it reads first and does not send what is so already
//	AddUsers                    no: may invite twice. Read Users and Invitations first, see Locate
//	ChangeRoles, RemoveUser     yes: roles are sets, adding a held one or removing an absent one changes nothing
//	Revoke                      yes: a revoked invitation stays revoked
//	Resend                      no: mails again. Compare Generated with what it was
//	CreateTicket                no: no key. Find the InternalID with FindTickets first
//	UploadFile                  no: keeps another copy, harmless until it is referenced
//	ChangeTicket                no if it has Details (said twice); else yes: the same values again
//	CloseTicket                 yes: it reads the state back
//
// # Errors
//
// Every error is a fault. 400, 405, 413, 415, 422 are Invalid, 401 and 403 Denied, 404 Missing, 409 Conflict, 429 Throttled with
// Retry-After: definite refusals. Everything else that an answer or its absence can mean is Transient, maybe executed unless
// fault.IsUnsent. [ErrNoService], [ErrOutOfWindow], [ErrPeriodMismatch], [ErrManualClose] and [ErrForeign] are found with errors.Is. No error
// holds a token, a mail address, a body, or the values of parameterList.
//
// Not promised: that the hub does what it confirmed. Read back.
package hub

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Endpoint is the base URL of the hub's API.
const Endpoint = "https://console.cloud.vmware.com/cphub/api"

const (
	inFlight      = 4                // requests at a time; the guide states no limit
	reportTimeout = 10 * time.Minute // of a report or an upload as a whole
	maxReport     = 16 << 30         // bytes of a report, which is streamed: some 50 million rows of usage
)

// Options of a Client. Token is required.
type Options struct {
	Endpoint     string // replaces Endpoint; may then be http
	Organization string // the master organization: its token manages tenants and stands in for organizations without one; may be empty
	Token        Token
	Base         http.RoundTripper // replaces the network, as in gapi.Options
	Now          func() time.Time
	CallTimeout  time.Duration // of one request, reports and uploads excepted; default 30s
	InFlight     int           // requests at a time; default 4
	Backoff      time.Duration // before a read is repeated, doubled each time; default 250ms
}

// Client is safe for concurrent use.
type Client struct {
	endpoint string
	master   string
	now      func() time.Time
	api      *http.Client
	reports  *http.Client // more time and more bytes
	tokens   *tokens
	slots    chan struct{}
}

// New returns a client. It does no I/O. Options that cannot work are fault.Invalid.
func New(o Options) (*Client, error) {
	switch {
	case o.Token == nil:
		return nil, fault.New(fault.Invalid, "the hub needs a source of API tokens")
	case o.Organization != "" && !idForm.MatchString(o.Organization):
		return nil, fault.New(fault.Invalid, "the hub's organization is not an id")
	case o.InFlight < 0:
		return nil, fault.New(fault.Invalid, "the hub's requests in flight are less than one")
	}
	o = withDefaults(o)
	api, err := transport(o, o.CallTimeout, 0)
	if err != nil {
		return nil, err
	}
	reports, err := transport(o, reportTimeout, maxReport)
	if err != nil {
		return nil, err
	}
	c := &Client{
		endpoint: strings.TrimSuffix(o.Endpoint, "/"), master: o.Organization, now: o.Now, api: api, reports: reports,
		slots: make(chan struct{}, o.InFlight),
	}
	c.tokens = newTokens(o, c.exchange)
	return c, nil
}

func withDefaults(o Options) Options {
	if o.Endpoint == "" {
		o.Endpoint = Endpoint
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.InFlight == 0 {
		o.InFlight = inFlight
	}
	return o
}

func transport(o Options, timeout time.Duration, most int64) (*http.Client, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fault.New(fault.Invalid, "the hub's endpoint must be a URL like https://host/path without a query")
	}
	return gapi.Client(gapi.Options{Endpoint: o.Endpoint, Base: o.Base, Now: o.Now, CallTimeout: timeout, Backoff: o.Backoff, MaxBody: most})
}

// Close drops the idle connections. The client can still be used.
func (c *Client) Close() {
	c.api.CloseIdleConnections()
	c.reports.CloseIdleConnections()
}
