// Package tenantonboard takes a customer from nothing to working on both clouds: an organization at VMware Cloud Provider Hub, its users with
// their roles, and, where asked for, APIs, rights, contacts, support events and a first support case on Google Cloud. It can be planned,
// resumed and undone, and says at any time where a tenant stands.
//
//	TenantWebhook    HTTP  POST /plan, POST /tenants, GET /tenants, GET /tenants/{tenant}, POST /tenants/{tenant}/{retry,offboard}
//	OnboardTenant    topic "tenant-onboarding"   carries one tenant on
//	InvitationSweep  scheduler, topic "invitation-sweep"   reminds, resends, gives up
//	SweepTenants     scheduler, 1 minute         finishes what crashes and unknown outcomes left
//
// # The way of the data
//
//	event in -> decode -> decide -> record the intent -> effect -> record the result
//
// A request says how a tenant should be (request.go, decode.go). A plan is what stands between that and what is there: a list of steps in
// stages (step.go, stages.go), made by looking and then deciding (every stage's file has a pure decide). Applying names the digest of the
// plan that a person has seen, and is refused when it has changed.
//
// Onboarding is a saga (saga.go) that walks the stages in their order. A turn looks at one stage, decides, and records in one commit the
// tenant's next state, a link of its audit trail, and the effects. When they have ended it looks again: a stage is over when nothing is left to
// do. So a step that is done is never repeated, a crash at any instruction is found by the next turn, and a tenant that was half set up
// by hand is completed, not doubled. Each effect looks, acts once, and looks again.
//
// # Keys owned
//
//	tenants/<tenant>             what is wanted, the accepted plan, how far it came; state the Status, due the next turn
//	audits/<tenant>-<number>     the audit trail, each link with the hash of the one before
//	effects/...                  the ledger's, kinds tenant.* and google.*
//
// # Guaranteed
//
//   - A tenant has one organization, a person one membership or invitation, an address one contact, a run one test case, whatever crashes,
//     repeats or times out (see shared/ledger for what a remote that executes very late can do).
//   - An undo takes back only what its run made, and begins when every effect of the run has ended: what is unknown is found out first.
//   - Nothing is taken away that the accepted plan does not name. The last administrator of an organization and our own account stay.
//   - One event on topic "tenant-lifecycle" for every end of a run, published at least once with the same id.
//
// # Not promised
//
// That an organization goes away: the API has no call for it; it stays, empty, is found by its tag, and a later run takes it over. That APIs
// are disabled again: others may use them. An order between tenants.
package tenantonboard

import (
	"context"
	"log/slog"
	"time"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/signature"
	"github.com/providerdesk/providerdesk/shared/store"
)

// The topics of this package.
const (
	TopicOnboarding = "tenant-onboarding" // one message carries one tenant on
	TopicLifecycle  = "tenant-lifecycle"  // one message for the end of a run
)

// Deps is what the function needs from outside.
type Deps struct {
	Config    *config.Config
	DB        store.DB
	Publisher publish.Publisher
	Hub       *hub.Client
	Cloud     *cloud.Clients
	Cases     CaseDesk // opens the test case on a parent
	Ledger    ledger.Options
	Log       *slog.Logger
	Now       func() time.Time
}

// CaseDesk returns the Google desk that opens cases on a parent, as projects/acme-prod.
type CaseDesk func(parent string) (desk.Desk, error)

// Function holds the targets. It is safe for concurrent use.
type Function struct {
	Deps
	ledger  *ledger.Ledger
	kinds   map[string]kind
	stages  []stage
	listing *listing
	verify  signature.Verifier // of TenantWebhook; nil: the configuration has no onboarding
}

// New returns the function on its dependencies.
func New(ctx context.Context, d Deps) (*Function, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	verify, err := platform.Verifier(ctx, d.Config.Onboarding.Auth, d.Now)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "onboarding.auth")
	}
	f := &Function{Deps: d, kinds: map[string]kind{}, verify: verify}
	f.stages = stages(f)
	f.listing = newListing(func(ctx context.Context) ([]hub.Organization, error) { return f.Hub.Tenants(ctx, f.master()) })
	o := d.Ledger
	o.Now, o.Log = f.Now, f.Log
	if o.Settle == 0 {
		o.Settle = d.Config.Ledger.Settle
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = d.Config.Ledger.CallTimeout
	}
	f.ledger = ledger.New(d.DB, o)
	return f, f.register()
}

// Ledger returns the ledger, for an operator's tools.
func (f *Function) Ledger() *ledger.Ledger { return f.ledger }
