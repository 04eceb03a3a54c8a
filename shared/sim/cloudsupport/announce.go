package cloudsupport

import (
	"slices"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Organization is the number of the organization that every project is in, unless it says otherwise.
func (s *Server) Organization() string { return s.opts.Organization }

// Announce makes an event subscription of that organization to a topic, unless there is one: what an administrator does once.
func (s *Server) Announce(topic string) error {
	if f := checkTopic(topic); f != nil {
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	parent := "organizations/" + s.opts.Organization
	tx := s.begin(s.opts.Now())
	if slices.ContainsFunc(tx.state.subs, func(r subscriptionRecord) bool {
		return r.Parent == parent && r.Topic == topic && r.State != deleted
	}) {
		return nil
	}
	r := subscriptionRecord{
		Parent: parent, ID: server.Digits(tx.next("subscription"), 12), Topic: topic, State: working, Created: tx.at, Updated: tx.at,
	}
	r.Serial = tx.change.Serial
	tx.putSubscription(r)
	return tx.commit()
}
