package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

// site is an installation: a folder, an address, a configuration, and "providerdesk up" on them.
type site struct {
	*testing.T
	*process
	base, addr, dir, config string
	sender, push, admin     string // the secrets of the sender, of the bus and of the operator
	before                  string // what processes that have ended wrote
}

// configuration is the installation's file. Times are the shortest that it takes.
const configuration = `
ledger: {settle: 1m, call_timeout: 5s}
push: {bearer: env:E2E_SENDER} # of functions on their own; an installation makes one for its bus
desks:
  google:
    kind: google
    parent: projects/acme-prod
    classification: "Technical Issue > Compute > Compute Engine"
    subscribers: [oncall@example.com]
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:E2E_SENDER}}
  - {name: cloud-monitoring, source: monitoring, tenant: acme, auth: {basic: {username: gcm, password: env:E2E_SENDER}}}
routes:
  - when: '"team" in incident.labels && incident.labels.team == "storage"'
    desk: google
    priority: P2
    classification: "Technical Issue > Storage > Cloud Storage"
    title: 'storage: {{.Title}}'
    resolve: {do: close, after: 1s}
  - {when: incident.severity == "critical", desk: google, priority: P1}
  - {when: incident.severity == "error", desk: google, priority: P2}
  - {when: incident.severity == "warning", desk: google, priority: P3}
  - {when: "true", desk: google, priority: P4}
endpoints: {cloudsupport: "http://ADDR/sim/cloudsupport"}
`

// newSite makes an installation and starts it.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, addr: proctest.FreeAddress(t), dir: t.TempDir(), sender: "sender-" + rand.Text()}
	s.base = "http://" + s.addr
	s.config = filepath.Join(s.dir, "e2e.yaml")
	if err := os.WriteFile(s.config, []byte(strings.ReplaceAll(configuration, "ADDR", s.addr)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.up()
	return s
}

var ready = regexp.MustCompile(`(?m)^ready (http://\S+)$`)

// up starts the command on the installation and waits until it says that it answers.
func (s *site) up() {
	s.Helper()
	data := filepath.Join(s.dir, "data")
	s.process = start(s.T, []string{"E2E_SENDER=" + s.sender}, command(s.T),
		"up", "--addr", s.addr, "--data", data, "--config", s.config, "--sweep-every", "2s")
	eventually(s.T, 20*time.Second, "up says that it is ready", func() (bool, any) {
		m := ready.FindStringSubmatch(s.out.String())
		return m != nil && m[1] == s.base, "\n" + s.out.String()
	})
	s.push, s.admin = s.secret(data, "bus"), s.secret(data, "admin")
}

// secret reads what the installation made for itself.
func (s *site) secret(data, name string) string {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(data, "secrets", name))
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// crash ends the command as kill -9 does and keeps what it wrote.
func (s *site) crash() {
	s.kill()
	s.before += s.out.String()
}

// log is all that the command has written, in all its lives.
func (s *site) log() string { return s.before + s.out.String() }

var filed = regexp.MustCompile(`(?m)^.*\bFileCase\b.*\bdone\b.*$`)

// handled counts the deliveries to FileCase that were acknowledged, as the log has them.
func (s *site) handled() int { return len(filed.FindAllStringIndex(s.log(), -1)) }

// idle reports whether the bus has nothing on the way, and no dead letter.
func (s *site) idle() (bool, any) {
	s.Helper()
	var bus struct {
		Subscriptions []struct {
			Name                 string
			Waiting, Outstanding int
		}
		Dead []any
	}
	if err := s.get("/api/bus", s.admin, &bus); err != nil {
		s.Fatal(err)
	}
	left := len(bus.Dead)
	for _, sub := range bus.Subscriptions {
		left += sub.Waiting + sub.Outstanding
	}
	return left == 0 && len(bus.Subscriptions) > 0, bus
}

// unfinished lists the effects that the ledger does not call a success.
func (s *site) unfinished() (list []string) {
	s.Helper()
	var book struct {
		Records []struct{ Kind, State, Business, LastError string }
	}
	if err := s.get("/api/ledger?limit=1000", s.admin, &book); err != nil {
		s.Fatal(err)
	}
	if len(book.Records) == 0 {
		s.Error("the ledger has no records")
	}
	for _, r := range book.Records {
		if r.State != "SUCCEEDED" {
			list = append(list, fmt.Sprint(r))
		}
	}
	return list
}

// answer is what came back.
type answer struct {
	status int
	media  string
	body   string
}

var client = &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

// post sends a body. The token may be empty.
func (s *site) post(path, token, media string, body []byte) answer {
	s.Helper()
	a, err := s.send(http.MethodPost, path, token, media, body)
	if err != nil {
		s.Fatal(err)
	}
	return a
}

func (s *site) send(method, path, token, media string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(s.Context(), method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	r, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return answer{r.StatusCode, r.Header.Get("Content-Type"), string(text)}, err
}

// get reads JSON.
func (s *site) get(path, token string, into any) error {
	a, err := s.send(http.MethodGet, path, token, "", nil)
	switch {
	case err != nil:
		return err
	case a.status != http.StatusOK:
		return fmt.Errorf("GET %s answers %d: %s", path, a.status, a.body)
	}
	return json.Unmarshal([]byte(a.body), into)
}
