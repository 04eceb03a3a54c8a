package cloudsupport

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

func FuzzQuery(f *testing.F) {
	for _, q := range []string{``, `state=OPEN AND (priority=P0 OR priority=P1)`, `"a \" b" c`, `update_time>"2020-01-01T00:00:00-05:00"`, `((((`, `a=b=c`, "\xff", `- OR AND`} {
		f.Add(q)
	}
	d := &dossier{caseRecord: caseRecord{Title: "a", State: stateNew}}
	f.Fuzz(func(t *testing.T, text string) {
		for _, lang := range []grammar{caseFilter, caseQuery, subscriptionFields, classFields} {
			q, bad := parseQuery(text, lang)
			if (q == nil) == (bad == nil) {
				t.Fatalf("%q: both or neither of query and failure", text)
			}
			if bad != nil && (bad.Code != 400 || len(bad.Fields) == 0) {
				t.Fatalf("%q: %+v", text, bad)
			}
			if q != nil {
				q.matches(indexedCase{caseRecord: d.caseRecord})
				q.matches(subscriptionRecord{})
				q.matches(classRecord{})
			}
		}
	})
}

// Whatever a request says, it is answered, and never with a 5xx.
func FuzzRequest(f *testing.F) {
	const name = "/v2/projects/acme-prod/cases/12345678"
	for _, m := range methods {
		f.Add(m.HTTP, "/v2/projects/acme-prod/cases", "pageSize=3", "application/json", "", `{"displayName":"a"}`)
		f.Add(m.HTTP, strings.Replace(m.Path, "{+name}", "organizations/123456789012/supportEventSubscriptions/1", 1), "", "application/json", "", `{}`)
		f.Add(m.HTTP, strings.Replace(m.Path, "{+parent}", name[4:], 1), "fields=name", "application/json", "", `{"body":"x"}`)
	}
	f.Add("POST", "/upload"+name+"/attachments", "uploadType=multipart", "multipart/related; boundary=b", "", "--b\r\n\r\n{}\r\n--b\r\n\r\nx\r\n--b--")
	f.Add("PUT", "/upload"+name+"/attachments", "uploadType=resumable&upload_id=x", "a/b", "bytes 0-1/*", "xy")
	f.Add("POST", "/faults", "", "", "", `{"op":"cases.list","fault":"search_lag:1s"}`)
	f.Add("POST", "/cases/12345678/reply", "", "", "", `{"body":"x","state":"NEW"}`)
	f.Add("POST", "/v2/projects/acme-prod/cases", "", "application/json", "", `{"classification":{"id":[]},"subscriberEmailAddresses":[[]],"creator":{"x":{}}}`)
	f.Fuzz(func(t *testing.T, method, path, query, contentType, contentRange, body string) {
		if strings.HasPrefix(path, "/faults") && strings.Contains(body, ":") && !strings.Contains(body, "search_lag") {
			return // an injected fault may answer 5xx, or wait
		}
		d := open(t, Options{AnyParent: true, CommentsOnClosed: true})
		d.create("projects/acme-prod", "a", "b", "P3")
		r := &http.Request{
			Method: method, URL: &url.URL{Scheme: "http", Host: "desk.test", Path: path, RawQuery: query},
			Header: http.Header{"Authorization": {"Bearer x"}, "Content-Type": {contentType}, "Content-Range": {contentRange}},
			Body:   http.NoBody,
		}
		if body != "" {
			r.Body = http.MaxBytesReader(nil, readCloser{strings.NewReader(body)}, 1<<20)
		}
		res, err := d.Transport().RoundTrip(r)
		if err != nil {
			t.Fatalf("broke: %v", err)
		}
		if res.StatusCode < 200 || res.StatusCode >= 500 {
			t.Fatalf("answered %d", res.StatusCode)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func FuzzPayload(f *testing.F) {
	f.Add("Case", []byte(`{"displayName":"a","classification":{"id":"x"},"subscriberEmailAddresses":["a"]}`))
	f.Add("EscalateCaseRequest", []byte(`{"escalation":{"reason":"BUSINESS_IMPACT"}}`))
	f.Add("Media", []byte(`{"compositeMedia":[{"objectId":{}}]}`))
	f.Fuzz(func(t *testing.T, schema string, body []byte) {
		obj, bad := parsePayload(schema, body)
		if (obj == nil) == (bad == nil) {
			t.Fatalf("both or neither of object and failure: %v %v", obj, bad)
		}
		for name := range obj {
			if rest.Named(schemas[schema], name) == nil {
				t.Fatalf("%q is no field of %s", name, schema)
			}
		}
	})
}
