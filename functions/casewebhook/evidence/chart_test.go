package evidence

import (
	"encoding/xml"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/monitoring/v3"

	"github.com/providerdesk/providerdesk/shared/config"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; -update writes it:\n%s", path, got)
	}
}

// wellFormed reads a chart to its end and returns its texts.
func wellFormed(t *testing.T, svg string) (texts []string) {
	t.Helper()
	dec, depth := xml.NewDecoder(strings.NewReader(svg)), 0
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			depth++
			for _, a := range tok.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") || strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" {
					t.Errorf("%s %s=%q", tok.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if s := strings.TrimSpace(string(tok)); s != "" {
				texts = append(texts, s)
			}
		}
	}
}

var began0 = time.Date(2026, 3, 29, 0, 58, 20, 0, time.UTC)

// gauge is a series of an hour with a hole in it.
func gauge(name string, height float64) *monitoring.TimeSeries {
	ts := &monitoring.TimeSeries{MetricKind: "GAUGE", ValueType: "DOUBLE", Unit: "10^2.%", Metric: &monitoring.Metric{Labels: map[string]string{"instance_name": name, "core": "=cmd"}}}
	for i := 60; i >= 0; i -= 3 {
		if i > 21 && i < 31 {
			continue
		}
		v := height * (0.5 + 0.4*math.Sin(float64(i)/9))
		at := began0.Add(time.Duration(i-50) * time.Minute).Format(time.RFC3339)
		ts.Points = append(ts.Points, &monitoring.Point{Interval: &monitoring.TimeInterval{StartTime: at, EndTime: at}, Value: &monitoring.TypedValue{DoubleValue: &v}})
	}
	return ts
}

func counter(kind string, values ...int64) *monitoring.TimeSeries {
	ts := &monitoring.TimeSeries{MetricKind: kind, ValueType: "INT64", Resource: &monitoring.MonitoredResource{Labels: map[string]string{"pod_name": "web-1"}}}
	for i, v := range values {
		start, end := began0, began0.Add(time.Duration(i+1)*time.Minute)
		if kind == "DELTA" {
			start = end.Add(-time.Minute)
		}
		if kind == "CUMULATIVE" && i > 0 && v < values[i-1] {
			start = end.Add(-30 * time.Second) // it was started anew
		}
		ts.Points = append(ts.Points, &monitoring.Point{Interval: &monitoring.TimeInterval{StartTime: start.Format(time.RFC3339), EndTime: end.Format(time.RFC3339)},
			Value: &monitoring.TypedValue{Int64Value: &v}})
	}
	return ts
}

func chartOf(t *testing.T, all ...*monitoring.TimeSeries) chart {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return chart{title: `CPU <of> the "web" & tier ]]> token=abcdef: compute.googleapis.com/instance/cpu/utilization`, start: began0, from: began0.Add(-time.Hour),
		to: began0.Add(10 * time.Minute), zone: loc, threshold: "0.9", series: readSeries(all), redact: redactorOf(t, config.Evidence{}).text}
}

// What the desk's people see, over the night on which their clocks change; the texts are a stranger's.
func TestChart(t *testing.T) {
	svg := chartOf(t, gauge("web-2", 0.6), gauge("web-1", 1.05)).svg()
	golden(t, "gauge.svg", svg)
	texts := strings.Join(wellFormed(t, svg), "\n")
	for _, want := range []string{`CPU <of> the "web" & tier ]]> token=[redacted]`, "began 01:58:20", "threshold 0.9", "CET +01:00, then CEST +02:00", "core==cmd instance_name=web-1"} {
		if !strings.Contains(texts, want) {
			t.Errorf("no %q in\n%s", want, texts)
		}
	}
}

func TestTable(t *testing.T) {
	all := readSeries([]*monitoring.TimeSeries{counter("CUMULATIVE", 100, 160, 280, 30), gauge("w", 1)})
	golden(t, "metrics.csv", table(all[:1], strings.ToUpper)+table(all[1:], func(s string) string { return strings.TrimPrefix(s, "core=") }))
}

