//go:build unix

package tenants

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

// configuration of the installation. URL is where the remotes are.
const configuration = `
ledger: {settle: 1m, call_timeout: 5s}
push: {bearer: env:TENANTS_CALLER} # of functions on their own; an installation makes one for its bus
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine"}
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:TENANTS_CALLER}}
routes:
  - {when: "true", desk: google, priority: P3}
onboarding:
  organization: 9d9648a7-115a-4a06-a613-a0c4077469f7
  token: env:TENANTS_HUB
  me: owner@acme.example
  auth: {bearer: env:TENANTS_CALLER}
  desk: google
endpoints:
  cloudsupport: URL/desk
  hub: URL/hub/api
  serviceusage: URL/google
  resourcemanager: URL/google
  essentialcontacts: URL/google
  recommender: URL/google
  servicehealth: URL/google
`

const lifetime = 5 * time.Minute // bounds every process, so that none is left when a test is

// freshProject names one that nobody else uses.
func freshProject() string { return "tenants-" + strings.ToLower(rand.Text()[:12]) }

// site is an installation: a folder, an address, a configuration, and "providerdesk up" on them, which dies and is started again.
type site struct {
	*testing.T
	addr, dir, config, caller string
	env                       []string
	kills                     int

	mu  sync.Mutex
	cmd *exec.Cmd
	out *proctest.Output // of this life
}

// install makes an installation and starts it.
func install(t *testing.T, remotes, hubToken string, env []string) *site {
	t.Helper()
	s := &site{T: t, addr: proctest.FreeAddress(t), dir: t.TempDir(), caller: "caller-" + rand.Text()}
	s.config = filepath.Join(s.dir, "config.yaml")
	if err := os.WriteFile(s.config, []byte(strings.ReplaceAll(configuration, "URL", remotes)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.env = append(append(os.Environ(), "TENANTS_CALLER="+s.caller, "TENANTS_HUB="+hubToken), env...)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("its last words:\n%s", s.out.Last(6000))
		}
	})
	s.start()
	return s
}

func (s *site) data() string { return filepath.Join(s.dir, "data") }

// command is one of the product's on this installation.
func (s *site) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, bin, append(args, "--data", s.data(), "--config", s.config)...)
	cmd.Env = s.env
	return cmd
}

// start starts the process unless it lives, and returns when it answers.
func (s *site) start() {
	s.Helper()
	if s.lives() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	s.Cleanup(cancel)
	cmd, out := s.command(ctx, "up", "--addr", s.addr, "--sweep-every", "1s"), &proctest.Output{}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, 5*time.Second
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.mu.Lock()
	s.cmd, s.out = cmd, out
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
	s.cmd = nil
	s.kills++
}

// apply has a tenant taken in, however often that takes: the process may be killed while it is asked. Asking again does no harm.
func (s *site) apply(tenant string, died <-chan struct{}) {
	s.Helper()
	file := filepath.Join(s.dir, tenant+".yaml")
	if err := os.WriteFile(file, []byte(request(tenant)), 0o600); err != nil {
		s.Fatal(err)
	}
	var said []byte
	for range 5 {
		out, err := s.command(s.Context(), "tenants", "apply", file, "--yes").CombinedOutput()
		if err == nil {
			return
		}
		said = out
		select {
		case <-died:
			s.start()
		default:
		}
		if _, ok := s.tenants()[tenant]; ok {
			return
		}
	}
	s.Fatalf("tenant %s is not accepted: %s", tenant, said)
}

// tenants asks how all tenants stand.
func (s *site) tenants() map[string]string {
	var page struct {
		Tenants []struct{ Tenant, Status string }
	}
	all := map[string]string{}
	if s.get("/TenantWebhook/tenants", s.caller, &page) != nil {
		return all
	}
	for _, t := range page.Tenants {
		all[t.Tenant] = t.Status
	}
	return all
}

// untilAllRest waits for n tenants. What a kill has interrupted the sweeps take on two minutes later; a message that comes again does it now.
func (s *site) untilAllRest(n int) {
	s.Helper()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		all, left := s.tenants(), n
		for tenant, status := range all {
			switch status {
			case "INVITED":
				left--
			case "FAILED", "UNDONE", "READY":
				s.Fatalf("tenant %s is %s", tenant, status)
			default:
				s.deliver(tenant)
			}
		}
		if left == 0 && len(all) == n && len(s.unfinished()) == 0 {
			return
		}
		select {
		case <-look.C:
		case <-limit.C:
			s.Fatalf("not at rest: %v; effects %v", all, s.unfinished())
		}
	}
}

// deliver brings a tenant's message once more, as the bus may at any time.
func (s *site) deliver(tenant string) {
	s.Helper()
	data := fmt.Appendf(nil, `{"tenant":%q}`, tenant)
	body, err := json.Marshal(map[string]any{
		"message":      map[string]any{"data": data, "messageId": "again-" + tenant, "publishTime": time.Now().UTC()},
		"subscription": "projects/local/subscriptions/tenant-onboarding-onboardtenant",
	})
	if err != nil {
		s.Fatal(err)
	}
	if status, answer, err := s.send(http.MethodPost, "/OnboardTenant", s.secret("bus"), body); err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable {
		s.Errorf("a message that comes again is answered %d %s, %v", status, answer, err)
	}
}

// secret reads what the installation made for itself.
func (s *site) secret(name string) string {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.data(), "secrets", name))
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(text))
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

type record struct {
	Kind, State, LastError string
	Duplicates             []any
}

func (s *site) records() []record {
	s.Helper()
	var book struct{ Records []record }
	if err := s.get("/api/ledger?limit=1000", s.secret("admin"), &book); err != nil {
		s.Fatal(err)
	}
	return book.Records
}

// checkLedger: everything succeeded, nothing twice.
func (s *site) checkLedger() {
	s.Helper()
	kinds := map[string]int{}
	for _, r := range s.records() {
		kinds[r.Kind]++
		if r.State != "SUCCEEDED" || len(r.Duplicates) > 0 {
			s.Errorf("%s: %s, %d duplicates, %s", r.Kind, r.State, len(r.Duplicates), r.LastError)
		}
	}
	if n := kinds["tenant.create"]; n != len(moments) {
		s.Errorf("the ledger has %d organizations", n)
	}
}

// get reads JSON.
func (s *site) get(path, token string, into any) error {
	status, answer, err := s.send(http.MethodGet, path, token, nil)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return fmt.Errorf("GET %s answers %d: %s", path, status, answer)
	}
	return json.Unmarshal(answer, into)
}

// send sends a request on a connection of its own: the process may have been another one the last time.
func (s *site) send(method, path, token string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(s.Context(), method, "http://"+s.addr+path, strings.NewReader(string(body)))
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
