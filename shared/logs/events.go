package logs

import "log/slog"

// Event names a thing that happened and that an operator counts: the field "event" of a line. A name is never used for something else. What is
// counted, and what rings, is in infra/signals.tf; docs/signals.md is made of this table.
type Event string

const (
	Request  Event = "request"
	Delivery Event = "delivery"
	Sweep    Event = "sweep"

	EffectSucceeded Event = "effect.succeeded"
	EffectUnknown   Event = "effect.unknown"
	EffectAdopted   Event = "effect.adopted"
	EffectLostAck   Event = "effect.lost_ack"
	EffectDuplicate Event = "effect.duplicate"
	EffectFailed    Event = "effect.failed"
	EffectParked    Event = "effect.parked"

	TenantEnded Event = "tenant.ended"

	ExportPublished    Event = "export.published"
	ExportUnreconciled Event = "export.unreconciled"
	ExportFailed       Event = "export.failed"
	ExportOverdue      Event = "export.overdue"

	SenderSilent        Event = "sender.silent"
	SubscriptionFailing Event = "subscription.failing"
)

// Attr is the attribute that makes a line one of the event.
func (e Event) Attr() slog.Attr { return slog.String("event", string(e)) }

// Signal describes an event.
type Signal struct {
	Event  Event
	When   string   // it is logged
	Fields []string // that every line of it has, beside message, severity and, where there is one, trace
}

// Signals are all events.
func Signals() []Signal {
	effect := []string{"kind", "effect", "tenant"}
	return []Signal{
		{Request, "A request was answered.", []string{"function", "status", "outcome", "duration"}},
		{Delivery, "A delivery of Pub/Sub was answered.", []string{"function", "event_id", "attempt", "subscription", "status", "outcome", "duration"}},
		{Sweep, "A sweep of a function has done what was due. `oldest_seconds` is the age of the oldest effect that has not ended, 0 if there is none.",
			[]string{"due", "unfinished", "oldest_seconds"}},
		{EffectSucceeded, "A call did what it should, and said so.", effect},
		{EffectUnknown, "A call ended and nobody knows whether it was executed.", effect},
		{EffectAdopted, "A search found done what somebody who is gone had called; it is not called again.", effect},
		{EffectLostAck, "A search found done what a call had not answered to; it is not called again.", effect},
		{EffectDuplicate, "A second object of one effect was found at the remote. It should never be.", effect},
		{EffectFailed, "The remote refused for good; a person must change something and approve it.", effect},
		{EffectParked, "The ledger has stopped trying, or an event can never succeed: a person decides.", effect},
		{TenantEnded, "A run for a tenant ended. `status` is what the tenant is now.", []string{"tenant", "run", "mode", "status"}},
		{ExportPublished, "A revision of a month was published.", []string{"month", "revision"}},
		{ExportUnreconciled, "A revision of a month was written and not published: a verdict is grave.", []string{"month", "revision"}},
		{ExportFailed, "A tenant's part of a month was given up.", []string{"month", "org"}},
		{ExportOverdue, "A month is closed for more than a day, and nothing of it is published. Once an hour.", []string{"month"}},
		{SenderSilent, "A sender has sent nothing for longer than its heartbeat.", []string{"sender"}},
		{SubscriptionFailing, "The desk cannot tell us of events.", []string{"desk"}},
	}
}
