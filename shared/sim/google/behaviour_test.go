package google

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

const base = "/v1/projects/acme-prod/services"

func TestOperationsTakeTheirTime(t *testing.T) {
	c := open(t, Options{OperationPolls: 2})
	begin := func(service string) string {
		op := c.must("POST", base+"/"+service+".googleapis.com:enable", "")
		if op["done"] != nil || op["response"] != nil {
			t.Fatalf("done at once: %v", op)
		}
		return "/v1/" + op["name"].(string)
	}
	name := begin("run")
	for poll := range 3 {
		if done := c.must("GET", name, "")["done"] == true; done != (poll == 2) {
			t.Errorf("poll %d: done %v", poll, done)
		}
		if on := slices.Contains(c.EnabledServices("acme-prod"), "run.googleapis.com"); on != (poll == 2) {
			t.Errorf("poll %d: on %v", poll, on)
		}
	}
	name = begin("redis") // nobody polls
	c.at = c.at.Add(10 * time.Second)
	if got := c.must("GET", base+"/redis.googleapis.com", ""); got["state"] != "ENABLED" {
		t.Errorf("after its time: %v", got["state"])
	}
	c.must("GET", name, "")
	if op := c.must("POST", base+":batchEnable", `{"serviceIds":["redis.googleapis.com"]}`); op["name"] != "operations/noop.DONE_OPERATION" || op["done"] != true {
		t.Errorf("enabled twice: %v", op)
	}
}

// A batch is all or nothing, whichever way one of its services refuses.
func TestBatchIsAtomic(t *testing.T) {
	c := open(t, Options{OperationPolls: -1, Refused: map[string]Refusal{
		"redis.googleapis.com": NoBilling, "dlp.googleapis.com": NotAllowed, "dns.googleapis.com": InOperation,
	}})
	batch := func(name string) answered {
		return c.send("POST", base+":batchEnable", `{"serviceIds":["run.googleapis.com","`+name+`.googleapis.com","vision.googleapis.com"]}`)
	}
	for name, want := range map[string]string{
		"redis": `"status": "FAILED_PRECONDITION"`, "dlp": "SERVICE_CONFIG_NOT_FOUND", "nothing": "SERVICE_CONFIG_NOT_FOUND", "dns": `"code": 13`,
	} {
		if a := batch(name); !strings.Contains(a.body, want) || (a.status == 200) != (name == "dns") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if on := c.EnabledServices("acme-prod"); len(on) != len(bootstrap) {
			t.Errorf("%s: on %v", name, on)
		}
	}
	if a := batch("storage"); a.status != 200 || len(c.EnabledServices("acme-prod")) != len(bootstrap)+3 {
		t.Errorf("%d, on %v", a.status, c.EnabledServices("acme-prod"))
	}
}

func TestDisable(t *testing.T) {
	c := open(t, Options{OperationPolls: -1, Enabled: map[string][]string{"acme-prod": {"run.googleapis.com"}}})
	c.refused("POST", base+"/redis.googleapis.com:disable", "{}", 400, "FAILED_PRECONDITION")
	if err := c.Use("acme-prod", "run.googleapis.com"); err != nil {
		t.Fatal(err)
	}
	c.refused("POST", base+"/run.googleapis.com:disable", `{"checkIfServiceHasUsage":"CHECK"}`, 400, "last 30 days")
	c.at = c.at.Add(30 * 24 * time.Hour)
	c.must("POST", base+"/run.googleapis.com:disable", `{"checkIfServiceHasUsage":"CHECK"}`)
	c.must("POST", base+"/composer.googleapis.com:enable", "")
	c.refused("POST", base+"/oslogin.googleapis.com:disable", "{}", 400, "3 enabled services depend")
	c.must("POST", base+"/oslogin.googleapis.com:disable", `{"disableDependentServices":true}`)
	if on := c.EnabledServices("acme-prod"); !slices.Equal(on, bootstrap) {
		t.Errorf("on %v", on)
	}
}

func TestServicePages(t *testing.T) {
	c := open(t, Options{})
	seen, token, pages := map[string]bool{}, "", 0
	for {
		v := c.must("GET", base+"?filter=state:DISABLED&pageToken="+token, "")
		for _, s := range v["services"].([]any) {
			seen[s.(map[string]any)["name"].(string)] = true
		}
		pages++
		if v["nextPageToken"] == nil {
			break
		}
		token = v["nextPageToken"].(string)
	}
	if len(seen) != len(catalogue)-len(bootstrap) || pages != (len(seen)+servicesPage-1)/servicesPage || !seen["projects/"+number+"/services/run.googleapis.com"] {
		t.Errorf("%d services on %d pages", len(seen), pages)
	}
	c.refused("GET", base+"?filter=state:ENABLED&pageToken="+token, "", 400, "not valid")
}

