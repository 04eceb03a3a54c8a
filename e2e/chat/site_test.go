//go:build unix

package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/proctest"
	sim "github.com/providerdesk/providerdesk/shared/sim/chat"
)

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

const lifetime = 5 * time.Minute // bounds every process, so that none is left when a test is

// site is an installation: a folder, an address, a configuration, and "providerdesk up" on them, which dies and is started again.
type site struct {
	*testing.T
	addr, dir, config string
	kills             int

	mu  sync.Mutex
	cmd *exec.Cmd
	end context.CancelFunc
	out *proctest.Output // of this life
}

func install(t *testing.T, addr, remotes, platform string, addOn bool) *site {
	t.Helper()
	room, chat := "{slack: C0CASES}", slackChat
	if platform == sim.Google {
		room, chat = "{google: spaces/CASES}", googleChat
	}
	s := &site{T: t, addr: addr, dir: t.TempDir()}
	s.config = filepath.Join(s.dir, "config.yaml")
	text := strings.NewReplacer("ROOM", room, "CHAT\n", chat+"\n").Replace(configuration)
	text = strings.NewReplacer("REMOTES", remotes, "HERE", "http://"+addr, "ADDON", fmt.Sprint(addOn)).Replace(text)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("its last words:\n%s", s.words())
		}
	})
	s.start()
	return s
}

// words are the last lines of its log that are not the scheduler's.
func (s *site) words() string {
	lines := slices.DeleteFunc(strings.Split(s.out.String(), "\n"), func(l string) bool { return strings.Contains(l, `"status":200`) })
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

func (s *site) data() string { return filepath.Join(s.dir, "data") }

// start starts the process unless it lives, and returns when it answers.
func (s *site) start() {
	s.Helper()
	if s.lives() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	cmd, out := exec.CommandContext(ctx, bin, "up", "--addr", s.addr, "--sweep-every", "1s", "--data", s.data(), "--config", s.config), &proctest.Output{}
	cmd.Env = append(os.Environ(), "CHAT_TOKEN=xoxb-0123456789-chat", "CHAT_SIGNING="+sim.DefaultSign)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, 5*time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		s.Fatal(err)
	}
	s.mu.Lock()
	s.cmd, s.end, s.out = cmd, cancel, out
	s.mu.Unlock()
	proctest.Until(s.T, "up says that it is ready", func() bool { return ready.MatchString(out.String()) })
}

var ready = regexp.MustCompile(`(?m)^ready http`)

func (s *site) lives() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd != nil
}

// kill kills the process with SIGKILL and returns when it is dead. It may be dead already.
func (s *site) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // that it was killed is no news
	s.end()
	s.cmd = nil
	s.kills++
}

// push delivers an event of the desk, as Pub/Sub does. It reports whether it was taken.
func (s *site) push(message []byte) bool {
	if !s.lives() {
		return false
	}
	status, _, err := s.send(http.MethodPost, "http://"+s.addr+"/CaseUpdate", s.secret("bus"), message)
	return err == nil && status == http.StatusOK
}

// secret reads what the installation made for itself.
func (s *site) secret(name string) string {
	text, err := os.ReadFile(filepath.Join(s.data(), "secrets", name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

type record struct {
	Kind, State, LastError string
	Duplicates             []any
}

func (s *site) records() []record {
	s.Helper()
	var book struct{ Records []record }
	if err := json.Unmarshal(s.must(http.MethodGet, "http://"+s.addr+"/api/ledger?limit=1000", ""), &book); err != nil {
		s.Fatal(err)
	}
	return book.Records
}

// unfinished lists the effects that are no success.
func (s *site) unfinished() (list []string) {
	s.Helper()
	for _, r := range s.records() {
		if r.State != "SUCCEEDED" {
			list = append(list, r.Kind+" "+r.State+" "+r.LastError)
		}
	}
	return list
}

// checkLedger: everything succeeded, nothing twice.
func (s *site) checkLedger() {
	s.Helper()
	for _, r := range s.records() {
		if r.State != "SUCCEEDED" || len(r.Duplicates) > 0 {
			s.Errorf("%s: %s, %d duplicates, %s", r.Kind, r.State, len(r.Duplicates), r.LastError)
		}
	}
}

// must sends a request that succeeds, with the operator's token.
func (s *site) must(method, url, body string) []byte {
	s.Helper()
	status, answer, err := s.send(method, url, s.secret("admin"), []byte(body))
	if err != nil || status != http.StatusOK {
		s.Fatalf("%s %s answers %d %s, %v", method, url, status, answer, err)
	}
	return answer
}

// send sends a request on a connection of its own: the process may have been another one the last time.
func (s *site) send(method, url, token string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(s.Context()), method, url, strings.NewReader(string(body)))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	r, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	answer, err = io.ReadAll(r.Body)
	return r.StatusCode, answer, err
}
