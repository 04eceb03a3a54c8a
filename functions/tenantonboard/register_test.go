package tenantonboard

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// deployed writes a configuration whose remotes are all at one server, and sets the environment of a deployed function.
func deployed(t *testing.T, url, onboarding string) {
	t.Helper()
	text := strings.NewReplacer("URL", url, "ONBOARDING", onboarding).Replace(`
push: {platform: true}
desks: {google: {kind: google, parent: projects/acme-prod, classification: "Another > Class"}}
routes: [{when: "true", desk: google, priority: P3}]
ONBOARDING
endpoints: {hub: URL/hub, cloudsupport: URL, serviceusage: URL, resourcemanager: URL, essentialcontacts: URL, recommender: URL, servicehealth: URL}
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

const onboardingOfTest = `onboarding: {organization: master, token: env:MASTER, tokens: {acme: env:ACME}, auth: {bearer: env:MASTER}, me: us@example.com, desk: google}`

// TestOpen: every target opens with nothing but the environment, and asks nobody yet.
func TestOpen(t *testing.T) {
	deployed(t, "http://127.0.0.1:1", onboardingOfTest)
	f, err := openFunction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Hub.Close()
	defer closeNow(t, f.DB)
	defer closeNow(t, f.Publisher)
	if f.verify == nil || f.Cases == nil || f.Cloud == nil || f.Config.Onboarding.Organization != "master" {
		t.Errorf("%+v", f.Deps)
	}
	d, err := f.Cases("projects/acme-prod")
	if err != nil || d == nil {
		t.Error(err)
	}
	if _, err := f.Cases("nothing"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func closeNow(t *testing.T, c any) {
	t.Helper()
	closer, ok := c.(io.Closer)
	if !ok {
		t.Fatalf("%T cannot be closed", c)
	}
	if err := closer.Close(); err != nil {
		t.Error(err)
	}
}

// TestOpenWithoutOnboarding: a configuration that says nothing of it opens no target.
func TestOpenWithoutOnboarding(t *testing.T) {
	deployed(t, "http://127.0.0.1:1", "")
	for name, open := range map[string]func() (any, error){
		"TenantWebhook":   func() (any, error) { return openTenantWebhook(t.Context()) },
		"OnboardTenant":   func() (any, error) { return openOnboardTenant(t.Context()) },
		"InvitationSweep": func() (any, error) { return openInvitationSweep(t.Context()) },
		"SweepTenants":    func() (any, error) { return openSweepTenants(t.Context()) },
	} {
		if _, err := open(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no onboarding") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRemotes: an organization's own API token is used, the provider's stands in for the others, and replaced APIs of Google never see
// Google's credentials.
func TestRemotes(t *testing.T) {
	var mu sync.Mutex
	var exchanged, shown []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(r.URL.Path, "/hub/") {
			shown = append(shown, r.Header.Get("Authorization"))
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, "{}")
			return
		}
		var body struct{ RefreshToken string }
		if strings.HasSuffix(r.URL.Path, "/accesstoken") {
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			exchanged = append(exchanged, body.RefreshToken)
			io.WriteString(w, `{"accessToken":"access"}`)
			return
		}
		io.WriteString(w, `[]`)
	}))
	defer s.Close()
	deployed(t, s.URL, onboardingOfTest)
	c, err := config.Load(os.Getenv("PROVIDERDESK_CONFIG"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Remotes(t.Context(), Deps{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Hub.Close()
	for _, org := range []string{"acme", "master", "beta"} {
		if _, err := d.Hub.Users(t.Context(), org); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Cloud.Contacts(t.Context(), "projects/acme-prod"); err != nil {
		t.Error(err)
	}
	if !slices.Equal(exchanged, []string{"token-of-acme", "token-of-master"}) {
		t.Errorf("API tokens %q", exchanged)
	}
	if len(shown) != 1 || shown[0] != "Bearer providerdesk" {
		t.Errorf("shown %q", shown)
	}
}
