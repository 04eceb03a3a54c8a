package google

import (
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// Limits of Service Usage.
const (
	maxBatchEnable = 20
	maxBatchGet    = 30
	servicesPage   = 50
	maxServices    = 200 // of a page
	usageWindow    = 30 * 24 * time.Hour
)

// Refusal is why a service cannot be enabled.
type Refusal string

const (
	NoRefusal   Refusal = "accept"
	NoBilling   Refusal = "no-billing"  // the project has no billing account: FAILED_PRECONDITION
	NotAllowed  Refusal = "not-allowed" // private, or never heard of: PERMISSION_DENIED
	InOperation Refusal = "fails"       // the request is taken, the operation ends with an error
)

// Refuse sets why a service cannot be enabled.
func (s *Server) Refuse(service string, why Refusal) error {
	if !slices.Contains([]Refusal{NoRefusal, NoBilling, NotAllowed, InOperation}, why) {
		return rest.Invalid("do", "There is no such refusal.")
	}
	if !known(service) {
		return rest.Invalid("service", "There is no such service.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[service] = why
	return nil
}

// Use notes that a service is used in a project now.
func (s *Server) Use(project, service string) error {
	number := s.projectNumber(project)
	if number == "" || !known(service) {
		return rest.Invalid("service", "There is no such project or service.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	tx.putService(serviceRecord{Project: number, Name: service, Enabled: s.state.isEnabled(number, service), Used: tx.at})
	return tx.commit()
}

func (s *state) isEnabled(project, service string) bool {
	r, touched := s.services[serviceKey{project, service}]
	if !touched {
		return slices.Contains(bootstrap, service)
	}
	return r.Enabled
}

type wireService struct {
	Name   string            `json:"name"`
	Config map[string]string `json:"config"`
	State  string            `json:"state"`
	Parent string            `json:"parent"`
}

func (s *state) wireService(project, name string) wireService {
	parent := "projects/" + project
	w := wireService{
		Name: parent + "/services/" + name, Parent: parent, State: "DISABLED",
		Config: map[string]string{"name": name, "title": strings.TrimSuffix(name, ".googleapis.com") + " API"},
	}
	if s.isEnabled(project, name) {
		w.State = "ENABLED"
	}
	return w
}

// consumer resolves the project of a name. Only projects enable services here.
func (s *Server) consumer(name string) (string, *rest.Failure) {
	full, f := s.resource(above(name))
	if f != nil {
		return "", f
	}
	number, ok := strings.CutPrefix(full, "projects/")
	if !ok {
		return "", rest.Invalid("parent", "The parent must be a project.")
	}
	return number, nil
}

// consumerService resolves projects/P/services/S.
func (s *Server) consumerService(name string) (project, service string, f *rest.Failure) {
	project, f = s.consumer(name)
	if f != nil {
		return "", "", f
	}
	_, service, _ = strings.Cut(name, "/services/")
	if !known(service) {
		return "", "", unavailable()
	}
	return project, service, nil
}

// unavailable is the answer for a service that does not exist, or is not for this caller. Which one it was is not said.
func unavailable() *rest.Failure {
	return rest.Fail("PERMISSION_DENIED", "Not found or permission denied for service(s).").
		Because("serviceusage.googleapis.com", "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED", nil)
}

func noBilling(project string) *rest.Failure {
	f := rest.Fail("FAILED_PRECONDITION", "Billing account for project '%s' is not found. Billing must be enabled for activation of service(s) to proceed.", project)
	f.Details = append(f.Details, map[string]any{"@type": rest.Typed("google.rpc.PreconditionFailure"), "violations": []map[string]string{
		{"type": "googleapis.com/billing-enabled", "subject": project, "description": "billing-enabled"},
	}})
	return f.Because("serviceusage.googleapis.com", "UREQ_PROJECT_BILLING_NOT_FOUND", nil)
}

func (s *Server) getService(tx *tx, rq *request) (any, error) {
	project, service, f := s.consumerService(rq.param)
	if f != nil {
		return nil, f
	}
	return tx.state.wireService(project, service), nil
}

// batchGetServices answers in the order asked for, or not at all.
func (s *Server) batchGetServices(tx *tx, rq *request) (any, error) {
	project, f := s.consumer(rq.param)
	if f != nil {
		return nil, f
	}
	names := rq.Query["names"]
	if len(names) == 0 || len(names) > maxBatchGet {
		return nil, rest.Invalid("names", "A request names 1 to %d services.", maxBatchGet)
	}
	var out struct {
		Services []wireService `json:"services"`
	}
	for _, name := range names {
		other, service, f := s.consumerService(name)
		if f != nil {
			return nil, f
		}
		if other != project || strings.Count(name, "/") != 3 {
			return nil, rest.Invalid("names", "A service must be named as one of the parent.")
		}
		out.Services = append(out.Services, tx.state.wireService(project, service))
	}
	return out, nil
}

func (s *Server) listServices(tx *tx, rq *request) (any, error) {
	project, f := s.consumer(rq.param)
	if f != nil {
		return nil, f
	}
	want, ok := strings.CutPrefix(rq.Query.Get("filter"), "state:")
	if want != "" && (!ok || want != "ENABLED" && want != "DISABLED") {
		return nil, rest.Invalid("filter", "The allowed filters are state:ENABLED and state:DISABLED.")
	}
	l, err := s.listing(rq, servicesPage, maxServices)
	if err != nil {
		return nil, err
	}
	list, next := rest.Page(l, len(catalogue), func(i int) (string, wireService, bool) {
		w := tx.state.wireService(project, catalogue[i])
		return catalogue[i], w, want == "" || w.State == want
	})
	return struct {
		Services []wireService `json:"services,omitempty"`
		Next     string        `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}
