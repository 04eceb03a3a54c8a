package tenantonboard

import (
	"context"
	"fmt"
	"slices"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// The effects on an organization's event subscriptions.
const (
	kindSubscribe   = "google.events"
	kindUnsubscribe = "google.events.stop"
)

var needEvents = need{"the event subscriptions", "cloudsupport.googleapis.com", "roles/cloudsupport.admin"}

// lookEvents lists the event subscriptions of the organization and decides whether the topic lacks one.
func (f *Function) lookEvents(ctx context.Context, s *onboarding) (part, error) {
	g := s.Wanted.Google
	switch {
	case g == nil || g.SupportEvents == "":
		return part{}, nil
	case !isOrganization(g.Parent):
		return part{Drift: []string{"support events are of an organization, not of " + g.Parent + ": they are left out"}}, nil
	}
	have, err := f.Cloud.Subscriptions(ctx, g.Parent)
	hidden, err := f.looked(ctx, s, needEvents, err)
	if err != nil {
		return part{}, err
	}
	if s.Mode == Offboarding {
		return leaveEvents(g.Parent, g.SupportEvents, have).hiding(hidden), nil
	}
	return decideEvents(g.Parent, g.SupportEvents, have).hiding(hidden), nil
}

// decideEvents is pure: a topic has one subscription that works.
func decideEvents(organization, topic string, have []cloud.Subscription) (p part) {
	ours := onTopic(have, topic)
	if len(ours) == 0 {
		p.Steps = append(p.Steps, step(StageEvents, kindSubscribe, "events/subscribe", fmt.Sprintf("send the support events of %s to %s", organization, topic),
			subscribeArgs{Organization: organization, Topic: topic}))
	}
	if len(ours) > 1 {
		p.Drift = append(p.Drift, fmt.Sprintf("%d event subscriptions of %s send to %s: every event comes that often", len(ours), organization, topic))
	}
	for _, s := range ours {
		if !s.Working {
			p.Drift = append(p.Drift, fmt.Sprintf("the event subscription %s does not work (%s): the topic must be there, and "+
				"cloud-support-apievents@system.gserviceaccount.com must have the role roles/pubsub.publisher on it", s.Name, s.Failure))
		}
	}
	return p
}

// leaveEvents is pure: the subscriptions of our topic are deleted.
func leaveEvents(organization, topic string, have []cloud.Subscription) (p part) {
	for _, s := range onTopic(have, topic) {
		p.Steps = append(p.Steps, taking(unsubscription(organization, s.Name))...)
	}
	return p
}

func onTopic(have []cloud.Subscription, topic string) []cloud.Subscription {
	return slices.DeleteFunc(slices.Clone(have), func(s cloud.Subscription) bool { return s.Topic != topic })
}

func unsubscription(organization, name string) Step {
	return step(StageEvents, kindUnsubscribe, "events/unsubscribe/"+short(name), "delete the event subscription "+name,
		unsubscribeArgs{Organization: organization, Name: name})
}

// subscribeArgs is a topic to which the support events of an organization are to be sent.
type subscribeArgs struct {
	Organization string `json:"organization"`
	Topic        string `json:"topic"`
}

// unsubscribeArgs is a subscription to be deleted.
type unsubscribeArgs struct {
	Organization string `json:"organization"`
	Name         string `json:"name"`
}

func (f *Function) registerEvents() error {
	subscribe := ledger.Spec{Kind: kindSubscribe, Class: ledger.Marked}
	if err := registerKind(f, subscribe, ledger.Effect[subscribeArgs, Result](subscribeEffect{f}), undoSubscribe); err != nil {
		return err
	}
	return registerKind(f, ledger.Spec{Kind: kindUnsubscribe, Class: ledger.Desired}, ledger.Effect[unsubscribeArgs, Result](unsubscribeEffect{f}), nil)
}

// subscribeEffect subscribes a topic. The API would take a second subscription of it, so the topic is the marker.
type subscribeEffect struct{ f *Function }

// Call asks before it subscribes: a failure to ask must not count as a doubt about the subscription.
func (e subscribeEffect) Call(ctx context.Context, p subscribeArgs, t ledger.Token) (ledger.Act[Result], error) {
	if _, err := e.f.Cloud.Subscriptions(ctx, p.Organization); err != nil {
		return ledger.Act[Result]{}, asking(err)
	}
	s, created, err := e.f.Cloud.Subscribe(ctx, p.Organization, p.Topic)
	if err != nil {
		return ledger.Act[Result]{}, err
	}
	return subscriptionAct(s, created || t.Attempt > 1), nil
}

func subscriptionAct(s cloud.Subscription, ours bool) ledger.Act[Result] {
	a := ledger.Act[Result]{ID: s.Name, Result: Result{Name: s.Name}}
	if ours {
		a.Result.Made = []string{s.Name}
	}
	return a
}

// Find returns the subscriptions of the topic. There was none when it was decided.
func (e subscribeEffect) Find(ctx context.Context, p subscribeArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.Cloud.Subscriptions(ctx, p.Organization)
	if err != nil {
		return nil, err
	}
	var acts []ledger.Act[Result]
	for _, s := range onTopic(have, p.Topic) {
		acts = append(acts, subscriptionAct(s, true))
	}
	return acts, nil
}

// Undo deletes a second subscription of the topic.
func (e subscribeEffect) Undo(p subscribeArgs, _, extra ledger.Act[Result]) ([]ledger.Intent, error) {
	in, err := e.f.kinds[kindUnsubscribe].intent("", extra.ID, unsubscription(p.Organization, extra.ID).Args)
	return []ledger.Intent{in}, err
}

func undoSubscribe(p subscribeArgs, r Result) (Step, bool) {
	return unsubscription(p.Organization, r.Made[0]), true
}

// unsubscribeEffect deletes a subscription.
type unsubscribeEffect struct{ f *Function }

func (e unsubscribeEffect) Call(ctx context.Context, p unsubscribeArgs, _ ledger.Token) (ledger.Act[Result], error) {
	if _, err := e.f.Cloud.Unsubscribe(ctx, p.Name); err != nil {
		return ledger.Act[Result]{}, err
	}
	return ledger.Act[Result]{ID: p.Name}, nil
}

func (e unsubscribeEffect) Find(ctx context.Context, p unsubscribeArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.Cloud.Subscriptions(ctx, p.Organization)
	if err != nil || slices.ContainsFunc(have, func(s cloud.Subscription) bool { return s.Name == p.Name }) {
		return nil, err
	}
	return []ledger.Act[Result]{{ID: p.Name}}, nil
}
