package google

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const entriesPath = "/v2/entries:list"

// entriesBody is a request for the log of an instance in the hour before eight.
func entriesBody(filter, more string) string {
	return fmt.Sprintf(`{"resourceNames":["projects/acme-prod"],"filter":%q%s}`, filter, more)
}

const ofInstance = `resource.type="gce_instance" AND resource.labels.instance_id="7" AND timestamp>="2026-11-22T07:00:00Z" AND timestamp<="2026-11-22T08:00:00Z"`

func seriesPath(filter, more string) string {
	return "/v3/projects/acme-prod/timeSeries?interval.startTime=2026-11-22T07:00:00Z&interval.endTime=2026-11-22T08:00:00Z&view=FULL&filter=" + url.QueryEscape(filter) + more
}

const ofCPU = `metric.type="compute.googleapis.com/instance/cpu/utilization" AND resource.type="gce_instance" AND resource.labels.instance_id="7"`

// listed are the entries of all pages.
func (c cloud) listed(filter, more string) (all []map[string]any, pages int) {
	c.t.Helper()
	for token := ""; ; {
		v := c.must("POST", entriesPath, entriesBody(filter, more+token))
		list, _ := v["entries"].([]any)
		for _, e := range list {
			all = append(all, e.(map[string]any))
		}
		if pages++; v["nextPageToken"] == nil {
			return all, pages
		}
		token = fmt.Sprintf(`,"pageToken":%q`, v["nextPageToken"])
	}
}

func TestEntries(t *testing.T) {
	planted := LogEntry{Project: "acme-prod", Type: "gce_instance", Labels: map[string]string{"instance_id": "7", "zone": "z"},
		Time: time.Date(2026, 11, 22, 7, 30, 0, 0, time.UTC), Severity: "ALERT", Text: "planted"}
	c := open(t, Options{LogEntries: []LogEntry{planted}})
	all, pages := c.listed(ofInstance, `,"orderBy":"timestamp desc","pageSize":70`)
	if pages != (len(all)+69)/70 || len(all) < 200 {
		t.Errorf("%d entries on %d pages", len(all), pages)
	}
	times, found := []string{}, false
	for _, e := range all {
		times = append(times, e["timestamp"].(string))
		found = found || e["textPayload"] == "planted"
	}
	if slices.Reverse(times); !slices.IsSorted(times) || !found || times[0] < "2026-11-22T07:00:00" || times[len(times)-1] > "2026-11-22T08:00:01" {
		t.Errorf("from %s to %s, planted %v", times[0], times[len(times)-1], found)
	}
	severe, _ := c.listed(ofInstance+" AND severity>=ERROR", "")
	others, _ := c.listed(ofInstance+" AND severity<ERROR", "")
	if len(severe) == 0 || len(others) == 0 || len(severe)+len(others) != len(all) {
		t.Errorf("%d severe, %d others of %d", len(severe), len(others), len(all))
	}
	if again, _ := open(t, Options{LogEntries: []LogEntry{planted}}).listed(ofInstance+" AND severity>=ERROR", ""); !reflect.DeepEqual(again, severe) {
		t.Error("the same seed and question have another answer")
	}
	if other, _ := c.listed(strings.Replace(ofInstance, `"7"`, `"8"`, 1)+` AND severity="ALERT"`, ""); len(other) != 0 {
		t.Errorf("another instance wrote what was planted: %v", other)
	}
	if quiet, _ := open(t, Options{QuietLogs: true}).listed(ofInstance, ""); len(quiet) != 0 {
		t.Errorf("%d entries of a quiet one", len(quiet))
	}
	if future, _ := c.listed(strings.NewReplacer("T07", "T08", "T08", "T09").Replace(ofInstance), ""); len(future) > 1 {
		t.Errorf("%d entries before they happened", len(future))
	}
	c.Deny("logging.logEntries.list")
	c.refused("POST", entriesPath, entriesBody(ofInstance, ""), 403, "logging.logEntries.list")
}

func TestTimeSeries(t *testing.T) {
	c := open(t, Options{})
	series := func(filter, more string) []any {
		list, _ := c.must("GET", seriesPath(filter, more), "")["timeSeries"].([]any)
		return list
	}
	got := series(ofCPU, "")
	if len(got) != 1 {
		t.Fatalf("%d series", len(got))
	}
	one := got[0].(map[string]any)
	points := one["points"].([]any)
	if len(points) != 61 || one["metricKind"] != "GAUGE" || points[0].(map[string]any)["interval"].(map[string]any)["endTime"] != "2026-11-22T08:00:00.000000Z" {
		t.Errorf("%d points, the newest %v", len(points), points[0])
	}
	low, high := 1.0, 0.0
	for _, p := range points {
		v := p.(map[string]any)["value"].(map[string]any)["doubleValue"].(float64)
		low, high = min(low, v), max(high, v)
	}
	if low < 0 || high > 1 || high-low < 0.4 {
		t.Errorf("an hour of load from %v to %v", low, high)
	}
	if !reflect.DeepEqual(series(ofCPU, ""), got) || reflect.DeepEqual(series(strings.Replace(ofCPU, `"7"`, `"8"`, 1), ""), got) {
		t.Error("a series follows from its name, and from nothing else")
	}
	if list := series(strings.Replace(ofCPU, "cpu/utilization", "disk/read_bytes_count", 1), ""); len(list) != 2 {
		t.Errorf("%d devices", len(list))
	}
	disk := strings.Replace(ofCPU, "cpu/utilization", "disk/read_bytes_count", 1)
	first := c.must("GET", seriesPath(disk, "&pageSize=61"), "")
	next := c.must("GET", seriesPath(disk, "&pageSize=61&pageToken="+first["nextPageToken"].(string)), "")
	if len(first["timeSeries"].([]any)) != 1 || len(next["timeSeries"].([]any)) != 1 || next["nextPageToken"] != nil || reflect.DeepEqual(first["timeSeries"], next["timeSeries"]) {
		t.Errorf("pages %v, %v", first, next)
	}
	if heads := series(ofCPU, "")[0].(map[string]any); heads["unit"] != "1" {
		t.Errorf("%v", heads["unit"])
	}
	for metric, kind := range map[string]string{"run.googleapis.com/request_latencies": "DELTA", "prometheus.googleapis.com/http_requests_total": "CUMULATIVE",
		"run.googleapis.com/request_count": "DELTA", "monitoring.googleapis.com/uptime_check/check_passed": "GAUGE"} {
		if list := series(`metric.type="`+metric+`"`, ""); len(list) != 1 || list[0].(map[string]any)["metricKind"] != kind {
			t.Errorf("%s: %v", metric, list)
		}
	}
	c.refused("GET", seriesPath(`metric.type="nobody.example.com/x"`, ""), "", 404, "Cannot find metric")
	c.Deny("monitoring.timeSeries.list")
	c.refused("GET", seriesPath(ofCPU, ""), "", 403, "monitoring.timeSeries.list")
}

