package platform

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/run"
)

const hidden = "correct-horse-battery-staple"

func secret(t *testing.T) config.Secret { return secretOf(t, hidden) }

func secretOf(t *testing.T, value string) config.Secret {
	t.Helper()
	s, err := config.NewSecret("env:HIDDEN", config.Sources{Env: func(string) (string, bool) { return value, true }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestVerifier: each way lets in who has the secret and nobody else.
func TestVerifier(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	body := []byte(`{"a":1}`)
	stamp := fmt.Sprint(now.Unix())
	mac := hmac.New(sha256.New, []byte(hidden))
	fmt.Fprintf(mac, "%s:%s", stamp, body)
	key := []byte(hidden)
	standard := hmac.New(sha256.New, key)
	fmt.Fprintf(standard, "m1.%s.%s", stamp, body)
	for name, tt := range map[string]struct {
		auth config.Auth
		sign func(*http.Request)
	}{
		"bearer": {config.Auth{Bearer: secret(t)}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+hidden) }},
		"basic":  {config.Auth{Basic: &config.Basic{Username: "ci", Password: secret(t)}}, func(r *http.Request) { r.SetBasicAuth("ci", hidden) }},
		"hmac": {config.Auth{HMAC: &config.HMAC{Secret: secret(t), Header: "X-Mac", TimestampHeader: "X-Time"}}, func(r *http.Request) {
			r.Header.Set("X-Time", stamp)
			r.Header.Set("X-Mac", hex.EncodeToString(mac.Sum(nil)))
		}},
		"hmac without a time": {config.Auth{HMAC: &config.HMAC{Secret: secret(t), Header: "X-Mac", Replay: config.ReplayIdentity}}, func(r *http.Request) {
			timeless := hmac.New(sha256.New, []byte(hidden))
			timeless.Write([]byte(body))
			r.Header.Set("X-Mac", hex.EncodeToString(timeless.Sum(nil)))
		}},
		"standard webhook": {config.Auth{StandardWebhook: secretOf(t, "whsec_"+base64.StdEncoding.EncodeToString(key))}, func(r *http.Request) {
			r.Header.Set("Webhook-Id", "m1")
			r.Header.Set("Webhook-Timestamp", stamp)
			r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(standard.Sum(nil)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Verifier(t.Context(), tt.auth, func() time.Time { return now })
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			if err := v.Verify(r, body); !fault.Is(err, fault.Denied) {
				t.Errorf("without anything: %v", err)
			}
			tt.sign(r)
			if err := v.Verify(r, body); err != nil {
				t.Error(err)
			}
		})
	}
	if v, err := Verifier(t.Context(), config.Auth{}, time.Now); v != nil || err != nil {
		t.Errorf("no way configured: %v, %v", v, err)
	}
	if v, err := Verifier(t.Context(), config.Auth{OIDC: &config.OIDC{Audience: "a", Email: "b@example.com", JWKS: "https://example.com/keys", Issuer: "https://example.com"}}, time.Now); v == nil || err != nil {
		t.Errorf("OIDC: %v", err)
	}
}

// TestPushVerifier: who says nothing lets nobody in.
func TestPushVerifier(t *testing.T) {
	if _, err := PushVerifier(t.Context(), config.Push{}, time.Now); err == nil {
		t.Error("no way configured, and there is a verifier")
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	v, err := PushVerifier(t.Context(), config.Push{Bearer: secret(t)}, time.Now)
	if err != nil || !fault.Is(v.Verify(r, nil), fault.Denied) {
		t.Errorf("a stranger with a bearer token configured: %v", err)
	}
	r.Header.Set("Authorization", "Bearer "+hidden)
	if err := v.Verify(r, nil); err != nil {
		t.Error(err)
	}
	v, err = PushVerifier(t.Context(), config.Push{Platform: true}, time.Now)
	if err != nil || v.Verify(httptest.NewRequest(http.MethodPost, "/", nil), nil) != nil {
		t.Errorf("behind the platform's own check: %v", err)
	}
}

// settings writes the smallest configuration and says where it is.
func settings(t *testing.T) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "providerdesk.yaml")
	text := "push: {bearer: env:HIDDEN}\ndesks: {main: {kind: hub, organization: o, token: env:HIDDEN}}\nroutes: [{when: true, desk: main, priority: P4}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PROVIDERDESK_CONFIG", file)
	t.Setenv("HIDDEN", hidden)
}

func TestLoad(t *testing.T) {
	t.Setenv("PROVIDERDESK_CONFIG", "")
	if _, err := Load(); !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
		t.Error(err)
	}
	settings(t)
	if c, err := Load(); err != nil || c.Push.Bearer.IsZero() {
		t.Error(err)
	}
}

// TestPushed: options without a configuration open for nobody.
func TestPushed(t *testing.T) {
	o := Pushed(run.Options{MaxBody: 7})
	t.Setenv("PROVIDERDESK_CONFIG", "")
	if v, err := o.OpenVerify(t.Context()); v != nil || !fault.Is(err, fault.Invalid) || o.MaxBody != 7 {
		t.Errorf("%v, %v", v, err)
	}
	settings(t)
	v, err := o.OpenVerify(t.Context())
	if err != nil || !fault.Is(v.Verify(httptest.NewRequest(http.MethodPost, "/", nil), nil), fault.Denied) {
		t.Error(err)
	}
}

func TestNoProject(t *testing.T) {
	t.Setenv("GOOGLE_CLOUD_PROJECT", "")
	if db, err := Store(t.Context()); db != nil || !fault.Is(err, fault.Invalid) {
		t.Errorf("%v, %v", db, err)
	}
	if p, err := Publisher(t.Context()); p != nil || !fault.Is(err, fault.Invalid) {
		t.Errorf("%v, %v", p, err)
	}
}

// TestTransport: a replaced endpoint is shown a token that means nothing.
func TestTransport(t *testing.T) {
	c := &config.Config{Ledger: config.Ledger{CallTimeout: time.Second}}
	if o := Transport(c, ""); o.Token != nil || o.CallTimeout != time.Second {
		t.Errorf("%+v", o)
	}
	var shown string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { shown = r.Header.Get("Authorization") }))
	defer s.Close()
	c.Endpoints.CloudSupport = s.URL
	client, err := Support(c)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	res, err := client.Get(s.URL + "/v2/x")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if shown != "Bearer providerdesk" {
		t.Errorf("shown %q", shown)
	}
}
