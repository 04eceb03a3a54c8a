package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/google"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/bolt"
)

func TestAPIs(t *testing.T) {
	const what = "the APIs are enabled in acme-prod"
	wanted := []string{"cloudsupport.googleapis.com", "pubsub.googleapis.com"}
	for name, tc := range map[string]struct {
		enabled, denied []string
		fault, want     string
	}{
		"they are":           {enabled: wanted, want: "pass " + what},
		"one is not":         {enabled: wanted[1:], want: "fail " + what + ": not enabled: cloudsupport.googleapis.com; gcloud services enable cloudsupport.googleapis.com"},
		"we may not look":    {enabled: wanted, denied: []string{"serviceusage.services.get"}, want: "cannot tell " + what + ": we may not look; give our account roles/serviceusage.serviceUsageViewer"},
		"there is no answer": {enabled: wanted, fault: "status:503", want: "cannot tell " + what + ": it does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, err := google.New(google.Options{Enabled: map[string][]string{"acme-prod": tc.enabled}, Denied: tc.denied})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			if tc.fault != "" {
				arm(t, srv, tc.fault)
			}
			probed(t, srv, func() []probe.Result {
				return []probe.Result{probe.APIs(t.Context(), api(t, srv.Transport()), "acme-prod", wanted)}
			}, tc.want)
		})
	}
}

// out is a store of which every read fails.
type out struct {
	store.DB
	err error
}

func (o out) Get(context.Context, store.Key) (store.Doc, error) { return store.Doc{}, o.err }

func TestStore(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	refused := fault.Wrap(fault.Denied, errors.New("PERMISSION_DENIED"), "get")
	down := fault.Wrap(fault.Transient, errors.New("UNAVAILABLE"), "get")
	busy := fault.Wrap(fault.Throttled, errors.New("RESOURCE_EXHAUSTED"), "get")
	var results []probe.Result
	for _, at := range []store.DB{db, out{db, refused}, out{db, down}, out{db, busy}} {
		results = append(results, probe.Store(t.Context(), at))
	}
	lines(t, results, "pass the database answers", "fail the database answers: access is refused; give our account roles/datastore.user", "cannot tell the database answers: it does not answer",
		"cannot tell the database answers: it has no time for us now")
}

// topicServer speaks the REST protocol of Pub/Sub as far as it is asked here: topics.get, and topics.testIamPermissions. The caller has the
// permissions that it is given. Every other request is refused.
func topicServer(t *testing.T, emulator bool, has ...string) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was called: no probe may", r.Method, r.URL.Path)
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
	missing := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		answer(w, map[string]any{"error": map[string]any{"code": 404, "status": "NOT_FOUND", "message": "Resource not found (resource=none)."}})
	}
	mux.HandleFunc("/v1/projects/acme-desk/topics/none", missing)
	mux.HandleFunc("/v1/projects/acme-desk/topics/none:testIamPermissions", missing)
	mux.HandleFunc("GET /v1/projects/acme-desk/topics/alerts", func(w http.ResponseWriter, r *http.Request) {
		if !emulator {
			t.Error("to look at a topic takes a right that a publisher does not have")
		}
		answer(w, map[string]string{"name": "projects/acme-desk/topics/alerts"})
	})
	mux.HandleFunc("POST /v1/projects/acme-desk/topics/alerts:testIamPermissions", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Permissions []string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Permissions) == 0 {
			t.Errorf("asked for %v, %v", in, err)
		}
		answer(w, map[string]any{"permissions": slices.DeleteFunc(in.Permissions, func(p string) bool { return !slices.Contains(has, p) })})
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func TestTopic(t *testing.T) {
	for name, tc := range map[string]struct {
		topic    string
		emulator bool
		has      []string
		down     bool
		want     string
	}{
		"we may publish":               {topic: "alerts", has: []string{"pubsub.topics.publish"}, want: "pass topic alerts takes messages"},
		"we may not":                   {topic: "alerts", want: "fail topic alerts takes messages: we lack pubsub.topics.publish; give our account roles/pubsub.publisher on it"},
		"there is no such":             {topic: "none", want: "fail topic none takes messages: there is no such topic; terraform apply makes it"},
		"there is no answer":           {topic: "alerts", down: true, want: "cannot tell topic alerts takes messages: it does not answer"},
		"at an emulator":               {topic: "alerts", emulator: true, want: "pass topic alerts takes messages"},
		"at an emulator there is none": {topic: "none", emulator: true, want: "fail topic none takes messages: there is no such topic"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := topicServer(t, tc.emulator, tc.has...)
			if tc.down {
				srv.Close()
			}
			c, err := gapi.Client(gapi.Options{Endpoint: srv.URL, Token: gapi.StaticToken("any"), Backoff: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseIdleConnections()
			lines(t, []probe.Result{probe.Topic(t.Context(), probe.API{Client: c, Endpoint: srv.URL}, "acme-desk", tc.topic, tc.emulator)}, tc.want)
		})
	}
}
