package hub

import (
	"context"
	"regexp"
	"slices"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	api "github.com/providerdesk/providerdesk/shared/hub"
)

var markerForm = regexp.MustCompile(`^[A-Za-z0-9]{1,128}$`)

// Find lists the requests with the marker as internal id; thorough also walks the whole listing, should the hub's filter miss one. Both
// must succeed. Kept are requests whose internal id is the marker or whose description carries it in a signature, whoever of the
// organization created them: an API token may change hands. A marker is one word of letters and digits, anything else fault.Invalid.
func (d *Desk) Find(ctx context.Context, marker string, thorough bool) ([]desk.Case, error) {
	if !markerForm.MatchString(marker) {
		return nil, fault.New(fault.Invalid, "a marker is one word of letters and digits")
	}
	found, err := d.o.Client.Tickets(ctx, d.o.Organization, api.TicketFilter{InternalID: marker})
	if err != nil {
		return nil, err
	}
	if thorough {
		listed, err := d.o.Client.Tickets(ctx, d.o.Organization, api.TicketFilter{})
		if err != nil {
			return nil, err
		}
		found = append(listed, found...)
	}
	return d.ordered(found, func(t api.Ticket) bool { return t.InternalID == marker || markerOf(t.Description) == marker }), nil
}

// List returns the requests of the organization itself, oldest first, all pages. The hub's filters may be loose, so all but Mine are applied
// here. P0 and P1 are the same to the hub.
func (d *Desk) List(ctx context.Context, f desk.Filter) ([]desk.Case, error) {
	severity, ok := severities[f.Priority]
	if f.Priority != "" && !ok {
		return nil, fault.New(fault.Invalid, "a priority is P0 to P4")
	}
	found, err := d.o.Client.Tickets(ctx, d.o.Organization, api.TicketFilter{Mine: f.Mine})
	if err != nil {
		return nil, err
	}
	return d.ordered(found, func(t api.Ticket) bool {
		return !(f.Open && t.Closed()) && (severity == "" || priorityOf(t.Severity) == priorityOf(severity))
	}), nil
}

// ordered returns the tickets to be kept, each once, oldest first. The hub lists the newest first: that decides between those of one moment.
func (d *Desk) ordered(found []api.Ticket, keep func(api.Ticket) bool) (out []desk.Case) {
	seen := map[string]bool{}
	for _, t := range slices.Backward(found) {
		if !seen[t.ID] && keep(t) {
			out = append(out, d.caseOf(t))
		}
		seen[t.ID] = true
	}
	slices.SortStableFunc(out, func(a, b desk.Case) int { return a.Created.Compare(b.Created) })
	return out
}
