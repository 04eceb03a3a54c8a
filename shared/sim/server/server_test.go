package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is the smallest simulator there is: things are put on it and listed. What stands there is in a journal.
type shelf struct {
	t *testing.T
	*Server
	journal *Journal[thing]

	mu     sync.Mutex
	at     time.Time
	things things
}

type thing struct {
	Name string    `json:"name"`
	Made time.Time `json:"made"`
}

type things struct{ list []thing }

func (s *things) Replay(v thing) error {
	if v.Name == "" {
		return errors.New("a thing without a name")
	}
	s.list = append(s.list, v)
	return nil
}

func (s *things) Changes() []thing { return s.list }

const limit = 1000 // bytes of a thing

func open(t *testing.T, b Behaviour) *shelf {
	t.Helper()
	s := &shelf{t: t, at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	if b.Now == nil {
		b.Now = s.now
	}
	b.API = func(path string) bool { return strings.HasPrefix(path, "/api/") }
	b.Find, b.Control, b.Render, b.Fail = s.find, s.control, render, func(code int) Reply { return render(nil, status(code)) }
	b.Garbage = Typed(http.StatusOK, "application/json", []byte(`{"na`))
	b.Known = func(op string) bool { return strings.HasPrefix(op, "things.") }
	b.Lagging = []string{"things.list"}
	s.Server, s.journal = New(b), &Journal[thing]{}
	return s
}

func (s *shelf) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *shelf) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

func (s *shelf) find(r *http.Request) (*Method, Reply) {
	run, ok := map[string]func(context.Context, *Request, time.Time) Reply{"POST": s.create, "GET": s.list, "HEAD": s.list, "PUT": s.look}[r.Method]
	if !ok || r.URL.Path != "/api/things" {
		return nil, render(nil, status(404))
	}
	op := map[string]string{"POST": "things.create", "PUT": "things.look"}[r.Method]
	return &Method{Op: cmp.Or(op, "things.list"), Limit: limit, Run: run}, Reply{}
}

func (s *shelf) create(_ context.Context, rq *Request, at time.Time) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := thing{string(rq.Body), at}
	if err := s.journal.Append(v); err != nil {
		return render(nil, err)
	}
	s.things.list = append(s.things.list, v)
	return render(v, nil)
}

func (s *shelf) list(_ context.Context, rq *Request, at time.Time) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, v := range s.things.list {
		if !v.Made.After(at.Add(-rq.Lag)) {
			names = append(names, v.Name)
		}
	}
	if rq.Query.Get("stream") != "" {
		return Reply{Status: http.StatusOK, Stream: strings.NewReader(strings.Join(names, ","))}
	}
	return render(names, nil)
}

// look shows what came in.
func (s *shelf) look(_ context.Context, rq *Request, _ time.Time) Reply {
	return render([]any{rq.Base.String(), rq.BadQuery, rq.TooLarge, len(rq.Body)}, nil)
}

func (s *shelf) control(r *http.Request) (any, error) {
	switch r.URL.Path {
	case "/raw":
		return Typed(http.StatusAccepted, "text/plain", []byte("raw")), nil
	case "/cooked":
		return "cooked", nil
	}
	return Reply{Status: http.StatusOK}, status(404)
}

// names are what stands on the shelf.
func (s *shelf) names() string {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, v := range s.things.list {
		all = append(all, v.Name)
	}
	return strings.Join(all, " ")
}

type status int

func (s status) Error() string { return http.StatusText(int(s)) }

func render(v any, err error) Reply {
	code, refused := http.StatusOK, &Refusal{}
	switch {
	case errors.As(err, &refused):
		code, v = http.StatusBadRequest, refused.Message
	case err != nil:
		if s, ok := err.(status); ok {
			code = int(s)
		} else {
			code = http.StatusServiceUnavailable
		}
		v = err.Error()
	}
	data, err := json.Marshal(v)
	if err != nil {
		return Reply{Status: http.StatusInternalServerError}
	}
	a := Typed(code, "application/json", data)
	if code >= 400 {
		a.Reason = http.StatusText(code)
	}
	return a
}

// answered is what came back, or the error of the connection.
type answered struct {
	status int
	header http.Header
	body   string
	err    error
}

