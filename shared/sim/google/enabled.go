package google

import (
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// bootstrap are the services that are on in every project: without them nothing could be switched on.
var bootstrap = []string{"cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"}

// enabled refuses a call of an API that is off, if Options.RequireEnabled says so. The real APIs ask the project that pays for the caller,
// its quota project. Here Service Usage, Resource Manager and whatever is about a folder or an organization ask that one as well; the
// others ask the project they are about, which is the same project when a tenant is set up with its own account, and the stricter reading.
func (s *Server) enabled(rq *request) *rest.Failure {
	if !s.opts.RequireEnabled {
		return nil
	}
	consumer := "projects/" + s.opts.QuotaProject
	if name := above(rq.param); strings.HasPrefix(name, "projects/") && strings.HasPrefix(rq.Path, "/v1/") && !strings.Contains(rq.Path, "/services") {
		consumer = name
	}
	full, f := s.resource(consumer)
	if f != nil {
		return f
	}
	if number := strings.TrimPrefix(full, "projects/"); !s.state.isEnabled(number, rq.route.api.service) {
		return disabled(rq.route.api, number)
	}
	return nil
}

// disabled is what Google answers for an API that is off.
func disabled(a *api, number string) *rest.Failure {
	url := "https://console.developers.google.com/apis/api/" + a.service + "/overview?project=" + number
	f := rest.Fail("PERMISSION_DENIED", "%s has not been used in project %s before or it is disabled. Enable it by visiting %s then retry. "+
		"If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.", a.title, number, url)
	f.Details = append(f.Details, map[string]any{
		"@type": rest.Typed("google.rpc.Help"), "links": []map[string]string{{"description": "Google developers console API activation", "url": url}},
	})
	return f.Because("googleapis.com", "SERVICE_DISABLED", map[string]string{
		"service": a.service, "serviceTitle": a.title, "consumer": "projects/" + number, "containerInfo": number, "activationUrl": url,
	})
}

// permitted refuses a caller who lacks a permission.
func (s *Server) permitted(rq *request, permission string) *rest.Failure {
	if !s.denied[permission] {
		return nil
	}
	return rest.Fail("PERMISSION_DENIED", "Permission '%s' denied on resource (or it may not exist).", permission).
		Because(rq.route.api.service, "IAM_PERMISSION_DENIED", map[string]string{"permission": permission})
}

// Deny takes a permission from the caller.
func (s *Server) Deny(permission string) { s.permit(permission, false) }

// Allow gives a permission back.
func (s *Server) Allow(permission string) { s.permit(permission, true) }

func (s *Server) permit(permission string, may bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[permission] = !may
}