// What is counted is drawn per second, also when the counter was started anew.
func TestRates(t *testing.T) {
	for kind, want := range map[string][]float64{"CUMULATIVE": {1, 2, 1}, "DELTA": {100. / 60, 160. / 60, 280. / 60, 0.5}, "GAUGE": {100, 160, 280, 30}} {
		got := readSeries([]*monitoring.TimeSeries{counter(kind, 100, 160, 280, 30)})[0].drawn()
		if len(got) != len(want) {
			t.Fatalf("%s: %v", kind, got)
		}
		for i, p := range got {
			if math.Abs(p.value-want[i]) > 1e-9 {
				t.Errorf("%s %d: %v, want %v", kind, i, p.value, want[i])
			}
		}
	}
}

// Whatever is measured becomes a chart: one point, a constant, the huge and the tiny, more lines and points than are drawn, what is no number.
func TestChartsOfAllKinds(t *testing.T) {
	value := func(v float64, n int) *monitoring.TimeSeries {
		ts := &monitoring.TimeSeries{MetricKind: "GAUGE", ValueType: "DOUBLE"}
		for i := range n {
			at := began0.Add(time.Duration(i) * time.Second).Format(time.RFC3339)
			ts.Points = append(ts.Points, &monitoring.Point{Interval: &monitoring.TimeInterval{EndTime: at}, Value: &monitoring.TypedValue{DoubleValue: &v}})
		}
		return ts
	}
	yes, word := true, "text"
	odd := &monitoring.TimeSeries{ValueType: "BOOL", Points: []*monitoring.Point{nil, {}, {Interval: &monitoring.TimeInterval{EndTime: "soon"}, Value: &monitoring.TypedValue{}},
		{Interval: &monitoring.TimeInterval{EndTime: began0.Format(time.RFC3339)}, Value: &monitoring.TypedValue{BoolValue: &yes}},
		{Interval: &monitoring.TimeInterval{EndTime: began0.Format(time.RFC3339)}, Value: &monitoring.TypedValue{StringValue: &word}}}}
	mean := &monitoring.TimeSeries{MetricKind: "DELTA", ValueType: "DISTRIBUTION", Unit: "ms", Points: []*monitoring.Point{
		{Interval: &monitoring.TimeInterval{EndTime: began0.Format(time.RFC3339)}, Value: &monitoring.TypedValue{DistributionValue: &monitoring.Distribution{Mean: 12.5, Count: 7}}}}}
	for name, all := range map[string][]*monitoring.TimeSeries{
		"one point": {value(3, 1)}, "zero": {value(0, 9)}, "negative": {value(-7, 9)}, "huge": {value(1e200, 9), value(-1e200, 9)}, "tiny": {value(1e-200, 9)},
		"many points": {value(5, 4000)}, "many lines": {gauge("a", 1), gauge("b", 2), gauge("c", 3), gauge("d", 4), gauge("e", 5), gauge("f", 6)},
		"odd": {odd}, "a distribution": {mean}, "one count": {counter("CUMULATIVE", 5)}, "many names": {gauge(strings.Repeat("x", 5000), 1)},
	} {
		for _, threshold := range []string{"", "0.9", "no number", "NaN", "1e999", "-1000000"} {
			c := chartOf(t, all...)
			c.threshold = threshold
			svg := c.svg()
			if wellFormed(t, svg); len(svg) > 64<<10 {
				t.Errorf("%s: %d bytes", name, len(svg))
			}
		}
	}
}

func FuzzChart(f *testing.F) {
	f.Add("title", "0.9", 1.0, 2.0, int64(60))
	f.Add("\x00<&>\xff", "-1", math.MaxFloat64, -math.MaxFloat64, int64(-5))
	f.Fuzz(func(t *testing.T, title, threshold string, a, b float64, seconds int64) {
		one := gauge("x", 1)
		one.Points[0].Value.DoubleValue, one.Points[1].Value.DoubleValue = &a, &b
		one.Points[0].Interval.EndTime = began0.Add(time.Duration(seconds%1e6) * time.Second).Format(time.RFC3339)
		c := chartOf(t, one)
		c.title, c.threshold = title, threshold
		wellFormed(t, c.svg())
	})
}
