// Package config is the one YAML file of a providerdesk installation: strict (an unknown key is an error), checked as a whole (every
// problem at once, each with file, line and key), with secrets as references that are resolved on use and never printed.
package config

import (
	"time"
)

// Config is the whole file.
type Config struct {
	Ledger     Ledger
	Push       Push
	Desks      map[string]Desk
	Senders    []Sender
	Routes     []Route
	Endpoints  Endpoints
	Onboarding Onboarding
	Chat       Chat
	People     []Named
	Webhooks   []Webhook
	Evidence   Evidence
	Billing    Billing
}

// Ledger holds the times of the effect ledger.
type Ledger struct {
	Settle      time.Duration // how long after a call's deadline an empty search is not yet believed; default 15m
	CallTimeout time.Duration // of one call to a desk; default 30s
}

// Push says who may deliver events to the event functions. Exactly one of its ways is set; there is no default that lets anybody in.
type Push struct {
	OIDC     *OIDC  // a Pub/Sub push with a Google identity token
	Bearer   Secret // a shared token: the embedded bus
	Platform bool   // the platform's own IAM check stands in front of the function (Cloud Run with run.invoker)
}

// OIDC describes the identity token of a caller.
type OIDC struct {
	Audience string
	Email    string // the service account that calls; the real gate
	JWKS     string // URL of the keys; default Google's
	Issuer   string // default https://accounts.google.com
}

// Desk is one support desk.
type Desk struct {
	Kind           string // "google" or "hub"
	Parent         string // google: organizations/N, projects/ID or projects/NUMBER
	Classification string // google: display name, found by search; hub: "category > issue", may be empty
	Subscribers    []string
	TimeZone       string // IANA name for times in texts; default UTC
	Language       string
	TestCases      bool // google: open only test cases
	Budget         Budget
	PriorityCaps   map[string]Budget // by priority: how many cases may have it; the next one has the next lower priority
	Organization   string            // hub
	Token          Secret            // hub
	Rooms          []Room            // where its cases are told
	Watch          Watch
	Updates        Updates
}

// Budget caps the cases opened by alerts; beyond it one umbrella case collects them. Zero: no cap.
type Budget struct {
	Cases int
	Per   time.Duration
}

// Sender is somebody who may post alerts, at /AlertWebhook/<name>, or whose raw notifications arrive on a subscription.
type Sender struct {
	Name         string
	Source       string // one of alert.Sources, or SourceCommands
	Tenant       string
	Subscription string // projects/P/subscriptions/S or the embedded bus's subscription, for raw notifications without a webhook
	Auth         Auth
	Heartbeat    time.Duration // nothing heard for so long is an alarm; zero: never
}

// Auth is how a sender proves who it is: exactly one field is set, unless the sender has only a Subscription.
type Auth struct {
	Bearer          Secret
	Basic           *Basic
	HMAC            *HMAC
	StandardWebhook Secret
	OIDC            *OIDC
}

// Basic is HTTP basic authentication.
type Basic struct {
	Username string
	Password Secret
}

// HMAC is a hex HMAC-SHA256 of the body in a header, as Grafana sends it.
type HMAC struct {
	Secret          Secret
	Header          string // default X-Grafana-Alerting-Signature
	TimestampHeader string // required, unless Replay allows what its absence means
	Replay          string // "", or ReplayIdentity
}

// SourceCommands is the source of a sender who posts commands and comments, at /CommentWebhook/<name>, and no alerts.
const SourceCommands = "commands"

// ReplayIdentity is the word for a sender whose signature has no time, so that whoever has captured a request can send it again for ever.
// A repeat opens no second case, because an incident is recognised by its identity; but an
// old end, sent again, may end what fires now, until the sender repeats that it fires.
const ReplayIdentity = "identity"

// Endpoints are the base URLs of remote systems; empty: the real ones.
type Endpoints struct {
	CloudSupport      string
	Hub               string
	ServiceUsage      string
	ResourceManager   string
	EssentialContacts string
	Recommender       string
	ServiceHealth     string
	Slack             string
	Chat              string // Google Chat
	Logging           string
	Monitoring        string
	Storage           string
	BigQuery          string
}

// Onboarding is how tenants are taken in. The zero value: none are.
type Onboarding struct {
	Organization   string            // id of the provider's own organization at the hub, the master
	Token          Secret            // its API token; it stands in for tenants without one
	Tokens         map[string]Secret // API tokens of tenants, by the id of their organization
	Auth           Auth              // how a caller of TenantWebhook proves who it is; a signature covers the body, not the headers: rather bearer, basic or oidc
	Me             string            // address of our own account at the hub: never removed
	AllowedDomains []string          // people's addresses must be in one of them, in lower case; empty: in any
	MaxTenants     int               // of one request; default 50
	Reminders      []time.Duration   // after an invitation; default 72h and 144h
	Resends        int               // of an invitation that expired; default 2
	Desk           string            // the google desk whose settings the test case has; may be empty
	InFlight       int               // requests to the hub at a time; default 4
}
