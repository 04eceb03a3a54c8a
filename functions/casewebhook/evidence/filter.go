package evidence

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// severe is the least severity whose entries come first.
const severe = "ERROR"

// quote writes a value as a string of the filter languages of Logging and Monitoring, which both know these two escapes. Control characters do
// not come here; see isPrintable. One that does becomes a space.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// resource are the comparisons that select what is watched.
func (w Watched) resource() []string {
	all := []string{"resource.type=" + quote(w.Type)}
	for _, name := range slices.Sorted(maps.Keys(w.Labels)) {
		all = append(all, "resource.labels."+name+"="+quote(w.Labels[name]))
	}
	return all
}

// logFilter selects the entries of a window: the severe ones, or the others.
func (w Watched) logFilter(from, to time.Time, isSevere bool) string {
	compare := "<"
	if isSevere {
		compare = ">="
	}
	all := append(w.resource(), "timestamp>="+quote(from.UTC().Format(time.RFC3339)), "timestamp<="+quote(to.UTC().Format(time.RFC3339)), "severity"+compare+severe)
	return strings.Join(all, " AND ")
}

// metricFilter selects the time series.
func (w Watched) metricFilter() string {
	return strings.Join(append([]string{"metric.type=" + quote(w.Metric)}, w.resource()...), " AND ")
}
