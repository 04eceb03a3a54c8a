package alert

import (
	"cmp"
	"strings"
	"time"
)

// comparisons are the words for the comparisons of a threshold.
var comparisons = map[string]string{
	"COMPARISON_GT": "above ",
	"COMPARISON_GE": "at or above ",
	"COMPARISON_LT": "below ",
	"COMPARISON_LE": "at or below ",
	"COMPARISON_EQ": "equal to ",
	"COMPARISON_NE": "not equal to ",
}

// condition says in words what a Cloud Monitoring condition watches for: "CPU usage: above 0.9 for 5m".
func condition(o object) string {
	c := o.object("condition")
	name := cmp.Or(o.text("condition_name"), c.text("displayName"))
	rule := rule(o, c)
	if name == "" || rule == "" {
		return name + rule
	}
	return name + ": " + rule
}

func rule(o, c object) string {
	if c.has("conditionThreshold") {
		t := c.object("conditionThreshold")
		return cmp.Or(comparisons[t.text("comparison")], "threshold ") + threshold(o) + lasting(t)
	}
	if c.has("conditionAbsent") {
		return "no data" + lasting(c.object("conditionAbsent"))
	}
	if f := c.object("conditionMatchedLog").text("filter"); f != "" {
		return "a log entry matches " + f
	}
	for _, kind := range []string{"conditionMonitoringQueryLanguage", "conditionPrometheusQueryLanguage", "conditionSql"} {
		if q := c.object(kind).text("query"); q != "" {
			return q + lasting(c.object(kind))
		}
	}
	return ""
}

// threshold is threshold_value as it was sent. A threshold of 0 is left out of the condition on the way, as every zero is, so a
// condition that has a threshold but no value means 0.
func threshold(o object) string {
	t := o.object("condition").object("conditionThreshold")
	if s := cmp.Or(o.text("threshold_value"), t.text("thresholdValue")); s != "" || t == nil {
		return s
	}
	return "0"
}

// lasting says how long a condition must hold, as far as it must.
func lasting(c object) string {
	d, err := time.ParseDuration(strings.TrimSpace(c.text("duration")))
	if err != nil || d <= 0 {
		return ""
	}
	s := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if short := strings.TrimSuffix(s, zero); strings.HasSuffix(short, "m") || strings.HasSuffix(short, "h") {
			s = short
		}
	}
	return " for " + s
}
