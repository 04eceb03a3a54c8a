package chat_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	simchat "github.com/providerdesk/providerdesk/shared/sim/chat"
)

// Over a network, below a prefix, as `up` has it, all is the same.
func TestMounted(t *testing.T) {
	for _, p := range platforms {
		t.Run(string(p.name), func(t *testing.T) {
			w := &webhook{t: t, says: "heard"}
			r := newRig(t, p, simchat.Options{Callback: callback, HTTP: &http.Client{Transport: w}})
			w.front = r.front(t)
			network := mount(t, p, r)
			root, err := network.Post(t.Context(), r.place, full, "pd-1")
			if err != nil {
				t.Fatal(err)
			}
			if err := network.Edit(t.Context(), root, chat.Post{Body: "edited"}, "pd-1"); err != nil {
				t.Error(err)
			}
			if found, err := network.Find(t.Context(), root.Place, "pd-1", time.Time{}); err != nil || len(found) != 1 || found[0] != root {
				t.Errorf("%+v, %v", found, err)
			}
			r.say(simchat.Saying{Text: "look", Files: []simchat.Upload{{Name: "a.log", Type: "text/plain", Content: []byte("a log")}}})
			var got bytes.Buffer
			if err := network.Download(t.Context(), w.events[0].Files[0], 100, &got); err != nil || got.String() != "a log" {
				t.Errorf("%q, %v", got.String(), err)
			}
		})
	}
}

// mount serves the simulator below a prefix, and returns a room that reaches it there.
func mount(t *testing.T, p platform, r *rig) chat.Room {
	t.Helper()
	server := httptest.NewServer(http.StripPrefix("/sim/chat", r.sim))
	t.Cleanup(server.Close)
	transport := &http.Transport{DisableKeepAlives: true}
	room, err := p.room(network{strings.TrimSuffix(server.URL, "/") + "/sim/chat", transport, nil})
	if err != nil {
		t.Fatal(err)
	}
	return room
}
