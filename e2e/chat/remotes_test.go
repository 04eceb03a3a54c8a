//go:build unix

package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/e2e/installed"
	sim "github.com/providerdesk/providerdesk/shared/sim/chat"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

// remotes are the vendors' servers. They live in the test's process, so whoever calls them may die.
type remotes struct {
	installed.Death
	chat *sim.Server
	desk *cloudsupport.Server
	url  string

	mu     sync.Mutex
	site   *installed.Site // that the desk's events go to
	missed [][]byte        // those that nobody took
}

func openRemotes(t *testing.T, callback string, addOn bool) *remotes {
	t.Helper()
	r := &remotes{}
	var err error
	if r.chat, err = sim.New(sim.Options{Callback: callback, AddOn: addOn}); err != nil {
		t.Fatal(err)
	}
	if r.desk, err = cloudsupport.New(cloudsupport.Options{AnyParent: true, Publish: r.publish}); err != nil {
		t.Fatal(err)
	}
	if err := r.desk.Announce("projects/acme-prod/topics/support-events"); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, h := range map[string]http.Handler{"/chat": r.chat, "/desk": r.desk} {
		mux.Handle(path+"/", http.StripPrefix(path, h))
	}
	server := httptest.NewServer(r.Before(mux))
	r.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		for _, c := range []io.Closer{r.chat, r.desk} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// listenTo has an installation told of the desk's events.
func (r *remotes) listenTo(s *installed.Site) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.site = s
}

// publish is Pub/Sub between the desk and us: what is not taken is kept and comes again.
func (r *remotes) publish(_ context.Context, _ string, attributes map[string]string, data []byte) error {
	body, err := json.Marshal(map[string]any{
		"message":      map[string]any{"attributes": attributes, "data": data, "messageId": "event", "publishTime": time.Now().UTC()},
		"subscription": "projects/acme-prod/subscriptions/support-events",
	})
	if err == nil {
		r.push(body)
	}
	return err
}

// push delivers an event to who listens.
func (r *remotes) push(event []byte) {
	r.mu.Lock()
	s := r.site
	r.mu.Unlock()
	if s != nil && s.Lives() {
		if status, _, err := s.Send(http.MethodPost, "/CaseUpdate", s.Secret("bus"), event); err == nil && status == http.StatusOK {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missed = append(r.missed, event)
}

// again delivers what nobody took.
func (r *remotes) again() {
	r.mu.Lock()
	missed := r.missed
	r.missed = nil
	r.mu.Unlock()
	for _, event := range missed {
		r.push(event)
	}
}

// configuration of the installation. REMOTES is where the remotes are, HERE where it is itself, ROOM and CHAT depend on the platform.
const configuration = `
ledger: {settle: 1m, call_timeout: 5s}
push: {bearer: env:CHAT_TOKEN} # of functions on their own; an installation makes one for its bus
desks:
  google:
    kind: google
    parent: projects/acme-prod
    classification: "Technical Issue > Compute > Compute Engine"
    rooms: [ROOM]
    updates: {every: 1m}
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:CHAT_TOKEN}}
routes:
  - {when: "true", desk: google, priority: P3}
chat:
  CHAT
  second_approver: [close]
people:
  - {name: Anna Example, slack: U0ANNA, google: users/1001, may: [all]}
  - {name: Ben Example, slack: U0BEN, google: users/1002, may: [comment, list, show, approve]}
  - {name: Chen Example, slack: U0CHEN, google: users/1003, may: [list, show]}
endpoints:
  cloudsupport: REMOTES/desk
  slack: REMOTES/chat/slack/api
  chat: REMOTES/chat/google
`

const (
	slackChat  = `slack: {signing_secret: env:CHAT_SIGNING, token: env:CHAT_TOKEN, team: T0DESK, bot_user: U0DESKBOT}`
	googleChat = `google: {audience: "HERE/ChatWebhook/google", certificates: REMOTES/chat/google/jwks, app: users/9001, add_on: ADDON}`
)

// configured is the configuration of an installation on one platform.
func configured(addr, remotes, platform string, addOn bool) string {
	room, chat := "{slack: C0CASES}", slackChat
	if platform == sim.Google {
		room, chat = "{google: spaces/CASES}", googleChat
	}
	text := strings.NewReplacer("ROOM", room, "CHAT\n", chat+"\n").Replace(configuration)
	return strings.NewReplacer("REMOTES", remotes, "HERE", "http://"+addr, "ADDON", fmt.Sprint(addOn)).Replace(text)
}
