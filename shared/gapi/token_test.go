package gapi_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// account writes the key file of a service account whose token endpoint is at url, and makes it the default credentials.
func account(t *testing.T, url string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	file, _ := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "desk@acme.iam.gserviceaccount.com", "private_key": string(block), "token_uri": url,
	})
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
}

// google is a transport that finds s behind every name.
func google(s *httptest.Server) *http.Transport {
	base := s.Client().Transport.(*http.Transport).Clone()
	base.TLSClientConfig.ServerName = "example.com" // the name in httptest's certificate
	base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}
	return base
}

func TestDefaultCredentials(t *testing.T) {
	var tokens, calls atomic.Int32
	status := http.StatusBadRequest
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write([]byte(`{"access_token":"t1","token_type":"Bearer","expires_in":3600,"error":"invalid_grant","error_description":"account desk@acme"}`))
	}))
	defer issuer.Close()
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if got := r.Header.Get("Authorization"); got != "Bearer t1" {
			t.Errorf("Authorization %q", got)
		}
		w.Write([]byte("{}"))
	}))
	defer api.Close()
	account(t, issuer.URL)
	c := client(t, gapi.Options{Base: google(api)})
	if n := tokens.Load(); n != 0 {
		t.Fatalf("%d tokens fetched before the first call", n)
	}

	const real = "https://cloudsupport.googleapis.com/v2/projects/p/cases"
	for _, s := range []struct {
		status int
		want   fault.Kind
	}{{http.StatusBadRequest, fault.Denied}, {http.StatusServiceUnavailable, fault.Transient}} {
		status = s.status
		err := do(t.Context(), c, "POST", real, "{}")
		if fault.Of(err) != s.want || !fault.IsUnsent(err) || strings.Contains(err.Error(), "acme") {
			t.Errorf("token endpoint answers %d: kind %q, unsent %v: %v", s.status, fault.Of(err), fault.IsUnsent(err), err)
		}
	}
	status = http.StatusOK
	before := tokens.Load()
	for range 3 {
		if err := do(t.Context(), c, "POST", real, "{}"); err != nil {
			t.Fatal(err)
		}
	}
	if n := tokens.Load() - before; n != 1 || calls.Load() != 3 {
		t.Errorf("%d tokens fetched for %d calls, want 1 for 3", n, calls.Load())
	}
	for _, foreign := range []string{"https://example.com/", "http://cloudsupport.googleapis.com/", "https://googleapis.com.example.com/"} {
		if err := do(t.Context(), c, "POST", foreign, "{}"); fault.Of(err) != fault.Bug || !fault.IsUnsent(err) {
			t.Errorf("%s: kind %q, unsent %v: %v", foreign, fault.Of(err), fault.IsUnsent(err), err)
		}
	}
	if calls.Load() != 3 {
		t.Errorf("credentials went to a foreign host")
	}
}

func TestNoDefaultCredentialsIsFoundAtTheFirstCall(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	c := client(t, gapi.Options{})
	err := do(t.Context(), c, "GET", "https://cloudsupport.googleapis.com/v2/projects/p/cases", "")
	if fault.Of(err) != fault.Denied || !fault.IsUnsent(err) {
		t.Errorf("kind %q, unsent %v: %v", fault.Of(err), fault.IsUnsent(err), err)
	}
}

func TestReplacedEndpoint(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json")) // would fail if it were looked for
	var path, auth string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, auth = r.URL.EscapedPath(), r.Header.Get("Authorization")
		w.Write([]byte("{}"))
	}))
	defer s.Close()
	for _, tt := range []struct {
		token      gapi.Token
		url        string
		path, auth string
	}{
		{nil, "/sim/desk/v2/projects/p/cases", "/sim/desk/v2/projects/p/cases", ""},
		{gapi.StaticToken("t2"), "/sim/desk/v2/projects/p/cases", "/sim/desk/v2/projects/p/cases", "Bearer t2"},
		{nil, "/upload/v2/projects/p%2Fq/cases", "/sim/desk/upload/v2/projects/p%2Fq/cases", ""},
	} {
		c := client(t, gapi.Options{Endpoint: s.URL + "/sim/desk/", Token: tt.token})
		if err := do(t.Context(), c, "POST", s.URL+tt.url, "{}"); err != nil {
			t.Fatal(err)
		}
		if path != tt.path || auth != tt.auth {
			t.Errorf("path %q, authorization %q; want %q, %q", path, auth, tt.path, tt.auth)
		}
	}
	c := client(t, gapi.Options{Endpoint: s.URL, Token: gapi.StaticToken("t2")})
	if err := do(t.Context(), c, "POST", "https://cloudsupport.googleapis.com/", "{}"); fault.Of(err) != fault.Bug {
		t.Errorf("the token of a replaced endpoint may go to another host: %v", err)
	}
	for _, bad := range []string{"host", "ftp://host/", "https://user:password@host/", "https://", "%"} {
		if _, err := gapi.Client(gapi.Options{Endpoint: bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("endpoint %q: %v", bad, err)
		}
	}
}