func TestServicesOfOneProject(t *testing.T) {
	c := open(t, Options{Projects: map[string]string{"acme-prod": number, "tenant-one": "222222222222"}})
	v := c.must("GET", base+":batchGet?names=projects/acme-prod/services/run.googleapis.com&names="+project+"/services/dns.googleapis.com", "")
	if got := v["services"].([]any); len(got) != 2 || got[1].(map[string]any)["name"] != project+"/services/dns.googleapis.com" {
		t.Errorf("%v", got)
	}
	c.refused("GET", base+":batchGet?names=projects/tenant-one/services/run.googleapis.com", "", 400, "one of the parent")
	c.refused("GET", base+":batchGet?names=projects/acme-prod/services/nothing.googleapis.com", "", 403, "SERVICE_CONFIG_NOT_FOUND")
}

const project = "projects/" + number

var conditional = []Binding{
	{Role: "roles/viewer", Members: []string{"user:Alice@Example.com", "deleted:user:bob@example.com?uid=123"}},
	{Role: "roles/viewer", Members: []string{"group:ops@example.com"}, Condition: &Condition{Title: "until", Expression: `request.time < timestamp("2030-01-01T00:00:00Z")`}},
}

func TestPolicyVersionsAndEtags(t *testing.T) {
	c := open(t, Options{Policies: map[string][]Binding{project: conditional}})
	const get, set = "/v3/projects/acme-prod:getIamPolicy", "/v3/projects/acme-prod:setIamPolicy"
	old := c.send("POST", get, "")
	if !strings.Contains(old.body, "roles/viewer_withcond_") || strings.Contains(old.body, "condition\"") || old.json(t)["version"] != 1.0 {
		t.Errorf("as version 1: %s", old.body)
	}
	p := c.must("POST", get, `{"options":{"requestedPolicyVersion":3}}`)
	if p["version"] != 3.0 || p["etag"] != "ACAB" || len(p["bindings"].([]any)) != 2 {
		t.Errorf("as version 3: %v", p)
	}
	const one = `{"role":"roles/editor","members":["user:C@Example.com","user:c@example.com"]}`
	c.refused("POST", set, `{"policy":{"etag":"ACAB","version":1,"bindings":[`+one+`]}}`, 400, "version 3 only")
	c.refused("POST", set, `{"policy":{"etag":"BwAA","version":3,"bindings":[`+one+`]}}`, 409, "ABORTED")
	if p := c.must("POST", set, `{"policy":{"etag":"ACAB","version":3,"bindings":[`+one+`,`+one+`]}}`); p["etag"] == "ACAB" {
		t.Error("the etag stays")
	}
	if got := fmt.Sprint(c.Policy(project)); got != "[{roles/editor [user:c@example.com] <nil>}]" {
		t.Errorf("stored %s", got)
	}
	c.refused("POST", set, `{"policy":{"etag":"ACAB","bindings":[`+one+`]}}`, 409, "ABORTED")
	p = c.must("POST", set, `{"policy":{"bindings":[`+one+`],"auditConfigs":[{"service":"allServices"}]}}`)
	if p["auditConfigs"] != nil {
		t.Error("the default mask has no audit configuration")
	}
	c.must("POST", set, `{"policy":{"auditConfigs":[{"service":"allServices","auditLogConfigs":[{"logType":"DATA_READ"}]}]},"updateMask":"auditConfigs"}`)
	if p = c.must("POST", get, ""); p["auditConfigs"] == nil || p["bindings"] == nil {
		t.Errorf("a mask of one: %v", p)
	}
}

// Without an etag nothing protects a conditional policy: written as version 1 it is gone.
func TestMissingEtagLosesConditions(t *testing.T) {
	c := open(t, Options{Policies: map[string][]Binding{project: conditional}})
	c.must("POST", "/v3/projects/acme-prod:setIamPolicy", `{"policy":{"bindings":[{"role":"roles/editor","members":["user:c@example.com"]}]}}`)
	if got := c.Policy(project); len(got) != 1 || got[0].Condition != nil {
		t.Errorf("%+v", got)
	}
}

