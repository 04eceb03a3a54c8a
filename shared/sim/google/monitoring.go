package google

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// Cloud Monitoring, as far as a reader of time series needs it. Every resource has points for every metric, one a minute, made of the seed, its
// name and the time: the same question has the same answer, and a chart of them looks like one.

const (
	pointsEvery      = time.Minute
	maxPointsPage    = 100_000
	maxPointsWindow  = 31 * 24 * time.Hour
	monitoringFilter = "The filter cannot be read: this simulator takes metric.type, resource.type, resource.labels and metric.labels, joined by AND."
)

// metricForm is a metric of a service, or one of those that people and agents write.
var metricForm = regexp.MustCompile(`^([a-z0-9-]+)\.(googleapis\.com|io)/[A-Za-z0-9_./:-]+$`)

// written are the domains of metrics that belong to no service.
var written = []string{"custom.googleapis.com", "external.googleapis.com", "agent.googleapis.com", "prometheus.googleapis.com", "kubernetes.io", "istio.io"}

type wirePoint struct {
	Interval map[string]string `json:"interval"`
	Value    map[string]any    `json:"value"`
}

type wireSeries struct {
	Metric    wireResource `json:"metric"`
	Resource  wireResource `json:"resource"`
	Kind      string       `json:"metricKind"`
	ValueType string       `json:"valueType"`
	Unit      string       `json:"unit,omitempty"`
	Points    []wirePoint  `json:"points,omitempty"`
}

func (s *Server) listTimeSeries(tx *tx, rq *request) (any, error) {
	full, f := s.resource(rq.param)
	if f != nil {
		return nil, f
	}
	if f := checkSeries(rq); f != nil {
		return nil, f
	}
	sel, ok := selected(rq.Query.Get("filter"))
	if !ok || sel.metric == "" {
		return nil, rest.Invalid("filter", monitoringFilter)
	}
	from, to, f := interval(rq)
	if f != nil {
		return nil, f
	}
	if !isMetric(sel.metric) {
		return nil, rest.Fail("NOT_FOUND", "Cannot find metric(s) that match the type in the filter. If a metric was created recently, it could take up to 10 minutes to become available.")
	}
	if to.After(tx.at) {
		to = tx.at // nothing is measured before it happened
	}
	all := s.series(s.named(full, rq.param), sel, from, to)
	return s.seriesPage(rq, all)
}

// checkSeries holds the parameters against what the contract says in words.
func checkSeries(rq *request) *rest.Failure {
	var bad rest.Violations
	for _, p := range rq.method.Params {
		if p.Required && !p.Path && rq.Query.Get(p.Name) == "" {
			bad.Add(p.Name, "Required field is missing.")
		}
	}
	if rq.Query.Get("orderBy") != "" {
		bad.Add("orderBy", "The field is not supported and must be left blank.")
	}
	aligner, period := rq.Query.Get("aggregation.perSeriesAligner"), rq.Query.Get("aggregation.alignmentPeriod")
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(period, "s"), 64)
	aligned := aligner != "" && aligner != "ALIGN_NONE"
	switch {
	case aligned && (period == "" || err != nil || !strings.HasSuffix(period, "s") || seconds < 60):
		bad.Add("aggregation.alignmentPeriod", "An alignment takes a period of at least 60 seconds.")
	case !aligned && rq.Query.Get("aggregation.crossSeriesReducer") != "" && rq.Query.Get("aggregation.crossSeriesReducer") != "REDUCE_NONE":
		bad.Add("aggregation.perSeriesAligner", "Series are reduced only when they are aligned.")
	case aligned:
		bad.Add("aggregation.perSeriesAligner", "This simulator gives points as they were written only.")
	}
	return bad.Sorted().Failure()
}

// interval reads the window of a request. Without a beginning it is its end, a single point.
func interval(rq *request) (from, to time.Time, f *rest.Failure) {
	to, err := time.Parse(time.RFC3339Nano, rq.Query.Get("interval.endTime"))
	if err != nil {
		return from, to, rest.Invalid("interval.endTime", "The time must be as RFC 3339 has it.")
	}
	from = to
	if text := rq.Query.Get("interval.startTime"); text != "" {
		if from, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return from, to, rest.Invalid("interval.startTime", "The time must be as RFC 3339 has it.")
		}
	}
	if from.After(to) || to.Sub(from) > maxPointsWindow {
		return from, to, rest.Invalid("interval", "The interval must not end before it starts, nor span more than 31 days here.")
	}
	return from, to, nil
}

func isMetric(name string) bool {
	m := metricForm.FindStringSubmatch(name)
	domain, _, _ := strings.Cut(name, "/")
	return m != nil && (slices.Contains(written, domain) || known(domain))
}

