package evidence

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
)

func TestFilters(t *testing.T) {
	w := Watched{Project: "acme-web", Type: "k8s_container", Metric: "kubernetes.io/container/cpu/request_utilization",
		Labels: map[string]string{"pod_name": `a" OR severity>=DEFAULT OR "`, "container_name": `back\slash`}}
	from := time.Date(2026, 3, 29, 2, 52, 0, 0, time.FixedZone("CEST", 7200))
	want := `resource.type="k8s_container" AND resource.labels.container_name="back\\slash" AND resource.labels.pod_name="a\" OR severity>=DEFAULT OR \""`
	if got := w.logFilter(from, from.Add(time.Hour), true); got != want+` AND timestamp>="2026-03-29T00:52:00Z" AND timestamp<="2026-03-29T01:52:00Z" AND severity>=ERROR` {
		t.Error(got)
	}
	if got := w.metricFilter(); got != `metric.type="kubernetes.io/container/cpu/request_utilization" AND `+want {
		t.Error(got)
	}
}

// What is watched is told by labels that others may have set as well: those of the resource count.
func TestWatched(t *testing.T) {
	in := alert.Incident{Source: alert.SourceMonitoring, Labels: map[string]string{"resource_type": "gce_instance", "metric_type": "x.googleapis.com/y", "project_id": "acme-web",
		"scoping_project_id": "watcher", "instance_id": "of the metric", "resource.instance_id": "7", "zone": "z", "team": "web"}}
	w := watchedBy(in)
	if w == nil || w.Project != "acme-web" || w.Metric != "x.googleapis.com/y" || len(w.Labels) != 2 || w.Labels["instance_id"] != "7" || w.Labels["zone"] != "z" {
		t.Errorf("%+v", w)
	}
	for name, value := range map[string]string{"project_id": "../x", "resource_type": `a"b`} {
		bad := in
		bad.Labels = map[string]string{"resource_type": "gce_instance", "project_id": "acme-web"}
		bad.Labels[name] = value
		if w := watchedBy(bad); w != nil {
			t.Errorf("%s %q: %+v", name, value, w)
		}
	}
	in.Labels["zone"], in.Labels["metric_type"] = "cut…", "a b"
	if w := watchedBy(in); len(w.Labels) != 1 || w.Metric != "" {
		t.Errorf("what cannot be asked for: %+v", w)
	}
	in.Source = alert.SourceAlertmanager
	if watchedBy(in) != nil {
		t.Error("another source has nothing at Google")
	}
}

var comparisons = regexp.MustCompile(`^resource\.type="(?:[^"\\]|\\["\\])*" AND resource\.labels\.zone="((?:[^"\\]|\\["\\])*)" AND timestamp>="[0-9TZ:-]+" AND timestamp<="[0-9TZ:-]+" AND severity<ERROR$`)

// Whatever a label says it is one string of the filter, and reads back as it was.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"europe-west1-b", `"`, `\`, `\"`, "a\" OR \"b", "\n", "\x00\xff", "é\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := Watched{Type: value, Labels: map[string]string{"zone": value}}.logFilter(time.Unix(0, 0), time.Unix(1, 0), false)
		m := comparisons.FindStringSubmatch(got)
		if m == nil {
			t.Fatalf("%q", got)
		}
		if back := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(m[1]); isPrintable(value) && back != value {
			t.Errorf("%q reads back as %q", value, back)
		}
	})
}
