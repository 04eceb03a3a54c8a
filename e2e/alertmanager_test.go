package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/proctest"
)

// alertmanager is the real one, with a configuration and data of its own.
type alertmanager struct {
	*testing.T
	*process
	base string
}

// times of the Alertmanager: as short as they still make a group of alerts that come together, and let a repeat happen while we look.
const alertmanagerConfig = `
route:
  receiver: providerdesk
  group_by: [alertname, cluster]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 10s
receivers:
  - name: providerdesk
    webhook_configs:
      - url: %s/AlertWebhook/prod-alertmanager
        send_resolved: true
        http_config:
          authorization:
            type: Bearer
            credentials_file: %s
`

func newAlertmanager(t *testing.T, s *site) *alertmanager {
	t.Helper()
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		if program, err = exec.LookPath("alertmanager"); err != nil {
			t.Fatal("there is no Alertmanager on this machine; on Debian it is the package prometheus-alertmanager")
		}
	}
	dir, addr := t.TempDir(), proctest.FreeAddress(t)
	token, config := filepath.Join(dir, "token"), filepath.Join(dir, "alertmanager.yml")
	write(t, token, s.sender)
	write(t, config, fmt.Sprintf(alertmanagerConfig, s.base, token))
	a := &alertmanager{T: t, base: "http://" + addr, process: start(t, nil, program, "--config.file="+config,
		"--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--cluster.listen-address=")}
	eventually(t, 20*time.Second, "Alertmanager is ready", func() (bool, any) {
		r, err := client.Get(a.base + "/-/ready")
		if err != nil {
			return false, err
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK, r.Status
	})
	return a
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// postable is an alert as Alertmanager takes it.
type postable struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// post gives alerts to Alertmanager, as Prometheus does.
func (a *alertmanager) post(alerts []postable) {
	a.Helper()
	body, err := json.Marshal(alerts)
	if err != nil {
		a.Fatal(err)
	}
	r, err := client.Post(a.base+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		a.Fatal(err)
	}
	defer r.Body.Close()
	if text, _ := io.ReadAll(r.Body); r.StatusCode != http.StatusOK {
		a.Fatalf("Alertmanager answers %s: %s", r.Status, text)
	}
}

var counters = regexp.MustCompile(`(?m)^alertmanager_notifications(_failed)?_total\{integration="webhook"[^}]*\} (\S+)$`)

// delivered returns how many notifications were accepted, by Alertmanager's own count.
func (a *alertmanager) delivered() int {
	a.Helper()
	r, err := client.Get(a.base + "/metrics")
	if err != nil {
		a.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	found := counters.FindAllSubmatch(text, -1)
	if err != nil || found == nil {
		a.Fatalf("Alertmanager's metrics do not count notifications: %v", err)
	}
	var total float64
	for _, m := range found {
		n, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			a.Fatal(err)
		}
		if len(m[1]) > 0 { // the failed ones are counted among all
			n = -n
		}
		total += n
	}
	return int(total)
}
