package hub

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// A body is taken or refused, and one that is taken can be decoded and has no field but the guide's.
func FuzzBody(f *testing.F) {
	for _, e := range examples {
		f.Add([]byte(e.body))
	}
	for _, body := range []string{`{"users":[{"username":[]}]}`, `{"emails":[[[[`, `{"a":1}{"a":1}`, "{\"zip\":\"\xff\"}", `{"users":null}`, `{"userAgreedToEula":true,"userAgreedToEula":"x"}`, ``} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, r := range routes {
			if r.body == nil {
				continue
			}
			bad := checkBody(r.body, body)
			if bad != nil {
				if bad.Code != 400 || !utf8.ValidString(bad.Message) || len(bad.Fields) > 20 {
					t.Fatalf("%s: %+v", r.Op, bad)
				}
				continue
			}
			var v map[string]any
			if err := json.Unmarshal(body, &v); err != nil {
				t.Fatalf("%s takes what cannot be decoded: %v", r.Op, err)
			}
			for name := range v {
				if named(r.body, name) == nil {
					t.Fatalf("%s takes %q", r.Op, name)
				}
			}
		}
	})
}

// Whatever a request says, it is answered, and never with a 5xx.
func FuzzRequest(f *testing.F) {
	fill := strings.NewReplacer("{provider}", Provider, "{tenant}", TenantCoke, "{request}", "12345678901", "{file}", "x", "{token}", "x")
	for _, e := range examples {
		path, query, _ := strings.Cut(fill.Replace(e.path), "?")
		f.Add(e.method, path, query, "application/json", fill.Replace(e.body))
	}
	f.Add("POST", tickets+Provider+"/support-requests/1/upload", "", formType, formBody)
	f.Add("GET", bills+Provider+"/usage-report/file", "startTime=0&endTime=99999999999999999", "", "")
	f.Add("GET", tickets+Provider+"/support-requests", "pageStart=9223372036854775807&pageLimit=1000", "", "")
	f.Add("POST", "/switches", "", "", `{"unit":"chaos"}`)
	f.Add("POST", "/clock", "", "", `{"advance":"876000h"}`)
	f.Add("POST", "/restate", "", "", `{"orgId":"`+TenantCoke+`","month":"2026-01"}`)
	f.Fuzz(func(t *testing.T, method, path, query, contentType, body string) {
		if strings.HasPrefix(path, "/faults") {
			return // an injected fault may answer 5xx, or wait
		}
		w := newWorld(t, Options{Switches: Switches{AddUsersPatch: true, CreateReply: "both"}})
		r := &http.Request{
			Method: method, URL: &url.URL{Scheme: "http", Host: "hub.test", Path: path, RawQuery: query},
			Header: http.Header{"Csp-Auth-Token": {w.access(Provider, providerRoles...)}, "Content-Type": {contentType}},
			Body:   http.NoBody,
		}
		if body != "" {
			r.Body = readCloser{strings.NewReader(body)}
		}
		a := do(t, &http.Client{Transport: w.Transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, r)
		if a.err != nil || a.status < 200 || a.status >= 500 {
			t.Fatalf("answered %d %v", a.status, a.err)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
