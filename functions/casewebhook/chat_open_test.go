package casewebhook

import (
	"testing"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// TestReceptionOpensNoStore: taking a command in takes the configuration and Pub/Sub, and no database.
func TestReceptionOpensNoStore(t *testing.T) {
	deployed(t, "push: {platform: true}\nchat: {google: {project_number: \"123\", app: users/9}}\ndesks: {google: {kind: google, parent: projects/acme-prod, classification: X}}\n"+
		"routes: [{when: \"true\", desk: google, priority: P3}]\n")
	r, err := openReception(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Publisher.(interface{ Close() error }).Close() })
	if len(r.Fronts) != 1 || r.Fronts[chat.Google] == nil {
		t.Errorf("fronts %v", r.Fronts)
	}
	t.Setenv("GOOGLE_CLOUD_PROJECT", "")
	for name, open := range map[string]func() error{
		"ChatWebhook":    func() error { _, err := openChatWebhook(t.Context()); return err },
		"CommentWebhook": func() error { _, err := openCommentWebhook(t.Context()); return err },
		"CaseCommand":    func() error { _, err := openCaseCommand(t.Context()); return err },
	} {
		if err := open(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s without a project: %v", name, err)
		}
	}
}
