package google

import (
	"maps"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// allOperations has an entry for every method of the contracts.
func (s *Server) allOperations() map[string]operation {
	const services = "serviceusage.services."
	all := map[string]operation{
		services + "batchEnable":      {services + "enable", s.batchEnable},
		services + "batchGet":         {services + "get", s.batchGetServices},
		services + "disable":          {services + "disable", s.disableService},
		services + "enable":           {services + "enable", s.enableService},
		services + "get":              {services + "get", s.getService},
		services + "list":             {services + "list", s.listServices},
		"serviceusage.operations.get": {"serviceusage.operations.get", s.getOperation},

		"logging.entries.list":                {"logging.logEntries.list", s.listEntries},
		"monitoring.projects.timeSeries.list": {"monitoring.timeSeries.list", s.listTimeSeries},

		"servicehealth.organizations.locations.organizationEvents.get":  {"servicehealth.organizationEvents.get", s.getEvent},
		"servicehealth.organizations.locations.organizationEvents.list": {"servicehealth.organizationEvents.list", s.listEvents},
		"servicehealth.projects.locations.events.get":                   {"servicehealth.events.get", s.getEvent},
		"servicehealth.projects.locations.events.list":                  {"servicehealth.events.list", s.listEvents},
	}
	for _, kind := range []string{"projects", "folders", "organizations"} {
		maps.Copy(all, s.policyOperations(kind))
		maps.Copy(all, s.contactOperations(kind))
	}
	for _, kind := range []string{"projects", "organizations"} {
		all["recommender."+kind+".locations.recommenders.recommendations.list"] = operation{"", s.listRecommendations}
	}
	return all
}

func (s *Server) policyOperations(kind string) map[string]operation {
	op, permission := "cloudresourcemanager."+kind+".", "resourcemanager."+kind+"."
	return map[string]operation{
		op + "get":                {permission + "get", s.getResource},
		op + "getIamPolicy":       {permission + "getIamPolicy", s.getPolicy},
		op + "setIamPolicy":       {permission + "setIamPolicy", s.setPolicy},
		op + "testIamPermissions": {"", s.testPermissions},
	}
}

func (s *Server) contactOperations(kind string) map[string]operation {
	op, permission := "essentialcontacts."+kind+".contacts.", "essentialcontacts.contacts."
	return map[string]operation{
		op + "compute":         {permission + "list", s.computeContacts},
		op + "create":          {permission + "create", s.createContact},
		op + "delete":          {permission + "delete", s.deleteContact},
		op + "get":             {permission + "get", s.getContact},
		op + "list":            {permission + "list", s.listContacts},
		op + "patch":           {permission + "update", s.patchContact},
		op + "sendTestMessage": {permission + "send", s.sendTestMessage},
	}
}

// testPermissions answers those of the permissions asked for that the caller has: all but the denied ones.
func (s *Server) testPermissions(_ *tx, rq *request) (any, error) {
	if _, f := s.resource(rq.param); f != nil {
		return nil, f
	}
	var has []string
	for _, p := range rq.object.texts("permissions") {
		if strings.Contains(p, "*") || strings.Count(p, ".") < 2 {
			return nil, rest.Invalid("permissions", "A permission is named service.resource.verb, without wildcards.")
		}
		if !s.denied[p] {
			has = append(has, p)
		}
	}
	return struct {
		Permissions []string `json:"permissions,omitempty"`
	}{has}, nil
}
