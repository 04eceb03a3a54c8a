//go:build unix

// Package crash ends real processes at the worst moments and looks at what is left: exactly one case, exactly one comment, and records that
// say so.
//
//	kill_test.go    a worker killed with SIGKILL at each of 11 points of the data's way, on the bolt file and on the Firestore emulator
//	term_test.go    the function's own binary told to end by SIGTERM in the middle of a call, and what it refuses
//
// The worker is this test binary again, told by its environment what to do: casewebhook on a real store, with the real client of the desk.
// It kills itself at a point of the ledger, before and after the handler; in the middle of an exchange with the desk the desk kills it. The
// desk, a simulator behind real HTTP, is in the test's process and lives on, as a real one would. A supervisor starts a killed worker
// again, without the order to die.
//
// Times are short here (a call 1 s, the settle window 2 s), but they are the machine's own: no clock is moved. What takes half a minute is
// the ledger's first search after a doubtful call. So the tests mostly wait, and more of them run at once than there are processors.
package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// atOnce is how many tests run at the same time unless -parallel says otherwise.
const atOnce = "12"

var programs string // the folder where programs are built to

func TestMain(m *testing.M) {
	if text := os.Getenv(ordersEnv); text != "" {
		os.Exit(work(text))
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "providerdesk-crash-*")
	if err != nil {
		panic(err)
	}
	programs = dir
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"), // started by a library's init
		goleak.Cleanup(func(code int) {
			os.RemoveAll(dir)
			os.Exit(code)
		}))
}

const (
	tokenEnv = "CRASH_TOKEN" // holds the token of the sender and of the bus
	token    = "a-token-that-is-no-secret"
)

// configuration of the worker and of the function's own binary. The worker replaces the ledger's times.
const configuration = `
ledger: {settle: 1m, call_timeout: 30s}
push: {bearer: env:CRASH_TOKEN}
desks:
  google: {kind: google, parent: projects/acme-prod, classification: "Technical Issue > Compute > Compute Engine"}
senders:
  - {name: prod-alertmanager, source: alertmanager, tenant: acme, auth: {bearer: env:CRASH_TOKEN}}
routes:
  - {when: "true", desk: google, priority: P2}
endpoints: {cloudsupport: "URL"}
`

// configure writes the configuration for a desk and returns the file's path.
func configure(t *testing.T, dir, desk string) string {
	t.Helper()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(configuration, "URL", desk)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// notification is what Alertmanager sends when the one incident of a test fires, and when it is over.
func notification(s alert.Status) []byte {
	ends := "0001-01-01T00:00:00Z"
	if s == alert.Resolved {
		ends = "2026-03-01T11:00:00Z"
	}
	return fmt.Appendf(nil, `{"version":"4","groupKey":"{}:{cluster=\"eu-1\"}","truncatedAlerts":0,"status":%[1]q,"receiver":"desk",`+
		`"groupLabels":{"cluster":"eu-1"},"commonLabels":{"alertname":"HighLatency","cluster":"eu-1","severity":"critical"},`+
		`"commonAnnotations":{},"externalURL":"","alerts":[{"status":%[1]q,"labels":{"alertname":"HighLatency","cluster":"eu-1",`+
		`"severity":"critical"},"annotations":{"summary":"slow"},"startsAt":"2026-03-01T10:00:00Z","endsAt":%[2]q,`+
		`"fingerprint":"0000000000000001"}]}`, s, ends)
}

// push is the same as Pub/Sub delivers it for the n-th time.
func push(t *testing.T, s alert.Status, n int) []byte {
	t.Helper()
	incidents, err := alert.Alertmanager(notification(s))
	if err != nil {
		t.Fatal(err)
	}
	in := incidents[0]
	in.Sender, in.Tenant = "prod-alertmanager", "acme"
	in.Received = time.Date(2026, 3, 1, 10, 0, 30, 0, time.UTC)
	if s == alert.Resolved {
		in.Received = time.Date(2026, 3, 1, 11, 0, 30, 0, time.UTC)
	}
	body, err := json.Marshal(map[string]any{
		"message":         map[string]any{"data": in.Append(nil), "messageId": string(s), "publishTime": in.Received},
		"subscription":    "projects/acme-prod/subscriptions/" + subscription,
		"deliveryAttempt": n,
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// post sends JSON on a connection of its own and returns the status of the answer.
func post(ctx context.Context, url, bearer string, body []byte) (int, error) {
	status, _, err := send(ctx, http.MethodPost, url, bearer, body)
	return status, err
}

func send(ctx context.Context, method, url, bearer string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	r, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	answer, err = io.ReadAll(r.Body)
	return r.StatusCode, answer, err
}

// patience is how long a condition may take.
const patience = 75 * time.Second

// until looks at a condition until it holds. What it sees meanwhile is told when it never does.
func until(t *testing.T, what string, holds func(context.Context) (ok bool, seen any)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	looks := time.NewTicker(50 * time.Millisecond)
	defer looks.Stop()
	for {
		ok, seen := holds(ctx)
		if ok {
			return
		}
		select {
		case <-looks.C:
		case <-ctx.Done():
			t.Fatalf("not within %v: %s; seen: %v", patience, what, seen)
		}
	}
}

// summary shortens records for a person who looks for what is wrong.
func summary(records []ledger.Record) (lines []string) {
	for _, r := range records {
		lines = append(lines, fmt.Sprintf("%s %s attempts=%d doubts=%d next=%s %s", r.Kind, r.State, r.Attempt, r.Doubts, r.NextAt, r.LastError))
	}
	return lines
}
