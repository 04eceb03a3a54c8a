package alert

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func decodeText(t *testing.T, decode bodyDecoder, body string) Incident {
	t.Helper()
	list, err := decode([]byte(body))
	if err != nil || len(list) != 1 {
		t.Fatalf("%d incidents, %v", len(list), err)
	}
	checkIncident(t, list[0])
	return list[0]
}

func TestSeverityWords(t *testing.T) {
	for word, want := range map[string]Severity{
		"critical": Critical, "Critical": Critical, " PAGE ": Critical, "high": Error, "ERROR": Error, "Warning": Warning,
		"low": Info, "info": Info, "none": SeverityNone, "No severity": SeverityNone, "": SeverityNone, "sev-7": SeverityNone,
	} {
		if got := severity(word); got != want {
			t.Errorf("severity(%q) = %s, want %s", word, got, want)
		}
	}
}

func TestUnknownSeverityStaysInTheLabels(t *testing.T) {
	in := decodeText(t, Alertmanager, group1(`"labels":{"severity":"sev-7"}`))
	if in.Severity != SeverityNone || in.Alerts[0].Labels["severity"] != "sev-7" {
		t.Errorf("%+v", in)
	}
}

// group1 is a group of one alert with more fields.
func group1(fields string) string {
	return `{"version":"4","groupKey":"x","alerts":[{"status":"firing","startsAt":"2026-01-01T00:00:00Z",` + fields + `}]}`
}

