package cloud

import (
	"context"
	"regexp"

	"google.golang.org/api/cloudsupport/v2"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Subscription tells a Pub/Sub topic of every case event of an organization. Google publishes as
// cloud-support-apievents@system.gserviceaccount.com, which must be allowed to.
type Subscription struct {
	Name    string
	Topic   string // projects/P/topics/T
	Working bool
	Failure string // why it is not: a reason of the API's
}

var (
	organizationForm = regexp.MustCompile(`^organizations/[1-9][0-9]{0,18}$`)
	subscriptionForm = regexp.MustCompile(`^organizations/[0-9]+/supportEventSubscriptions/[A-Za-z0-9_-]+$`)
	topicForm        = regexp.MustCompile(`^projects/[a-z0-9][a-z0-9.:-]*/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)
)

// Subscriptions lists the event subscriptions of an organization, less the deleted ones.
func (c *Clients) Subscriptions(ctx context.Context, organization string) ([]Subscription, error) {
	if err := check(organizationForm, organization, "an organization"); err != nil {
		return nil, err
	}
	const doing = "list event subscriptions"
	list, err := gapi.Pages(ctx, doing, func(ctx context.Context, token string) ([]*cloudsupport.SupportEventSubscription, string, error) {
		r, err := c.support.Organizations.SupportEventSubscriptions.List(organization).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return r.SupportEventSubscriptions, r.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Subscription, len(list))
	for i, a := range list {
		if out[i], err = subscriptionOf(a, doing); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func subscriptionOf(a *cloudsupport.SupportEventSubscription, doing string) (Subscription, error) {
	if a == nil || !subscriptionForm.MatchString(a.Name) {
		return Subscription{}, unreadable("event subscription", doing)
	}
	return Subscription{a.Name, a.PubSubTopic, a.State == "WORKING", a.FailureReason}, nil
}

// Subscription reads one event subscription.
func (c *Clients) Subscription(ctx context.Context, name string) (Subscription, error) {
	if err := check(subscriptionForm, name, "an event subscription"); err != nil {
		return Subscription{}, err
	}
	const doing = "read an event subscription"
	a, err := call(ctx, doing, func(ctx context.Context) (*cloudsupport.SupportEventSubscription, error) {
		return c.support.Organizations.SupportEventSubscriptions.Get(name).Context(ctx).Do()
	})
	if err != nil {
		return Subscription{}, err
	}
	return subscriptionOf(a, doing)
}

// Subscribe finds the subscription of a topic, or creates it; created tells which. The API would take a second one.
func (c *Clients) Subscribe(ctx context.Context, organization, topic string) (_ Subscription, created bool, _ error) {
	if err := check(topicForm, topic, "a topic"); err != nil {
		return Subscription{}, false, err
	}
	all, err := c.Subscriptions(ctx, organization)
	if err != nil {
		return Subscription{}, false, err
	}
	for _, s := range all {
		if s.Topic == topic {
			return s, false, nil
		}
	}
	const doing = "create an event subscription"
	a, err := call(ctx, doing, func(ctx context.Context) (*cloudsupport.SupportEventSubscription, error) {
		return c.support.Organizations.SupportEventSubscriptions.Create(organization, &cloudsupport.SupportEventSubscription{PubSubTopic: topic}).Context(ctx).Do()
	})
	if err != nil {
		return Subscription{}, false, err
	}
	out, err := subscriptionOf(a, doing)
	return out, err == nil, err
}

// Unsubscribe deletes an event subscription and reports whether it was there. Google keeps it for a while, to be brought back.
func (c *Clients) Unsubscribe(ctx context.Context, name string) (removed bool, _ error) {
	if err := check(subscriptionForm, name, "an event subscription"); err != nil {
		return false, err
	}
	_, err := call(ctx, "delete an event subscription", func(ctx context.Context) (*cloudsupport.SupportEventSubscription, error) {
		return c.support.Organizations.SupportEventSubscriptions.Delete(name).Context(ctx).Do()
	})
	if fault.Is(err, fault.Missing) || fault.Is(err, fault.Conflict) { // a deleted one is a failed precondition
		return false, nil
	}
	return err == nil, err
}
