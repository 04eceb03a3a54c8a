package google

import (
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

const (
	maxRecommenderFilter = 500 // characters
	recommendationsPage  = 100
)

// recommenders are those that exist here, with the permission that lists their recommendations.
var recommenders = map[string]string{
	"google.iam.policy.Recommender":                                  "recommender.iamPolicyRecommendations.list",
	"google.compute.instance.MachineTypeRecommender":                 "recommender.computeInstanceMachineTypeRecommendations.list",
	"google.compute.instance.IdleResourceRecommender":                "recommender.computeInstanceIdleResourceRecommendations.list",
	"google.cloudbilling.commitment.SpendBasedCommitmentRecommender": "recommender.spendBasedCommitmentRecommendations.list",
}

// Recommendation is one that the Recommender has.
type Recommendation struct {
	Parent      string // resource as answers name it
	Location    string
	Recommender string
	ID          string
	Subtype     string
	Description string
	Priority    string // P1 to P4
	State       string // ACTIVE, CLAIMED, SUCCEEDED, FAILED, DISMISSED
	Targets     []string
	Refreshed   time.Time
}

type wireRecommendation struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Subtype     string            `json:"recommenderSubtype,omitempty"`
	Priority    string            `json:"priority,omitempty"`
	StateInfo   map[string]string `json:"stateInfo,omitempty"`
	Targets     []string          `json:"targetResources,omitempty"`
	Refreshed   string            `json:"lastRefreshTime,omitempty"`
	Etag        string            `json:"etag,omitempty"`
}

// value is what a filter compares.
func (r Recommendation) value(field string) []string {
	switch field {
	case "stateInfo.state":
		return []string{r.State}
	case "recommenderSubtype":
		return []string{r.Subtype}
	case "priority":
		return []string{r.Priority}
	}
	return r.Targets
}

func (s *Server) listRecommendations(_ *tx, rq *request) (any, error) {
	parent, f := s.resource(above(rq.param))
	if f != nil {
		return nil, f
	}
	part := strings.Split(rq.param, "/") // kind, id, locations, L, recommenders, R
	permission, ok := recommenders[part[5]]
	if !ok {
		return nil, rest.NotFound()
	}
	if f := s.permitted(rq, permission); f != nil {
		return nil, f
	}
	text := rq.Query.Get("filter")
	if len([]rune(text)) > maxRecommenderFilter {
		return nil, rest.Invalid("filter", "A filter has at most %d characters.", maxRecommenderFilter)
	}
	match, f := parseFilter(text, "stateInfo.state", "recommenderSubtype", "priority", "targetResources")
	if f != nil {
		return nil, f
	}
	l, err := s.listing(rq, recommendationsPage, recommendationsPage)
	if err != nil {
		return nil, err
	}
	all := s.opts.Recommendations
	list, next := rest.Page(l, len(all), func(i int) (string, wireRecommendation, bool) {
		r := all[i]
		ok := r.Parent == parent && r.Location == part[3] && r.Recommender == part[5] && match(r.value)
		return rest.Ordinal(i), r.wire(), ok
	})
	return struct {
		Recommendations []wireRecommendation `json:"recommendations,omitempty"`
		Next            string               `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}

func (r Recommendation) wire() wireRecommendation {
	return wireRecommendation{
		Name:        r.Parent + "/locations/" + r.Location + "/recommenders/" + r.Recommender + "/recommendations/" + r.ID,
		Description: r.Description, Subtype: r.Subtype, Priority: r.Priority, StateInfo: map[string]string{"state": r.State},
		Targets: r.Targets, Refreshed: timestamp(r.Refreshed), Etag: `"` + r.ID + `"`,
	}
}
