package tenantonboard

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/fault"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

func TestDecideReadable(t *testing.T) {
	n := needReadable["servicehealth"]
	us := []Member{{Member: "serviceAccount:us@acme.example", Roles: []string{n.Role}}}
	for name, c := range map[string]struct {
		mode   Mode
		status Status
		age    time.Duration
		g      Google
		can    cloud.Access
		told   bool
		kind   fault.Kind
	}{
		"readable":                          {status: SupportTested, can: cloud.Readable},
		"readable, in a plan":               {status: Fresh, can: cloud.Readable},
		"no right, in a plan":               {status: Fresh, can: cloud.NoPermission, told: true},
		"no API, in a plan":                 {status: Fresh, can: cloud.APIDisabled, told: true},
		"no right":                          {status: SupportTested, can: cloud.NoPermission, kind: fault.Denied},
		"no API":                            {status: SupportTested, can: cloud.APIDisabled, kind: fault.Denied},
		"no right yet":                      {status: SupportTested, g: Google{Members: us}, can: cloud.NoPermission, kind: fault.Transient},
		"no right after a while":            {status: SupportTested, g: Google{Members: us}, can: cloud.NoPermission, age: settling, kind: fault.Denied},
		"no API yet":                        {status: SupportTested, g: Google{APIs: []string{n.API}}, can: cloud.APIDisabled, kind: fault.Transient},
		"no API after a while":              {status: SupportTested, g: Google{APIs: []string{n.API}}, can: cloud.APIDisabled, age: settling, kind: fault.Denied},
		"no right, although an API is new":  {status: SupportTested, g: Google{APIs: []string{n.API}}, can: cloud.NoPermission, kind: fault.Denied},
		"no right, although others have it": {status: SupportTested, g: Google{Members: []Member{{Member: opsGroup, Roles: []string{n.Role}}}}, can: cloud.NoPermission, kind: fault.Denied},
	} {
		now := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
		f := &Function{Deps: Deps{Now: func() time.Time { return now }}}
		c.g.Parent = acmeProject
		s := &onboarding{Mode: Onboarding, Status: c.status, Changed: now.Add(-c.age), Wanted: Tenant{Google: &c.g}}
		told, err := f.decideReadable(s, n, c.can)
		if (told != "") != c.told || fault.Of(err) != c.kind {
			t.Errorf("%s: told %q, %v; want told %t, kind %q", name, told, err, c.told, c.kind)
		}
		if c.kind == fault.Denied && !strings.Contains(err.Error(), n.Role) && !strings.Contains(err.Error(), n.API) {
			t.Errorf("%s: the error does not say what to do: %v", name, err)
		}
	}
}

// TestReadable shows the checks on both kinds of parents, with and without the rights.
func TestReadable(t *testing.T) {
	all := []string{"servicehealth", "recommender"}
	for name, c := range map[string]struct {
		parent string
		o      simgoogle.Options
		want   string // role or API of the error; empty: none
	}{
		"a project":                    {parent: acmeProject},
		"an organization":              {parent: acmeOrg},
		"no right on service health":   {parent: acmeProject, o: simgoogle.Options{Denied: []string{"servicehealth.events.list"}}, want: "roles/servicehealth.viewer"},
		"no right of the organization": {parent: acmeOrg, o: simgoogle.Options{Denied: []string{"servicehealth.organizationEvents.list"}}, want: "roles/servicehealth.viewer"},
		"no right on recommendations":  {parent: acmeProject, o: simgoogle.Options{Denied: []string{"recommender.iamPolicyRecommendations.list"}}, want: "roles/recommender.viewer"},
		"an API is off": {parent: acmeProject, want: "servicehealth.googleapis.com",
			o: simgoogle.Options{RequireEnabled: true, Enabled: map[string][]string{"acme-prod": {"recommender.googleapis.com"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Google{Parent: c.parent, Readable: all}, c.o)
				p, err := r.look(StageReadable)
				if (err == nil) != (c.want == "") || err != nil && (!fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%v, want %q", err, c.want)
				}
				r.wantPart(p, 0, 0)
				r.s.Status = Fresh
				p = r.mustLook(StageReadable)
				if (len(p.Drift) > 0) != (c.want != "") {
					t.Errorf("a plan tells %q", p.Drift)
				}
				r.s.Mode = Offboarding
				r.wantPart(r.mustLook(StageReadable), 0, 0)
				r.s.Wanted.Google = nil
				r.wantPart(r.mustLook(StageReadable), 0, 0)
			})
		})
	}
}

func TestReadableUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject, Readable: []string{"billing"}}, simgoogle.Options{})
		if _, err := r.look(StageReadable); !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
}

// TestReadableHeals shows that a check that gets no answer is made again.
func TestReadableHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject, Readable: []string{"recommender"}}, simgoogle.Options{})
		r.must(r.google.ArmFault("recommender.projects.locations.recommenders.recommendations.list", "status:500", 1))
		if _, err := r.look(StageReadable); !fault.Is(err, fault.Transient) {
			t.Error(err)
		}
		r.must(r.carry(StageReadable))
	})
}