func TestPolicyLimits(t *testing.T) {
	members := func(kind string, n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"%s:m%d@example.com"`, kind, i))
		}
		return `{"policy":{"bindings":[{"role":"roles/viewer","members":[` + strings.Join(all, ",") + `]}]}}`
	}
	c := open(t, Options{Strangers: []string{"Nobody@example.com"}})
	const set = "/v3/projects/acme-prod:setIamPolicy"
	c.must("POST", set, members("user", 1500))
	c.refused("POST", set, members("user", 1501), 400, "1501 principals")
	c.must("POST", set, members("group", 250))
	c.refused("POST", set, members("group", 251), 400, "251 groups")
	c.refused("POST", set, `{"policy":{"bindings":[{"role":"roles/viewer","members":["user:nobody@example.com"]}]}}`, 400, "does not exist")
	c.must("POST", set, `{"policy":{"bindings":[{"role":"roles/owner","members":["serviceAccount:s@p.iam.gserviceaccount.com"]}]}}`)
	c.must("POST", "/v3/organizations/123456789012:setIamPolicy", `{"policy":{"bindings":[{"role":"roles/cloudsupport.admin","members":["allAuthenticatedUsers"]}]}}`)
}

func TestPermissions(t *testing.T) {
	c := open(t, Options{Denied: []string{"resourcemanager.projects.setIamPolicy"}})
	v := c.must("POST", "/v3/projects/acme-prod:testIamPermissions", `{"permissions":["resourcemanager.projects.setIamPolicy","resourcemanager.projects.get"]}`)
	if fmt.Sprint(v["permissions"]) != "[resourcemanager.projects.get]" {
		t.Errorf("%v", v)
	}
	c.refused("POST", "/v3/projects/acme-prod:setIamPolicy", `{"policy":{}}`, 403, "IAM_PERMISSION_DENIED")
}

func contactBody(email, categories string) string {
	return `{"email":"` + email + `","languageTag":"fr","notificationCategorySubscriptions":["` + categories + `"]}`
}

func TestContacts(t *testing.T) {
	c := open(t, Options{ContactDomains: []string{"example.com"}, Folders: []string{"77"}})
	const contacts = "/v1/projects/acme-prod/contacts"
	a := c.must("POST", contacts, contactBody("A@example.com", "TECHNICAL"))
	if a["name"] != project+"/contacts/0" || a["validationState"] != "VALID" || a["email"] != "A@example.com" {
		t.Errorf("%v", a)
	}
	c.refused("POST", contacts, contactBody("a@EXAMPLE.com", "ALL"), 409, "There is already a contact with the given email address")
	c.refused("POST", contacts, contactBody("a@elsewhere.com", "ALL"), 400, "allowedContactDomains")
	c.must("POST", "/v1/organizations/123456789012/contacts", contactBody("a@example.com", "BILLING"))
	c.must("POST", "/v1/folders/77/contacts", contactBody("a@example.com", "BILLING"))

	zero := "/v1/" + project + "/contacts/0"
	c.refused("PATCH", zero+"?updateMask=email", `{"email":"b@example.com"}`, 400, "cannot be changed")
	c.refused("PATCH", zero, `{"email":"b@example.com"}`, 400, "cannot be changed")
	c.refused("PATCH", zero+"?updateMask=notificationCategorySubscriptions", `{}`, 400, "at least one category")
	if v := c.must("PATCH", zero+"?updateMask=language_tag", `{"languageTag":"de","notificationCategorySubscriptions":["ALL"]}`); v["languageTag"] != "de" || fmt.Sprint(v["notificationCategorySubscriptions"]) != "[TECHNICAL]" {
		t.Errorf("patched %v", v)
	}
	c.must("POST", contacts+":sendTestMessage", `{"contacts":["`+zero[4:]+`"],"notificationCategory":"TECHNICAL"}`)
	c.refused("POST", contacts+":sendTestMessage", `{"contacts":["`+zero[4:]+`"],"notificationCategory":"LEGAL"}`, 400, "subscribed")
	for query, want := range map[string]int{"": 2, "?notificationCategories=BILLING": 1, "?notificationCategories=BILLING&notificationCategories=TECHNICAL": 2, "?notificationCategories=LEGAL": 0} {
		list, _ := c.must("GET", contacts+":compute"+query, "")["contacts"].([]any)
		if len(list) != want {
			t.Errorf("compute %q: %d, want %d", query, len(list), want)
		}
	}
	c.at = c.at.Add(366 * 24 * time.Hour)
	if v := c.must("GET", zero, ""); v["validationState"] != "INVALID" {
		t.Errorf("after a year: %v", v["validationState"])
	}
	c.must("DELETE", zero, "")
	c.refused("DELETE", zero, "", 404, "NOT_FOUND")
	if v := c.must("POST", contacts, contactBody("a@example.com", "ALL")); v["name"] != project+"/contacts/1" {
		t.Errorf("an id given twice: %v", v["name"])
	}
}

func TestContactPages(t *testing.T) {
	c := open(t, Options{})
	for i := range 230 {
		c.must("POST", "/v1/projects/acme-prod/contacts", contactBody(fmt.Sprintf("m%d@example.com", i), "ALL"))
	}
	token := ""
	for _, want := range []int{100, 100, 30} {
		v := c.must("GET", "/v1/projects/acme-prod/contacts?pageSize=1000&pageToken="+token, "")
		token, _ = v["nextPageToken"].(string)
		if got := len(v["contacts"].([]any)); got != want || (token == "") != (want == 30) {
			t.Errorf("a page of %d, want %d", got, want)
		}
	}
}

func TestFilters(t *testing.T) {
	value := func(field string) []string {
		return map[string][]string{"stateInfo.state": {"ACTIVE"}, "priority": {"P2"}, "targetResources": {"//x/a:b", "//y"}}[field]
	}
	for text, want := range map[string]bool{
		"": true, "stateInfo.state = ACTIVE": true, "state_info.state=DISMISSED": false, "priority = P1 OR priority = P2": true,
		"stateInfo.state = ACTIVE AND (priority = P1 OR priority = P2)": true, "priority=P2 stateInfo.state=DISMISSED": false,
		"priority=P1 OR priority=P2 AND stateInfo.state=DISMISSED": false, "NOT priority=P1": true, "-priority=P2": false,
		"priority!=P1": true, "targetResources://x/a:b": true, `targetResources : "//y"`: true, "targetResources://z": false,
	} {
		f, bad := parseFilter(text, "stateInfo.state", "priority", "targetResources")
		if bad != nil {
			t.Errorf("%q: %v", text, bad)
		} else if f(value) != want {
			t.Errorf("%q: not %v", text, want)
		}
	}
	for _, text := range []string{"x", "x=1", "priority", "priority=", "priority=P1 AND", "(priority=P1", "priority=P1)", "OR priority=P1", "priority==P1", strings.Repeat("(", 100)} {
		if _, bad := parseFilter(text, "priority"); bad == nil {
			t.Errorf("%q: accepted", text)
		}
	}
}

func TestAdviceAndEvents(t *testing.T) {
	const recommender = "google.iam.policy.Recommender"
	o := Options{}
	for i := range 25 {
		state := "ACTIVE"
		if i%5 == 0 {
			state = "CLOSED"
		}
		o.Events = append(o.Events, Event{Parent: project, ID: fmt.Sprint("e", i), Title: "t", State: state, Product: "Cloud SQL", Location: "us-central1", Relevance: "RELATED"})
		o.Recommendations = append(o.Recommendations, Recommendation{
			Parent: project, Location: "global", Recommender: recommender, ID: fmt.Sprint("r", i), Priority: fmt.Sprint("P", i%4+1), State: "ACTIVE",
		})
	}
	o.Events = append(o.Events, Event{Parent: "organizations/123456789012", ID: "o", State: "ACTIVE"})
	c := open(t, o)
	count := func(path, list string) int {
		all, _ := c.must("GET", path, "")[list].([]any)
		return len(all)
	}
	health, advice := "/v1/projects/acme-prod/locations/global/events", "/v1/projects/acme-prod/locations/global/recommenders/"+recommender+"/recommendations"
	for path, want := range map[string]int{
		health: 10, health + "?pageSize=100": 25, health + "?pageSize=100&filter=" + url.QueryEscape("category=INCIDENT state=ACTIVE"): 20,
	} {
		if got := count(path, "events"); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if got := count(advice+"?filter="+url.QueryEscape("priority = P1 OR priority = P2"), "recommendations"); got != 13 {
		t.Errorf("%d recommendations", got)
	}
	if got := count("/v1/organizations/123456789012/locations/global/organizationEvents", "organizationEvents"); got != 1 {
		t.Errorf("%d organization events", got)
	}
	c.must("GET", health+"/e3", "")
	c.Deny("recommender.iamPolicyRecommendations.list")
	c.refused("GET", advice, "", 403, "IAM_PERMISSION_DENIED")
}

func TestAnyParent(t *testing.T) {
	c := open(t, Options{AnyParent: true})
	made := c.must("GET", "/v3/projects/made-up", "")
	if made["name"] != "projects/"+rest.ProjectNumber("made-up") || made["projectId"] != "made-up" {
		t.Errorf("%v", made)
	}
	c.must("GET", "/v3/folders/5", "")
	c.must("GET", "/v3/organizations/6", "")
	c.refused("GET", "/v3/projects/NOT_ONE", "", 403, "permission")
}
