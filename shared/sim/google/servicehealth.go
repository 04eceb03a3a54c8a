package google

// The contract of Service Health v1, written down from its published reference: google.golang.org/api has no client of it. The query
// parameters that every method takes are the same as everywhere.

const locationPattern = "/locations/[^/]+"

var eventView = field{Name: "view", Type: "string", Enum: []string{"EVENT_VIEW_UNSPECIFIED", "EVENT_VIEW_BASIC", "EVENT_VIEW_FULL"}}

var organizationEventView = field{
	Name: "view", Type: "string", Enum: []string{"ORGANIZATION_EVENT_VIEW_UNSPECIFIED", "ORGANIZATION_EVENT_VIEW_BASIC", "ORGANIZATION_EVENT_VIEW_FULL"},
}

var servicehealthMethods = []method{
	{Op: "servicehealth.organizations.locations.organizationEvents.get", HTTP: "GET", Path: "/v1/{+name}", Response: "OrganizationEvent", Params: []field{
		{Name: "name", Type: "string", Pattern: "^organizations/[^/]+" + locationPattern + "/organizationEvents/[^/]+$", Path: true, Required: true},
	}},
	{Op: "servicehealth.organizations.locations.organizationEvents.list", HTTP: "GET", Path: "/v1/{+parent}/organizationEvents", Response: "ListOrganizationEventsResponse", Params: []field{
		{Name: "filter", Type: "string"},
		{Name: "pageSize", Type: "integer", Format: "int32"},
		{Name: "pageToken", Type: "string"},
		{Name: "parent", Type: "string", Pattern: "^organizations/[^/]+" + locationPattern + "$", Path: true, Required: true},
		organizationEventView,
	}},
	{Op: "servicehealth.projects.locations.events.get", HTTP: "GET", Path: "/v1/{+name}", Response: "Event", Params: []field{
		{Name: "name", Type: "string", Pattern: "^projects/[^/]+" + locationPattern + "/events/[^/]+$", Path: true, Required: true},
	}},
	{Op: "servicehealth.projects.locations.events.list", HTTP: "GET", Path: "/v1/{+parent}/events", Response: "ListEventsResponse", Params: []field{
		{Name: "filter", Type: "string"},
		{Name: "pageSize", Type: "integer", Format: "int32"},
		{Name: "pageToken", Type: "string"},
		{Name: "parent", Type: "string", Pattern: "^projects/[^/]+" + locationPattern + "$", Path: true, Required: true},
		eventView,
	}},
}

var (
	eventCategories = []string{"EVENT_CATEGORY_UNSPECIFIED", "INCIDENT"}
	eventStates     = []string{"STATE_UNSPECIFIED", "ACTIVE", "CLOSED"}
	eventRelevances = []string{"RELEVANCE_UNSPECIFIED", "UNKNOWN", "NOT_IMPACTED", "PARTIALLY_RELATED", "RELATED", "IMPACTED"}
)

var servicehealthSchemas = map[string][]field{
	"Event": {
		{Name: "category", Type: "string", Enum: eventCategories},
		{Name: "description", Type: "string"},
		{Name: "endTime", Type: "string", Format: "google-datetime"},
		{Name: "eventImpacts", Ref: "EventImpact", Array: true},
		{Name: "name", Type: "string"},
		{Name: "relevance", Type: "string", Enum: eventRelevances},
		{Name: "startTime", Type: "string", Format: "google-datetime"},
		{Name: "state", Type: "string", Enum: eventStates},
		{Name: "title", Type: "string"},
		{Name: "updateTime", Type: "string", Format: "google-datetime"},
	},
	"EventImpact": {{Name: "location", Ref: "Location"}, {Name: "product", Ref: "Product"}},
	"ListEventsResponse": {
		{Name: "events", Ref: "Event", Array: true},
		{Name: "nextPageToken", Type: "string"},
		{Name: "unreachable", Type: "string", Array: true},
	},
	"ListOrganizationEventsResponse": {
		{Name: "nextPageToken", Type: "string"},
		{Name: "organizationEvents", Ref: "OrganizationEvent", Array: true},
		{Name: "unreachable", Type: "string", Array: true},
	},
	"Location": {{Name: "locationName", Type: "string"}},
	"OrganizationEvent": {
		{Name: "category", Type: "string", Enum: eventCategories},
		{Name: "description", Type: "string"},
		{Name: "endTime", Type: "string", Format: "google-datetime"},
		{Name: "eventImpacts", Ref: "EventImpact", Array: true},
		{Name: "name", Type: "string"},
		{Name: "startTime", Type: "string", Format: "google-datetime"},
		{Name: "state", Type: "string", Enum: eventStates},
		{Name: "title", Type: "string"},
		{Name: "updateTime", Type: "string", Format: "google-datetime"},
	},
	"Product": {{Name: "id", Type: "string"}, {Name: "productName", Type: "string"}},
}
