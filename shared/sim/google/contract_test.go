package google

import (
	"strings"
	"testing"
)

// Each request breaks a contract in one way. The answer is Google's error with the field and the reason.
func TestContractViolations(t *testing.T) {
	c := open(t, Options{Policies: map[string][]Binding{"projects/" + number: {{Role: "roles/viewer", Members: []string{"user:a@example.com"}}}}})
	const (
		services = "/v1/projects/acme-prod/services"
		contacts = "/v1/projects/acme-prod/contacts"
		project  = "/v3/projects/acme-prod"
		health   = "/v1/projects/acme-prod/locations/global/events"
		advice   = "/v1/projects/acme-prod/locations/global/recommenders/google.iam.policy.Recommender/recommendations"
		good     = `{"email":"a@example.com","languageTag":"en","notificationCategorySubscriptions":["ALL"]}`
	)
	bind := func(binding string) string { return `{"policy":{"bindings":[` + binding + `]}}` }
	tests := []struct{ what, method, path, body, has string }{
		{"unknown parameter", "GET", services + "?limit=3", "", "Unknown name"},
		{"parameter twice", "GET", services + "?pageSize=3&pageSize=4", "", "not repeated"},
		{"number as text", "GET", services + "?pageSize=ten", "", "32-bit number"},
		{"protocol buffers", "GET", services + "?alt=proto", "", "JSON only"},
		{"partial answer", "GET", services + "?fields=services(name)", "", "whole answers"},
		{"no such filter", "GET", services + "?filter=state=ENABLED", "", "state:ENABLED"},
		{"forged token", "GET", services + "?pageToken=AAAA", "", "not valid"},
		{"organization's services", "GET", "/v1/organizations/123456789012/services", "", "must be a project"},
		{"billing account's services", "GET", "/v1/billingAccounts/1/services", "", "must be a project, a folder"},
		{"body on GET", "GET", services, "{}", "takes no request body"},
		{"no services", "POST", services + ":batchEnable", "{}", "Required field"},
		{"empty list of services", "POST", services + ":batchEnable", `{"serviceIds":[]}`, "Required field"},
		{"services as text", "POST", services + ":batchEnable", `{"serviceIds":"run.googleapis.com"}`, "an array"},
		{"services of numbers", "POST", services + ":batchEnable", `{"serviceIds":[1]}`, "a string"},
		{"null among services", "POST", services + ":batchEnable", `{"serviceIds":[null]}`, "nothing inside"},
		{"services under another name", "POST", services + ":batchEnable", `{"services":["run.googleapis.com"]}`, "Unknown name"},
		{"21 services", "POST", services + ":batchEnable", `{"serviceIds":["` + strings.Join(Services()[:21], `","`) + `"]}`, "at most 20"},
		{"no names", "GET", services + ":batchGet", "", "1 to 30"},
		{"31 names", "GET", services + ":batchGet?names=" + strings.Repeat("projects/acme-prod/services/run.googleapis.com&names=", 30) + "x", "", "1 to 30"},
		{"name of another project", "GET", services + ":batchGet?names=organizations/123456789012/services/run.googleapis.com", "", "must be a project"},
		{"wrong check", "POST", services + "/run.googleapis.com:disable", `{"checkIfServiceHasUsage":"MAYBE"}`, "one of CHECK_IF"},
		{"flag as text", "POST", services + "/run.googleapis.com:disable", `{"disableDependentServices":"true"}`, "true or false"},
		{"not JSON", "POST", contacts, `{"email":`, "not one JSON object"},
		{"two objects", "POST", contacts, good + good, "not one JSON object"},
		{"an array", "POST", contacts, `[]`, "must be an object"},
		{"not UTF-8", "POST", contacts, "{\"email\":\"\xff\"}", "not UTF-8"},
		{"field twice", "POST", contacts, strings.Replace(good, "{", `{"email":"b@example.com",`, 1), "twice"},
		{"field in both spellings", "POST", contacts, strings.Replace(good, "{", `{"language_tag":"en",`, 1), "twice"},
		{"no email", "POST", contacts, strings.Replace(good, "a@example.com", "", 1), "Required field"},
		{"no language", "POST", contacts, strings.Replace(good, `"en"`, "null", 1), "Required field"},
		{"no category", "POST", contacts, strings.Replace(good, `["ALL"]`, "[]", 1), "Required field"},
		{"no such category", "POST", contacts, strings.Replace(good, "ALL", "EVERYTHING", 1), "one of NOTIFICATION"},
		{"no address", "POST", contacts, strings.Replace(good, "a@example.com", "a", 1), "e-mail address"},
		{"address with a name", "POST", contacts, strings.Replace(good, "a@example.com", "A <a@example.com>", 1), "e-mail address"},
		{"no such language", "POST", contacts, strings.Replace(good, `"en"`, `"english please"`, 1), "language tag"},
		{"wrong type of an ignored field", "POST", contacts, strings.Replace(good, "{", `{"validationState":"MAYBE",`, 1), "one of VALIDATION"},
		{"no such computed category", "GET", contacts + ":compute?notificationCategories=X", "", "one of NOTIFICATION"},
		{"no contacts to test", "POST", contacts + ":sendTestMessage", `{"notificationCategory":"ALL"}`, "Required field"},
		{"policy version 2", "POST", project + ":getIamPolicy", `{"options":{"requestedPolicyVersion":2}}`, "0, 1 and 3"},
		{"version as text", "POST", project + ":getIamPolicy", `{"options":{"requestedPolicyVersion":"3"}}`, "32-bit number"},
		{"no policy", "POST", project + ":setIamPolicy", `{}`, "Required field"},
		{"etag that is no base64", "POST", project + ":setIamPolicy", `{"policy":{"etag":"???"}}`, "base64"},
		{"unknown field inside", "POST", project + ":setIamPolicy", bind(`{"roles":"roles/viewer"}`), "policy.bindings.roles"},
		{"no such mask", "POST", project + ":setIamPolicy", `{"policy":{},"updateMask":"rules"}`, "may name"},
		{"no role", "POST", project + ":setIamPolicy", bind(`{"members":["user:a@example.com"]}`), "name of a role"},
		{"no members", "POST", project + ":setIamPolicy", bind(`{"role":"roles/viewer"}`), "at least one member"},
		{"role that hides a condition", "POST", project + ":setIamPolicy", bind(`{"role":"roles/viewer_withcond_ab","members":["user:a@example.com"]}`), "name of a role"},
		{"role of organizations", "POST", project + ":setIamPolicy", bind(`{"role":"roles/cloudsupport.admin","members":["user:a@example.com"]}`), "not supported"},
		{"member without a kind", "POST", project + ":setIamPolicy", bind(`{"role":"roles/viewer","members":["a@example.com"]}`), "form"},
		{"everybody in a project", "POST", project + ":setIamPolicy", bind(`{"role":"roles/viewer","members":["allUsers"]}`), "allUsers"},
		{"condition without version 3", "POST", project + ":setIamPolicy", bind(`{"role":"roles/viewer","members":["user:a@example.com"],"condition":{"title":"t","expression":"true"}}`), "version 3"},
		{"condition without an expression", "POST", project + ":setIamPolicy", bind(`{"role":"roles/viewer","members":["user:a@example.com"],"condition":{"title":"t"}}`), "expression"},
		{"user as owner", "POST", project + ":setIamPolicy", bind(`{"role":"roles/owner","members":["user:b@example.com"]}`), "SOLO_MUST_INVITE_OWNERS"},
		{"no permissions", "POST", project + ":testIamPermissions", `{}`, "Required field"},
		{"wildcard", "POST", project + ":testIamPermissions", `{"permissions":["resourcemanager.projects.*"]}`, "wildcards"},
		{"page of none", "GET", health + "?pageSize=0", "", "1 to 100"},
		{"page of 101", "GET", health + "?pageSize=101", "", "1 to 100"},
		{"view of another kind", "GET", health + "?view=FULL", "", "one of EVENT_VIEW"},
		{"filter of an unknown field", "GET", health + "?filter=name=x", "", "filter"},
		{"another location", "GET", "/v1/projects/acme-prod/locations/us/events", "", "global"},
		{"filter too long", "GET", advice + "?filter=" + strings.Repeat("x", 501), "", "at most 500"},
		{"broken filter", "GET", advice + "?filter=(priority=P1", "", "filter"},
		{"payload too large", "POST", contacts, `{"email":"` + strings.Repeat("x", maxPayload) + `"}`, "exceeds the limit"},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			c := c
			c.t = t
			c.refused(tt.method, tt.path, tt.body, 400, tt.has)
		})
	}
	if len(c.Contacts("projects/acme-prod")) != 0 || len(c.EnabledServices("acme-prod")) != len(bootstrap) || len(c.Policy("projects/acme-prod")) != 1 {
		t.Error("a violation changed something")
	}
	t.Logf("%d violations", len(tests))
}

func TestOtherRefusals(t *testing.T) {
	c := open(t, Options{})
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/v1/projects/not-mine/contacts", 403}, {"GET", "/v1/organizations/999/contacts", 403}, {"GET", "/v3/folders/7", 403},
		{"GET", "/v1/projects/acme-prod/services/nothing.googleapis.com", 403}, {"GET", "/v1/operations/nobody", 404},
		{"GET", "/v1/projects/acme-prod/contacts/0", 404}, {"GET", "/v1/projects/acme-prod/contacts/00", 404},
		{"GET", "/v1/projects/acme-prod/locations/global/recommenders/nobody/recommendations", 404},
		{"GET", "/v1/projects/acme-prod/locations/global/events/nothing", 404},
		{"GET", "/v1/projects/acme-prod%2Fcontacts", 404}, {"GET", "/v2/projects/acme-prod", 404}, {"POST", "/v1/projects/acme-prod/services:nothing", 404},
		{"PUT", "/v1/projects/acme-prod/contacts/0", 404}, {"GET", "/v3/projects/acme-prod:getIamPolicy", 404},
	} {
		c.refused(tt.method, tt.path, "", tt.status, "error")
	}
}
