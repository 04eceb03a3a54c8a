package main

import (
	"encoding/base64"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/site"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/proctest"
)

// withSources is an installation that has a sender of every source beside those of a new one.
func withSources(t *testing.T) (dir string) {
	t.Helper()
	dir, first := running(t, time.Now)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	token := "file:" + filepath.Join(dir, "secrets", "prod-alertmanager")
	more := "senders:\n  - {name: budgets, source: budget, tenant: acme, subscription: budgets}\n" +
		"  - {name: grafana, source: grafana, tenant: acme, auth: {hmac: {secret: '" + token + "', replay: identity}}}\n"
	for _, source := range []string{"servicehealth", "securitycommandcenter", "cloudevents", "plain", "any"} {
		more += "  - {name: " + source + ", source: " + source + ", tenant: acme, auth: {bearer: '" + token + "'}}\n"
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "senders:\n", more, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := site.Open(t.Context(), site.Options{
		Folder: site.Folder(dir), Addr: "127.0.0.1:0", SweepEvery: 24 * time.Hour, Env: func(string) (string, bool) { return "", false },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Advice: func(string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestSendEverySource: each source has its format, and each notification becomes its case.
func TestSendEverySource(t *testing.T) {
	dir := withSources(t)
	data := base64.StdEncoding.EncodeToString([]byte(`{"budgetDisplayName":"Web","costIntervalStart":"2026-03-01T00:00:00Z","alertThresholdExceeded":0.9}`))
	bodies := map[string]string{
		"alertmanager":          incident(7),
		"grafana":               `{"version":"1","orgId":1,"groupKey":"{}:{}","groupLabels":{},"alerts":[{"status":"firing","startsAt":"2026-03-01T10:00:00Z","labels":{"alertname":"Disk"}}]}`,
		"monitoring":            monitoring,
		"servicehealth":         `{"name":"projects/p/locations/global/events/e","title":"Outage","state":"ACTIVE"}`,
		"budget":                `{"message":{"attributes":{"budgetId":"b"},"data":"` + data + `","messageId":"1"}}`,
		"securitycommandcenter": `{"finding":{"name":"f","category":"OPEN_SSH_PORT","state":"ACTIVE","eventTime":"2026-03-01T00:00:00Z"}}`,
		"cloudevents":           `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"title":"Backup failed"}}`,
		"plain":                 `{"key":"k","title":"Queue is full"}`,
		"any":                   `{"key":"k","title":"Queue is full, too"}`,
	}
	for n, source := range alert.Sources() {
		body, ok := bodies[source]
		if !ok {
			t.Fatalf("no notification of %s", source)
		}
		args := []string{"send", source, "-", "--data", dir}
		if source == alert.SourceBudget {
			args = append(args, "--pubsub")
		}
		cli{in: body}.ok(t, args...)
		proctest.Until(t, "the case of "+source, func() bool { return len(listedCases(t, dir)) == n+1 })
	}
	r := cli{in: "[]"}.run(t, "send", "cloudevents", "-", "--data", dir)
	if r.code != exitOK || r.out != "" || r.err != "it was understood and tells of no alert\n" {
		t.Errorf("exit code %d, out %q, err %q", r.code, r.out, r.err)
	}
}
