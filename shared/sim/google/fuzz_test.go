package google

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// Whatever a request says, it is answered, and never with a 5xx.
func FuzzRequest(f *testing.F) {
	for _, r := range routes {
		path := strings.NewReplacer(
			"{+parent}", "projects/acme-prod", "{+resource}", "projects/acme-prod", "{+name}", "projects/acme-prod/contacts/0").Replace(r.method.Path)
		f.Add(r.method.HTTP, path, "pageSize=3", "application/json", `{"policy":{"bindings":[{"role":"roles/viewer","members":["user:a@b.c"]}]}}`)
	}
	f.Add("POST", "/v1/projects/acme-prod/contacts:sendTestMessage", "", "application/json", `{"contacts":["projects/415104041262/contacts/0","x","/"],"notificationCategory":"ALL"}`)
	f.Add("PATCH", "/v1/projects/acme-prod/contacts/0", "updateMask=language_tag,", "application/json", `{"languageTag":"de"}`)
	f.Add("GET", "/v1/projects/acme-prod/services:batchGet", "names=a&names=projects/acme-prod/services/", "", "")
	f.Add("GET", "/v1/projects/acme-prod/locations/global/events", "filter=NOT+(state=ACTIVE)", "", "")
	f.Add("POST", "/services", "", "", `{"project":"acme-prod","service":"run.googleapis.com","do":"use"}`)
	f.Fuzz(func(t *testing.T, method, path, query, contentType, body string) {
		if strings.HasPrefix(path, "/faults") && strings.Contains(body, "fault") {
			return // an injected fault may answer 5xx, or wait
		}
		c := open(t, Options{AnyParent: true, RequireEnabled: len(body)%2 == 1})
		tx := c.begin(c.at)
		tx.putContact(contactRecord{Parent: project, Email: "a@example.com", Language: "en", Categories: []string{"ALL"}, Validated: c.at})
		if err := tx.commit(); err != nil {
			t.Fatal(err)
		}
		r := &http.Request{
			Method: method, URL: &url.URL{Scheme: "http", Host: "google.test", Path: path, RawQuery: query},
			Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)),
		}
		res, err := recorder{t, c.Transport()}.RoundTrip(r)
		if err != nil {
			t.Fatalf("broke: %v", err)
		}
		if res.StatusCode < 200 || res.StatusCode >= 500 {
			t.Fatalf("answered %d", res.StatusCode)
		}
	})
}

func FuzzPayload(f *testing.F) {
	f.Add("SetIamPolicyRequest", []byte(`{"policy":{"version":3,"etag":"BwAA","bindings":[{"role":"r","members":["a"],"condition":{"title":"t"}}]},"updateMask":"bindings"}`))
	f.Add("BatchEnableServicesRequest", []byte(`{"service_ids":["a"]}`))
	f.Add("Operation", []byte(`{"response":{"@type":"x","a":[1]},"error":{"code":3}}`))
	f.Add("OrganizationEvent", []byte(`{"eventImpacts":[{"product":{"id":"x"}}]}`))
	f.Fuzz(func(t *testing.T, schema string, body []byte) {
		for _, a := range apis {
			obj, bad := parsePayload(a.schemas, schema, body)
			if (obj == nil) == (bad == nil) {
				t.Fatalf("both or neither of object and failure: %v %v", obj, bad)
			}
			for name := range obj {
				if rest.Named(a.schemas[schema], name) == nil {
					t.Fatalf("%q is no field of %s", name, schema)
				}
			}
		}
	})
}

func FuzzFilter(f *testing.F) {
	for _, text := range []string{``, `state=ACTIVE category=INCIDENT`, `(state = "A b" OR -state:x) AND NOT relevance!=y`, "((((", "\xff=", `state="\"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		match, bad := parseFilter(text, "category", "state", "relevance")
		if (match == nil) == (bad == nil) {
			t.Fatalf("%q: both or neither of filter and failure", text)
		}
		if match != nil {
			match(Event{State: "ACTIVE"}.value)
		}
	})
}
