package tenantonboard

import (
	"context"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// What recommendations are asked for: that they can be read of one recommender shows that they can of all, and this one is everywhere.
const (
	recommendedAt = "global"
	recommendedBy = "google.iam.policy.Recommender"
)

// The needs of what can be checked, by the names of the request.
var needReadable = map[string]need{
	"servicehealth": {"the service health", "servicehealth.googleapis.com", "roles/servicehealth.viewer"},
	"recommender":   {"the recommendations", "recommender.googleapis.com", "roles/recommender.viewer"},
}

// lookReadable checks what is to be readable. It has no step: a right that is missing ends the run, with the role to grant. A plan only tells
// it, because an earlier stage may grant it.
func (f *Function) lookReadable(ctx context.Context, s *onboarding) (p part, err error) {
	g := s.Wanted.Google
	if g == nil || s.Mode == Offboarding {
		return p, nil
	}
	for _, what := range sortedOnce(g.Readable) {
		n, ok := needReadable[what]
		if !ok {
			return p, fault.New(fault.Invalid, "only servicehealth and recommender can be checked to be readable")
		}
		can, err := f.canRead(ctx, g.Parent, what)
		if err != nil {
			return p, err
		}
		told, err := f.decideReadable(s, n, can)
		if err != nil {
			return p, err
		}
		p = p.hiding(told)
	}
	return p, nil
}

func (f *Function) canRead(ctx context.Context, parent, what string) (cloud.Access, error) {
	if what == "recommender" {
		return f.Cloud.CanReadRecommender(ctx, parent, recommendedAt, recommendedBy)
	}
	return f.Cloud.CanReadServiceHealth(ctx, parent)
}

// decideReadable decides what a check means: nothing, something to tell, or an error.
func (f *Function) decideReadable(s *onboarding, n need, can cloud.Access) (told string, _ error) {
	switch can {
	case cloud.Readable:
		return "", nil
	case cloud.APIDisabled:
		return f.lacking(s, s.off(n))
	}
	return f.lacking(s, s.denied(n))
}
