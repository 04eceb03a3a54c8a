package casewebhook

import (
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
)

var configured = map[string]sender{
	"prom": {Sender: config.Sender{Name: "prom", Source: "alertmanager", Tenant: "acme"}},
	"raw":  {Sender: config.Sender{Name: "raw", Source: "monitoring", Tenant: "acme", Subscription: "projects/p/subscriptions/raw"}},
}

// Whatever comes: an error is the message's fault and has a sentence, and an incident belongs to a configured sender and can be decided on
// and stored.
func FuzzDecode(f *testing.F) {
	in := msg(1, "a+0 b-0:1 …2")
	in.Sender, in.Tenant = "prom", "acme"
	f.Add(in.Append(nil), "projects/p/subscriptions/FileCase", true)
	f.Add([]byte(`{"version":"1.2","incident":{"incident_id":"0.a","state":"open","started_at":1,"scoping_project_id":"p"}}`), "projects/p/subscriptions/raw", false)
	f.Add([]byte(`{}`), "raw", false)
	f.Add([]byte(`{"sender":"prom","tenant":"acme","key":"k","received":"9999-12-31T23:59:59Z","alerts":[{"status":"firing","starts":"0001-01-01T00:00:00Z"}]}`), "", false)
	f.Fuzz(func(t *testing.T, data []byte, subscription string, alone bool) {
		e := event.Envelope{ID: "1", Data: data, Subscription: subscription, Published: day}
		if alone {
			e.Attributes = map[string]string{attrAlone: "1"}
		}
		d, err := decode(e, configured)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, in := range d.incidents {
			if s, ok := configured[in.Sender]; !ok || s.Tenant != in.Tenant || in.Key == "" || in.Received.IsZero() {
				t.Fatalf("%+v", in)
			}
			r := route{Route: config.Route{Desk: "d"}}
			s := incident{id: incidentID(in.Tenant, in.Sender, in.Key)}
			p := decide(s, in, r, facts{now: day})
			if again := decide(p.Next, in, r, facts{now: day}); p.Write && again.Write && !p.Next.unsettled(in) {
				t.Fatalf("the same message twice changes something twice: %s, then %s", p.Reason, again.Reason)
			}
			titleOf(route{}, in)
			descriptionOf(route{}, in, grade{}, "", time.UTC)
			newsOf(tellNews, p.Change, in, time.UTC)
		}
	})
}

// unsettled reports whether a message lists an alert twice, which no decoder lets through.
func (i incident) unsettled(in alert.Incident) bool {
	seen := map[string]bool{}
	for _, a := range in.Alerts {
		if seen[a.Fingerprint] || a.Fingerprint == unlisted {
			return true
		}
		seen[a.Fingerprint] = true
	}
	return false
}
