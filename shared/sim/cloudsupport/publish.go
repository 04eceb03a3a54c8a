package cloudsupport

import (
	"context"
	"errors"
	"time"
)

// caseEvent tells the organization's event subscriptions that something changed at a case. The API documents neither the values of
// notificationType nor a body: a receiver reads the case again.
type caseEvent struct {
	kind         string
	name         string // of the case
	organization string
}

// publish tells every subscription of each event, without the lock, and keeps what came of it. The event has happened: a caller
// that has gone does not stop it.
func (s *Server) publish(ctx context.Context, events []caseEvent, at time.Time) {
	if s.opts.Publish == nil {
		return
	}
	for _, e := range events {
		for _, r := range s.listening(e.organization) {
			attributes := map[string]string{"notificationType": e.kind, "resourceName": e.name}
			err := s.opts.Publish(context.WithoutCancel(ctx), r.Topic, attributes, []byte("{}"))
			s.published(r, err, at)
		}
	}
}

func (s *Server) listening(organization string) []subscriptionRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []subscriptionRecord
	for _, r := range s.state.subs {
		if r.Parent == organization && r.State != deleted {
			all = append(all, r)
		}
	}
	return all
}

// published moves the subscription to FAILING or back. What others did to it meanwhile stays. A journal that fails here refuses the next
// request; the state of a subscription is not worth this one's answer.
func (s *Server) published(sent subscriptionRecord, err error, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(at)
	r, gone := tx.subscription(sent.name())
	state, reason := health(err)
	if gone != nil || r.State == deleted || r.Topic != sent.Topic || (r.State == state && r.Reason == reason) {
		return
	}
	r.State, r.Reason, r.Updated = state, reason, at
	tx.putSubscription(r)
	_ = tx.commit()
}

func health(err error) (state, reason string) {
	switch {
	case err == nil:
		return working, ""
	case errors.Is(err, ErrTopicNotFound):
		return failing, "TOPIC_NOT_FOUND"
	case errors.Is(err, ErrPermissionDenied):
		return failing, "PERMISSION_DENIED"
	}
	return failing, "OTHER"
}
