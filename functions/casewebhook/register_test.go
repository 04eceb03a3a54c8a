package casewebhook

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// deployed is the environment of a deployed function: Pub/Sub where nobody is, and nobody is asked, and a database that cannot be opened.
func deployed(t *testing.T, settings string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "providerdesk.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"PROVIDERDESK_CONFIG": file, "GOOGLE_CLOUD_PROJECT": "acme-prod", "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
		"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1", "FIRESTORE_DATABASE": "no/database",
	} {
		t.Setenv(name, value)
	}
}

// TestAlertWebhookOpensNoStore: taking a notification in takes the configuration and Pub/Sub. A database that cannot be opened stops the
// other targets only.
func TestAlertWebhookOpensNoStore(t *testing.T) {
	deployed(t, "push: {platform: true}\ndesks: {google: {kind: google, parent: projects/acme-prod, classification: X}}\nroutes: [{when: \"true\", desk: google, priority: P3}]\n")
	d, err := published(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(t.Context(), d)
	if err != nil || f.Publisher == nil || f.DB != nil || f.Desks != nil {
		t.Errorf("%+v, %v", f, err)
	}
	if err := d.Publisher.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	t.Setenv("GOOGLE_CLOUD_PROJECT", "")
	for name, open := range map[string]func() error{
		"AlertWebhook": func() error { _, err := openAlertWebhook(t.Context()); return err },
		"FileCase":     func() error { _, err := openFileCase(t.Context()); return err },
		"SweepCases":   func() error { _, err := openSweepCases(t.Context()); return err },
	} {
		if err := open(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s without a project: %v", name, err)
		}
	}
}
