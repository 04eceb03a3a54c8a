package cloudsupport

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// Each request breaks the contract in one way. The answer is Google's error with the field and the reason.
func TestContractViolations(t *testing.T) {
	d := open(t, Options{})
	name := "/v2/" + d.create("projects/acme-prod", "a", "b", "P3")
	good := d.draft("a", "b", "P3")
	with := func(add string) string { return strings.Replace(good, "{", "{"+add+",", 1) }
	without := func(field string) string {
		var v map[string]any
		if err := json.Unmarshal([]byte(good), &v); err != nil {
			t.Fatal(err)
		}
		delete(v, field)
		data, _ := json.Marshal(v)
		return string(data)
	}
	const cases, subs = "/v2/projects/acme-prod/cases", "/v2/organizations/123456789012/supportEventSubscriptions"
	tests := []struct{ what, method, path, body, field, reason string }{
		{"unknown parameter", "GET", cases + "?limit=3", "", "limit", "Unknown name"},
		{"parameter of another method", "GET", name + "?filter=state=OPEN", "", "filter", "Unknown name"},
		{"parameter twice", "GET", cases + "?pageSize=3&pageSize=4", "", "pageSize", "not repeated"},
		{"parameter in its old spelling", "GET", cases + "?page_size=3", "", "page_size", "Unknown name"},
		{"path parameter in the query", "GET", cases + "?parent=projects/x", "", "parent", "Unknown name"},
		{"number as text", "GET", cases + "?pageSize=ten", "", "pageSize", "32-bit number"},
		{"negative page", "GET", cases + "?pageSize=-1", "", "pageSize", "not negative"},
		{"too large a number", "GET", cases + "?pageSize=3000000000", "", "pageSize", "32-bit number"},
		{"boolean as text", "GET", subs + "?showDeleted=yes", "", "showDeleted", "true or false"},
		{"no such format", "GET", cases + "?alt=xml", "", "alt", "one of json"},
		{"protocol buffers", "GET", cases + "?alt=proto", "", "alt", "JSON only"},
		{"media of a list", "GET", cases + "?alt=media", "", "alt", "no media"},
		{"JSONP", "GET", cases + "?callback=f", "", "callback", "JSON only"},
		{"error format", "GET", cases + "?$.xgafv=3", "", "$.xgafv", "one of 1, 2"},
		{"unknown selection", "GET", cases + "?fields=cases(title)", "", "fields", "selection"},
		{"broken selection", "GET", cases + "?fields=cases(name", "", "fields", "selection"},
		{"forged token", "GET", cases + "?pageToken=AAAA", "", "pageToken", "not valid"},
		{"body on GET", "GET", name, "{}", "", "takes no request body"},
		{"body on DELETE", "DELETE", subs + "/1", "{}", "", "takes no request body"},
		{"folder as parent", "GET", "/v2/folders/1/cases", "", "parent", "project or an organization"},
		{"organization by id", "GET", "/v2/organizations/acme/cases", "", "parent", "by its number"},
		{"not JSON", "POST", cases, `{"displayName":`, "", "not one JSON object"},
		{"two objects", "POST", cases, good + good, "", "not one JSON object"},
		{"an array", "POST", cases, `[]`, "", "must be an object"},
		{"not UTF-8", "POST", cases, "{\"displayName\":\"\xff\"}", "", "not UTF-8"},
		{"unknown field", "POST", cases, with(`"title":"x"`), "title", "Unknown name"},
		{"unknown field inside", "POST", cases, strings.Replace(good, `"id":`, `"code":1,"id":`, 1), "classification.code", "Unknown name"},
		{"field twice", "POST", cases, with(`"displayName":"x"`), "displayName", "twice"},
		{"field in both spellings", "POST", cases, with(`"display_name":"x"`), "displayName", "twice"},
		{"text as number", "POST", cases, with(`"timeZone":1`), "timeZone", "must be a string"},
		{"boolean as text", "POST", cases, strings.Replace(good, `"testCase":true`, `"testCase":"true"`, 1), "testCase", "true or false"},
		{"object as text", "POST", cases, with(`"creator":"me"`), "creator", "must be an object"},
		{"list as text", "POST", cases, strings.Replace(good, `["oncall@example.com"]`, `"oncall@example.com"`, 1), "subscriberEmailAddresses", "an array"},
		{"null in a list", "POST", cases, strings.Replace(good, `["oncall@example.com"]`, `[null]`, 1), "subscriberEmailAddresses", "null inside"},
		{"no address", "POST", cases, strings.Replace(good, "oncall@example.com", "oncall", 1), "subscriberEmailAddresses", "email"},
		{"no such priority", "POST", cases, strings.Replace(good, "P3", "HIGH", 1), "priority", "one of PRIORITY_UNSPECIFIED, P0"},
		{"wrong type of an ignored field", "POST", cases, with(`"state":"OPEN"`), "state", "one of STATE_UNSPECIFIED"},
		{"contact of a service account", "POST", cases, with(`"contactEmail":"a@example.com"`), "contactEmail", "workforce"},
		{"no title", "POST", cases, without("displayName"), "displayName", "missing"},
		{"blank title", "POST", cases, strings.Replace(good, `"displayName":"a"`, `"displayName":"  "`, 1), "displayName", "missing"},
		{"no description", "POST", cases, without("description"), "description", "missing"},
		{"no priority", "POST", cases, without("priority"), "priority", "missing"},
		{"unspecified priority", "POST", cases, strings.Replace(good, "P3", "PRIORITY_UNSPECIFIED", 1), "priority", "missing"},
		{"no classification", "POST", cases, without("classification"), "classification.id", "missing"},
		{"unknown classification", "POST", cases, strings.Replace(good, `"id":"100`, `"id":"999`, 1), "case.classification.id", "not valid"},
		{"nothing at all", "POST", cases, "", "classification.id", "missing"},
		{"empty comment", "POST", name + "/comments", `{}`, "body", "missing"},
		{"comment too long", "POST", name + "/comments", `{"body":"` + strings.Repeat("é", 12801) + `"}`, "body", "more than 12800"},
		{"mask of what is fixed", "PATCH", name + "?updateMask=description", `{"description":"x"}`, "updateMask", "may name only"},
		{"mask of everything", "PATCH", name + "?updateMask=*", `{}`, "updateMask", "may name only"},
		{"title cleared", "PATCH", name + "?updateMask=displayName", `{}`, "displayName", "must not be empty"},
		{"priority cleared without a mask", "PATCH", name, `{"displayName":"x"}`, "priority", "must not be empty"},
		{"escalation without a body", "POST", name + ":escalate", ``, "escalation", "missing"},
		{"escalation without a reason", "POST", name + ":escalate", `{"escalation":{"justification":"x"}}`, "escalation.reason", "missing"},
		{"escalation without a justification", "POST", name + ":escalate", `{"escalation":{"reason":"BUSINESS_IMPACT"}}`, "escalation.justification", "missing"},
		{"close with a field", "POST", name + ":close", `{"reason":"x"}`, "reason", "Unknown name"},
		{"attachment without a file", "POST", name + "/attachments", `{"attachment":{"filename":"a"}}`, "media", "needs its content"},
		{"attachment without a name", "POST", "/upload" + name + "/attachments?uploadType=resumable", `{"attachment":{}}`, "attachment.filename", "missing"},
		{"no such upload", "POST", "/upload" + name + "/attachments?uploadType=tus", "", "uploadType", "must be media"},
		{"multipart without parts", "POST", "/upload" + name + "/attachments?uploadType=multipart", "x", "", "multipart/related"},
		{"file parameter elsewhere", "GET", name + "?attachment.filename=a", "", "attachment.filename", "Unknown name"},
		{"topic of the wrong form", "POST", subs, `{"pubSubTopic":"support-events"}`, "pubSubTopic", "projects/{project}"},
		{"no topic", "POST", subs, `{}`, "pubSubTopic", "missing"},
		{"payload too large", "POST", cases, `{"description":"` + strings.Repeat("x", maxPayload) + `"}`, "", "exceeds the limit: 10485760"},
	}
	before := len(d.Cases())
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			a := d.send(tt.method, tt.path, tt.body)
			if a.err != nil || a.status != 400 {
				t.Fatalf("%d %v %s", a.status, a.err, a.body)
			}
			checkError(t, a, tt.field, tt.reason)
		})
	}
	if n := len(d.Cases()); n != before {
		t.Errorf("%d cases came of violations", n-before)
	}
}

