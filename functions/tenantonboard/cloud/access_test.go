package cloud

import (
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

const iamRecommender = "google.iam.policy.Recommender"

func TestAccess(t *testing.T) {
	reads := map[string]func(world) (Access, error){
		"recommender": func(w world) (Access, error) {
			return w.CanReadRecommender(w.Context(), project, "global", iamRecommender)
		},
		"servicehealth": func(w world) (Access, error) { return w.CanReadServiceHealth(w.Context(), project) },
	}
	ops := map[string]string{
		"recommender": "recommender.projects.locations.recommenders.recommendations.list", "servicehealth": "servicehealth.projects.locations.events.list",
	}
	permissions := map[string]string{"recommender": "recommender.iamPolicyRecommendations.list", "servicehealth": "servicehealth.events.list"}
	for api, read := range reads {
		in(t, google.Options{RequireEnabled: true}, func(w world) {
			expect := func(want Access) {
				t.Helper()
				if got, err := read(w); err != nil || got != want {
					t.Errorf("%s: %q %v, want %q", api, got, err, want)
				}
			}
			expect(APIDisabled)
			_, err := w.EnableServices(w.Context(), project, []string{api + ".googleapis.com"})
			w.check(err)
			expect(Readable)
			w.google.Deny(permissions[api])
			expect(NoPermission)
			w.google.Allow(permissions[api])
			for f, kind := range map[string]fault.Kind{"status:500": fault.Transient, "garbage": fault.Transient, "status:404": fault.Missing} {
				w.arm(ops[api], f)
				_, err := read(w)
				w.fails(err, kind)
			}
			w.arm(ops[api], "drop") // a read is repeated
			expect(Readable)
		})
	}
}

func TestAccessOfAnOrganization(t *testing.T) {
	w := onNetwork(t, google.Options{})
	if got, err := w.CanReadServiceHealth(t.Context(), org); got != Readable || err != nil {
		t.Errorf("service health: %q %v", got, err)
	}
	if got, err := w.CanReadRecommender(t.Context(), org, "global", iamRecommender); got != Readable || err != nil {
		t.Errorf("recommender: %q %v", got, err)
	}
}
