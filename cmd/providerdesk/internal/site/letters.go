package site

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
)

// keepLetter records a dead letter as a parked event, so that a person finds it where everything else is that waits for one.
func (s *Site) keepLetter(ctx context.Context, e event.Envelope) error {
	reason := "given up after " + cmp.Or(e.Attributes[localbus.SourceDeliveryCount], "several") + " deliveries"
	if last := e.Attributes[localbus.SourceDeliveryError]; last != "" {
		reason += "; the last one: " + last
	}
	from := ledger.Source{Event: e.ID, Attempt: e.Attempt, Traceparent: e.Traceparent}
	_, err := s.Ledger().Park(ctx, tenantOf(e.Data), "dead-letter/"+e.ID, reason, e.Data, from)
	return err
}

// tenantOf is the tenant of an incident, "" of what is none.
func tenantOf(data []byte) string {
	var in alert.Incident
	if json.Unmarshal(data, &in) != nil {
		return ""
	}
	return in.Tenant
}
