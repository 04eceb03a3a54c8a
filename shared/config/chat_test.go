package config

import (
	"strings"
	"testing"
	"time"
)

const talking = `
push: {bearer: env:TOKEN}
desks:
  google:
    kind: google
    parent: projects/acme-prod
    classification: "A > B"
    rooms: [{slack: C0CASES}, {google: spaces/CASES}]
    watch: {answer: 30m, our_turn: 1h, propose: 30m, close: 72h}
    updates: {organization: organizations/123456789012, every: 5m, all: true}
senders:
  - {name: prom, source: alertmanager, tenant: acme, heartbeat: 10m, auth: {bearer: env:TOKEN}}
routes:
  - {when: "true", desk: google, priority: P2, rooms: [{slack: C0OTHER}]}
chat:
  slack: {signing_secret: env:TOKEN, token: env:TOKEN, team: T0DESK, bot_user: U0DESK}
  google: {audience: "https://example.com/ChatWebhook/google", app: users/9000, quick: {2: report}}
  alarms: [{slack: C0ALARM}]
  second_approver: [escalate]
people:
  - {name: Anna Example, email: anna@example.com, slack: U0ANNA, google: users/1001, may: [all]}
  - {name: Ben Example, slack: U0BEN, may: [comment, list, show], desks: [google]}
webhooks:
  - {name: itsm, url: "https://itsm.example.com/hook", secret: env:TOKEN, desks: [google]}
`

func found(string) (string, bool) { return "a-secret-0123456789", true }

func TestChat(t *testing.T) {
	c, err := Parse("x.yaml", []byte(talking), found)
	if err != nil {
		t.Fatal(err)
	}
	d := c.Desks["google"]
	if d.Rooms[1].Google != "spaces/CASES" || d.Watch.Close != 72*time.Hour || d.Updates.Every != 5*time.Minute || !d.Updates.All {
		t.Errorf("desk %+v", d)
	}
	if c.Chat.Google.Quick[2] != "report" || c.Chat.Slack.Team != "T0DESK" || c.Routes[0].Rooms[0].Slack != "C0OTHER" || c.Senders[0].Heartbeat != 10*time.Minute {
		t.Errorf("chat %+v", c.Chat)
	}
	anna, ben := c.People[0], c.People[1]
	for _, can := range []struct {
		who          Named
		action, desk string
		want         bool
	}{
		{anna, "close", "google", true}, {anna, "close", "", true}, {ben, "close", "google", false}, {ben, "comment", "google", true},
		{ben, "comment", "hub", false}, {ben, "list", "", true},
	} {
		if got := can.who.Can(can.action, can.desk); got != can.want {
			t.Errorf("%s may %s at %q: %v, want %v", can.who.Name, can.action, can.desk, got, can.want)
		}
	}
}

func TestChatProblems(t *testing.T) {
	for _, bad := range []struct{ from, to, want string }{
		{"T0DESK", "acme", "must be the id of a workspace"},
		{"spaces/CASES", "CASES", "must be spaces/ and the id of a space"},
		{"{slack: C0ALARM}", "{slack: C0ALARM, google: spaces/A}", "one of"},
		{"may: [comment", "may: [shout", "may[0]: must be all, create"},
		{"slack: U0BEN", "slack: U0ANNA", "the user of another person"},
		{"google: users/1001, may", "may", ""},
		{"desks: [google]}\nwebhooks", "desks: [hub]}\nwebhooks", "no desk has"},
		{"https://itsm.example.com/hook", "http://itsm.example.com/hook", "https URL"},
		{"2: report", "two: report", "the command's id"},
		{"app: users/9000", "app: users/9000, add_on: true", ""},
		{"audience: \"https://example.com/ChatWebhook/google\", app: users/9000", "project_number: \"12\", app: users/9000, add_on: true", "an add-on wants audience"},
		{"answer: 30m", "answer: 30s", "1m"},
		{"chat:\n  slack", "chat:\n  slak", "slack"},
		{"  slack: {signing_secret: env:TOKEN, token: env:TOKEN, team: T0DESK, bot_user: U0DESK}\n", "", "chat.slack is missing"},
		{"audience: \"https://example.com/ChatWebhook/google\"", "audience: \"https://example.com/x\", project_number: \"12\"", "one of"},
	} {
		text := strings.Replace(talking, bad.from, bad.to, 1)
		if text == talking {
			t.Fatalf("%q is not in the example", bad.from)
		}
		_, err := Parse("x.yaml", []byte(text), found)
		if (err == nil) != (bad.want == "") || err != nil && !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%q: %v, want %q", bad.to, err, bad.want)
		}
	}
}
