package hub

import (
	"context"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	api "github.com/providerdesk/providerdesk/shared/hub"
)

var reasons = []string{"RESOLUTION_TIME", "TECHNICAL_EXPERTISE", "BUSINESS_IMPACT"}

// escalated begins the details that go with an escalation.
const escalated = "Escalation, "

// Case reads one support request.
func (d *Desk) Case(ctx context.Context, name string) (desk.Case, error) {
	t, err := d.read(ctx, name)
	return d.whole(t, err)
}

// Change is fault.Invalid: the hub can change neither title nor severity, and has no subscribers. A comment can ask for it.
func (d *Desk) Change(_ context.Context, name string, c desk.Change) (desk.Case, error) {
	if _, err := d.id(name); err != nil {
		return desk.Case{}, err
	}
	if c.Title == nil && c.Priority == nil && c.Subscribers == nil {
		return desk.Case{}, fault.New(fault.Invalid, "a change sets at least one field")
	}
	return desk.Case{}, fault.New(fault.Invalid, "the hub cannot change the title, the severity or the subscribers of a support request; ask its people in a comment")
}

// Close is one write, with the reason of Options, which must be one that the hub has (else fault.Invalid). A closed request stays closed. If the
// hub has confirmed and the request is open, a person must close it: fault.Denied, with hub.ErrManualClose.
func (d *Desk) Close(ctx context.Context, name string) (desk.Case, error) {
	id, err := d.id(name)
	if err != nil {
		return desk.Case{}, err
	}
	t, err := d.o.Client.CloseTicket(ctx, d.o.Organization, id, d.o.CloseReason)
	return d.whole(t, err)
}

// Escalate asks for it with the reason as additional details, one send. An unknown reason or an empty justification is fault.Invalid.
func (d *Desk) Escalate(ctx context.Context, name string, e desk.Escalation) (desk.Case, error) {
	id, err := d.id(name)
	if err != nil {
		return desk.Case{}, err
	}
	if !slices.Contains(reasons, e.Reason) || strings.TrimSpace(e.Justification) == "" {
		return desk.Case{}, fault.New(fault.Invalid, "an escalation has a reason (%s) and a justification", strings.Join(reasons, ", "))
	}
	t, err := d.o.Client.ChangeTicket(ctx, d.o.Organization, id, api.TicketChange{Action: api.ActionEscalate, Details: escalated + e.Reason + ": " + e.Justification})
	return d.whole(t, err)
}

func (d *Desk) read(ctx context.Context, name string) (api.Ticket, error) {
	id, err := d.id(name)
	if err != nil {
		return api.Ticket{}, err
	}
	return d.o.Client.Ticket(ctx, d.o.Organization, id)
}

func (d *Desk) whole(t api.Ticket, err error) (desk.Case, error) {
	if err != nil {
		return desk.Case{}, err
	}
	return d.caseOf(t), nil
}

func (d *Desk) caseOf(t api.Ticket) desk.Case {
	return desk.Case{
		Name: d.path + t.ID, Title: t.Title, Description: t.Description, Priority: priorityOf(t.Severity),
		Classification: place{t.Category, t.CategoryID}.String(), State: stateOf(t.Status, t.SubStatus, t.Closed()), Escalated: isEscalated(t),
		Creator: desk.Actor{Email: t.CreatedBy}, Created: t.Created, Updated: t.Updated,
	}
}

// isEscalated reports whether the hub or we say so: the sub-status is gone with the next message.
func isEscalated(t api.Ticket) bool {
	return strings.EqualFold(t.SubStatus, "escalated") || slices.ContainsFunc(t.AdditionalDetails, func(s string) bool { return strings.HasPrefix(s, escalated) })
}
