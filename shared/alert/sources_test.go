package alert

import (
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// keyOf returns the one key of a body.
func keyOf(t *testing.T, source, body string) string {
	t.Helper()
	decode, _ := byName(source)
	return decodeText(t, decode, body).Key
}

// TestIdentities: what must be one incident has one key, and what must not has another.
func TestIdentities(t *testing.T) {
	const grafana = `{"version":"1","orgId":%d,"groupKey":"%s","groupLabels":%s,"alerts":[{"status":"firing","startsAt":"2026-01-01T00:00:00Z","fingerprint":"00000000000000%s","ruleUID":"%s","labels":{"alertname":"A"}}]}`
	const budget = `{"budgetDisplayName":"b","costIntervalStart":"%s","%sThresholdExceeded":%s}`
	const health = `{"name":"%s","state":"ACTIVE"}`
	const errors = `{"version":"1.0","group_info":{"project_id":"%s","detail_link":"https://console.cloud.google.com/errors/%s"}}`
	g := func(org int, key, labels, fp, rule string) string {
		return fmt.Sprintf(grafana, org, key, labels, fp, rule)
	}
	b := func(period, kind, share string) string { return pushOf(fmt.Sprintf(budget, period, kind, share)) }
	for _, tt := range []struct {
		source, what, a, b string
		same               bool
	}{
		{"grafana", "another alert of the group", g(1, "{}:{a=1}", `{"a":"1"}`, "01", ""), g(1, "{}:{a=1}", `{"a":"1"}`, "02", ""), true},
		{"grafana", "another group", g(1, "{}:{a=1}", `{"a":"1"}`, "01", ""), g(1, "{}:{a=2}", `{"a":"2"}`, "01", ""), false},
		{"grafana", "another organization's group", g(1, "{}:{a=1}", `{"a":"1"}`, "01", ""), g(2, "{}:{a=1}", `{"a":"1"}`, "01", ""), false},
		{"grafana", "{}:{} is no identity", g(1, "{}:{}", `{}`, "01", ""), g(1, "{}:{}", `{}`, "02", ""), false},
		{"grafana", "{}:{} is none with labels either", g(1, "{}:{}", `{"a":"1"}`, "01", ""), g(1, "{}:{}", `{"a":"1"}`, "02", ""), false},
		{"grafana", "no key is no identity", g(1, "", `{"a":"1"}`, "01", ""), g(1, "", `{"a":"1"}`, "02", ""), false},
		{"grafana", "the same alert", g(1, "{}:{}", `{}`, "01", ""), g(1, `{}/{x=\"y\"}:{}`, `{}`, "01", ""), true},
		{"grafana", "the same labels of another rule", g(1, "{}:{}", `{}`, "01", "r1"), g(1, "{}:{}", `{}`, "01", "r2"), false},
		{"grafana", "the same alert of another organization", g(1, "{}:{}", `{}`, "01", "r"), g(2, "{}:{}", `{}`, "01", "r"), false},
		{"budget", "a repeat", b("2026-01-01T00:00:00Z", "alert", "0.9"), b("2026-01-01T01:00:00+01:00", "alert", "0.90"), true},
		{"budget", "a whole number", b("2026-01-01T00:00:00Z", "alert", "1"), b("2026-01-01T00:00:00Z", "alert", "1.0"), true},
		{"budget", "the next threshold", b("2026-01-01T00:00:00Z", "alert", "0.5"), b("2026-01-01T00:00:00Z", "alert", "0.9"), false},
		{"budget", "the next month", b("2026-01-01T00:00:00Z", "alert", "0.9"), b("2026-02-01T00:00:00Z", "alert", "0.9"), false},
		{"budget", "a forecast", b("2026-01-01T00:00:00Z", "alert", "0.9"), b("2026-01-01T00:00:00Z", "forecast", "0.9"), false},
		{"servicehealth", "project and organization", fmt.Sprintf(health, "projects/p/locations/global/events/x"), fmt.Sprintf(health, "organizations/1/locations/global/organizationEvents/x"), true},
		{"servicehealth", "another event", fmt.Sprintf(health, "projects/p/locations/global/events/x"), fmt.Sprintf(health, "projects/p/locations/global/events/y"), false},
		{"servicehealth", "the log entry", fmt.Sprintf(health, "projects/p/locations/global/events/x"),
			`{"resource":{"type":"servicehealth.googleapis.com/Event","labels":{"event_id":"x"}},"jsonPayload":{"state":"CLOSED"}}`, true},
		{"monitoring", "another view of an error group", fmt.Sprintf(errors, "p", "CN1?time=P1D"), fmt.Sprintf(errors, "p", "CN1;filter=x/y?project=p#a"), true},
		{"monitoring", "the old page of an error group", fmt.Sprintf(errors, "p", "CN1"), fmt.Sprintf(errors, "p", "detail/CN1/"), true},
		{"monitoring", "another error group", fmt.Sprintf(errors, "p", "CN1"), fmt.Sprintf(errors, "p", "CN2"), false},
		{"monitoring", "another project", fmt.Sprintf(errors, "p", "CN1"), fmt.Sprintf(errors, "q", "CN1"), false},
		{"monitoring", "an incident with the id of an error group", fmt.Sprintf(errors, "p", "CN1"), `{"version":"1.2","incident":{"incident_id":"CN1","scoping_project_id":"p","state":"open"}}`, false},
		{"plain", "the end", `{"key":"k","title":"a"}`, `{"key":"k","title":"b","status":"resolved"}`, true},
		{"cloudevents", "the same event", `{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"title":"a"}}`, `{"specversion":"1.0","id":"1","source":"s","type":"u","data":{"title":"b"}}`, true},
		{"cloudevents", "the same id of another source", `{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"title":"a"}}`, `{"specversion":"1.0","id":"1","source":"t","type":"t","data":{"title":"a"}}`, false},
		{"cloudevents", "the key of the data", `{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"key":"k","title":"a"}}`, `{"specversion":"1.0","id":"2","source":"t","type":"t","data":{"key":"k","title":"a"}}`, true},
	} {
		t.Run(tt.source+": "+tt.what, func(t *testing.T) {
			if a, b := keyOf(t, tt.source, tt.a), keyOf(t, tt.source, tt.b); (a == b) != tt.same {
				t.Errorf("keys %q and %q", a, b)
			}
		})
	}
}

// TestGrafanaTruncated: what is listed says nothing about what is not.
func TestGrafanaTruncated(t *testing.T) {
	const body = `{"version":"1","orgId":1,"status":"resolved","state":"ok","groupKey":"{}:{a=\"b\"}","groupLabels":{"a":"b"},"truncatedAlerts":2,
		"alerts":[{"status":"resolved","startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-01T00:01:00Z","labels":{"a":"b"}}]}`
	if in := decodeText(t, Grafana, body); in.Omitted != 2 || in.Status != Resolved {
		t.Errorf("%+v", in)
	}
}

// TestGrafanaTestButton: in all its forms, and nothing else.
func TestGrafanaTestButton(t *testing.T) {
	body := func(key, alert string) string {
		return `{"version":"1","orgId":1,"groupKey":"` + key + `","groupLabels":{},"alerts":[{"status":"firing","startsAt":"2026-01-01T00:00:00Z",` + alert + `}]}`
	}
	for want, bodies := range map[bool][]string{
		true: {
			body(`{alertname=\"TestAlert\", instance=\"Grafana\"}2026-01-01 00:00:00.1 +0000 UTC m=+1.1`, `"labels":{"alertname":"TestAlert","instance":"Grafana"}`),
			body(`{alertname=\"TestAlert\"}2026-01-01 00:00:00.1 +0000 UTC m=+1.1`, `"labels":{"alertname":"TestAlert","a":"b"}`),
			body(`test-57c6d9296de2ad39-1709979016`, `"labels":{"alertname":"TestAlert","a":"b"}`),
			body(`webhook-0123456789abcdef-1709979016`, `"labels":{"alertname":"TestAlert","a":"b"}`),
			body(`{}:{}`, `"fingerprint":"57c6d9296de2ad39","labels":{"alertname":"TestAlert"}`),
			body(`{}:{}`, `"generatorURL":"?orgId=1","labels":{"alertname":"TestAlert"}`),
		},
		false: {
			body(`{}:{}`, `"labels":{"alertname":"TestAlert","instance":"db-1"},"generatorURL":"https://g.example/alerting/grafana/x/view"`),
			body(`{}:{alertname=\"TestAlert\"}`, `"labels":{"alertname":"TestAlert"}`),
			body(`test-57c6d9296de2ad39-1709979016`, `"labels":{"alertname":"Disk","instance":"Grafana"},"fingerprint":"57c6d9296de2ad39"`),
			body(`{}:{}`, `"labels":{"alertname":"TestAlert","instance":"Grafana"}},{"status":"firing","startsAt":"2026-01-01T00:00:00Z","labels":{"alertname":"Disk"}`),
		},
	} {
		for _, b := range bodies {
			list, err := Grafana([]byte(b))
			if err != nil || list[0].Test != want {
				t.Errorf("test %v, %v: %s", !want, err, b)
			}
		}
	}
}

func TestHealthStates(t *testing.T) {
	for state, want := range map[string]Status{
		`"state":"ACTIVE","detailedState":"EMERGING"`: Firing, `"state":"ACTIVE","detailedState":"CONFIRMED"`: Firing, `"detailedState":"CONFIRMED"`: Firing,
		`"state":"CLOSED","detailedState":"RESOLVED"`: Resolved, `"state":"CLOSED","detailedState":"MERGED"`: Resolved, `"detailedState":"MERGED"`: Resolved,
		`"state":"CLOSED","detailedState":"AUTO_CLOSED"`: Resolved, `"state":"CLOSED","detailedState":"FALSE_POSITIVE"`: Resolved, `"state":"CLOSED"`: Resolved,
	} {
		in := decodeText(t, ServiceHealth, `{"name":"projects/p/locations/global/events/x",`+state+`,"startTime":"2026-01-01T00:00:00Z","endTime":"2025-01-01T00:00:00Z"}`)
		if in.Status != want || !in.Alerts[0].Ends.IsZero() {
			t.Errorf("%s: %+v", state, in)
		}
	}
}

func TestQuotedLists(t *testing.T) {
	for text, want := range map[string]string{
		`"['us-east1','us-west1']"`: "us-east1, us-west1", `"[]"`: "", `""`: "", `null`: "", `"us-east1"`: "us-east1", `"[us-east1, us-west1]"`: "us-east1, us-west1",
		`"['a, b', \"it's\", 'it\\'s']"`: "a, b, it's", `["a","b","a"]`: "a, b", `"['a"`: "a", `"['', 'a']"`: "a", `{"a":"b"}`: "b", `7`: "7", `"['a''b']"`: "a, b",
	} {
		v, err := readValue([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := joined(v); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

// TestFindingLife: active, inactive, active again, muted.
func TestFindingLife(t *testing.T) {
	const body = `{"finding":{"name":"n","state":"%s","mute":"%s","createTime":"2026-01-01T00:00:00Z","eventTime":"%s","sourceProperties":{"SeverityLevel":"Medium"}}}`
	open := decodeText(t, SecurityCommandCenter, fmt.Sprintf(body, "ACTIVE", "UNMUTED", "2026-01-01T00:00:00Z"))
	done := decodeText(t, SecurityCommandCenter, fmt.Sprintf(body, "INACTIVE", "", "2026-01-02T00:00:00Z"))
	again := decodeText(t, SecurityCommandCenter, fmt.Sprintf(body, "ACTIVE", "", "2026-01-03T00:00:00Z"))
	muted := decodeText(t, SecurityCommandCenter, fmt.Sprintf(body, "ACTIVE", "MUTED", "2026-01-04T00:00:00Z"))
	if open.Status != Firing || done.Status != Resolved || again.Status != Firing || muted.Status != Resolved || open.Severity != Warning {
		t.Errorf("%s %s %s %s, %s", open.Status, done.Status, again.Status, muted.Status, open.Severity)
	}
	a, d, g, m := open.Alerts[0], done.Alerts[0], again.Alerts[0], muted.Alerts[0]
	if !d.Starts.Equal(a.Starts) || !d.Ends.After(d.Starts) || !g.Starts.After(d.Ends) || !m.Ends.After(g.Starts) {
		t.Errorf("times %v %v-%v %v %v-%v", a.Starts, d.Starts, d.Ends, g.Starts, m.Starts, m.Ends)
	}
}

// TestBudgetOfASubscription: Pub/Sub hands over data and attributes apart, and a report without a threshold is no alert.
func TestBudgetOfASubscription(t *testing.T) {
	decode, _ := ByName(SourceBudget)
	about := map[string]string{"budgetId": "b", "billingAccountId": "a"}
	const data = `{"budgetDisplayName":"b","costAmount":1,"costIntervalStart":"2026-01-01T00:00:00Z"`
	list, err := decode(Message{Body: []byte(data + `}`), Attributes: about})
	if err != nil || len(list) != 0 {
		t.Errorf("a report: %v, %+v", err, list)
	}
	for _, decode := range []Decoder{decode, Any} {
		list, err = decode(Message{Body: []byte(data + `,"forecastThresholdExceeded":1.1}`), Attributes: about})
		if err != nil || len(list) != 1 || list[0].Severity != Warning || list[0].Labels["billing_account_id"] != "a" || list[0].Alerts[0].Threshold != "110 %" {
			t.Errorf("%v, %+v", err, list)
		}
	}
}

// TestBinaryEvents: the attributes stand in headers, or in Pub/Sub's attributes.
func TestBinaryEvents(t *testing.T) {
	body := []byte(`{"title":"Backup failed"}`)
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Ce-Specversion": {"1.0"}, "Ce-Id": {"7"}, "Ce-Source": {"/n%20w"}, "Ce-Type": {"x.y"}}
	want, err := CloudEvents(Message{Body: body, Header: h})
	if err != nil || len(want) != 1 || want[0].Key != "/n w 7" {
		t.Fatalf("%v, %+v", err, want)
	}
	attributes := map[string]string{"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "7", "ce-source": "/n%20w", "ce-type": "x.y", "other": "z"}
	for name, got := range map[string]Decoder{
		"any":     func(Message) ([]Incident, error) { return Any(Message{Body: body, Header: h}) },
		"pub/sub": func(Message) ([]Incident, error) { return CloudEvents(Message{Body: body, Attributes: attributes}) },
	} {
		if list, err := got(Message{}); err != nil || !reflect.DeepEqual(list, want) {
			t.Errorf("%s: %v, %+v", name, err, list)
		}
	}
	h.Set("Ce-Type", "providerdesk.monitoring")
	list, err := CloudEvents(Message{Header: h, Body: readFile(t, "testdata/monitoring/log-match.json")})
	if err != nil || len(list) != 1 || list[0].Source != SourceMonitoring {
		t.Errorf("%v, %+v", err, list)
	}
	h.Del("Ce-Source")
	if _, err := Any(Message{Header: h, Body: body}); err == nil || !strings.Contains(err.Error(), "no source") {
		t.Errorf("half an event: %v", err)
	}
}

// TestAnyIsTheFormat: whatever a source's own decoder reads, Any reads the same.
func TestAnyIsTheFormat(t *testing.T) {
	for _, source := range formatsAndEvents() {
		decode, _ := ByName(source)
		files, _ := filepath.Glob(filepath.Join("testdata", source, "*.json"))
		for _, file := range files {
			m := Message{Body: readFile(t, file), Header: http.Header{"Content-Type": {"application/json"}}}
			want, err := decode(m)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Any(m); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v\n got %+v\nwant %+v", file, err, got, want)
			}
		}
	}
}

// TestOneFormatEach: no decoder but its own takes a body, so a sender that is configured wrongly is told.
func TestOneFormatEach(t *testing.T) {
	for _, source := range formats() {
		files, _ := filepath.Glob(filepath.Join("testdata", source, "*.json"))
		for _, other := range formats() {
			decode, _ := byName(other)
			for _, file := range files {
				if list, err := decode(readFile(t, file)); other != source && err == nil {
					t.Errorf("%s takes %s for %+v", other, file, list)
				}
			}
		}
	}
}

// TestOwnAlertsStay: what is its own alert is not taken apart.
func TestOwnAlertsStay(t *testing.T) {
	for _, source := range formatsAndEvents() {
		decode, _ := byName(source)
		files, _ := filepath.Glob(filepath.Join("testdata", source, "*.json"))
		for _, file := range files {
			list, err := decode(readFile(t, file))
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range list {
				if got := Split(in); !grouped(in.Source) && (len(got) != 1 || !reflect.DeepEqual(got[0], in)) {
					t.Errorf("%s: %+v", file, got)
				}
			}
		}
	}
}

func TestManyLinks(t *testing.T) {
	var all []string
	for i := range 3 * maxLinks {
		all = append(all, fmt.Sprintf(`{"name":"l","url":"https://a.example/%d"}`, i))
	}
	in := decodeText(t, Plain, `{"key":"k","title":"t","links":[`+strings.Join(all, ",")+`]}`)
	if len(in.Links) != maxLinks {
		t.Errorf("%d links", len(in.Links))
	}
}
