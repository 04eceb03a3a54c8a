package gsm

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

const name = "projects/p/secrets/s/versions/7"

// TestResolve asks a server that knows one secret, "open sesame", and answers anything else as the real one does.
func TestResolve(t *testing.T) {
	for _, c := range []struct {
		name, version, payload, want string
		kind                         fault.Kind
	}{
		{"with its checksum", name, `{"data":"b3BlbiBzZXNhbWU=","dataCrc32c":"2881629904"}`, "open sesame", ""},
		{"without one", name, `{"data":"b3BlbiBzZXNhbWU="}`, "open sesame", ""},
		{"damaged", name, `{"data":"b3BlbiBzZXNhbWU=","dataCrc32c":"1"}`, "", fault.Transient},
		{"no base64", name, `{"data":"***"}`, "", fault.Transient},
		{"no payload", name, `null`, "", fault.Transient},
		{"empty", name, `{"data":""}`, "", fault.Denied},
		{"another version", strings.Replace(name, "7", "8", 1), ``, "", fault.Missing},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := secret(t, serve(t, c.payload), c.version)
			got, err := s.Resolve(t.Context())
			if got != c.want || fault.Of(err) != c.kind {
				t.Errorf("%q, %v (%s)", got, err, fault.Of(err))
			}
		})
	}
}

func serve(t *testing.T, payload string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method != "GET" || r.URL.Path != "/v1/"+name+":access" {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"error":{"code":404,"status":"NOT_FOUND","message":"Secret version not found."}}`)
			return
		}
		io.WriteString(w, `{"name":"`+name+`","payload":`+payload+`}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func secret(t *testing.T, endpoint, version string) config.Secret {
	t.Helper()
	client, err := gapi.Client(gapi.Options{Endpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	manager, err := Manager(client, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	s, err := config.NewSecret("secret:"+version, config.Sources{Manager: manager})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
