package follow_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	googlechat "github.com/providerdesk/providerdesk/shared/chat/google"
	"github.com/providerdesk/providerdesk/shared/chat/slack"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
	simchat "github.com/providerdesk/providerdesk/shared/sim/chat"
)

// chats are the real clients of both platforms in front of a simulated one.
func chats(t *testing.T) (*simchat.Server, say.Rooms) {
	t.Helper()
	sim, err := simchat.New(simchat.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	s, err := slack.NewRoom(slack.RoomOptions{Token: "xoxb-1", Endpoint: "http://chat.test/slack/api", Files: "http://chat.test/slack/files", BotUser: simchat.BotUser, Base: sim.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	client, err := gapi.Client(gapi.Options{Endpoint: "http://chat.test/google", Base: sim.Transport(), Token: gapi.StaticToken("t"), Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	g, err := googlechat.NewRoom(googlechat.RoomOptions{HTTP: client, Endpoint: "http://chat.test/google"})
	if err != nil {
		t.Fatal(err)
	}
	return sim, say.Rooms{chat.Slack: s, chat.Google: g}
}

// On both platforms as they are on the wire, whatever their servers do: one thread, each comment once and in order.
func TestOnceOnBothPlatforms(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a bubble runs one goroutine at a time
	played, deaths := 0, 0
	for _, op := range []string{"chat.postMessage", "chat.spaces.messages.create", "chat.update", "chat.spaces.messages.patch"} {
		for _, f := range []string{"drop", "commit_then_drop", "status:429", "status:500", "commit_then_status:503", "garbage", "delay:40s", "late:4m"} {
			for i, p := range []ledger.Point{"", ledger.Called, ledger.Searched} {
				synctest.Test(t, func(t *testing.T) {
					died, wrong := playChats(t, op, f, p, i%2 == 0)
					played, deaths = played+1, deaths+died
					if wrong != "" {
						t.Errorf("%s %s %s: %s", op, f, p, wrong)
					}
				})
			}
		}
	}
	t.Logf("%d scenarios, %d deaths", played, deaths)
}

func playChats(t *testing.T, op, spoils string, p ledger.Point, root bool) (deaths int, wrong string) {
	sim, rooms := chats(t)
	var mu sync.Mutex
	var armed ledger.Point
	w := newWorld(t, setup{desk: inBoth, rooms: rooms, crash: func(at ledger.Point) {
		mu.Lock()
		defer mu.Unlock()
		if at == armed {
			armed, deaths = "", deaths+1
			panic("crash " + at)
		}
	}})
	w.subscribe()
	arm := func() {
		mu.Lock()
		armed = p
		mu.Unlock()
		if err := sim.ArmFault(op, spoils, 1); err != nil {
			t.Fatal(err)
		}
	}
	if root {
		arm()
	}
	name := w.open(1)
	w.minutes(5 * time.Minute)
	if !root {
		arm()
	}
	for i := range 3 {
		w.reply(name, fmt.Sprintf("answer %d", i), "")
		w.push()
	}
	w.minutes(40 * time.Minute)
	for _, at := range []chat.Place{{Platform: chat.Slack, Space: cases}, {Platform: chat.Google, Space: space}} {
		if wrong := w.read(sim, at, "answer 0", "answer 1", "answer 2"); wrong != "" {
			return deaths, wrong
		}
	}
	return deaths, ""
}

// read reads a space as people do: one thread, which is known, with these texts in it.
func (w *world) read(sim *simchat.Server, at chat.Place, want ...string) string {
	var got []string
	threads := map[string]bool{}
	for i, m := range sim.Messages(string(at.Platform), at.Space, "") {
		threads[m.Thread] = true
		if i == 0 {
			if at.Thread = m.Thread; !strings.Contains(m.Text, "Incident 1") || !strings.Contains(m.Text, w.last.In(paris(w)).Format("15:04 MST")) || !slices.Contains(m.Buttons, "Escalate") {
				return fmt.Sprintf("%s begins with %q, buttons %q", at.Space, m.Text, m.Buttons)
			}
			continue
		}
		lines := strings.Split(strings.TrimSpace(m.Text), "\n")
		got = append(got, lines[len(lines)-1])
	}
	if at.Platform == chat.Slack && len(threads) == 2 && threads[""] { // the first message of a thread in Slack
		delete(threads, "")
	}
	if len(threads) != 1 || !slices.Equal(got, want) {
		return fmt.Sprintf("%s has %d threads and reads %q; effects %v", at.Space, len(threads), got, w.states())
	}
	for thread := range threads {
		at.Thread = thread
	}
	c, err := w.ByThread(w.Context(), at)
	if err != nil {
		return fmt.Sprintf("the thread %q in %s: %v", at.Thread, at.Space, err)
	}
	if _, err := w.ByThread(w.Context(), chat.Place{Platform: at.Platform, Space: at.Space, Thread: "x"}); !fault.Is(err, fault.Missing) || c.Title != "Incident 1" {
		return fmt.Sprintf("another thread: %v; the case %+v", err, c)
	}
	return ""
}
