package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
)

// deliveries of one incident, and how many are under way at once.
const (
	deliveries = 1000
	workers    = 100
)

// notification is what Alertmanager sends for a group of two.
func notification(cluster string) []byte {
	one := `{"status":"firing","labels":{"alertname":"HighLatency","cluster":%[1]q,"severity":"critical","instance":"node-%[2]d"},` +
		`"annotations":{"summary":"slow"},"startsAt":"2026-03-01T10:00:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"00000000000000%02[2]d"}`
	return fmt.Appendf(nil, `{"version":"4","groupKey":"{}:{cluster=%[1]s}","status":"firing","receiver":"providerdesk","groupLabels":{"cluster":%[1]q},`+
		`"commonLabels":{"alertname":"HighLatency","cluster":%[1]q,"severity":"critical"},"commonAnnotations":{},"externalURL":"",`+
		`"truncatedAlerts":0,"alerts":[%[2]s,%[3]s]}`, cluster, fmt.Sprintf(one, cluster, 1), fmt.Sprintf(one, cluster, 2))
}

// push is the same incident as the bus would deliver it.
func push(t *testing.T, cluster string) []byte {
	t.Helper()
	incidents, err := alert.Alertmanager(notification(cluster))
	if err != nil {
		t.Fatal(err)
	}
	in := incidents[0]
	in.Sender, in.Tenant, in.Received = "prod-alertmanager", "acme", time.Now().UTC()
	body, err := json.Marshal(map[string]any{
		"message":      map[string]any{"data": in.Append(nil), "messageId": "1", "publishTime": in.Received},
		"subscription": "projects/local/subscriptions/FileCase",
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestOneIncidentDeliveredAThousandTimes(t *testing.T) {
	enabled(t)
	s := newSite(t)
	t.Run("webhook", func(t *testing.T) {
		began, body := time.Now(), notification("webhook")
		retried := s.flood(t, "/AlertWebhook/prod-alertmanager", s.sender, body, http.StatusAccepted)
		accepted := since(began)
		eventually(t, 3*time.Minute, "all deliveries are handled", s.idle)
		if n := s.handled(); n < deliveries {
			t.Errorf("%d deliveries handled of %d", n, deliveries)
		}
		s.oneCase(t, "cluster=webhook")
		t.Logf("%d requests accepted in %.1f s (%d asked to come again), handled in %.1f s: 1 case", deliveries, accepted, retried, since(began))
	})
	t.Run("push", func(t *testing.T) {
		began, body := time.Now(), push(t, "push")
		retried := s.flood(t, "/FileCase", s.push, body, http.StatusOK)
		s.oneCase(t, "cluster=push")
		t.Logf("%d pushes acknowledged in %.1f s (%d came again): 1 case", deliveries, since(began), retried)
	})
	if c := s.calls(); c.Counts["cases.create"] != 2 || c.writes() != 2 {
		t.Errorf("the desk got more than two creates: %v", c.Counts)
	}
}

// flood posts the same body until it was answered as wanted for each delivery; like the bus it comes again after a 503. It returns how
// often it did.
func (s *site) flood(t *testing.T, path, token string, body []byte, want int) int {
	t.Helper()
	todo := make(chan struct{}, deliveries)
	for range deliveries {
		todo <- struct{}{}
	}
	close(todo)
	var again atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range todo {
				again.Add(int64(s.insist(t, path, token, body, want)))
			}
		})
	}
	wg.Wait()
	return int(again.Load())
}

// insist delivers once, however often it takes.
func (s *site) insist(t *testing.T, path, token string, body []byte, want int) (again int) {
	for ; again < 200; again++ {
		a, err := s.send(http.MethodPost, path, token, "application/json", body)
		switch {
		case err != nil:
			t.Error(err)
			return again
		case a.status == want:
			return again
		case a.status != http.StatusServiceUnavailable:
			t.Errorf("answered %d: %s", a.status, a.body)
			return again
		}
		pause := time.NewTimer(50 * time.Millisecond)
		<-pause.C
	}
	t.Error("asked to come again for ever")
	return again
}

// oneCase checks that there is exactly one case with the title's end, made by one call.
func (s *site) oneCase(t *testing.T, end string) {
	t.Helper()
	var found []supportCase
	for _, c := range s.cases() {
		if strings.HasSuffix(c.DisplayName, end) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d cases", len(found))
	}
	if n := s.calls().creates(found[0].marker()); n != 1 {
		t.Errorf("%d calls of cases.create", n)
	}
}