func do(c *http.Client, r *http.Request) answered {
	res, err := c.Do(r)
	if err != nil {
		return answered{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answered{res.StatusCode, res.Header, string(body), err}
}

func (s *shelf) send(method, path, body string) answered {
	return s.through(&http.Client{Transport: s.Transport()}, method, "http://shelf.test"+path, body)
}

func (s *shelf) through(c *http.Client, method, url, body string) answered {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return answered{err: err}
	}
	return do(c, r)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What a request says about itself is the same in process and over a network, under a mount, with and without TLS.
func TestRequest(t *testing.T) {
	s := open(t, Behaviour{})
	mounted := http.StripPrefix("/sim/shelf", s.Server)
	plain, tls := httptest.NewServer(mounted), httptest.NewTLSServer(mounted)
	defer plain.Close()
	defer tls.Close()
	local := &http.Client{Transport: s.Transport()}
	for _, tt := range []struct {
		client *http.Client
		at     string // where the server is
		query  string
		body   int
		want   string
	}{
		{local, "http://shelf.test", "", 3, `false,false,3`},
		{local, "https://shelf.test", "", 0, `false,false,0`},
		{plain.Client(), plain.URL + "/sim/shelf", "", limit, `false,false,1000`},
		{tls.Client(), tls.URL + "/sim/shelf", "?a=b", limit + 1, `false,true,0`},
		{local, "http://shelf.test", "?a=%zz", 1, `true,false,1`},
		{plain.Client(), plain.URL + "/sim/shelf", "?a;b", 5 * limit, `true,true,0`},
	} {
		a := s.through(tt.client, "PUT", tt.at+"/api/things"+tt.query, strings.Repeat("x", tt.body))
		if want := `["` + tt.at + `",` + tt.want + `]`; a.body != want {
			t.Errorf("%v %s, want %s", a.err, a.body, want)
		}
	}
}

// HEAD has no body but its length; an answer of any size has no length.
func TestAnswers(t *testing.T) {
	s := open(t, Behaviour{})
	ts := httptest.NewServer(s.Server)
	defer ts.Close()
	s.send("POST", "/api/things", "a")
	for _, way := range []struct {
		client *http.Client
		at     string
	}{{&http.Client{Transport: s.Transport()}, "http://shelf.test"}, {ts.Client(), ts.URL}} {
		for _, tt := range []struct{ request, body, length, kind string }{
			{"GET /api/things", `["a"]`, "5", "application/json"},
			{"HEAD /api/things", ``, "", "application/json"},
			{"GET /api/things?stream=1", "a", "", ""},
			{"GET /raw", "raw", "3", "text/plain"},
			{"GET /cooked", `"cooked"`, "8", "application/json"},
			{"GET /nothing", `"Not Found"`, "11", "application/json"},
		} {
			method, path, _ := strings.Cut(tt.request, " ")
			a := s.through(way.client, method, way.at+path, "")
			if a.err != nil || a.body != tt.body || tt.kind != "" && a.header.Get("Content-Type") != tt.kind || tt.length != "" && a.header.Get("Content-Length") != tt.length {
				t.Errorf("%s %s: %v %q %v", way.at, tt.request, a.err, a.body, a.header)
			}
		}
	}
}

// A caller that breaks off while it speaks is no call.
func TestBrokenOff(t *testing.T) {
	s := open(t, Behaviour{})
	gone := errors.New("gone")
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://shelf.test/api/things", io.MultiReader(strings.NewReader("a"), broken{}))
	check(t, err)
	if _, err := s.Transport().RoundTrip(r); !errors.Is(err, errCut) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := s.Transport().RoundTrip(r.WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, counts := s.Calls(); len(counts) != 0 || s.names() != "" {
		t.Errorf("%v %s", counts, s.names())
	}
}

// Many callers at once, over a network: nothing is lost and nothing is done twice, whatever else is asked meanwhile.
func TestParallel(t *testing.T) {
	s := open(t, Behaviour{})
	ts := httptest.NewServer(s.Server)
	defer ts.Close()
	check(t, s.ArmFault("things.create", "late:1s", 20))
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 5 {
				for _, request := range []string{"POST /api/things", "GET /api/things", "GET /calls", "GET /faults"} {
					method, path, _ := strings.Cut(request, " ")
					if a := s.through(ts.Client(), method, ts.URL+path, "a"); a.err != nil || a.status != 200 && a.status != 504 {
						t.Errorf("%s: %d %v", request, a.status, a.err)
					}
				}
			}
		})
	}
	callers.Wait()
	s.advance(time.Second)
	if n := strings.Count(s.names(), "a"); n != 40 {
		t.Errorf("%d things, want 40", n)
	}
	log, counts := s.Calls()
	late := slices.DeleteFunc(log, func(c Call) bool { return c.Fault == "" })
	if counts["things.create"] != 40 || counts["things.list"] != 40 || len(late) != 20 {
		t.Errorf("%v, %d of them late", counts, len(late))
	}
}

