package evidence

import (
	"cmp"
	"encoding/csv"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/monitoring/v3"
)

// series is one time series, oldest point first.
type series struct {
	name   string
	kind   string // GAUGE, DELTA, CUMULATIVE
	mean   bool   // its values are means of distributions
	unit   string
	points []point
}

// point is one value. What a distribution is boils down to its mean and count.
type point struct {
	start, at time.Time
	value     float64
	written   string // the value as it came, with no rounding
	count     int64
}

// readSeries takes in what Monitoring answers. Texts are not drawn, and left out.
func readSeries(all []*monitoring.TimeSeries) []series {
	var out []series
	for _, ts := range all {
		s := series{name: nameOf(ts), kind: ts.MetricKind, mean: ts.ValueType == "DISTRIBUTION", unit: ts.Unit}
		for _, p := range ts.Points {
			if one, ok := readPoint(p); ok {
				s.points = append(s.points, one)
			}
		}
		slices.SortFunc(s.points, func(a, b point) int { return a.at.Compare(b.at) })
		if len(s.points) > 0 {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b series) int { return strings.Compare(a.name, b.name) })
	return out
}

// nameOf tells a series from others of its metric and resource: the labels of the metric, or those of the resource if it has none.
func nameOf(ts *monitoring.TimeSeries) string {
	var labels map[string]string
	if ts.Metric != nil {
		labels = ts.Metric.Labels
	}
	if len(labels) == 0 && ts.Resource != nil {
		labels = ts.Resource.Labels
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, " ")
}

// highest is as high as anything is that can be measured.
const highest = 1e300

func readPoint(p *monitoring.Point) (one point, ok bool) {
	if p == nil || p.Interval == nil || p.Value == nil {
		return one, false
	}
	var err error
	if one.at, err = time.Parse(time.RFC3339Nano, p.Interval.EndTime); err != nil {
		return one, false
	}
	if one.start, err = time.Parse(time.RFC3339Nano, p.Interval.StartTime); err != nil || one.start.After(one.at) {
		one.start = one.at
	}
	switch v := p.Value; {
	case v.DoubleValue != nil:
		one.value, one.written = *v.DoubleValue, strconv.FormatFloat(*v.DoubleValue, 'g', -1, 64)
	case v.Int64Value != nil:
		one.value, one.written = float64(*v.Int64Value), strconv.FormatInt(*v.Int64Value, 10)
	case v.BoolValue != nil:
		one.written = strconv.FormatBool(*v.BoolValue)
		if *v.BoolValue {
			one.value = 1
		}
	case v.DistributionValue != nil:
		one.value, one.count = v.DistributionValue.Mean, v.DistributionValue.Count
		one.written = strconv.FormatFloat(one.value, 'g', -1, 64)
	default:
		return one, false
	}
	return one, math.Abs(one.value) <= highest // which is false for what is no number
}

// drawn is what a chart shows of s: what is measured as it is, what is counted per second, since that is what policies compare.
func (s series) drawn() []point {
	if s.mean || s.kind != "DELTA" && s.kind != "CUMULATIVE" {
		return s.points
	}
	var out []point
	for i, p := range s.points {
		begin, value := p.start, p.value
		if i > 0 && s.kind == "CUMULATIVE" && p.start.Equal(s.points[i-1].start) {
			begin, value = s.points[i-1].at, p.value-s.points[i-1].value
		} else if i == 0 && s.kind == "CUMULATIVE" {
			continue // what was counted before the window says nothing about it
		}
		if d := p.at.Sub(begin).Seconds(); d > 0 {
			p.value = value / d
			out = append(out, p)
		}
	}
	return out
}

// table writes all points as CSV, in UTC.
func table(all []series, redact func(string) string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"time", "start", "value", "count", "series", "unit"}) // a strings.Builder takes everything
	for _, s := range all {
		name, unit := inert(redact(s.name)), inert(redact(s.unit))
		for _, p := range s.points {
			count := ""
			if s.mean {
				count = strconv.FormatInt(p.count, 10)
			}
			_ = w.Write([]string{p.at.UTC().Format(time.RFC3339Nano), p.start.UTC().Format(time.RFC3339Nano), p.written, count, name, unit})
		}
	}
	w.Flush()
	return b.String()
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	if strings.HasPrefix(s, "=") || strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "@") {
		return "'" + s
	}
	return s
}

// busiest are the n series that reach highest, in the order of their names.
func busiest(all []series, n int) []series {
	peak := func(s series) float64 {
		return slices.MaxFunc(s.points, func(a, b point) int { return cmp.Compare(a.value, b.value) }).value
	}
	some := slices.Clone(all)
	slices.SortStableFunc(some, func(a, b series) int { return cmp.Compare(peak(b), peak(a)) })
	some = some[:min(n, len(some))]
	slices.SortStableFunc(some, func(a, b series) int { return strings.Compare(a.name, b.name) })
	return some
}
