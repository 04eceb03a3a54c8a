// Package casewebhook turns monitoring alerts into support cases: at most one case for an incident, with what a person at the desk needs,
// and the incident's later fate told on the same case.
//
//	AlertWebhook  HTTP POST /{sender}   checks the sender, decodes, publishes one message per incident to topic "alerts"
//	FileCase      topic "alerts"        decides what an incident wants and does it through the ledger
//	SweepCases    scheduler, 1 minute   finishes what crashes and unknown outcomes left; lists held incidents on umbrella cases
//
// # The way of the data
//
//	event in -> decode -> decide -> record the intent -> effect -> record the result
//
// decode.go and decide.go are pure. What decide returns, the incident's next state and the effects that follow from it, is recorded in one
// commit, so a redelivery finds either nothing or everything, and decides on what it finds. Nothing after that commit needs the event
// again: the event is acknowledged and the ledger finishes the work, whatever dies.
//
// # Keys owned
//
//	incidents/<hash of tenant, sender, key>   what is known of an incident; state "held" while it waits to be listed on an umbrella case
//	budgets/<desk>-<start of window>          cases opened for a desk in a window
//	effects/...                               the ledger's, kinds case.open, case.comment, case.close, case.duplicate
//
// # Guaranteed
//
//   - One occurrence of an incident has one case, under duplicate, concurrent, late and reordered delivery (see shared/ledger for what a
//     desk that executes requests very late can do, and how that is undone).
//   - A plain repeat costs one read: no write, no call.
//   - A message that left alerts out ends nothing. A message that can never succeed is parked with its reason and acknowledged.
//   - Within a desk's budget every incident has its own case; beyond it the incident is listed on one umbrella case, never dropped.
//
// # Not promised
//
// The order of comments that were decided at about the same time (each says when); that a comment on news reaches a case which
// somebody closes in the moment between our look and the comment (the effect is then FAILED, logged as an error and listed); that an alert
// which fires again with its old beginning within a minute of its end is told before the sender repeats it; that an incident is ended
// when its sender left alerts out to the last; on a route with a case for each alert, a case for what the sender left out (a warning is
// logged).
package casewebhook

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/signature"
	"github.com/providerdesk/providerdesk/shared/store"
)

// TopicAlerts carries incidents from AlertWebhook to FileCase, one a message.
const TopicAlerts = "alerts"

// Deps is what the function needs from outside.
type Deps struct {
	Config    *config.Config
	DB        store.DB
	Publisher publish.Publisher
	Desks     act.Desks      // by the name in the configuration
	Ledger    ledger.Options // zero times are taken from the configuration
	Log       *slog.Logger
	Now       func() time.Time
}

// Function holds the three targets. It is safe for concurrent use.
type Function struct {
	Deps
	ledger  *ledger.Ledger
	kinds   kinds
	senders map[string]sender
	routes  func() (*router, error) // compiled at the first incident: AlertWebhook never pays for it
}

// sender is a configured sender and the check that it passes.
type sender struct {
	config.Sender
	verify signature.Verifier
}

// New returns the function on its dependencies. Errors of kind fault.Invalid mean the configuration; see also Check.
func New(ctx context.Context, d Deps) (*Function, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	f := &Function{Deps: d, senders: map[string]sender{}}
	f.routes = sync.OnceValues(func() (*router, error) { return newRouter(d.Config) })
	for _, s := range d.Config.Senders {
		v, err := platform.Verifier(ctx, s.Auth, d.Now)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "sender "+s.Name)
		}
		f.senders[s.Name] = sender{s, v}
	}
	return f, f.openLedger()
}

// Ledger returns the ledger, for an operator's tools.
func (f *Function) Ledger() *ledger.Ledger { return f.ledger }

func (f *Function) openLedger() error {
	o := f.Deps.Ledger
	o.Now, o.Log = f.Now, f.Log
	if o.Settle == 0 {
		o.Settle = f.Config.Ledger.Settle
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = f.Config.Ledger.CallTimeout
	}
	f.ledger = ledger.New(f.DB, o)
	return f.kinds.register(f.ledger, f)
}
