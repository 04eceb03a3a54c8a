// Package casewebhook turns monitoring alerts into support cases: at most one case for an incident, with what a person at the desk needs,
// and the incident's later fate told on the same case. People talk about the case, and command, where they are: in their chat.
//
//	AlertWebhook    HTTP POST /{sender}         checks the sender, decodes, publishes one message per incident to topic "alerts"
//	FileCase        topic "alerts"              decides what an incident wants and does it through the ledger
//	ChatWebhook     HTTP POST /slack/*, /google checks the platform, answers at once, publishes what a person did to topic "case-commands"
//	CommentWebhook  HTTP POST /{sender}         the same of another system, in a person's name
//	CaseCommand     topic "case-commands"       carries out what is asked; see package commands
//	CaseUpdate      topic "support-events"      and a scheduler's message there: tells what changes at the desks; see package follow
//	SweepCases      scheduler, 1 minute         finishes what crashes and unknown outcomes left; lists held incidents on umbrella cases;
//	                                            changes priorities whose time has come; tells what became of commands
//
// Beside them Release opens cases for incidents that a budget held back, as a person wants it, and Explain says what an example would become.
//
// # The way of the data
//
//	event in -> decode -> decide -> record the intent -> effect -> record the result
//
// decode.go and decide.go are pure. What decide returns, the incident's next state and the effects that follow from it, is recorded in one
// commit, so a redelivery finds either nothing or everything, and decides on what it finds. Nothing after that commit needs the event
// again: the event is acknowledged and the ledger finishes the work, whatever dies.
//
// A priority is decided in two pure steps. A message computes the course of the priority, that is from when on it should be what if nothing
// more is heard (route.course); the incident's document is due when the first of that is. Whoever finds it due, the message itself or the sweep,
// looks at the case and decides whether it may be changed (incident.turned).
//
// # Keys owned
//
//	incidents/<hash of tenant, sender, key>      what is known of an incident; state "held" while it waits to be listed on an umbrella case,
//	                                             "listed" when it is and still fires; due when its priority is
//	budgets/<desk>-<start of window>             cases opened for a desk in a window
//	budgets/<desk>.<priority>-<start of window>  cases that were given a priority that has a cap
//	effects/...                                  the ledger's, kinds case.close and those of act
//
// # Guaranteed
//
//   - One occurrence of an incident has one case, under duplicate, concurrent, late and reordered delivery (see shared/ledger for what a
//     desk that executes requests very late can do, and how that is undone).
//   - A plain repeat costs one read: no write, no call.
//   - A message that left alerts out ends nothing. A message that can never succeed is parked with its reason and acknowledged.
//   - Within a desk's budget every incident has its own case; beyond it the incident is listed on one umbrella case, never dropped, and a
//     notice is recorded with that case. A release opens each case once, whoever asks at the same time.
//   - A priority has a reason that is stored with the effect and told on the case. It never goes below the route's own but for business hours
//     and caps, is lowered no sooner than the route says, and stays as it is once a person has set another one. A cap is exact.
//   - Rules that a route does not have cost nothing: no read, no write.
//
// # Not promised
//
// The order of comments that were decided at about the same time (each says when); that a comment on news reaches a case which
// somebody closes in the moment between our look and the comment (the effect is then FAILED, logged as an error and listed); that an alert
// which fires again with its old beginning within a minute of its end is told before the sender repeats it; that an incident is ended
// when its sender left alerts out to the last; that a priority which a person sets in the moment between our look and the change is told apart
// from ours in the comment (the change itself is not made); that a raise beyond a cap is made up for without news; on a route with a case for
// each alert, a case for what the sender left out (a warning is logged).
package casewebhook

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/functions/casewebhook/evidence"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/say"
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
	Desks     act.Desks        // by the name in the configuration
	Google    *evidence.Google // where evidence is looked for; nil: made of the configuration, if that asks for it
	Rooms     say.Rooms        // chats where cases are told; see Rooms
	Ledger    ledger.Options   // zero times are taken from the configuration
	Log       *slog.Logger
	Now       func() time.Time

	// Notices returns the effects that tell people of a thing with this key; they are recorded together with it, so it is told once. Their
	// kinds are registered on Function.Ledger. Nil: nobody is told.
	Notices func(ctx context.Context, text, key string) []ledger.Intent
}

// Function holds the three targets. It is safe for concurrent use.
type Function struct {
	Deps
	ledger   *ledger.Ledger
	kinds    kinds
	spoken   say.Kind           // what is said in chats
	follow   *follow.Follower   // keeps cases in step with their desks
	commands *commands.Commands // carries out what people ask for
	senders  map[string]sender
	inboxes  sync.Pool               // of *inbox, where AlertWebhook reads
	routes   func() (*router, error) // compiled at the first incident: AlertWebhook never pays for it
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
	return f, f.openLedger(ctx)
}

// Ledger returns the ledger, for an operator's tools.
func (f *Function) Ledger() *ledger.Ledger { return f.ledger }

func (f *Function) openLedger(ctx context.Context) error {
	o := f.Deps.Ledger
	o.Now, o.Log = f.Now, f.Log
	if o.Settle == 0 {
		o.Settle = f.Config.Ledger.Settle
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = f.Config.Ledger.CallTimeout
	}
	f.ledger = ledger.New(f.DB, o)
	if err := f.kinds.register(ctx, f.ledger, f); err != nil {
		return err
	}
	if err := f.openFollower(); err != nil {
		return err
	}
	return f.openCommands()
}