func checkError(t *testing.T, a answered, field, reason string) {
	t.Helper()
	var v struct {
		Error struct {
			Code    int
			Message string
			Status  string
			Details []struct {
				Type            string `json:"@type"`
				FieldViolations []struct{ Field, Description string }
			}
		}
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil || v.Error.Code != 400 || v.Error.Status != "INVALID_ARGUMENT" {
		t.Fatalf("not Google's shape: %s", a.body)
	}
	if field == "" {
		if !strings.Contains(v.Error.Message, reason) {
			t.Errorf("message %q, want %q", v.Error.Message, reason)
		}
		return
	}
	if len(v.Error.Details) != 1 || v.Error.Details[0].Type != "type.googleapis.com/google.rpc.BadRequest" {
		t.Fatalf("details %+v", v.Error.Details)
	}
	for _, f := range v.Error.Details[0].FieldViolations {
		if f.Field == field && strings.Contains(f.Description, reason) {
			return
		}
	}
	t.Errorf("violations %+v, want %s: %s", v.Error.Details[0].FieldViolations, field, reason)
}

func TestOtherRefusals(t *testing.T) {
	d := open(t, Options{Tokens: map[string]string{"token": "a@example.com", "other": "b@example.com"}})
	name := "/v2/" + d.create("projects/acme-prod", "a", "b", "P3")
	tests := []struct {
		what, method, path, header, value string
		status                            int
		has                               string
	}{
		{"no credentials", "GET", name, "Authorization", "", 401, "UNAUTHENTICATED"},
		{"basic", "GET", name, "Authorization", "Basic dG9rZW4=", 401, "UNAUTHENTICATED"},
		{"empty token", "GET", name, "Authorization", "Bearer  ", 401, "UNAUTHENTICATED"},
		{"unknown token", "GET", name, "Authorization", "Bearer nobody", 401, "UNAUTHENTICATED"},
		{"known token", "GET", name, "Authorization", "Bearer other", 200, ""},
		{"unknown project", "GET", "/v2/projects/not-mine/cases", "", "", 403, "PERMISSION_DENIED"},
		{"unknown organization", "GET", "/v2/organizations/999/cases", "", "", 403, "PERMISSION_DENIED"},
		{"unknown case", "GET", "/v2/projects/acme-prod/cases/1", "", "", 404, "NOT_FOUND"},
		{"case under its organization", "GET", strings.Replace(name, "projects/415104041262", "organizations/123456789012", 1), "", "", 404, "NOT_FOUND"},
		{"unknown comment", "GET", name + "/comments/1", "", "", 404, "NOT_FOUND"},
		{"unknown attachment", "GET", name + "/attachments/1:download?alt=media", "", "", 404, "NOT_FOUND"},
		{"unknown subscription", "GET", "/v2/organizations/123456789012/supportEventSubscriptions/1", "", "", 404, "NOT_FOUND"},
		{"unknown path", "GET", "/v2/projects/acme-prod/tickets", "", "", 404, "NOT_FOUND"},
		{"unknown verb", "POST", name + ":reopen", "", "", 404, "NOT_FOUND"},
		{"verb of another method", "GET", name + ":close", "", "", 404, "NOT_FOUND"},
		{"wrong method", "DELETE", name, "", "", 404, "NOT_FOUND"},
		{"slash in a segment", "GET", "/v2/projects/acme-prod%2Fcases/cases", "", "", 404, "NOT_FOUND"},
		{"another version", "GET", "/v2beta/projects/acme-prod/cases", "", "", 404, "NOT_FOUND"},
		{"form instead of JSON", "POST", name + "/comments", "Content-Type", "application/x-www-form-urlencoded", 400, "application/json"},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			body := ""
			if strings.HasPrefix(tt.header, "Content") {
				body = `{"body":"x"}`
			}
			headers := []string{}
			if tt.header != "" {
				headers = append(headers, tt.header, tt.value)
			}
			a := d.send(tt.method, tt.path, body, headers...)
			if a.status != tt.status || !strings.Contains(a.body, tt.has) {
				t.Errorf("%d %s", a.status, a.body)
			}
			if tt.status == 401 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("header %v", a.header)
			}
			if tt.status != 200 && a.json(t)["error"] == nil {
				t.Errorf("not Google's shape: %s", a.body)
			}
		})
	}
}

