package casewebhook_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/proctest"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

const hubSettings = `
ledger: {settle: 15m, call_timeout: 30s}
push: {bearer: env:PUSH_TOKEN}
desks:
  vmware:
    kind: hub
    organization: ` + simhub.Provider + `
    token: env:HUB_TOKEN
    classification: technical > Networking
    subscribers: [oncall@example.com]
    time_zone: Asia/Kolkata
senders:
  - {name: prom, source: alertmanager, tenant: acme, auth: {bearer: env:PROM_TOKEN}}
routes:
  - {when: "true", desk: vmware, priority: P2}
endpoints: {hub: %q}
`

// hubWorld is the function in front of a simulated hub behind a socket. ahead moves the function's clock, not the clients'.
func hubWorld(t *testing.T, ahead *time.Duration) (*world, *simhub.Server) {
	t.Helper()
	return hubWorldOf(t, hubSettings, ahead)
}

func hubWorldOf(t *testing.T, settings string, ahead *time.Duration) (*world, *simhub.Server) {
	t.Helper()
	sim, err := simhub.New(simhub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.Close(); sim.Close() })
	c, err := config.Parse("providerdesk.yaml", fmt.Appendf(nil, settings, server.URL+"/api"), func(name string) (string, bool) {
		if name == "HUB_TOKEN" {
			return sim.TokenFor(simhub.Provider, simhub.ProviderSupportUser), true
		}
		return env(name)
	})
	if err != nil {
		t.Fatal(err)
	}
	desks, err := casewebhook.Desks(c, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(desks["vmware"].(interface{ CloseIdleConnections() }).CloseIdleConnections)
	w := &world{TB: t, bus: newBus(), log: &proctest.Output{}}
	now := func() time.Time { return time.Now().Add(*ahead) }
	w.Function, err = casewebhook.New(t.Context(), casewebhook.Deps{Config: c, DB: storetest.NewMemory(now), Publisher: w.bus, Desks: desks, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return w, sim
}

// An alert on a route to the hub becomes exactly one support request there, and its end becomes a word on it, once.
func TestAnAlertBecomesOneSupportRequest(t *testing.T) {
	for _, spoilt := range []string{"", "commit_then_drop", "commit_then_status:500", "drop"} {
		t.Run("create "+spoilt, func(t *testing.T) {
			var ahead time.Duration
			w, sim := hubWorld(t, &ahead)
			if spoilt != "" {
				if err := sim.ArmFault("support.create", spoilt, 1); err != nil {
					t.Fatal(err)
				}
			}
			server := w.server()
			sent := ask{"POST", "/AlertWebhook/prom", "Bearer " + secrets["PROM_TOKEN"], "application/json", notification}
			for range 3 { // the sender repeats itself
				if res, body := sent.send(t, server); res.StatusCode != 202 {
					t.Fatalf("%d %s", res.StatusCode, body)
				}
				w.pump()
			}
			for range 60 {
				ahead += time.Minute
				if err := w.sweep(); err != nil {
					t.Fatal(err)
				}
			}
			sent.body = strings.NewReplacer(`"status":"firing"`, `"status":"resolved"`, "0001-01-01T00:00:00Z", "2026-03-01T10:30:00Z").Replace(notification)
			for range 2 {
				sent.send(t, server)
				w.pump()
			}
			made := sim.SupportRequests()
			if len(made) != 1 || w.states()["case.open SUCCEEDED"] != 1 || w.states()["case.comment SUCCEEDED"] != 1 {
				t.Fatalf("%d support requests, %v: %+v", len(made), w.states(), made)
			}
			r := made[0]
			if r.OrgID != simhub.Provider || !strings.HasPrefix(r.InternalTicketID, "REF") || !strings.Contains(r.Description, "["+r.InternalTicketID+" attempt=") ||
				!strings.Contains(r.Description, "oncall@example.com") || len(r.Details) != 1 || !strings.HasPrefix(r.Details[0], "Resolved: ") {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A desk where only its own people change a priority is asked to, once, whatever its own scale shows.
func TestRaiseAtADeskOfItsOwnScale(t *testing.T) {
	var ahead time.Duration
	w, sim := hubWorldOf(t, strings.Replace(hubSettings, "priority: P2", `priority: P2, raise: [{to: P0, when: "incident.alerts >= 3"}]`, 1), &ahead)
	began := time.Now()
	w.file(group("eu", alerts(1, began)...))
	for range 2 {
		w.file(group("eu", alerts(3, began)...))
		ahead += time.Minute
		if err := w.sweep(); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	for _, said := range sim.SupportRequests()[0].Details {
		if strings.HasPrefix(said, "Please set the priority to P0, it was P2: 3 alerts (route line 15)") {
			asked++
		}
	}
	if got := w.states(); asked != 1 || len(got) != 2 || got["case.comment SUCCEEDED"] != 2 {
		t.Errorf("asked %d times, effects %v, said %q", asked, got, sim.SupportRequests()[0].Details)
	}
}

func TestDesksThatCannotBe(t *testing.T) {
	for name, d := range map[string]config.Desk{
		"no organization": {Kind: "hub"}, "an organization that is a path": {Kind: "hub", Organization: "a/b"}, "no client": {Kind: "google", Parent: "projects/p"},
	} {
		if _, err := casewebhook.Desks(&config.Config{Desks: map[string]config.Desk{"one": d}}, nil, time.Now); err == nil || !strings.Contains(err.Error(), "desk one") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
