package pubsub

import (
	"context"
	"errors"
	"time"

	admin "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// Spec is what Ensure makes: topics, each with its dead-letter topic, and push subscriptions.
type Spec struct {
	Topics        []string
	Subscriptions []Subscription
}

// Subscription pushes every message of Topic to URL and sends what it gives up to the topic's dead-letter topic. A subscription with no
// MaxAttempts, as one of a dead-letter topic, never gives up.
type Subscription struct {
	Name        string
	Topic       string
	URL         string
	AckDeadline time.Duration // 10 s to 600 s
	MinBackoff  time.Duration // 0 s to 600 s
	MaxBackoff  time.Duration // 0 s to 600 s
	MaxAttempts int           // 5 to 100
	Ordered     bool          // messages with one ordering key are pushed one after the other
}

// Ensure makes what is missing of spec, on the emulator only. A subscription that is there gets the URL; its other settings stay. One that
// was made with the other Ordered is a fault.Conflict: Pub/Sub cannot change that.
//
// An ordered subscription never gives up here, whatever its MaxAttempts: the emulator (0.8.20), having given up one message of an ordered
// subscription, makes no dead letter of it and delivers nothing more at all, of no key. The service has both.
func (p *Publisher) Ensure(ctx context.Context, spec Spec) (err error) {
	if !p.emulator {
		return fault.New(fault.Denied, "topics and subscriptions are made by Terraform, except on the emulator")
	}
	for _, topic := range spec.Topics {
		for _, name := range []string{topic, publish.Dead(topic)} {
			if err := p.ensureTopic(ctx, name); err != nil {
				return err
			}
		}
	}
	subscriptions, err := p.subscriptions(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, subscriptions.Close()) }()
	for _, s := range spec.Subscriptions {
		if err := p.ensureSubscription(ctx, subscriptions, s); err != nil {
			return err
		}
	}
	return nil
}

func (p *Publisher) subscriptions(ctx context.Context) (*admin.SubscriptionAdminClient, error) {
	c, err := admin.NewSubscriptionAdminClient(ctx, p.opts...)
	return c, fault.Wrap(fault.Transient, err, "open Pub/Sub")
}

func (p *Publisher) ensureTopic(ctx context.Context, topic string) error {
	_, err := p.topics.CreateTopic(ctx, &pubsubpb.Topic{Name: p.topicName(topic)})
	if status.Code(err) == codes.AlreadyExists {
		return nil
	}
	return fault.Wrap(kindOf(err), err, "create a topic")
}

func (p *Publisher) ensureSubscription(ctx context.Context, c *admin.SubscriptionAdminClient, s Subscription) error {
	wanted := p.subscription(s)
	_, err := c.CreateSubscription(ctx, wanted)
	if status.Code(err) != codes.AlreadyExists {
		return fault.Wrap(kindOf(err), err, "create a subscription")
	}
	if err := sameOrder(ctx, c, wanted); err != nil {
		return err
	}
	err = c.ModifyPushConfig(ctx, &pubsubpb.ModifyPushConfigRequest{Subscription: wanted.Name, PushConfig: wanted.PushConfig})
	return fault.Wrap(kindOf(err), err, "point a subscription to its receiver")
}

func sameOrder(ctx context.Context, c *admin.SubscriptionAdminClient, wanted *pubsubpb.Subscription) error {
	there, err := c.GetSubscription(ctx, &pubsubpb.GetSubscriptionRequest{Subscription: wanted.Name})
	if err != nil {
		return fault.Wrap(kindOf(err), err, "look at a subscription")
	}
	if there.EnableMessageOrdering != wanted.EnableMessageOrdering {
		return fault.New(fault.Conflict, "%s has message ordering %v, not %v: delete it, or restart the emulator",
			wanted.Name, there.EnableMessageOrdering, wanted.EnableMessageOrdering)
	}
	return nil
}

func (p *Publisher) subscription(s Subscription) *pubsubpb.Subscription {
	wanted := &pubsubpb.Subscription{
		Name:               p.subscriptionName(s.Name),
		Topic:              p.topicName(s.Topic),
		PushConfig:         &pubsubpb.PushConfig{PushEndpoint: s.URL},
		AckDeadlineSeconds: int32(s.AckDeadline / time.Second),
		RetryPolicy: &pubsubpb.RetryPolicy{
			MinimumBackoff: durationpb.New(s.MinBackoff), MaximumBackoff: durationpb.New(s.MaxBackoff),
		},
		EnableMessageOrdering: s.Ordered,
	}
	if s.MaxAttempts > 0 && !s.Ordered {
		wanted.DeadLetterPolicy = &pubsubpb.DeadLetterPolicy{
			DeadLetterTopic: p.topicName(publish.Dead(s.Topic)), MaxDeliveryAttempts: int32(s.MaxAttempts),
		}
	}
	return wanted
}

func (p *Publisher) subscriptionName(name string) string {
	return "projects/" + p.project + "/subscriptions/" + name
}
