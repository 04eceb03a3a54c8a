package google

import (
	"cmp"
	"context"
	"regexp"

	"google.golang.org/api/cloudsupport/v2"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

var organizationForm = regexp.MustCompile(`^organizations/[0-9]+$`)

// Subscriptions calls supportEventSubscriptions.list, all pages: what sends the events of an organization's cases, deleted ones left out.
func (d *Desk) Subscriptions(ctx context.Context, organization string) ([]desk.Subscription, error) {
	const doing = "list event subscriptions"
	if err := check(organizationForm, organization, "an organization"); err != nil {
		return nil, err
	}
	found, err := gapi.Pages(ctx, doing, func(ctx context.Context, token string) ([]*cloudsupport.SupportEventSubscription, string, error) {
		r, err := d.api.Organizations.SupportEventSubscriptions.List(organization).PageSize(pageSize).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return r.SupportEventSubscriptions, r.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]desk.Subscription, 0, len(found))
	for _, s := range found {
		if s == nil || s.Name == "" {
			return nil, unreadable("subscription", doing)
		}
		if s.State != "DELETED" {
			out = append(out, desk.Subscription{Name: s.Name, Topic: s.PubSubTopic, Working: s.State == "WORKING", Failure: cmp.Or(s.FailureReason, s.State)})
		}
	}
	return out, nil
}
