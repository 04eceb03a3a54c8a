package site

import (
	"context"
	"net/http"
	"slices"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/sim/google"
	"github.com/providerdesk/providerdesk/shared/sim/hub"
)

// Where the simulators are mounted. Each has its controls there: faults, calls and what else its package says.
const (
	simPath       = "/sim/cloudsupport"
	simHubPath    = "/sim/hub"
	simHubAPI     = simHubPath + "/api"
	simGooglePath = "/sim/google"
)

// simulators are the vendors' servers on this machine. Their state is in the folder, a file for each.
type simulators struct {
	desk   *cloudsupport.Server
	hub    *hub.Server
	google *google.Server
}

// openSimulators opens them all, whether the configuration points to them or not: a person may point it there later.
func (s *Site) openSimulators(context.Context) (err error) {
	dir := s.o.Folder.simulators()
	if s.sims.desk, err = cloudsupport.New(cloudsupport.Options{Dir: dir, AnyParent: true, Now: s.o.Now}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.desk.Close() })
	// Nobody makes API tokens by hand here, so the provider's token reaches the tenants that it makes.
	if s.sims.hub, err = hub.New(hub.Options{Dir: dir, Now: s.o.Now, Switches: hub.Switches{TokenScope: "tenants"}}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.hub.Close() })
	if s.sims.google, err = google.New(google.Options{Dir: dir, AnyParent: true, Now: s.o.Now}); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.sims.google.Close() })
	return nil
}

// mount serves the simulators.
func (m simulators) mount(mux *http.ServeMux) {
	mux.Handle(simPath+"/", http.StripPrefix(simPath, m.desk))
	mux.Handle(simHubPath+"/", http.StripPrefix(simHubPath, m.hub))
	mux.Handle(simGooglePath+"/", http.StripPrefix(simGooglePath, m.google))
}

// providerToken is the API token of the simulated hub that holds every role of the provider organization.
func (m simulators) providerToken() (string, error) {
	var most hub.Token
	for _, t := range m.hub.Tokens() {
		if t.OrgID == hub.Provider && len(t.Roles) > len(most.Roles) {
			most = t
		}
	}
	if !slices.Contains(most.Roles, hub.ProviderAdmin) {
		return "", fault.New(fault.Missing, "the simulated hub has no token of a provider's administrator: remove the folder sim")
	}
	return most.Token, nil
}
