package google

import (
	"context"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/cloudsupport/v2"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// states maps the API's states. A state that the API adds later reads as InProgress: the case is open and nothing is asked of us.
var states = map[string]desk.State{
	"NEW":                        desk.New,
	"IN_PROGRESS_GOOGLE_SUPPORT": desk.InProgress,
	"ACTION_REQUIRED":            desk.ActionRequired,
	"SOLUTION_PROVIDED":          desk.Solved,
	"CLOSED":                     desk.Closed,
}

var (
	priorities = []desk.Priority{"P0", "P1", "P2", "P3", "P4"}
	reasons    = []string{"RESOLUTION_TIME", "TECHNICAL_EXPERTISE", "BUSINESS_IMPACT"}
)

// Case calls cases.get. A case that does not exist is fault.Missing or fault.Denied, as the API has it.
func (d *Desk) Case(ctx context.Context, name string) (desk.Case, error) {
	return d.act(ctx, name, "get a case", func(ctx context.Context) (*cloudsupport.Case, error) {
		return d.api.Cases.Get(name).Context(ctx).Do()
	})
}

// List calls cases.list, all pages, oldest first. It sees direct children of the parent only. Filter.Mine without Options.Account and an
// unknown priority are fault.Invalid.
func (d *Desk) List(ctx context.Context, f desk.Filter) ([]desk.Case, error) {
	if f.Mine && d.o.Account == "" {
		return nil, fault.New(fault.Invalid, "the desk does not know its own account")
	}
	if f.Priority != "" && !slices.Contains(priorities, f.Priority) {
		return nil, fault.New(fault.Invalid, "a priority is P0 to P4")
	}
	var terms []string
	if f.Open {
		terms = append(terms, "state=OPEN")
	}
	if f.Priority != "" {
		terms = append(terms, "priority="+string(f.Priority))
	}
	if f.Mine {
		terms = append(terms, d.mine())
	}
	found, err := d.list(ctx, strings.Join(terms, " AND "))
	return ordered(found), err
}

// Change calls cases.patch with a mask of exactly the fields that are set: without a mask the API clears what the request leaves out.
// Nothing set and an empty title are fault.Invalid.
func (d *Desk) Change(ctx context.Context, name string, c desk.Change) (desk.Case, error) {
	patch, mask := &cloudsupport.Case{}, []string{}
	if c.Title != nil {
		patch.DisplayName = *c.Title
		mask = append(mask, "display_name")
	}
	if c.Priority != nil {
		patch.Priority = string(*c.Priority)
		mask = append(mask, "priority")
	}
	if c.Subscribers != nil {
		patch.SubscriberEmailAddresses = append([]string{}, *c.Subscribers...)
		patch.ForceSendFields = []string{"SubscriberEmailAddresses"}
		mask = append(mask, "subscriber_email_addresses")
	}
	switch {
	case len(mask) == 0:
		return desk.Case{}, fault.New(fault.Invalid, "a change sets at least one field")
	case c.Title != nil && *c.Title == "":
		return desk.Case{}, fault.New(fault.Invalid, "a case needs a title")
	case c.Priority != nil && !slices.Contains(priorities, *c.Priority):
		return desk.Case{}, fault.New(fault.Invalid, "a priority is P0 to P4")
	}
	return d.act(ctx, name, "change a case", func(ctx context.Context) (*cloudsupport.Case, error) {
		return d.api.Cases.Patch(name, patch).UpdateMask(strings.Join(mask, ",")).Context(ctx).Do()
	})
}

// Close calls cases.close, one send. The API has no way to open a case again. What it answers for a case that is closed already is not
// published: that case as it is, or fault.Conflict or fault.Invalid.
func (d *Desk) Close(ctx context.Context, name string) (desk.Case, error) {
	return d.act(ctx, name, "close a case", func(ctx context.Context) (*cloudsupport.Case, error) {
		return d.api.Cases.Close(name, &cloudsupport.CloseCaseRequest{}).Context(ctx).Do()
	})
}

// Escalate calls cases.escalate, one send. Some support plans do not have it. An unknown reason or an empty justification is
// fault.Invalid.
func (d *Desk) Escalate(ctx context.Context, name string, e desk.Escalation) (desk.Case, error) {
	if !slices.Contains(reasons, e.Reason) || strings.TrimSpace(e.Justification) == "" {
		return desk.Case{}, fault.New(fault.Invalid, "an escalation has a reason (%s) and a justification", strings.Join(reasons, ", "))
	}
	return d.act(ctx, name, "escalate a case", func(ctx context.Context) (*cloudsupport.Case, error) {
		return d.api.Cases.Escalate(name, &cloudsupport.EscalateCaseRequest{
			Escalation: &cloudsupport.Escalation{Reason: e.Reason, Justification: e.Justification},
		}).Context(ctx).Do()
	})
}

// act calls a method of one case.
func (d *Desk) act(ctx context.Context, name, doing string, call func(context.Context) (*cloudsupport.Case, error)) (desk.Case, error) {
	if err := check(caseForm, name, "a case"); err != nil {
		return desk.Case{}, err
	}
	return d.one(ctx, doing, call)
}

// one makes a call that answers with a case.
func (d *Desk) one(ctx context.Context, doing string, call func(context.Context) (*cloudsupport.Case, error)) (desk.Case, error) {
	var c *cloudsupport.Case
	err := gapi.Do(ctx, doing, func(ctx context.Context) (err error) {
		c, err = call(ctx)
		return err
	})
	if err != nil {
		return desk.Case{}, err
	}
	return d.caseOf(c, doing)
}

func (d *Desk) caseOf(c *cloudsupport.Case, doing string) (desk.Case, error) {
	if c == nil || !caseForm.MatchString(c.Name) {
		return desk.Case{}, unreadable("case", doing)
	}
	out := desk.Case{
		Name: c.Name, Title: c.DisplayName, Description: c.Description, Priority: desk.Priority(c.Priority),
		State: desk.InProgress, Escalated: c.Escalated, Subscribers: c.SubscriberEmailAddresses, Test: c.TestCase,
		Creator: actor(c.Creator), URL: d.page(c.Name), Created: moment(c.CreateTime), Updated: moment(c.UpdateTime),
	}
	if s, ok := states[c.State]; ok {
		out.State = s
	}
	if c.Classification != nil {
		out.Classification = c.Classification.DisplayName
	}
	return out, nil
}

// page is the address of a case in the console. Its form is a convention of the console; the API does not promise it.
func (d *Desk) page(name string) string {
	parent := parentOf(name)
	key := "project"
	if kindOf(parent) == "organizations" {
		key = "organizationId"
	}
	return strings.TrimSuffix(d.o.Console, "/") + "/support/cases/detail/v2/" + url.PathEscape(path.Base(name)) + "?" + key + "=" + url.QueryEscape(path.Base(parent))
}

// actor reads who did something. The API is moving from the e-mail to the user name.
func actor(a *cloudsupport.Actor) desk.Actor {
	if a == nil {
		return desk.Actor{}
	}
	email := a.Email
	if email == "" {
		email = a.Username
	}
	return desk.Actor{Name: a.DisplayName, Email: email, Desk: a.GoogleSupport}
}

// moment reads a time; one that cannot be read is zero, so that it does not hide what the answer is about.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