// series are those of a metric and resource: one for each device where a metric has devices.
func (s *Server) series(of twoNames, sel selection, from, to time.Time) (all []wireSeries) {
	resource := wireResource{sel.kind, maps.Clone(sel.labels)}
	resource.Labels["project_id"] = of.id
	devices := []string{""}
	if strings.Contains(sel.metric, "disk") || strings.Contains(sel.metric, "network") {
		devices = []string{"eth0-or-sda", "eth1-or-sdb"}
	}
	for _, d := range devices {
		labels := map[string]string{}
		if d != "" {
			labels["device_name"] = d
		}
		if !covers(labels, sel.metricLabels) {
			continue
		}
		name := strings.Join([]string{of.number, sel.kind, fmt.Sprint(sel.labels), sel.metric, d}, "\x00")
		one := wireSeries{Metric: wireResource{sel.metric, labels}, Resource: resource}
		one.Kind, one.ValueType, one.Unit = shape(sel.metric)
		for t := to.UTC().Truncate(pointsEvery); !t.Before(from); t = t.Add(-pointsEvery) {
			one.Points = append(one.Points, s.point(name, one, t))
		}
		if len(one.Points) > 0 {
			all = append(all, one)
		}
	}
	return all
}

// shape follows from how metrics are named.
func shape(metric string) (kind, valueType, unit string) {
	switch {
	case strings.HasSuffix(metric, "latencies"):
		return "DELTA", "DISTRIBUTION", "ms"
	case strings.HasSuffix(metric, "_total"):
		return "CUMULATIVE", "INT64", "1"
	case strings.HasSuffix(metric, "_count"), strings.HasSuffix(metric, "_bytes"):
		return "DELTA", "INT64", "1"
	case strings.HasSuffix(metric, "up"), strings.HasSuffix(metric, "check_passed"):
		return "GAUGE", "BOOL", ""
	}
	return "GAUGE", "DOUBLE", "1"
}

// point is what was measured in the minute that ends at a time.
func (s *Server) point(name string, of wireSeries, at time.Time) wirePoint {
	load, p := s.load(name, at), wirePoint{Interval: map[string]string{"startTime": timestamp(at), "endTime": timestamp(at)}}
	switch of.Kind {
	case "DELTA":
		p.Interval["startTime"] = timestamp(at.Add(-pointsEvery))
	case "CUMULATIVE":
		p.Interval["startTime"] = timestamp(at.Truncate(24 * time.Hour))
	}
	switch {
	case of.ValueType == "DISTRIBUTION":
		p.Value = map[string]any{"distributionValue": map[string]any{"count": strconv.Itoa(int(load * 900)), "mean": 60 + 400*load}}
	case of.Kind == "CUMULATIVE":
		p.Value = map[string]any{"int64Value": strconv.Itoa(int(at.Sub(at.Truncate(24*time.Hour)).Seconds())*20 + int(load*900))}
	case of.ValueType == "INT64":
		p.Value = map[string]any{"int64Value": strconv.Itoa(int(load * 900))}
	case of.ValueType == "BOOL":
		p.Value = map[string]any{"boolValue": load < 0.7}
	default:
		p.Value = map[string]any{"doubleValue": math.Round(load*1e6) / 1e6}
	}
	return p
}

// load is between 0 and 1: a slow wave, a little noise, and a burst of a quarter of an hour that every hour has at a time of its own.
func (s *Server) load(name string, at time.Time) float64 {
	of := func(purpose string, n int64) float64 {
		random := s.ids.Draw(purpose+"\x00"+name, uint64(n))
		return float64(binary.BigEndian.Uint32(random[:])) / math.MaxUint32
	}
	minutes := float64(at.Unix()) / 60
	v := 0.27 + 0.09*math.Sin(minutes/23+6*of("phase", 0)) + 0.05*(of("noise", at.Unix())-0.5)
	into := math.Mod(minutes, 60) - 45*of("burst", at.Unix()/3600)
	if into >= 0 && into < 15 {
		v += 0.6 * math.Min(1, (into+1)/3)
	}
	return math.Min(math.Max(v, 0), 0.99)
}

// seriesPage cuts a page of as many points as were asked for, in whole series.
func (s *Server) seriesPage(rq *request, all []wireSeries) (any, error) {
	size := 1
	if n, _ := strconv.Atoi(rq.Query.Get("pageSize")); len(all) > 0 {
		if n == 0 {
			n = maxPointsPage
		}
		size = max(1, min(n, maxPointsPage)/len(all[0].Points))
	}
	id := fmt.Sprintf("series\x00%s\x00%s\x00%s\x00%s", rq.param, rq.Query.Get("filter"), rq.Query.Get("interval.startTime"), rq.Query.Get("interval.endTime"))
	query := map[string][]string{"pageToken": rq.Query["pageToken"]}
	l, err := rest.NewListing(s.ids, id, query, size, size)
	if err != nil {
		return nil, err
	}
	headers := rq.Query.Get("view") == "HEADERS"
	list, next := rest.Page(l, len(all), func(i int) (string, wireSeries, bool) {
		if headers {
			all[i].Points = nil
		}
		return rest.Ordinal(i), all[i], true
	})
	return struct {
		Series []wireSeries `json:"timeSeries,omitempty"`
		Next   string       `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}
