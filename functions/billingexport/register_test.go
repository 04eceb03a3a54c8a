package billingexport

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// deployed writes a configuration and sets the environment of a deployed function.
func deployed(t *testing.T, billing string) {
	t.Helper()
	text := strings.NewReplacer("BILLING", strings.ReplaceAll(billing, "DIR", t.TempDir())).Replace(`
push: {platform: true}
desks: {google: {kind: google, parent: projects/acme-prod, classification: "Another > Class"}}
routes: [{when: "true", desk: google, priority: P3}]
BILLING
endpoints: {hub: "http://127.0.0.1:1/hub", storage: "http://127.0.0.1:1", bigquery: "http://127.0.0.1:1"}
`)
	file := filepath.Join(t.TempDir(), "providerdesk.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"PROVIDERDESK_CONFIG": file, "GOOGLE_CLOUD_PROJECT": "acme-prod", "MASTER": "token-of-master", "ACME": "token-of-acme",
		"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1", "PUBSUB_EMULATOR_HOST": "127.0.0.1:1", // nobody is there, and nobody is asked
	} {
		t.Setenv(name, value)
	}
}

// TestOpen: every target opens with nothing but the environment, and asks nobody yet.
func TestOpen(t *testing.T) {
	for _, c := range []struct {
		name, billing string
		warehouse     bool
	}{
		{"a folder", `billing: {organization: master, token: env:MASTER, tokens: {acme: env:ACME}, bucket: "file:DIR/export"}`, false},
		{"a bucket and BigQuery", `billing: {organization: master, token: env:MASTER, bucket: "gs://acme-usage/export", bigquery: {project: acme-prod, dataset: usage, location: EU}}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			deployed(t, c.billing)
			f, err := openFunction(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer f.Hub.Close()
			for _, opened := range []any{f.DB, f.Publisher} {
				defer opened.(io.Closer).Close()
			}
			if f.Bucket == nil || (f.Warehouse != nil) != c.warehouse || f.Config.Billing.Organization != "master" {
				t.Errorf("%+v", f.Deps)
			}
		})
	}
}

// TestOpenWithoutBilling: a configuration that says nothing of it opens no target.
func TestOpenWithoutBilling(t *testing.T) {
	deployed(t, "")
	for name, open := range map[string]func() (any, error){
		"ExportUsage":       func() (any, error) { return openExportUsage(t.Context()) },
		"ExportTenantUsage": func() (any, error) { return openExportTenantUsage(t.Context()) },
		"SweepExports":      func() (any, error) { return openSweepExports(t.Context()) },
	} {
		if _, err := open(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "has no billing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTokens: a tenant with a token is asked about with it, the others with the provider's.
func TestTokens(t *testing.T) {
	var tokens []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		tokens = append(tokens, string(body)+r.URL.RawQuery)
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer s.Close()
	deployed(t, `billing: {organization: master, token: env:MASTER, tokens: {acme: env:ACME}, bucket: "file:DIR/export"}`)
	f, err := openFunction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Hub.Close()
	for _, opened := range []any{f.DB, f.Publisher} {
		defer opened.(io.Closer).Close()
	}
	f.Config.Endpoints.Hub = s.URL
	d, err := Remotes(t.Context(), Deps{Config: f.Config})
	if err != nil {
		t.Fatal(err)
	}
	client := d.Hub
	defer client.Close()
	for _, org := range []string{"acme", "master", simhub.TenantCoke} {
		if _, err := client.Tenants(t.Context(), org); err == nil {
			t.Error("a token is taken that is none")
		}
	}
	all := strings.Join(tokens, "\n")
	if strings.Count(all, "token-of-acme") != 1 || strings.Count(all, "token-of-master") != 2 {
		t.Errorf("tokens were shown %d times", len(tokens))
	}
}

func TestPlace(t *testing.T) {
	for text, want := range map[string][3]string{
		"file:/srv/export":        {"/srv/export", "", ""},
		"gs://acme":               {"", "acme", ""},
		"gs://acme/usage/exports": {"", "acme", "usage/exports"},
	} {
		folder, bucket, prefix := place(config.Billing{Bucket: text})
		if got := [3]string{folder, bucket, prefix}; got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
