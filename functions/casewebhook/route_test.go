package casewebhook

import (
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestConditions(t *testing.T) {
	in := alert.Incident{Source: "alertmanager", Sender: "prom", Tenant: "acme", Key: "k", Title: "HighLatency: eu", Severity: alert.Critical,
		Status: alert.Firing, Labels: map[string]string{"team": "db", "my-label": "x"}, Annotations: map[string]string{"runbook": "r"},
		Alerts: []alert.Alert{{Name: "HighLatency"}, {Name: "DiskFull"}}, Omitted: 3}
	for when, want := range map[string]bool{
		`true`: true,
		`incident.severity == "critical" && incident.tenant == "acme"`:                                    true,
		`incident.severity == "warning"`:                                                                  false,
		`incident.labels.team == "db"`:                                                                    true,
		`incident.labels["team"] == "db"`:                                                                 true,
		`incident.labels["my-label"] == "x"`:                                                              true,
		`incident.labels.nosuch == "db"`:                                                                  false,
		`incident.labels.nosuch != "db"`:                                                                  false,
		`!("nosuch" in incident.labels)`:                                                                  true,
		`"nosuch" in incident.labels && incident.labels.nosuch == "x"`:                                    false,
		`incident.title.startsWith("High") && incident.sender == "prom"`:                                  true,
		`incident.title.matches("^High.*eu$")`:                                                            true,
		`"DiskFull" in incident.names`:                                                                    true,
		`incident.names.exists(n, n == "DiskFull")`:                                                       true,
		`incident.alerts > 4 && incident.status == "firing"`:                                              true,
		`incident.annotations.runbook == "r" && incident.source == "alertmanager" && incident.key == "k"`: true,
	} {
		c := &config.Config{Routes: []config.Route{{When: when, Desk: "yes"}, {When: "true", Desk: "no"}}}
		r, err := newRouter(c)
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		if got, err := r.match(in); err != nil || (got.Desk == "yes") != want {
			t.Errorf("%s: %v %v, want %v", when, got.Desk, err, want)
		}
	}
}

func TestConditionsThatAreProblems(t *testing.T) {
	for when, want := range map[string]string{
		`incident.severty == "critical"`:       "undeclared reference",
		`severity == "critical"`:               "undeclared reference",
		`incident.severity = "critical"`:       "Syntax error",
		`incident.severity`:                    "true or false, this one is string",
		`incident.alerts`:                      "true or false, this one is int",
		`incident.labels.team`:                 "true or false, this one is string",
		`incident.alerts == "3"`:               "no matching overload",
		`incident.labels == incident.severity`: "no matching overload",
	} {
		c := &config.Config{Routes: []config.Route{{When: "true"}, {When: when, Line: 17}}}
		p := Check(c)
		if len(p) != 1 || p[0].Line != 17 || p[0].Key != "routes[1].when" || !strings.Contains(p[0].Message, want) {
			t.Errorf("%s: %v, want %q in line 17", when, p, want)
		}
		if _, err := newRouter(c); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: compiled: %v", when, err)
		}
	}
}

func TestTemplatesThatAreProblems(t *testing.T) {
	p := Check(&config.Config{Routes: []config.Route{{When: "true", Title: "{{", Description: "{{.X", Line: 4}}})
	if len(p) != 2 || p[0].Line != 4 || p[0].Key != "routes[0].title" || p[1].Key != "routes[0].description" {
		t.Errorf("%v", p)
	}
}

// A condition that costs too much does not hold, and the next route takes the incident.
func TestCostLimit(t *testing.T) {
	in := alert.Incident{}
	for range 2000 {
		in.Alerts = append(in.Alerts, alert.Alert{Name: "n"})
	}
	c := &config.Config{Routes: []config.Route{
		{When: `incident.names.all(a, incident.names.all(b, a == b))`, Desk: "dear"}, {When: "true", Desk: "cheap"}}}
	r, err := newRouter(c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.match(in); err != nil || got.Desk != "cheap" {
		t.Errorf("%q %v", got.Desk, err)
	}
}

func TestNoRouteHolds(t *testing.T) {
	r, err := newRouter(&config.Config{Routes: []config.Route{{When: "false"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.match(alert.Incident{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}
