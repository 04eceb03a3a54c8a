package chat_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/chat/google"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// samples are payloads that people captured; see the table's file names. They are beside the repository, not in it.
func samples(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "payloads")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no sample payloads beside the repository: %v", err)
	}
	return dir
}

type accept struct{}

func (accept) Verify(*http.Request, []byte) error { return nil }

var received = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// fronts are both platforms, with the bot user and the quick command of the samples.
func fronts(t testing.TB) map[chat.Platform]chat.Front {
	t.Helper()
	now := func() time.Time { return received }
	s, err := slack.NewFront(slack.FrontOptions{Verifier: accept{}, BotUser: "U123", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	g, err := google.NewFront(google.FrontOptions{Verifier: accept{}, Quick: map[int]string{1: "list"}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return map[chat.Platform]chat.Front{chat.Slack: s, chat.Google: g}
}

// Each sample in a few words: kind, space, thread, message, person, text or action, and what else there is. "refused" is a fault.Invalid.
var wanted = map[string]string{
	"slack-events-message.json":                      `message C123 1583636399.000700 1583636399.000700 U234 "test" mention 2020-03-08T02:59:59.0007Z`,
	"slack-interactive-block_actions-confirm.json":   `ignored`,
	"slack-interactive-block_actions-docs.json":      `click CBR2V3XEX 1548261231.000200 1548261231.000200 UA8RXUSPL "WaXA" "click_me_123" 2019-01-25T14:26:57.84018Z`,
	"slack-interactive-block_actions-ephemeral.json": `click C111 111.222 111.222 W111 "a" "click_me_123" 2020-08-04T08:39:45.194939Z`,
	"slack-interactive-view_submission.json":         `ignored`,
	"slack-slash-docs-enterprise.txt":                `command C2147483705 - - U2147483697 "94070"`,
	"slack-slash-empty-text.txt":                     `command G8PSS9T3V - - U2CERLKJA ""`,
	"slack-slash-real-empty-text.txt":                `command C111 - - W111 ""`,
	"slack-slash-signed-vector.json":                 `command G8PSS9T3V - - U2CERLKJA ""`,
	"slack-ssl_check.txt":                            `handshake`,

	"googlechat-addon-button-click.json":                 `ignored`,
	"googlechat-addon-live-mention-add-message.json":     `message spaces/AAQAKk9wRt4 spaces/AAQAKk9wRt4/threads/Ng5tXw3kQm8 spaces/AAQAKk9wRt4/messages/Ng5tXw3kQm8.Ng5tXw3kQm8 users/106508980999999999999 "" mention 2026-08-18T19:47:27.977519Z`,
	"googlechat-addon-live-mention-add.json":             `joined spaces/AAQAKk9wRt4 - - users/106508980999999999999 2026-08-18T19:47:27.67422Z`,
	"googlechat-addon-live-message.json":                 `message spaces/AAQAXbGkY1s spaces/AAQAXbGkY1s/threads/Lk4mZq7wPd0 spaces/AAQAXbGkY1s/messages/Lk4mZq7wPd0.Lk4mZq7wPd0 users/106508980999999999999 "who are you?" mention 2026-08-17T21:10:33.137455Z`,
	"googlechat-addon-live-space-message.json":           `message spaces/AAQAKk9wRt4 spaces/AAQAKk9wRt4/threads/Tb7pYs1nFv2 spaces/AAQAKk9wRt4/messages/Tb7pYs1nFv2.Tb7pYs1nFv2 users/106508980999999999999 "how are you?" mention 2026-08-18T19:48:45.716431Z`,
	"googlechat-addon-quick-command.json":                `command spaces/AAQAXbGkY1s - - users/106508980999999999999 "list"`,
	"googlechat-addon-removed-from-space.json":           `left spaces/AAQAXbGkY1s - - users/106508980999999999999`,
	"googlechat-fixture-card_clicked.json":               `click spaces/AAA - - users/123 "deploy.confirm" "" 2026-08-13T12:35:00Z`,
	"googlechat-fixture-card_clicked_form.json":          `ignored`,
	"googlechat-fixture-card_clicked_submit_dialog.json": `ignored`,
	"googlechat-fixture-malformed_missing_type.json":     `refused`,
	"googlechat-fixture-malformed_timestamp.json":        `refused`,
	"googlechat-fixture-malformed_type.json":             `refused`,
	"googlechat-fixture-message_matched_url.json":        `ignored`,
	"googlechat-fixture-removed_from_space.json":         `left spaces/AAA - - users/123`,
	"googlechat-fixture-unknown_event.json":              `ignored`,
	"googlechat-fixture-widget_updated.json":             `ignored`,
	"googlechat-legacy-added-to-space.json":              `joined spaces/AAQAXbGkY1s - - users/106508980999999999999 2026-08-17T14:00:00Z`,
	"googlechat-legacy-app-command.json":                 `command spaces/AAQAXbGkY1s - - users/106508980999999999999 "list" 2026-08-17T14:06:11.402Z`,
	"googlechat-legacy-card-clicked.json":                `click spaces/AAQAXbGkY1s spaces/AAQAXbGkY1s/threads/pQ4Lm9xZaBc spaces/AAQAXbGkY1s/messages/pQ4Lm9xZaBc.rS7Nv1yWcDe users/106508980999999999999 "switchboard" "" 2026-08-17T14:05:04.902Z`,
	"googlechat-legacy-message.json":                     `message spaces/AAQAXbGkY1s spaces/AAQAXbGkY1s/threads/nT8Kq2eVdRo spaces/AAQAXbGkY1s/messages/nT8Kq2eVdRo.nT8Kq2eVdRo users/106508980999999999999 "what changed in the deploy overlay?" mention 2026-08-17T14:02:11.482Z`,
	"googlechat-legacy-slash-command.json":               `command spaces/AAQAXbGkY1s spaces/AAQAXbGkY1s/threads/pQ4Lm9xZaBc spaces/AAQAXbGkY1s/messages/pQ4Lm9xZaBc.pQ4Lm9xZaBc users/106508980999999999999 "stream" 2026-08-17T14:05:03.117Z`,
}

func TestSamples(t *testing.T) {
	dir := samples(t)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		name := filepath.Base(file)
		if !strings.HasPrefix(name, "slack-") && !strings.HasPrefix(name, "googlechat-") {
			continue
		}
		seen++
		want, ok := wanted[name]
		if !ok {
			t.Errorf("%s is not in the table", name)
			continue
		}
		if got := sample(t, file); got != want {
			t.Errorf("%s\n got %s\nwant %s", name, got, want)
		}
	}
	if seen != len(wanted) {
		t.Errorf("%d samples, %d in the table", seen, len(wanted))
	}
}

// sample reads a file as the platform would send it, and says what came of it. Reading it again must give the same.
func sample(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	platform, path, kind, body := request(t, filepath.Base(file), body)
	front := fronts(t)[platform]
	e, err := front.Parse(path, kind, body)
	if err != nil {
		if !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
			t.Errorf("%s: %v", file, err)
		}
		return "refused"
	}
	if again, err := front.Parse(path, kind, body); err != nil || again.ID != e.ID || e.ID == "" || e.Place.Platform != platform {
		t.Errorf("%s: id %q, then %q, %v", file, e.ID, again.ID, err)
	}
	quiet(t, file, e)
	return brief(e)
}

// request says how the platform sends a sample.
func request(t *testing.T, name string, body []byte) (p chat.Platform, path, contentType string, _ []byte) {
	t.Helper()
	const form = "application/x-www-form-urlencoded"
	switch {
	case strings.HasPrefix(name, "googlechat-"):
		return chat.Google, "", "application/json; charset=UTF-8", body
	case strings.HasPrefix(name, "slack-events"):
		return chat.Slack, "events", "application/json", body
	case strings.HasPrefix(name, "slack-interactive"):
		return chat.Slack, "interactions", form, formOf(string(body))
	case strings.HasSuffix(name, "vector.json"):
		var v struct{ Body string }
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		body = []byte(v.Body)
	}
	return chat.Slack, "commands", form, []byte(strings.TrimSpace(string(body)))
}

// tokens are what samples hold and events must not.
var tokens = []string{"legacy-fixed-value", "9s8d9as89d8as9d8as989", "verification_token", "hooks.slack.com", "111.222.valid", "12321423423.", "13345224609", "398738663015", "bot_config_complete", "REDACTED"}

func quiet(t *testing.T, file string, e chat.Event) {
	t.Helper()
	out, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if strings.Contains(string(out), token) {
			t.Errorf("%s: the event holds %q", file, token)
		}
	}
}
