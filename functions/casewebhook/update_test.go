package casewebhook_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/say"
	simchat "github.com/providerdesk/providerdesk/shared/sim/chat"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// talking is a configuration whose cases are told in Slack.
const talking = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:PUSH_TOKEN}
chat: {slack: {signing_secret: env:PUSH_TOKEN, token: env:PUSH_TOKEN, team: T0DESK, bot_user: U0DESKBOT}}
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine", rooms: [{slack: C0CASES}]}
senders:
  - {name: prom, source: alertmanager, tenant: acme, auth: {bearer: env:PROM_TOKEN}, heartbeat: 10m}
routes:
  - {when: "true", desk: google, priority: P2}
`

// talk gives the function of a world a room.
func (w *world) talk(settings string) *simchat.Server {
	w.Helper()
	c, err := config.Parse("providerdesk.yaml", []byte(settings), env)
	if err != nil {
		w.Fatal(err)
	}
	sim, err := simchat.New(simchat.Options{})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { sim.Close() })
	room, err := slack.NewRoom(slack.RoomOptions{Token: "xoxb-1", Endpoint: "http://chat.test/slack/api", Files: "http://chat.test/slack/files", BotUser: simchat.BotUser, Base: sim.Transport()})
	if err != nil {
		w.Fatal(err)
	}
	client, err := gapi.Client(gapi.Options{Base: w.sim.Transport(), Token: gapi.StaticToken("t"), Backoff: time.Millisecond})
	if err != nil {
		w.Fatal(err)
	}
	desks, err := casewebhook.Desks(c, client, time.Now)
	if err != nil {
		w.Fatal(err)
	}
	w.bus.Topics = append(w.bus.Topics, follow.TopicActivity)
	w.Function, err = casewebhook.New(w.Context(), casewebhook.Deps{Config: c, DB: w.db, Publisher: w.bus, Desks: desks, Rooms: say.Rooms{chat.Slack: room}})
	if err != nil {
		w.Fatal(err)
	}
	return sim
}

// An alert's case has its thread before the alert is acknowledged, and what the desk says comes with its event; the tick finds what no event told.
func TestAlertIsToldInChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		sim := w.talk(talking)
		w.file(group("eu", firing("a", time.Now())))
		name := w.one().name
		texts := func() string {
			var all []string
			for _, m := range sim.Messages(simchat.Slack, "C0CASES", "") {
				all = append(all, m.Text)
			}
			return strings.Join(all, "\n--\n")
		}
		if !strings.Contains(texts(), "HighLatency") {
			t.Fatalf("the room reads %q", texts())
		}
		w.call(http.MethodPost, "/cases/"+name+"/reply", `{"body":"by event"}`)
		e := event.Envelope{ID: "1", Attributes: map[string]string{"notificationType": "COMMENT_CREATED", "resourceName": name}}
		if err := w.CaseUpdate(t.Context(), e); err != nil || !strings.HasSuffix(texts(), "by event") {
			t.Errorf("%v, the room reads %q", err, texts())
		}
		w.call(http.MethodPost, "/cases/"+name+"/reply", `{"body":"by the tick"}`)
		w.file(group("eu", firing("a", time.Now()), firing("b", time.Now())))
		time.Sleep(11 * time.Minute)
		if err := w.CaseUpdate(t.Context(), event.Envelope{ID: "2", Attributes: map[string]string{follow.AttributeTick: "1"}}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(texts(), "by the tick") || !strings.Contains(texts(), "Ours\nNews:") {
			t.Errorf("the room reads %q", texts())
		}
		if got := w.states(); got["case.track SUCCEEDED"] != 1 || got["case.root SUCCEEDED"] != 1 {
			t.Errorf("effects %v", got)
		}
	})
}

// The storm of ten thousand alerts is told once in the room for alarms, and what it held back is released by a word there: each incident gets its
// case and its thread, once.
func TestStormIsToldAndReleasedInChat(t *testing.T) {
	const incidents, messages, each = 40, 10, 25
	settings := strings.NewReplacer("bot_user: U0DESKBOT}}", "bot_user: U0DESKBOT}, alarms: [{slack: C0CASES}]}",
		"rooms: [", stormBudget+", rooms: [").Replace(talking) + "people: [{name: Anna Example, slack: U0ANNA, may: [release]}]\n"
	synctest.Test(t, func(t *testing.T) {
		nextHour()
		w := newWorld(t, setup{quiet: true})
		sim := w.talk(settings)
		said := func(words string) (n int) {
			for _, m := range sim.Messages(simchat.Slack, "C0CASES", "") {
				n += strings.Count(m.Text, words)
			}
			return n
		}
		began := time.Now()
		w.flood(rand.New(rand.NewPCG(4, 5)), incidents*messages, func(n int) alert.Incident {
			return group(cluster(n%incidents), alerts(each*(1+n/incidents), began)...)
		})
		w.sweepFor(10 * time.Minute)
		known, _ := w.known()
		own, umbrellas := w.split()
		if len(own) != 5 || len(umbrellas) != 1 || known != incidents*messages*each || said("needs attention") != 1 {
			t.Fatalf("%d alerts are known, %d cases, %d umbrellas, told %d times", known, len(own), len(umbrellas), said("needs attention"))
		}
		order, err := commands.Encode(commands.Message{Chat: &chat.Event{ID: "slack/1", Kind: chat.Command, Text: "release at google", At: time.Now(),
			Place: chat.Place{Platform: chat.Slack, Space: "C0CASES"}, Person: chat.Person{ID: "U0ANNA", Name: "Anna"}}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the bus may deliver it again
			if err := w.CaseCommand(t.Context(), event.Envelope{ID: "1", Data: order}); err != nil {
				t.Fatal(err)
			}
			w.sweepFor(10 * time.Minute)
		}
		own, umbrellas = w.split()
		told, released := said("needs attention"), said("35 incidents have cases of their own now")
		t.Logf("%d alerts of %d incidents: %d notice in the chat; after the release by a word %d cases and %d umbrella, told %d time", known, incidents, told,
			len(own), len(umbrellas), released)
		if len(own) != incidents || len(umbrellas) != 1 || released != 1 || told != 1 {
			t.Error("that is not each once")
		}
	})
}

// A case that nobody is told of costs not one operation of the store more.
func TestNobodyToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		w.db.Reset()
		w.file(group("eu", firing("a", time.Now())))
		if got := w.db.Counts(); got != (storetest.Counts{Reads: 1, Writes: 3, Commits: 2}) {
			t.Errorf("a new case costs %+v", got)
		}
	})
}

// The hub pushes nothing and does not say who wrote: its cases are followed by the tick all the same.
func TestHubCaseIsFollowed(t *testing.T) {
	var ahead time.Duration
	w, sim := hubWorldOf(t, strings.Replace(hubSettings, "time_zone: Asia/Kolkata", "time_zone: Asia/Kolkata\n    watch: {answer: 1h}", 1), &ahead)
	w.bus.Topics = append(w.bus.Topics, follow.TopicActivity)
	told := func() (types []string) {
		for _, e := range w.bus.Take(follow.TopicActivity) {
			types = append(types, strings.TrimSuffix(strings.TrimPrefix(e.Attributes["type"], "com.providerdesk.case."), ".v1"))
		}
		return types
	}
	tick := func(d time.Duration) {
		ahead += d
		if err := w.CaseUpdate(t.Context(), event.Envelope{Attributes: map[string]string{follow.AttributeTick: "1"}}); err != nil {
			t.Fatal(err)
		}
	}
	w.file(group("eu", firing("a", time.Now())))
	if got := told(); !slices.Equal(got, []string{"followed"}) {
		t.Fatalf("told %q", got)
	}
	w.file(group("eu", firing("a", time.Now()), firing("b", time.Now())))
	if err := sim.Reply(sim.SupportRequests()[0].ID, "", "Pending customer action"); err != nil {
		t.Fatal(err)
	}
	tick(11 * time.Minute)
	if got := told(); !slices.Equal(got, []string{"commented", "state"}) {
		t.Errorf("told %q", got)
	}
	if err := sim.Reply(sim.SupportRequests()[0].ID, "", "Inbound message received"); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		tick(11 * time.Minute)
	}
	if got := told(); !slices.Equal(got, []string{"state", "reminded"}) {
		t.Errorf("told %q", got)
	}
}