// Each request breaks a contract of Logging or Monitoring in one way.
func TestTelemetryViolations(t *testing.T) {
	c := open(t, Options{})
	for what, body := range map[string]string{
		"no resource":            `{"filter":"x"}`,
		"a folder":               `{"resourceNames":["folders/1"],"filter":"resource.type=\"x\""}`,
		"unknown field":          entriesBody(ofInstance, `,"limit":3`),
		"order":                  entriesBody(ofInstance, `,"orderBy":"severity"`),
		"negative size":          entriesBody(ofInstance, `,"pageSize":-1`),
		"forged token":           entriesBody(ofInstance, `,"pageToken":"AAAA"`),
		"no filter":              entriesBody("", ""),
		"no type":                entriesBody(`severity>=ERROR`, ""),
		"OR":                     entriesBody(ofInstance+` OR severity>=ERROR`, ""),
		"an unquoted label":      entriesBody(ofInstance+` AND resource.labels.zone=z`, ""),
		"an open quote":          entriesBody(ofInstance+` AND resource.labels.zone="z`, ""),
		"an escape that is none": entriesBody(ofInstance+` AND resource.labels.zone="\z"`, ""),
		"a type twice":           entriesBody(ofInstance+` AND resource.type="gce_disk"`, ""),
		"a label twice":          entriesBody(ofInstance+` AND resource.labels.instance_id="8"`, ""),
		"another field":          entriesBody(ofInstance+` AND textPayload="x"`, ""),
		"no such severity":       entriesBody(ofInstance+` AND severity>=BAD`, ""),
		"no such time":           entriesBody(ofInstance+` AND timestamp>="yesterday"`, ""),
		"too wide":               entriesBody(`resource.type="x" AND timestamp>="2020-01-01T00:00:00Z"`, ""),
	} {
		a := c.send("POST", entriesPath, body)
		if a.status != 400 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	for what, path := range map[string]string{
		"no view":         strings.Replace(seriesPath(ofCPU, ""), "&view=FULL", "", 1),
		"no end":          strings.Replace(seriesPath(ofCPU, ""), "interval.endTime", "interval.startTime2", 1),
		"no filter":       seriesPath("", ""),
		"no metric":       seriesPath(`resource.type="x"`, ""),
		"not quoted":      seriesPath(`metric.type=x`, ""),
		"injected":        seriesPath(ofCPU+` OR metric.type="y"`, ""),
		"order":           seriesPath(ofCPU, "&orderBy=x"),
		"ends before":     strings.Replace(seriesPath(ofCPU, ""), "2026-11-22T07", "2026-11-22T09", 1),
		"no time":         strings.Replace(seriesPath(ofCPU, ""), "2026-11-22T07:00:00Z", "seven", 1),
		"aligner alone":   seriesPath(ofCPU, "&aggregation.perSeriesAligner=ALIGN_MEAN"),
		"a short period":  seriesPath(ofCPU, "&aggregation.perSeriesAligner=ALIGN_MEAN&aggregation.alignmentPeriod=10s"),
		"reducer alone":   seriesPath(ofCPU, "&aggregation.crossSeriesReducer=REDUCE_SUM"),
		"no such aligner": seriesPath(ofCPU, "&aggregation.perSeriesAligner=ALIGN_UP"),
		"forged token":    seriesPath(ofCPU, "&pageToken=AAAA"),
		"aligned":         seriesPath(ofCPU, "&aggregation.perSeriesAligner=ALIGN_MEAN&aggregation.alignmentPeriod=60s"),
	} {
		if a := c.send("GET", path, ""); a.status != 400 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	c.refused("POST", entriesPath, strings.Replace(entriesBody(ofInstance, ""), "acme-prod", "not-mine", 1), 403, "permission")
	c.refused("GET", strings.Replace(seriesPath(ofCPU, ""), "acme-prod", "not-mine", 1), "", 403, "permission")
}

func FuzzComparisons(f *testing.F) {
	for _, s := range []string{ofInstance, ofCPU, `a="\""`, `a="\\" AND `, "severity>=ERROR", `resource.labels.a="b" AND resource.labels.a="b"`, "a=\"\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := selected(text, "severity", "timestamp")
		if ok && s.metric == "" && s.kind == "" && len(s.labels)+len(s.metricLabels)+len(s.others) == 0 {
			t.Errorf("%q selects nothing", text)
		}
		windowOf(s.others, time.Unix(1e9, 0))
	})
}
