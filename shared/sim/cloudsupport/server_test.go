package cloudsupport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	api "google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/option"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that only the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)} }

// desk is a server under test, called in process.
type desk struct {
	t *testing.T
	*Server
	*clock
}

func open(t *testing.T, o Options) desk {
	t.Helper()
	c := newClock()
	if o.Now == nil {
		o.Now = c.now
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return desk{t, s, c}
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
func (d desk) send(method, path, body string, headers ...string) answered {
	d.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, "http://desk.test"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer token")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	return do(d.t, &http.Client{Transport: d.Transport()}, r)
}

func do(t *testing.T, c *http.Client, r *http.Request) answered {
	t.Helper()
	res, err := c.Do(r)
	if err != nil {
		return answered{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return answered{res.StatusCode, res.Header, string(data), err}
}

// must is send for a call that has to succeed.
func (d desk) must(method, path, body string) map[string]any {
	d.t.Helper()
	a := d.send(method, path, body)
	if a.err != nil || a.status != 200 {
		d.t.Fatalf("%s %s: %d %v %s", method, path, a.status, a.err, a.body)
	}
	return a.json(d.t)
}

const computeEngine = "Technical Issue > Compute > Compute Engine"

// classID looks an id up as a client does.
func (d desk) classID(name string) string {
	d.t.Helper()
	q := "/v2/caseClassifications:search?query=" + escape(fmt.Sprintf("display_name:%q", name))
	list, _ := d.must("GET", q, "")["caseClassifications"].([]any)
	if len(list) != 1 {
		d.t.Fatalf("%q: %d classifications", name, len(list))
	}
	return list[0].(map[string]any)["id"].(string)
}

func (d desk) draft(title, description, priority string) string {
	data, _ := json.Marshal(map[string]any{
		"displayName": title, "description": description, "priority": priority, "testCase": true,
		"classification":           map[string]string{"id": d.classID(computeEngine)},
		"subscriberEmailAddresses": []string{"oncall@example.com"},
	})
	return string(data)
}

// create opens a case and returns its name.
func (d desk) create(parent, title, description, priority string) string {
	d.t.Helper()
	return d.must("POST", "/v2/"+parent+"/cases", d.draft(title, description, priority))["name"].(string)
}

func (d desk) reply(name, body, state string) answered {
	d.t.Helper()
	data, _ := json.Marshal(map[string]string{"body": body, "state": state})
	return d.send("POST", "/cases/"+name+"/reply", string(data))
}

func escape(s string) string {
	return strings.NewReplacer("%", "%25", " ", "%20", `"`, "%22", ">", "%3E", "<", "%3C", "+", "%2B", "=", "%3D", "&", "%26", "#", "%23").Replace(s)
}

// names are those of a listing's cases.
func names(v map[string]any) []string {
	var all []string
	list, _ := v["cases"].([]any)
	for _, c := range list {
		all = append(all, c.(map[string]any)["name"].(string))
	}
	return all
}

func TestEveryMethodIsServed(t *testing.T) {
	d := open(t, Options{})
	for _, m := range methods {
		if d.operations[m.Op] == nil {
			t.Errorf("%s is not served", m.Op)
		}
	}
	t.Logf("%d methods", len(methods))
	if len(methods) != 22 || len(d.operations) != 22 {
		t.Errorf("%d methods published, %d served, want 22", len(methods), len(d.operations))
	}
}

// realClient is Google's generated client over a real network connection, with the server mounted as `up` mounts it.
func realClient(t *testing.T, s *Server) *api.Service {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/sim/cloudsupport/", http.StripPrefix("/sim/cloudsupport", s))
	mux.Handle("/upload/v2/", s) // where Google's client sends files, whatever the path of its endpoint
	ts := httptest.NewServer(mux)
	t.Cleanup(ts.Close)
	hc := &http.Client{Transport: recorder{t, bearer{ts.Client().Transport}}}
	c, err := api.NewService(context.Background(), option.WithHTTPClient(hc), option.WithEndpoint(ts.URL+"/sim/cloudsupport/"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type bearer struct{ next http.RoundTripper }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer token")
	return b.next.RoundTrip(r)
}

// recorder holds every JSON answer against the schema that the contract has for it.
type recorder struct {
	t    *testing.T
	next http.RoundTripper
}

func (rec recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := rec.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	u := *r.URL
	u.Path = strings.TrimPrefix(u.Path, "/sim/cloudsupport")
	u.RawPath = ""
	route, _ := find(r.Method, &u)
	if route == nil {
		rec.t.Errorf("no method for %s %s", r.Method, u.Path)
		return res, nil
	}
	data, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(data))
	if err == nil && res.StatusCode == 200 && strings.Contains(res.Header.Get("Content-Type"), "json") && !route.method.Download {
		if _, f := parsePayload(route.method.Response, data); f != nil {
			rec.t.Errorf("%s answered against its schema: %v", route.method.Op, f)
		}
	}
	return res, err
}