// Calls are remembered up to a number, and counted all.
func TestCalls(t *testing.T) {
	s := open(t, Behaviour{Marker: regexp.MustCompile(`\bREF[0-9]+\b`)})
	check(t, s.ArmFault("things.create", "drop", 1))
	s.send("POST", "/api/things", "see REF12.")
	s.send("GET", "/api/things?b=x&q=%22REF34%22", "")
	s.send("GET", "/api/"+strings.Repeat("x", 2*maxPath), "")
	log, _ := s.Calls()
	want := []Call{
		{Op: "things.create", Method: "POST", Path: "/api/things", At: s.at, Marker: "REF12", Fault: "drop"},
		{Op: "things.list", Method: "GET", Path: "/api/things", Status: 200, At: s.at, Marker: "REF34"},
		{Op: "unknown", Method: "GET", Path: "/api/" + strings.Repeat("x", maxPath-5), Status: 404, At: s.at, Reason: "Not Found"},
	}
	if !slices.Equal(log, want) {
		t.Errorf("got  %+v\nwant %+v", log, want)
	}
	for range maxCalls - 1 {
		s.calls.add(Call{Op: "x"})
	}
	var shown struct {
		Calls  []Call         `json:"calls"`
		Counts map[string]int `json:"counts"`
	}
	check(t, json.Unmarshal([]byte(s.send("GET", "/calls", "").body), &shown))
	if len(shown.Calls) != maxCalls || shown.Calls[0] != want[2] || shown.Counts["x"] != maxCalls-1 || shown.Counts["things.create"] != 1 {
		t.Errorf("%d calls, the first %+v, %v", len(shown.Calls), shown.Calls[0], shown.Counts)
	}
}

// Ids follow from the seed, and a page token is good for its listing only.
func TestIDs(t *testing.T) {
	if a, b := IDs(1).Draw("case", 1), IDs(1).Draw("case", 1); a != b {
		t.Error("the same seed, another id")
	}
	for _, other := range [][32]byte{IDs(2).Draw("case", 1), IDs(1).Draw("case", 2), IDs(1).Draw("other", 1)} {
		if other == IDs(1).Draw("case", 1) {
			t.Error("an id was drawn twice")
		}
	}
	for n := range uint64(100) {
		random := IDs(n).Draw("form", n)
		if d := Digits(random, 8); len(d) != 8 || d[0] == '0' || strings.Trim(d, Lower[:10]) != "" {
			t.Errorf("digits %s", d)
		}
		if l := Letters(random, Lower, 20); len(l) != 20 || strings.Trim(l, Lower) != "" {
			t.Errorf("letters %s", l)
		}
	}
	token := IDs(1).PageToken("list", "place")
	if place, ok := IDs(1).Place("list", token); !ok || place != "place" {
		t.Errorf("%q %v", place, ok)
	}
	for listing, bad := range map[string]string{"other": token, "list": token[:8], "lost": "%", "list ": IDs(2).PageToken("list", "place")} {
		if _, ok := IDs(1).Place(strings.TrimSpace(listing), bad); ok {
			t.Errorf("%s: %s", listing, bad)
		}
	}
}

func TestClip(t *testing.T) {
	for name, want := range map[string]string{"": "", "a\xffb": "a?b", strings.Repeat("ä", 65): strings.Repeat("ä", 64)} {
		if got := Clip(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