// What the contract allows is taken: the original names of fields, null, output-only fields, the standard parameters.
func TestContractAllows(t *testing.T) {
	d := open(t, Options{})
	body := strings.Replace(d.draft("a", "b", "P3"), `"displayName"`, `"state":"CLOSED","name":"x","creator":{"email":"x"},"createTime":"x","timeZone":null,"display_name"`, 1)
	query := "?$.xgafv=2&alt=json&prettyPrint=false&key=k&quotaUser=u&access_token=a&oauth_token=o&uploadType=&upload_protocol="
	a := d.send("POST", "/v2/projects/acme-prod/cases"+query, body)
	if a.status != 200 || strings.Contains(a.body, "\n") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	c := d.Cases()[0]
	if c.DisplayName != "a" || c.State != stateNew || c.Creator != DefaultCaller || !strings.HasPrefix(c.Name, "projects/") || c.Created != d.at {
		t.Errorf("%+v", c)
	}
	list := d.must("GET", "/v2/projects/acme-prod/cases?fields=cases(name,creator/email)", "")
	data, _ := json.Marshal(list)
	if want := `{"cases":[{"creator":{"email":"` + DefaultCaller + `"},"name":"` + c.Name + `"}]}`; string(data) != want {
		t.Errorf("selected %s, want %s", data, want)
	}
	if a := d.send("POST", "/v2/"+c.Name+":close", ""); a.status != 200 {
		t.Errorf("close without a body: %d %s", a.status, a.body)
	}
}

