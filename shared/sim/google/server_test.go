package google

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that only the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// cloud is a server under test, called in process.
type cloud struct {
	t *testing.T
	*Server
	*clock
}

const number = "415104041262"

func open(t *testing.T, o Options) cloud {
	t.Helper()
	c := &clock{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	if o.Now == nil {
		o.Now = c.now
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return cloud{t, s, c}
}

// answered is what came back, or the error of the connection.
type answered struct {
	status int
	header http.Header
	body   string
	err    error
}

func (a answered) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("status %d, body %q: %v", a.status, a.body, err)
	}
	return v
}

// send calls in process. A body that is not empty is JSON.
func (c cloud) send(method, path, body string, headers ...string) answered {
	c.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, "http://google.test"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Client{Transport: recorder{c.t, c.Transport()}}).Do(r)
	if err != nil {
		return answered{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return answered{res.StatusCode, res.Header, string(data), err}
}

// must is send for a call that has to succeed.
func (c cloud) must(method, path, body string) map[string]any {
	c.t.Helper()
	a := c.send(method, path, body)
	if a.err != nil || a.status != 200 {
		c.t.Fatalf("%s %s: %d %v %s", method, path, a.status, a.err, a.body)
	}
	return a.json(c.t)
}

// refused is send for a call that has to fail with a code, and say a thing.
func (c cloud) refused(method, path, body string, status int, has string) {
	c.t.Helper()
	a := c.send(method, path, body)
	if a.err != nil || a.status != status || !strings.Contains(a.body, has) {
		c.t.Errorf("%s %s: %d %v %s, want %d with %q", method, path, a.status, a.err, a.body, status, has)
		return
	}
	var v struct {
		Error struct {
			Code            int
			Message, Status string
		}
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil || v.Error.Code != status || v.Error.Status == "" || v.Error.Message == "" {
		c.t.Errorf("not Google's shape: %s", a.body)
	}
}

// recorder holds every answer against the schema that the contract has for it.
type recorder struct {
	t    *testing.T
	next http.RoundTripper
}

func (rec recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := rec.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(data))
	u := *r.URL
	if route, _ := find(r.Method, &u); route != nil && err == nil && res.StatusCode == 200 && json.Valid(data) {
		if _, f := parsePayload(route.api.schemas, route.method.Response, data); f != nil {
			rec.t.Errorf("%s answered against its schema: %v", route.method.Op, f)
		}
	}
	return res, err
}

// examples are paths that a method's pattern allows.
var examples = regexp.MustCompile(`\[\^/\]\+`)

func TestEveryMethodIsServedOnItsOwnPath(t *testing.T) {
	c := open(t, Options{})
	for _, r := range routes {
		if c.operations[r.method.Op].run == nil {
			t.Errorf("%s is not served", r.method.Op)
		}
		path := strings.NewReplacer("^", "", "$", "", `\`, "").Replace(examples.ReplaceAllString(r.path.String(), "x1"))
		path = strings.NewReplacer("(", "", ")", "", "[/:]+", "x1").Replace(path)
		found := 0
		for _, other := range routes {
			if other.method.HTTP == r.method.HTTP && other.path.MatchString(path) {
				found++
			}
		}
		if got, _ := find(r.method.HTTP, &url.URL{Path: path}); found != 1 || got == nil || got.method.Op != r.method.Op {
			t.Errorf("%s: %d methods at %s", r.method.Op, found, path)
		}
	}
	if len(routes) != 48 || len(c.operations) != len(routes) {
		t.Errorf("%d methods, %d served", len(routes), len(c.operations))
	}
	t.Logf("%d methods of %d APIs, no two at one path", len(routes), len(apis))
}

func TestControls(t *testing.T) {
	c := open(t, Options{})
	c.must("POST", "/permissions", `{"permission":"serviceusage.services.get","do":"deny"}`)
	c.refused("GET", "/v1/projects/acme-prod/services/run.googleapis.com", "", 403, "IAM_PERMISSION_DENIED")
	c.must("POST", "/permissions", `{"permission":"serviceusage.services.get","do":"allow"}`)
	c.must("GET", "/v1/projects/acme-prod/services/run.googleapis.com", "")
	c.must("POST", "/services", `{"service":"run.googleapis.com","do":"no-billing"}`)
	c.refused("POST", "/v1/projects/acme-prod/services/run.googleapis.com:enable", "", 400, "UREQ_PROJECT_BILLING_NOT_FOUND")
	c.must("POST", "/services", `{"service":"run.googleapis.com","do":"accept"}`)
	c.must("POST", "/services", `{"project":"acme-prod","service":"run.googleapis.com","do":"use"}`)
	for path, body := range map[string]string{
		"/permissions": `{"permission":"x","do":"maybe"}`, "/services": `{"service":"no","do":"accept"}`, "/faults": `{"op":"*","fault":"explode"}`,
	} {
		c.refused("POST", path, body, 400, "INVALID_ARGUMENT")
		c.refused("POST", path, `{"extra":1}`, 400, "INVALID_ARGUMENT")
	}
	c.refused("GET", "/elsewhere", "", 404, "NOT_FOUND")
	counts := c.must("GET", "/calls", "")["counts"].(map[string]any)
	if counts["serviceusage.services.get"] != 2.0 || counts["serviceusage.services.enable"] != 1.0 {
		t.Errorf("counts %v", counts)
	}
}

func TestTokens(t *testing.T) {
	c := open(t, Options{RequireToken: true, Tokens: map[string]string{"good": "a@example.com"}})
	for header, status := range map[string]int{"": 401, "Basic Zzo=": 401, "Bearer ": 401, "Bearer bad": 401, "bearer good": 200} {
		if a := c.send("GET", "/v3/projects/acme-prod", "", "Authorization", header); a.status != status {
			t.Errorf("%q: %d", header, a.status)
		}
	}
	if a := open(t, Options{}).send("GET", "/v3/projects/acme-prod", ""); a.status != 200 {
		t.Errorf("open server: %d", a.status)
	}
}

// A call about a project whose API is off is refused in Google's words, and goes through once the API is on.
func TestServiceDisabled(t *testing.T) {
	c := open(t, Options{RequireEnabled: true, Projects: map[string]string{"acme-prod": number, "tenant-one": "222222222222"}, OperationPolls: -1})
	for path, service := range map[string]string{
		"/v1/projects/tenant-one/contacts":                                                                    "essentialcontacts",
		"/v1/projects/tenant-one/locations/global/events":                                                     "servicehealth",
		"/v1/projects/tenant-one/locations/global/recommenders/google.iam.policy.Recommender/recommendations": "recommender",
	} {
		c.refused("GET", path, "", 403, `"reason": "SERVICE_DISABLED"`)
		c.refused("GET", path, "", 403, `"consumer": "projects/222222222222"`)
		c.must("POST", "/v1/projects/tenant-one/services/"+service+".googleapis.com:enable", "{}")
		c.must("GET", path, "")
	}
	c.refused("GET", "/v1/organizations/123456789012/contacts", "", 403, `"consumer": "projects/`+number+`"`)
	c.must("POST", "/v3/projects/tenant-one:getIamPolicy", "")
}
