package alert

import (
	"encoding/base64"
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

	{"Alertmanager to Grafana", "grafana", `{"version":"4","groupKey":"x","alerts":[]}`, "write source: alertmanager"},
	{"Grafana 7", "grafana", `{"ruleName":"n","ruleId":1,"ruleUrl":"http://x","state":"alerting","title":"t"}`, "before version 8"},
	{"Grafana's custom payload", "grafana", `{"text":"hello"}`, "custom payload from the contact point"},
	{"Grafana of the future", "grafana", `{"version":"2","alerts":[]}`, `version must be "1"`},
	{"Grafana without alerts", "grafana", `{"version":"1","groupKey":"{}:{a=\"b\"}","groupLabels":{"a":"b"},"alerts":[]}`, "at least one alert"},
	{"Grafana, truncated to nothing, without a group", "grafana", `{"version":"1","groupKey":"{}:{}","groupLabels":{},"truncatedAlerts":3,"alerts":[]}`, "group by a label"},
	{"Grafana without a status", "grafana", `{"version":"1","status":"firing","alerts":[{"startsAt":"2026-01-01T00:00:00Z"}]}`, "alerts[0].status"},

	{"no event", "servicehealth", `{"name":"projects/p/locations/global/events"}`, "no event of Personalized Service Health"},
	{"an event of another kind", "servicehealth", `{"name":"projects/p/locations/global/incidents/x"}`, "no event of Personalized Service Health"},
	{"an API's error", "servicehealth", `{"error":{"code":403,"status":"PERMISSION_DENIED"}}`, "an error of the Service Health API"},
	{"an event without a state", "servicehealth", `{"name":"projects/p/locations/global/events/x"}`, "state must be"},
	{"an event of a third state", "servicehealth", `{"name":"projects/p/locations/global/events/x","state":"PAUSED"}`, "state must be"},
	{"an event with an odd start", "servicehealth", `{"name":"projects/p/locations/global/events/x","state":"ACTIVE","startTime":"now"}`, "startTime must be a time"},
	{"a log entry without the event", "servicehealth", `{"logName":"projects/p/logs/servicehealth.googleapis.com%2Factivity","jsonPayload":{"state":"ACTIVE"}}`, "event_id is missing"},

	{"no budget", "budget", `{"costAmount":3}`, "no notification of a budget"},
	{"a budget without its attributes", "budget", `{"budgetDisplayName":"b","costIntervalStart":"2026-01-01T00:00:00Z","alertThresholdExceeded":1}`, "attribute budgetId is missing"},
	{"a budget without data", "budget", `{"message":{"attributes":{"budgetId":"b"},"messageId":"1"}}`, "empty"},
	{"a budget's odd period", "budget", pushOf(`{"budgetDisplayName":"b","costIntervalStart":"January"}`), "costIntervalStart must be a time"},
	{"a budget's odd threshold", "budget", pushOf(`{"budgetDisplayName":"b","costIntervalStart":"2026-01-01T00:00:00Z","alertThresholdExceeded":"0.9"}`), "alertThresholdExceeded must be a number"},
	{"a budget's negative threshold", "budget", pushOf(`{"budgetDisplayName":"b","costIntervalStart":"2026-01-01T00:00:00Z","forecastThresholdExceeded":-1}`), "forecastThresholdExceeded must be a number"},
	{"a budget's endless threshold", "budget", pushOf(`{"budgetDisplayName":"b","costIntervalStart":"2026-01-01T00:00:00Z","alertThresholdExceeded":1e999}`), "alertThresholdExceeded must be a number"},

	{"no finding", "securitycommandcenter", `{"notificationConfigName":"n"}`, "no finding of Security Command Center"},
	{"a finding without a name", "securitycommandcenter", `{"finding":{"state":"ACTIVE"}}`, "finding.name is missing"},
	{"a finding of a third state", "securitycommandcenter", `{"finding":{"name":"n","state":"STATE_UNSPECIFIED"}}`, "finding.state must be"},
	{"a finding without a time", "securitycommandcenter", `{"finding":{"name":"n","state":"ACTIVE"}}`, "finding.eventTime must be a time"},
	{"a detection without a rule", "securitycommandcenter", `{"logName":"projects/p/logs/threatdetection.googleapis.com%2Fdetection","jsonPayload":{}}`, "ruleName is missing"},

	{"an event without a source", "cloudevents", `{"specversion":"1.0","id":"1","type":"t","data":{}}`, "no source"},
	{"an event of another version", "cloudevents", `{"specversion":"0.3","id":"1","source":"s","type":"t","data":{}}`, "specversion is not 1.0"},
	{"an event without data", "cloudevents", `{"specversion":"1.0","id":"1","source":"s","type":"t"}`, "the event has no data"},
	{"an event that is no alert", "cloudevents", `{"specversion":"1.0","id":"1","source":"s","type":"t","data":7}`, "neither a JSON object"},
	{"an event of no source of ours", "cloudevents", `{"specversion":"1.0","id":"1","source":"s","type":"providerdesk.nagios","data":{}}`, "the event's type names no source"},
	{"an event in an event", "cloudevents", `{"specversion":"1.0","id":"1","source":"s","type":"providerdesk.cloudevents","data":{}}`, "the event's type names no source"},
	{"a batch with a bad one", "cloudevents", `[{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"key":"k","title":"t"}},{"specversion":"1.0"}]`, "event 2 of the batch: the CloudEvent has no"},
	{"a batch with a bad alert", "cloudevents", `[{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"title":""}}]`, "event 1 of the batch: title is missing"},
	{"a batch that is cut", "cloudevents", `[{"specversion":"1.0"`, "not one JSON value"},

	{"plain text", "plain", `"help"`, "neither a JSON object nor an array"},
	{"plain, empty", "plain", `{}`, "key is missing; write what stays the same from the first notification of an incident to the last; title is missing"},
	{"plain, an unknown field", "plain", `{"key":"k","title":"t","sverity":"error"}`, "has a field that is not known (did you mean severity?); the fields are key, title,"},
	{"plain, names in another case", "plain", `{"Key":"k","title":"t"}`, "(did you mean key?)"},
	{"plain, all that is wrong", "plain", `[{"key":"k","title":"t","since":"now","severity":"bad","status":"open","labels":[],"links":{}},7,{"key":"k","title":" "}]`,
		`[0].status must be "firing" or "resolved"; [0].severity must be critical, error, warning, info or none; [0].since must be a time such as 2026-01-31T15:04:05Z; [0] labels must be an object of names and texts; ` +
			"[0].links must be an array of objects with name and url; [1] must be an object; [2].key is the key of another alert of the body; send one alert for each key; [2].title is missing"},
	{"plain, a link", "plain", `{"key":"k","title":"t","links":[{"name":"a","url":"javascript:alert(1)"}]}`, "links[0].url must be an http or https address"},
	{"plain, a nested text", "plain", `{"key":{},"title":"t"}`, "key must be a text; key is missing"},
	{"plain, too many problems", "plain", "[" + strings.Repeat("1,", 30) + "1]", "[19] must be an object; and 11 more"},

	{"plain, too many", "plain", "[" + strings.Repeat(`{"key":"k"},`, maxBatch) + "{}]", "more than 1000 alerts"},
	{"events, too many", "cloudevents", "[" + strings.Repeat(`{},`, maxBatch) + "{}]", "more than 1000 alerts"},
	{"nothing that is known", "any", `{"hello":"world"}`, "no notification that is understood; send one of alertmanager, grafana, monitoring, servicehealth, securitycommandcenter, budget, plain, or a CloudEvent"},
	{"two formats", "any", `{"version":"1.2","incident":{"incident_id":"1","state":"open"},"key":"k","title":"t"}`, "the marks of both monitoring and plain"},
	{"a push in a push", "any", pushOf(pushOf(`{}`)), "no notification that is understood"},
	{"a push of nothing", "any", `{"message":{"messageId":"1"}}`, "empty"},
	{"a person in Slack", "any", `{"type":"event_callback","event":{"type":"message","text":"hi"},"event_id":"E"}`, "no notification that is understood"},
	{"a person in Google Chat", "any", `{"type":"MESSAGE","message":{"name":"spaces/A/messages/B","text":"hi"},"space":{"name":"spaces/A"}}`, "no notification that is understood"},
	{"a form", "any", "token=x&team_id=T", "not one JSON value"},

	{"Error Reporting without a group", "monitoring", `{"version":"1.0","subject":"s","group_info":{"project_id":"p"},"exception_info":{}}`, "detail_link is missing"},
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

// pushOf is a Pub/Sub push of a budget's message.
func pushOf(data string) string {
	return `{"message":{"attributes":{"budgetId":"b"},"data":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `","messageId":"1"}}`
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			decode, _ := byName(c.source)
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
		for _, decode := range []bodyDecoder{Alertmanager, Monitoring} {
			if _, err := decode([]byte(body)); err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("error %v for %s", err, body)
			}
		}
	}
}