func TestParents(t *testing.T) {
	d := open(t, Options{AnyParent: true})
	first := d.create("projects/made-up", "a", "b", "P3")
	number := strings.Split(first, "/")[1]
	if len(number) != 12 || number != rest.ProjectNumber("made-up") {
		t.Errorf("number %q", number)
	}
	d.must("GET", "/v2/"+strings.Replace(first, number, "made-up", 1), "")
	d.must("GET", "/v2/"+first, "")
	own := d.create("organizations/42", "a", "b", "P3")
	if !strings.HasPrefix(own, "organizations/42/cases/") {
		t.Errorf("name %q", own)
	}
	for parent, want := range map[string]int{"organizations/123456789012": 1, "organizations/42": 1, "projects/made-up": 1, "projects/empty-one": 0} {
		if n := len(names(d.must("GET", "/v2/"+parent+"/cases:search", ""))); n != want {
			t.Errorf("search under %s: %d, want %d", parent, n, want)
		}
	}
	if n := len(names(d.must("GET", "/v2/organizations/123456789012/cases", ""))); n != 0 {
		t.Errorf("listed %d of the organization's projects", n)
	}
	if a := d.send("GET", "/v2/projects/NOT_A_PROJECT/cases", ""); a.status != 403 {
		t.Errorf("a name that no project has: %d", a.status)
	}
}