// TestIdentityOverTheLife: the key and the fingerprint stay from the opening to the close, the start tells the occurrences apart.
func TestIdentityOverTheLife(t *testing.T) {
	life := `{"version":"4","groupKey":"x","alerts":[{"status":"%s","labels":{"alertname":"A","b":"c"},"startsAt":"%s","endsAt":"%s"}]}`
	open := decodeText(t, Alertmanager, fmt.Sprintf(life, "firing", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z"))
	done := decodeText(t, Alertmanager, fmt.Sprintf(life, "resolved", "2026-01-01T01:00:00+01:00", "2026-01-01T00:05:00Z"))
	again := decodeText(t, Alertmanager, fmt.Sprintf(life, "firing", "2026-01-02T00:00:00Z", ""))
	if open.Key != done.Key || open.Alerts[0].Fingerprint != done.Alerts[0].Fingerprint || open.Alerts[0].Starts != done.Alerts[0].Starts {
		t.Errorf("the close is another incident: %+v, %+v", open, done)
	}
	if again.Alerts[0].Fingerprint != open.Alerts[0].Fingerprint || again.Alerts[0].Starts == open.Alerts[0].Starts {
		t.Errorf("the next occurrence is the same: %+v", again)
	}
}

func TestFingerprintOfLabelsIsNotFooledByTheirText(t *testing.T) {
	seen := map[string]bool{}
	for _, labels := range []map[string]string{nil, {"a": "b"}, {"a": "b\n\"c\"=\"d\""}, {"a": "b", "c": "d"}, {"a=b": ""}, {"ab": ""}} {
		f := fingerprint("", textsOf(labels))
		if seen[f] || len(f) != 16 {
			t.Errorf("%v has fingerprint %s", labels, f)
		}
		seen[f] = true
	}
}

func TestEqualFingerprintsBecomeOneAlert(t *testing.T) {
	const a = `{"status":"%s","labels":{"a":"b"},"startsAt":"%s"}`
	for _, order := range [][2]string{{"firing", "resolved"}, {"resolved", "firing"}} {
		in := decodeText(t, Alertmanager, fmt.Sprintf(`{"version":"4","groupKey":"x","alerts":[`+a+`,`+a+`]}`,
			order[0], "2026-01-01T00:00:00Z", order[1], "2026-01-01T00:00:00Z"))
		if len(in.Alerts) != 1 || in.Status != Firing {
			t.Errorf("%v: %+v", order, in)
		}
	}
}

// TestGroupStatusIsNotTrusted: the sender computes it from what it lists.
func TestGroupStatusIsNotTrusted(t *testing.T) {
	in := decodeText(t, Alertmanager, strings.Replace(group1(`"labels":{}`), `{"version"`, `{"status":"resolved","version"`, 1))
	if in.Status != Firing {
		t.Error(in.Status)
	}
}

func TestLinks(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/x?y=1":      "https://a.example/x?y=1",
		" http://a.example ":           "http://a.example",
		"/graph":                       "",
		"javascript:alert(1)":          "",
		"//a.example/x":                "",
		"https://":                     "",
		"https://me:pw@a.example":      "",
		"https://a.example/?a=<b>|c d": "https://a.example/?a=%3Cb%3E%7Cc%20d",
		"https://a.example/\nx":        "",
		"http://<":                     "",
		"http://a|b/":                  "",
		"https://a.example/" + strings.Repeat("x", maxURL): "",
	} {
		if got := safeURL(raw); got != want {
			t.Errorf("safeURL(%q) = %q, want %q", raw, got, want)
		}
	}
}

// urls are links that are shown as they are, and such as hold something that the parser must see.
var urls = []string{
	"https://a.example", "http://a.example/", "https://a.example:9090/graph?g0.expr=up%20%3D%3D%200&g0.tab=1", "https://a.example?q", "https://A-1.b/~x_y",
	"https://a.example/x?y=it's(1),*;:@!$", "https://", "https://:80", "https://?x", "https:///x", "http://a:b", "http://a:80:90", "http://a:", "https://-/",
	"https://a.example/%zz", "https://a.example/?%zz", "https://a.example/a b", "https://a.example/#/x", "https://a.example/?x#y", "HTTPS://a.example", "https://a@b/",
	"https://a.example/ü", "https://[::1]/", "https://a.example/;x", "https://a.example//x", "https://a.example/../x", "ftp://a.example", "https:/a.example",
}

// checkPlainURL: what is taken to be safe as it is, the parser finds safe as it is.
func checkPlainURL(t *testing.T, raw string) {
	t.Helper()
	if got := parsedURL(raw); isPlainURL(raw) && got != raw {
		t.Errorf("%q is no plain URL, it is %q", raw, got)
	}
}

func TestPlainURLs(t *testing.T) {
	for i, raw := range urls {
		checkPlainURL(t, raw)
		if i < 6 && !isPlainURL(raw) {
			t.Errorf("%q takes the long way", raw)
		}
	}
}

func FuzzPlainURL(f *testing.F) {
	for _, raw := range urls {
		f.Add(raw)
	}
	f.Fuzz(checkPlainURL)
}

func TestTitles(t *testing.T) {
	long := strings.Repeat("ü", 5000)
	in := decodeText(t, Alertmanager, group1(`"labels":{"alertname":"`+long+`"},"annotations":{"summary":"`+strings.Repeat("語", 9000)+`"}`))
	if n := utf8.RuneCountInString(in.Title); n > maxTitle {
		t.Errorf("title of %d characters", n)
	}
	in = decodeText(t, Alertmanager, group1(`"labels":{"alertname":"two\nlines\u0000 \u202Eesrever"}`))
	if in.Title != "two lines esrever" {
		t.Errorf("title %q", in.Title)
	}
	in = decodeText(t, Alertmanager, `{"version":"4","groupKey":"x","groupLabels":{"cluster":"eu-1"},"alerts":[
		{"status":"firing","startsAt":"2026-01-01T00:00:00Z","labels":{"alertname":"B"}},
		{"status":"firing","startsAt":"2026-01-01T00:00:00Z","labels":{"alertname":"A"}},
		{"status":"firing","startsAt":"2026-01-01T00:00:00Z","labels":{"alertname":"C"}}]}`)
	if in.Title != "A, B and 1 more (3 alerts): cluster=eu-1" {
		t.Errorf("title %q", in.Title)
	}
}

func TestLongKeysStayDifferent(t *testing.T) {
	long := strings.Repeat("k", 3*maxKey)
	a := decodeText(t, Alertmanager, strings.Replace(group1(`"labels":{}`), `"x"`, `"`+long+`a"`, 1))
	b := decodeText(t, Alertmanager, strings.Replace(group1(`"labels":{}`), `"x"`, `"`+long+`b"`, 1))
	if a.Key == b.Key || len(a.Key) > maxKey {
		t.Errorf("keys of %d bytes, equal: %v", len(a.Key), a.Key == b.Key)
	}
	if Split(a)[0].Key == Split(b)[0].Key {
		t.Error("equal keys after the split")
	}
}

func TestMonitoringConditions(t *testing.T) {
	for condition, want := range map[string]string{
		`{"conditionThreshold":{"comparison":"COMPARISON_GT","thresholdValue":0.5,"duration":"60s"}}`: "C: above 0.5 for 1m",
		`{"conditionThreshold":{"comparison":"COMPARISON_LT","duration":"0s"}}`:                       "C: below 0",
		`{"conditionThreshold":{"thresholdValue":"7","duration":"7200s"}}`:                            "C: threshold 7 for 2h",
		`{"conditionAbsent":{"duration":"3690s"}}`:                                                    "C: no data for 1h1m30s",
		`{"conditionPrometheusQueryLanguage":{"query":"up == 0","duration":"300s"}}`:                  "C: up == 0 for 5m",
		`{"conditionMatchedLog":{"filter":"severity>=ERROR"}}`:                                        "C: a log entry matches severity>=ERROR",
		`{"conditionOfTheFuture":{}}`:                                                                 "C",
		`null`:                                                                                        "C",
	} {
		in := decodeText(t, Monitoring, `{"version":"1.2","incident":{"incident_id":"1","state":"open","condition_name":"C","condition":`+condition+`}}`)
		if in.Alerts[0].Condition != want {
			t.Errorf("%s: %q, want %q", condition, in.Alerts[0].Condition, want)
		}
	}
}

// TestMonitoringLife: an incident may be over before its opening is seen; the close alone tells everything.
func TestMonitoringLife(t *testing.T) {
	const life = `{"version":"1.2","incident":{"incident_id":"0.a","scoping_project_id":"p","scoping_project_number":%s,"state":"%s","started_at":%s,"ended_at":%s,"severity":"%s"}}`
	open := decodeText(t, Monitoring, fmt.Sprintf(life, `12`, "open", `"1772359200"`, `1772359300`, "error"))
	closed := decodeText(t, Monitoring, fmt.Sprintf(life, `"12"`, "CLOSED", `1772359200`, `"1772359220"`, "Error"))
	if open.Status != Firing || closed.Status != Resolved || open.Severity != Error || closed.Severity != Error {
		t.Errorf("%+v, %+v", open, closed)
	}
	if open.Key != "p/0.a" || closed.Key != open.Key || closed.Alerts[0].Starts != open.Alerts[0].Starts {
		t.Errorf("%+v, %+v", open, closed)
	}
	if !open.Alerts[0].Ends.IsZero() || closed.Alerts[0].Ends.Unix() != 1772359220 {
		t.Errorf("ends %v, %v", open.Alerts[0].Ends, closed.Alerts[0].Ends)
	}
}
