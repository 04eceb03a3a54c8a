package cloudsupport

import (
	"regexp"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// States of an event subscription.
const (
	working = "WORKING"
	failing = "FAILING"
	deleted = "DELETED"
)

const purgeAfter = 30 * 24 * time.Hour

var topicForm = regexp.MustCompile(`^projects/[^/\s]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)

func checkTopic(topic string) *rest.Failure {
	if !topicForm.MatchString(topic) {
		return rest.Invalid("pubSubTopic", "The topic must be named projects/{project}/topics/{topic}.")
	}
	return nil
}

func (s *Server) createSubscription(tx *tx, rq *request) (any, error) {
	parent, f := s.parent(rq.param)
	topic := rq.object.text("pubSubTopic")
	if f == nil {
		f = checkTopic(topic)
	}
	if f != nil {
		return nil, f
	}
	r := subscriptionRecord{
		Parent: parent, ID: server.Digits(tx.next("subscription"), 12), Topic: topic, State: working, Created: tx.at, Updated: tx.at,
	}
	r.Serial = tx.change.Serial
	return tx.putSubscription(r), nil
}

func (tx *tx) putSubscription(r subscriptionRecord) wireSubscription {
	tx.change.Subscriptions = append(tx.change.Subscriptions, r)
	return r.wire()
}

// subscription resolves a name. One whose purge time has passed is not there.
func (tx *tx) subscription(name string) (subscriptionRecord, error) {
	part := strings.Split(name, "/")
	parent, f := tx.parent(part[0] + "/" + part[1])
	if f != nil {
		return subscriptionRecord{}, f
	}
	for _, r := range tx.state.subs {
		if r.Parent == parent && r.ID == part[3] && !r.purged(tx.at) {
			return r, nil
		}
	}
	return subscriptionRecord{}, rest.NotFound()
}

func (r subscriptionRecord) purged(at time.Time) bool {
	return !r.Purge.IsZero() && !at.Before(r.Purge)
}

func (s *Server) getSubscription(tx *tx, rq *request) (any, error) {
	r, err := tx.subscription(rq.param)
	if err != nil {
		return nil, err
	}
	return r.wire(), nil
}

func (s *Server) listSubscriptions(tx *tx, rq *request) (any, error) {
	parent, f := s.parent(rq.param)
	if f != nil {
		return nil, f
	}
	q, f := parseQuery(rq.Query.Get("filter"), subscriptionFields)
	if f != nil {
		return nil, about("filter", f)
	}
	l, err := s.listing(rq, parent, rq.Query.Get("filter"))
	if err != nil {
		return nil, err
	}
	all, showDeleted := tx.state.subs, rq.Query.Get("showDeleted") == "true"
	list, next := rest.Page(l, len(all), func(i int) (string, wireSubscription, bool) {
		r := all[len(all)-1-i]
		ok := r.Parent == parent && !r.purged(tx.at) && (showDeleted || r.State != deleted) && q.matches(r)
		return rest.NewestFirst(int(r.Serial)), r.wire(), ok
	})
	return struct {
		Subscriptions []wireSubscription `json:"supportEventSubscriptions,omitempty"`
		Next          string             `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}

func (s *Server) patchSubscription(tx *tx, rq *request) (any, error) {
	r, err := tx.subscription(rq.param)
	if err != nil {
		return nil, err
	}
	_, f := updateMask(rq.Query.Get("updateMask"), "pubSubTopic")
	if f == nil {
		f = checkTopic(rq.object.text("pubSubTopic"))
	}
	if f == nil && r.State == deleted {
		f = rest.Fail("FAILED_PRECONDITION", "The subscription is deleted.")
	}
	if f != nil {
		return nil, f
	}
	r.Topic, r.State, r.Reason, r.Updated = rq.object.text("pubSubTopic"), working, "", tx.at
	return tx.putSubscription(r), nil
}

func (s *Server) deleteSubscription(tx *tx, rq *request) (any, error) {
	r, err := tx.subscription(rq.param)
	if err != nil {
		return nil, err
	}
	if r.State == deleted {
		return nil, rest.Fail("FAILED_PRECONDITION", "The subscription is deleted already.")
	}
	r.State, r.Reason, r.Updated, r.Deleted, r.Purge = deleted, "", tx.at, tx.at, tx.at.Add(purgeAfter)
	return tx.putSubscription(r), nil
}

func (s *Server) undeleteSubscription(tx *tx, rq *request) (any, error) {
	r, err := tx.subscription(rq.param)
	if err != nil {
		return nil, err
	}
	if r.State != deleted {
		return nil, rest.Fail("ALREADY_EXISTS", "The subscription is not deleted.")
	}
	r.State, r.Updated, r.Deleted, r.Purge = working, tx.at, time.Time{}, time.Time{}
	return tx.putSubscription(r), nil
}

func (s *Server) expungeSubscription(tx *tx, rq *request) (any, error) {
	r, err := tx.subscription(rq.param)
	if err != nil {
		return nil, err
	}
	if r.State != deleted {
		return nil, rest.Fail("FAILED_PRECONDITION", "Only a deleted subscription can be expunged.")
	}
	tx.change.Expunged = append(tx.change.Expunged, r.name())
	return struct{}{}, nil
}
