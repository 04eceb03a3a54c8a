package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/proctest"
)

// process is a real "up".
type process struct {
	*exec.Cmd
	base string
	log  *bytes.Buffer
}

// start runs "up" on a folder with a clock that is ahead, and returns when it is ready.
func start(t *testing.T, dir string, ahead time.Duration, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], append([]string{"up", "--addr", "127.0.0.1:0", "--data", dir}, args...)...), log: &bytes.Buffer{}}
	p.Env = append(os.Environ(), asProgram+"="+ahead.String(), "PROVIDERDESK_CONFIG=")
	p.Stderr = p.log
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Process.Kill()
		p.Wait()
		if t.Failed() {
			t.Logf("on standard error of %v:\n%s", p.Args, p.log)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		p.Process.Kill()
		p.Wait()
		t.Fatalf("said %q, %v\n%s", line, err, p.log)
	}
	p.base = base
	return p
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.Wait() // always an error: it was killed
}

// incident is a notification of Alertmanager about the n-th incident.
func incident(n int) string {
	return fmt.Sprintf(`{"version":"4","groupKey":"{}:{n=\"%[1]d\"}","truncatedAlerts":0,"status":"firing","receiver":"desk",
 "groupLabels":{"n":"%[1]d"},"commonLabels":{"alertname":"Incident","n":"%[1]d","severity":"critical"},"commonAnnotations":{},
 "externalURL":"https://alertmanager.acme.example","alerts":[{"status":"firing","labels":{"alertname":"Incident","n":"%[1]d","severity":"critical"},
 "annotations":{"summary":"incident %[1]d"},"startsAt":"2026-03-01T11:00:00Z","endsAt":"0001-01-01T00:00:00Z",
 "generatorURL":"https://prometheus.acme.example","fingerprint":"%016[1]x"}]}`, n)
}

// api asks the operator's API of a folder's "up".
func api(t *testing.T, base, dir, path string, into any) {
	t.Helper()
	token, err := site.Folder(dir).Admin()
	if err != nil {
		t.Fatal(err)
	}
	if status := request(t, http.MethodGet, base+path, token, "", into); status != http.StatusOK {
		t.Fatalf("%s answered %d", path, status)
	}
}

func request(t *testing.T, method, url, token, body string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestKillLosesNothing kills a process in the middle of everything: sixteen incidents are at the desk, two more wait on the bus. After the
// next start, an hour later by its clock, each has one case and one record that says so.
func TestKillLosesNothing(t *testing.T) {
	const incidents = 18
	dir := filepath.Join(t.TempDir(), "data")
	first := start(t, dir, 0)
	fault := `{"op":"cases.create","fault":"delay:10m","times":100}`
	if status := request(t, http.MethodPost, first.base+"/sim/cloudsupport/faults", "", fault, nil); status != http.StatusOK {
		t.Fatalf("arming the fault: %d", status)
	}
	for n := range incidents {
		cli{in: incident(n)}.ok(t, "send", "alertmanager", "-", "--data", dir)
	}
	proctest.Until(t, "sixteen incidents at the desk and two on the bus", func() bool {
		var bus site.BusStatus
		api(t, first.base, dir, "/api/bus", &bus)
		return bus.Subscriptions[0].Outstanding == 16 && bus.Subscriptions[0].Waiting == 2 && len(openings(t, dir)) == 16
	})
	first.kill(t)

	second := start(t, dir, time.Hour, "--sweep-every", "100ms")
	proctest.Until(t, "every incident has its case", func() bool { return done(openings(t, dir)) == incidents })
	cases := listedCases(t, dir)
	titles := map[string]int{}
	for _, c := range cases {
		titles[c.Title]++
	}
	if len(cases) != incidents || len(titles) != incidents {
		t.Errorf("%d cases with %d titles, want %d of each", len(cases), len(titles), incidents)
	}

	second.kill(t)
	start(t, dir, time.Hour)
	if again := listedCases(t, dir); len(again) != incidents || done(openings(t, dir)) != incidents {
		t.Errorf("after another kill: %d cases, %d records", len(again), done(openings(t, dir)))
	}
}

func listedRecords(t *testing.T, dir string) (list []ledger.Record) {
	t.Helper()
	if err := json.Unmarshal([]byte(cli{}.ok(t, "ledger", "list", "--data", dir, "--json")), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// openings are the effects that open cases.
func openings(t *testing.T, dir string) []ledger.Record {
	return slices.DeleteFunc(listedRecords(t, dir), func(r ledger.Record) bool { return r.Kind != "case.open" })
}

func done(list []ledger.Record) (n int) {
	for _, r := range list {
		if r.State == ledger.Succeeded {
			n++
		}
	}
	return n
}

func listedCases(t *testing.T, dir string) (list []desk.Case) {
	t.Helper()
	if err := json.Unmarshal([]byte(cli{}.ok(t, "cases", "list", "--data", dir, "--json")), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestATermEndsItInGoodOrder(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		dir := filepath.Join(t.TempDir(), "data")
		p := start(t, dir, 0)
		cli{in: incident(1)}.ok(t, "send", "alertmanager", "-", "--data", dir)
		began := time.Now()
		if err := p.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(); err != nil {
			t.Errorf("%v: %v\n%s", sig, err, p.log)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%v: it took %v", sig, took)
		}
		if _, err := os.Stat(filepath.Join(dir, "address")); !os.IsNotExist(err) {
			t.Errorf("%v: the address is still there: %v", sig, err)
		}
		start(t, dir, 0)
		proctest.Until(t, "the incident has its case", func() bool { return len(listedCases(t, dir)) == 1 })
	}
}

// The log of a process is JSON when nobody watches, and holds no secret.
func TestTheLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, dir, 0)
	cli{in: incident(1)}.ok(t, "send", "alertmanager", "-", "--data", dir)
	proctest.Until(t, "the case", func() bool { return len(listedCases(t, dir)) == 1 })
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.Wait()
	advice, log, ok := strings.Cut(p.log.String(), "{")
	if !ok || !strings.Contains(advice, "credentials_file: ") {
		t.Fatalf("on standard error\n%s", p.log)
	}
	for line := range strings.Lines("{" + log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	for _, name := range []string{"admin", "bus", "prod-alertmanager", "cloud-monitoring"} {
		secret, err := os.ReadFile(filepath.Join(dir, "secrets", name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.log.String(), strings.TrimSpace(string(secret))) {
			t.Errorf("the log holds the secret %s", name)
		}
	}
}
