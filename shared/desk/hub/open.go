package hub

import (
	"cmp"
	"context"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	api "github.com/providerdesk/providerdesk/shared/hub"
)

// signature is how the ledger's effects sign a text.
var signature = regexp.MustCompile(`\[([A-Za-z0-9]{1,128}) attempt=[0-9]+\]`)

// Open creates a support request, one send. Its internal id is the marker in the description; without one, and for a test case, it is
// fault.Invalid.
//
// The classification is "category > issue", the hub's names or ids of both, or the issue alone if only one category has it. Without one, nor one
// in Options, the request goes to the first issue of the first technical category, or of any: in a wrong queue the desk's people move it,
// unfiled nobody hears of it. An unknown or ambiguous one is fault.Invalid with those that there are. A failed look-up is fault.Unsent. When
// the hub refuses a request whose category was kept from an earlier look-up, Open looks again and, if it is another now, sends once more.
func (d *Desk) Open(ctx context.Context, draft desk.Draft) (desk.Case, error) {
	t, err := d.ticket(draft)
	if err != nil {
		return desk.Case{}, err
	}
	class := cmp.Or(draft.Classification, d.o.Classification)
	at, fresh, err := d.category(ctx, class)
	if err != nil {
		return desk.Case{}, unsent(err)
	}
	c, err := d.create(ctx, t, at)
	if fresh || !fault.Is(err, fault.Invalid) {
		return c, err
	}
	d.forget()
	again, _, lookErr := d.category(ctx, class)
	if lookErr != nil {
		return desk.Case{}, unsent(lookErr)
	}
	if again == at {
		return desk.Case{}, err
	}
	return d.create(ctx, t, again)
}

// unsent marks the failure of what comes before a create; a definite refusal is definite without it.
func unsent(err error) error {
	if fault.Is(err, fault.Invalid) {
		return err
	}
	return fault.Unsent(err)
}

func (d *Desk) create(ctx context.Context, t api.TicketDraft, at place) (desk.Case, error) {
	t.Category, t.CategoryID = at.category, at.issue
	made, err := d.o.Client.CreateTicket(ctx, d.o.Organization, t)
	if err != nil {
		return desk.Case{}, err
	}
	return d.caseOf(made), nil
}

// ticket is a draft in the hub's words, but for its category.
func (d *Desk) ticket(draft desk.Draft) (api.TicketDraft, error) {
	severity, ok := severities[draft.Priority]
	marker := markerOf(draft.Description)
	switch {
	case !ok:
		return api.TicketDraft{}, fault.New(fault.Invalid, "a priority is P0 to P4")
	case draft.Test:
		return api.TicketDraft{}, fault.New(fault.Invalid, "the hub has no test cases: its people would work on it")
	case marker == "":
		return api.TicketDraft{}, fault.New(fault.Invalid, "the description of a support request must end in a signature like [REF7K3Q attempt=1]: it is found again by that")
	}
	return api.TicketDraft{Title: draft.Title, Description: told(draft), Severity: severity, InternalID: marker, EULA: d.o.EULA,
		TimeZone: zones[draft.TimeZone]}, nil
}

// markerOf returns the word of the last signature: what comes before may be anybody's text.
func markerOf(text string) string {
	all := signature.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// told is the description with what the hub has no field for.
func told(draft desk.Draft) string {
	var lines []string
	if len(draft.Subscribers) > 0 {
		lines = append(lines, "Please keep informed: "+strings.Join(draft.Subscribers, ", "))
	}
	if draft.Language != "" {
		lines = append(lines, "Please answer in language: "+draft.Language)
	}
	if draft.TimeZone != "" && zones[draft.TimeZone] == "" {
		lines = append(lines, "Our time zone: "+draft.TimeZone)
	}
	if len(lines) == 0 {
		return draft.Description
	}
	return draft.Description + "\n\n" + strings.Join(lines, "\n")
}
