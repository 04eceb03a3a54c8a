package casewebhook

import (
	"context"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/evidence"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// registerEvidence makes the files that are attached to new cases known to a ledger.
func (f *Function) registerEvidence(ctx context.Context, l *ledger.Ledger) (evidence.Kinds, error) {
	return evidence.Register(ctx, l, evidence.Options{Config: f.Config, DB: f.DB, Desks: f.Desks, Google: f.Google, Log: f.Log})
}

// CloseIdleConnections lets go of connections to where evidence is looked for.
func (f *Function) CloseIdleConnections() { f.kinds.evidence.CloseIdleConnections() }

// withEvidence adds to the opening of an incident's case what is attached to it, and what is written with that.
func (f *Function) withEvidence(open []ledger.Intent, p *plan, in alert.Incident, loc *time.Location) ([]ledger.Intent, []store.Write, error) {
	all, writes, err := f.kinds.evidence.Of(open[0], fmt.Sprintf("%s/%d", p.Next.id, p.Next.Episode), in, loc.String(), f.Now().UTC())
	return append(open, all...), writes, err
}

// raw is what of a notification travels with each of the incidents that were read from it, if the configuration wants to attach it. Several
// incidents share what one message may be larger by.
func (f *Function) raw(incidents int, body []byte) string {
	if !f.Config.Evidence.Alert || incidents == 0 {
		return ""
	}
	return alert.Excerpt(string(body), min(alert.MaxRaw, 4*alert.MaxRaw/incidents))
}

// keepDelivered keeps a notification that came on its sender's own subscription with its incidents.
func (f *Function) keepDelivered(incidents []alert.Incident, e event.Envelope) {
	_, own := bySubscription(e.Subscription, f.senders)
	raw := f.raw(len(incidents), e.Data)
	if !own || raw == "" {
		return
	}
	for i := range incidents {
		incidents[i].Raw = raw
	}
}
