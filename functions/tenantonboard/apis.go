package tenantonboard

import (
	"context"
	"fmt"
	"slices"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// kindEnable enables services of a project. Nothing disables them again: others may use them by then.
const kindEnable = "google.apis"

// maxServices is how many services one request enables.
const maxServices = 20

var needServices = need{"the services", "serviceusage.googleapis.com", "roles/serviceusage.serviceUsageAdmin"}

// lookAPIs lists the services that are on and decides which are to be enabled.
func (f *Function) lookAPIs(ctx context.Context, s *onboarding) (part, error) {
	g := s.Wanted.Google
	switch {
	case g == nil || len(g.APIs) == 0:
		return part{}, nil
	case s.Mode == Offboarding:
		return part{Drift: []string{fmt.Sprintf("%s of %s stay enabled: others may use them", counted(len(g.APIs), "API"), g.Parent)}}, nil
	case isOrganization(g.Parent):
		return part{Blocks: []string{"APIs are enabled in a project, not in " + g.Parent + ": name a project as the parent, or leave apis out"}}, nil
	}
	on, err := f.Cloud.EnabledServices(ctx, g.Parent)
	hidden, err := f.looked(ctx, s, needServices, err)
	if err != nil {
		return part{}, err
	}
	p := decideAPIs(g.Parent, sortedOnce(g.APIs), on, s.refused())
	return p.hiding(hidden), nil
}

// hiding adds the sentence that says what could not be seen, if there is one.
func (p part) hiding(hidden string) part {
	if hidden != "" {
		p.Drift = append(p.Drift, hidden)
	}
	return p
}

// decideAPIs is pure: the services that are wanted and not on, less those that were refused in this run.
func decideAPIs(project string, wanted []string, on map[string]bool, refused map[string]string) (p part) {
	missing := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return on[name] || refused[name] != "" })
	for n, chunk := range slices.Collect(slices.Chunk(missing, maxServices)) {
		text := fmt.Sprintf("enable %s in %s", counted(len(chunk), "API"), project)
		p.Steps = append(p.Steps, step(StageAPIs, kindEnable, fmt.Sprintf("apis/enable/%d", n+1), text, enableArgs{Project: project, Services: chunk}))
	}
	return p
}

// enableArgs are services to be on in a project.
type enableArgs struct {
	Project  string   `json:"project"`
	Services []string `json:"services"`
}

func (f *Function) registerAPIs() error {
	return registerKind(f, ledger.Spec{Kind: kindEnable, Class: ledger.Desired}, ledger.Effect[enableArgs, Result](enableEffect{f}), nil)
}

// enableEffect enables services: a state, so a repeat changes nothing.
type enableEffect struct{ f *Function }

func (e enableEffect) Call(ctx context.Context, p enableArgs, _ ledger.Token) (ledger.Act[Result], error) {
	report, err := e.f.Cloud.EnableServices(ctx, p.Project, p.Services)
	if len(report) == 0 && err != nil {
		return ledger.Act[Result]{}, asking(err)
	}
	r, err := enabling(p.Project, report)
	return ledger.Act[Result]{ID: p.Project, Result: r}, err
}

// enabling keeps Google's word on each service. What is open of one leaves the effect open; a refusal that is about our account and not
// about the services is the effect's own.
func enabling(project string, report []cloud.Service) (Result, error) {
	r := Result{Refused: map[string]string{}}
	for _, s := range report {
		switch {
		case s.State == cloud.Enabled:
			r.Made = append(r.Made, s.Name)
		case s.State == cloud.Unknown:
			return Result{}, s.Err
		case s.State == cloud.Refused && (cloud.LacksPermission(s.Err) || cloud.IsDisabled(s.Err)):
			return Result{}, fault.Wrap(fault.Denied, s.Err, "enable services of "+project+", for which our account needs the role "+needServices.Role)
		case s.State == cloud.Refused:
			r.Refused[s.Name] = "Google refused: " + clip(s.Err.Error(), 200)
		}
	}
	return r, nil
}

// Find says that they are on only when all of them are.
func (e enableEffect) Find(ctx context.Context, p enableArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	on, err := e.f.Cloud.EnabledServices(ctx, p.Project)
	if err != nil || slices.ContainsFunc(p.Services, func(name string) bool { return !on[name] }) {
		return nil, err
	}
	return []ledger.Act[Result]{{ID: p.Project}}, nil
}
