package hub

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that only the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// world is a server under test, called in process by whoever has the roles.
type world struct {
	t *testing.T
	*Server
	clock *clock
}

func open(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newWorld(t *testing.T, o Options) world {
	t.Helper()
	c := &clock{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	if o.Now == nil {
		o.Now = c.now
	}
	return world{t, open(t, o), c}
}

// reply of a call, or the error of the connection.
type answered struct {
	status int
	header http.Header
	body   string
	err    error
}

func (a answered) json(t *testing.T) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(a.body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("status %d, body %.200q: %v", a.status, a.body, err)
	}
	return v
}

func (a answered) object(t *testing.T) map[string]any {
	t.Helper()
	m, _ := a.json(t).(map[string]any)
	return m
}

func (a answered) array(t *testing.T) []map[string]any {
	t.Helper()
	list, ok := a.json(t).([]any)
	if !ok {
		t.Fatalf("no array: %.200s", a.body)
	}
	all := []map[string]any{}
	for _, v := range list {
		all = append(all, v.(map[string]any))
	}
	return all
}

func do(t testing.TB, c *http.Client, r *http.Request) answered {
	t.Helper()
	res, err := c.Do(r)
	if err != nil {
		return answered{err: err}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return answered{res.StatusCode, res.Header, string(data), err}
}

// raw sends a request as it is.
func (w world) raw(method, path, body string, headers ...string) answered {
	w.t.Helper()
	r, err := http.NewRequest(method, "http://hub.test"+path, strings.NewReader(body))
	check(w.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return do(w.t, &http.Client{Transport: w.Transport()}, r)
}

// access exchanges the API token of an organization with the roles.
func (w world) access(org string, roles ...string) string {
	w.t.Helper()
	token := w.TokenFor(org, roles...)
	a := w.raw("POST", "/api/auth/v1/authn/accesstoken", `{"refreshToken":"`+token+`"}`, "Content-Type", "application/json")
	if token == "" || a.status != 200 {
		w.t.Fatalf("no access for %v: %d %s", roles, a.status, a.body)
	}
	return a.object(w.t)["accessToken"].(string)
}

// send calls as the owner of the provider.
func (w world) send(method, path, body string) answered {
	w.t.Helper()
	return w.as(w.access(Provider, providerRoles...), method, path, body)
}

func (w world) as(access, method, path, body string) answered {
	w.t.Helper()
	h := []string{"csp-auth-token", access}
	if body != "" {
		h = append(h, "Content-Type", "application/json")
	}
	return w.raw(method, path, body, h...)
}

// must is send for a call that has to succeed.
func (w world) must(method, path, body string) answered {
	w.t.Helper()
	return w.fine(w.send(method, path, body))
}

func (w world) fine(a answered) answered {
	w.t.Helper()
	if a.err != nil || a.status < 200 || a.status > 299 {
		w.t.Fatalf("%d %v %s", a.status, a.err, a.body)
	}
	return a
}

// control calls a control endpoint, which has to succeed.
func (w world) control(method, path, body string) answered {
	w.t.Helper()
	return w.fine(w.raw(method, path, body))
}

// refused checks the status and the shape of an error, and that it names the field.
func refused(t *testing.T, what string, a answered, status int, field string) {
	t.Helper()
	if a.err != nil || a.status != status {
		t.Errorf("%s: %d %v %s, want %d", what, a.status, a.err, a.body, status)
		return
	}
	v := a.object(t)
	if v["message"] == "" || v["majorErrorCode"] != json.Number(strconv.Itoa(status)) || v["minorErrorCode"] == "" || v["parameterList"] == nil {
		t.Errorf("%s: not the shape of an error: %s", what, a.body)
	}
	if field != "" && !slices.Contains(v["parameterList"].([]any), any(field)) {
		t.Errorf("%s: %s does not name %s", what, a.body, field)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const (
	orgs    = "/api/core/v1/mgmt/orgs/"
	users   = "/api/auth/v1/orgs/"
	bills   = "/api/billing/v1/orgs/"
	tickets = "/api/support/v1/orgs/"
)

const tenantJSON = `{"tenantType":"DEFAULT","country":"US","displayName":"New","companyName":"New Inc","city":"Atlanta","state":"GA","zip":"1","domain":"new.example","adminUserEmail":"","tag":"t1"}`

func ticketJSON(org, title string) string {
	return `{"severity":"3 - Medium","issueCategoryId":"VMware Cloud Services - User Management","userAgreedToEula":"false","internalTicketId":"i1",` +
		`"phoneNumber":"+91","preferredContactMethod":"Phone","description":"d","timeZone":"(GMT+05:30) India Standard Time","category":"nonTechnical",` +
		`"title":"` + title + `","orgId":"` + org + `"}`
}

// ticket makes a support request of the provider.
func (w world) ticket(title string) string {
	w.t.Helper()
	a := w.must("POST", tickets+Provider+"/support-requests", ticketJSON(Provider, title))
	where := a.header.Get("Location")
	return where[strings.LastIndexByte(where, '/')+1:]
}
