package outbox_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/outbox"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/signature"
)

var (
	now       = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	webhook   = "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	hmacParts = config.HMAC{Header: "X-Grafana-Alerting-Signature", TimestampHeader: "X-Grafana-Alerting-Timestamp"}
)

func secret(t *testing.T, value string) config.Secret {
	t.Helper()
	s, err := config.NewSecret("env:SECRET", config.Sources{Env: func(string) (string, bool) { return value, true }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ways are the ways to prove who sends, as the sender and as the receiver know them.
func ways(t *testing.T, value string) map[string]struct {
	auth   config.Auth
	verify func() (signature.Verifier, error)
} {
	h := hmacParts
	h.Secret = secret(t, value)
	return map[string]struct {
		auth   config.Auth
		verify func() (signature.Verifier, error)
	}{
		"bearer": {config.Auth{Bearer: h.Secret}, func() (signature.Verifier, error) { return signature.Bearer(webhook) }},
		"basic": {config.Auth{Basic: &config.Basic{Username: "gcm", Password: h.Secret}},
			func() (signature.Verifier, error) { return signature.Basic("gcm", webhook) }},
		"hmac": {config.Auth{HMAC: &h},
			func() (signature.Verifier, error) { return signature.HMAC(webhook, h.Header, h.TimestampHeader, now) }},
		"hmac without a time": {config.Auth{HMAC: &config.HMAC{Secret: h.Secret, Header: h.Header, Replay: config.ReplayIdentity}},
			func() (signature.Verifier, error) { return signature.HMACWithoutTime(webhook, h.Header) }},
		"standard webhook": {config.Auth{StandardWebhook: h.Secret},
			func() (signature.Verifier, error) { return signature.StandardWebhooks([]string{webhook}, now) }},
	}
}

// receiver answers 202 with ids to who proves to be the sender, and 401 to others.
func receiver(t *testing.T, v signature.Verifier) outbox.Outbox {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := v.Verify(r, body); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"detail":"`+fault.Public(err)+`"}`)
			return
		}
		if r.URL.Path != "/AlertWebhook/prod" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"ids":["1","2"],"note":"taken"}`)
	}))
	t.Cleanup(srv.Close)
	return outbox.Outbox{Base: srv.URL + "/", Client: srv.Client(), Now: now}
}

func TestEveryWayIsAccepted(t *testing.T) {
	for name, way := range ways(t, webhook) {
		t.Run(name, func(t *testing.T) {
			v, err := way.verify()
			if err != nil {
				t.Fatal(err)
			}
			got, err := receiver(t, v).Send(t.Context(), config.Sender{Name: "prod", Auth: way.auth}, []byte(`{"a":"ü"}`))
			if err != nil || strings.Join(got.IDs, " ") != "1 2" || got.Note != "taken" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestAWrongSecretIsRefusedWithTheServersSentence(t *testing.T) {
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("fedcba9876543210fedcba9876543210"))
	for name, way := range ways(t, other) {
		t.Run(name, func(t *testing.T) {
			v, err := way.verify()
			if err != nil {
				t.Fatal(err)
			}
			_, err = receiver(t, v).Send(t.Context(), config.Sender{Name: "prod", Auth: way.auth}, []byte(`{}`))
			if err == nil || !strings.HasPrefix(err.Error(), "refused with 401 Unauthorized: ") {
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), other) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestSendersThatNobodyCanPlay(t *testing.T) {
	for name, auth := range map[string]config.Auth{
		"an identity token":   {OIDC: &config.OIDC{Audience: "a", Email: "e"}},
		"only a subscription": {},
		"an unset secret":     {Basic: &config.Basic{Username: "gcm"}},
	} {
		if _, err := (outbox.Outbox{Base: "http://127.0.0.1:1", Client: &http.Client{}, Now: now}).Send(t.Context(), config.Sender{Auth: auth}, nil); err == nil || fault.Is(err, fault.Transient) {
			t.Errorf("%s: %v, want it refused before anything is sent", name, err)
		}
	}
}

func TestPublishNamesTheTopicOfTheSubscription(t *testing.T) {
	var path, auth string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, auth = r.URL.Path, r.Header.Get("Authorization")
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"ids":["7"]}`)
	}))
	defer srv.Close()
	o := outbox.Outbox{Base: srv.URL, Client: srv.Client(), Now: now}
	got, err := o.Publish(t.Context(), config.Sender{Subscription: "projects/local/subscriptions/raw"}, []byte(`{}`), "operator")
	if err != nil || len(got.IDs) != 1 || path != "/api/topics/raw" || auth != "Bearer operator" {
		t.Errorf("%+v, path %q, authorization %q, %v", got, path, auth, err)
	}
}
