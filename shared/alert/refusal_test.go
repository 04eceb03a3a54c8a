package alert

import (
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// refusals: what is refused, and a part of the sentence that says why.
var refusals = []struct {
	name, source, body, want string
}{
	{"empty", "alertmanager", ``, "empty"},
	{"no JSON", "alertmanager", `version=4`, "not one JSON value"},
	{"garbage after", "monitoring", `{} {}`, "nothing after it"},
	{"bad UTF-8", "monitoring", "{\"a\":\"\xff\"}", "UTF-8"},
	{"array", "monitoring", `[]`, "not a JSON object"},
	{"null", "alertmanager", `null`, "not a JSON object"},
	{"a name twice", "alertmanager", `{"version":"4","alerts":[{"status":"firing","status":"resolved"}]}`, "same name twice"},
	{"deep", "alertmanager", strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40), "deeper than 32"},
	{"deep array", "monitoring", strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000), "deeper than 32"},
	{"large", "alertmanager", `{"a":"` + strings.Repeat("x", MaxBody) + `"}`, "larger than 1048576 bytes"},

	{"Grafana", "alertmanager", `{"version":"1","groupKey":"x","alerts":[{"status":"firing"}]}`, "this is a Grafana notification"},
	{"Grafana of old", "alertmanager", `{"ruleUrl":"http://x","state":"alerting"}`, "this is a Grafana notification"},
	{"custom payload", "alertmanager", `{"list":["a"],"msg":"b"}`, "custom payload"},
	{"version 3", "alertmanager", `{"version":"3","groupKey":"x","alerts":[]}`, `version must be "4"`},
	{"names in another case", "alertmanager", `{"Version":"4","GroupKey":"x","Alerts":[]}`, "no Alertmanager notification"},
	{"no key", "alertmanager", `{"version":"4","alerts":[]}`, "groupKey is missing"},
	{"no alert", "alertmanager", `{"version":"4","groupKey":"x","alerts":[]}`, "at least one alert"},
	{"alerts no array", "alertmanager", `{"version":"4","groupKey":"x","alerts":{}}`, "alerts must be an array"},
	{"alert no object", "alertmanager", `{"version":"4","groupKey":"x","alerts":[1]}`, "alerts[0] must be an object"},
	{"half an alert", "alertmanager", `{"version":"4","groupKey":"x","truncatedAlerts":1.5,"alerts":[]}`, "whole number"},
	{"negative", "alertmanager", `{"version":"4","groupKey":"x","truncatedAlerts":-1,"alerts":[]}`, "whole number"},
	{"no status", "alertmanager", `{"version":"4","groupKey":"x","status":"firing","alerts":[{"startsAt":"2026-01-01T00:00:00Z"}]}`, "alerts[0].status"},
	{"odd status", "alertmanager", `{"version":"4","groupKey":"x","alerts":[{"status":"suppressed","startsAt":"2026-01-01T00:00:00Z"}]}`, "alerts[0].status"},
	{"no start", "alertmanager", `{"version":"4","groupKey":"x","alerts":[{"status":"firing"}]}`, "alerts[0].startsAt"},
	{"zero start", "alertmanager", `{"version":"4","groupKey":"x","alerts":[{"status":"firing","startsAt":"0001-01-01T00:00:00Z"}]}`, "alerts[0].startsAt"},
	{"start before all years", "alertmanager", `{"version":"4","groupKey":"x","alerts":[{"status":"firing","startsAt":"0000-01-01T00:00:00+14:00"}]}`, "alerts[0].startsAt"},
	{"labels no object", "alertmanager", `{"version":"4","groupKey":"x","alerts":[{"labels":"a"}]}`, "alerts[0].labels must be an object"},
	{"labels nested", "alertmanager", `{"version":"4","groupKey":"x","alerts":[{"labels":{"a":{}}}]}`, "alerts[0].labels must hold texts"},

	{"Error Reporting", "monitoring", `{"version":"1.0","subject":"s","group_info":{"project_id":"p"},"exception_info":{}}`, "this is a notification of Error Reporting"},
	{"2015", "monitoring", `{"msg":{"incident":{"incident_id":"1"},"version":1}}`, "format of 2015"},
	{"2015 unwrapped", "monitoring", `{"incident":{"incident_id":"1","state":"acknowledged"},"version":1}`, "format of 2015"},
	{"Alertmanager to Monitoring", "monitoring", `{"version":"4","groupKey":"x","alerts":[]}`, "incident is missing"},
	{"version 2", "monitoring", `{"version":"2.0","incident":{"incident_id":"1","state":"open"}}`, `version must be "1.2"`},
	{"no id", "monitoring", `{"version":"1.2","incident":{"state":"open"}}`, "incident_id is missing"},
	{"third state", "monitoring", `{"version":"1.2","incident":{"incident_id":"1","state":"acknowledged"}}`, `state must be "open" or "closed"`},
	{"odd start", "monitoring", `{"version":"1.2","incident":{"incident_id":"1","state":"open","started_at":"yesterday"}}`, "started_at"},
	{"far end", "monitoring", `{"version":"1.2","incident":{"incident_id":"1","state":"open","ended_at":253402300800}}`, "ended_at"},
	{"odd labels", "monitoring", `{"version":"1.2","incident":{"incident_id":"1","state":"open","policy_user_labels":[]}}`, "incident.policy_user_labels must be an object"},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			decode, _ := ByName(c.source)
			list, err := decode([]byte(c.body))
			if err == nil {
				t.Fatalf("accepted: %+v", list)
			}
			checkRefusal(t, err)
			if !strings.Contains(fault.Public(err), c.want) {
				t.Errorf("%q does not say %q", fault.Public(err), c.want)
			}
		})
	}
}

func TestRefusalsEchoNothing(t *testing.T) {
	const secret = "hunter2-in-the-body"
	for _, body := range []string{
		`{"version":"` + secret + `","alerts":[]}`,
		`{"version":"4","groupKey":"x","alerts":[{"status":"` + secret + `","startsAt":"2026-01-01T00:00:00Z"}]}`,
		`{"version":"1.2","incident":{"incident_id":"1","state":"` + secret + `"}}`,
		`{"version":"1.2","incident":{"incident_id":"1","state":"open","started_at":"` + secret + `"}}`,
		`{"` + secret + `":1,"` + secret + `":2}`,
		`{"` + secret,
	} {
		for _, decode := range []Decoder{Alertmanager, Monitoring} {
			if _, err := decode([]byte(body)); err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v for %s", err, body)
			}
		}
	}
}

func TestByNameKnowsNoOther(t *testing.T) {
	if _, ok := ByName("grafana"); ok {
		t.Error("a decoder for grafana")
	}
}
