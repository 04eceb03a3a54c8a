package evidence

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/alert"
)

// Watched is the Google Cloud resource that an incident is about, and the metric that says so.
type Watched struct {
	Project string            `json:"project"`
	Type    string            `json:"type"`
	Labels  map[string]string `json:"labels,omitempty"` // of the resource, those that tell it from others
	Metric  string            `json:"metric,omitempty"`
}

var (
	projectForm = regexp.MustCompile(`^([1-9][0-9]{0,18}|([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9])$`)
	typeForm    = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,200}$`)
	metricForm  = regexp.MustCompile(`^[A-Za-z0-9_./:-]{1,300}$`)
)

// identifying are the labels that tell a resource from others of its type in its project. An incident carries those of the resource, of the
// metric and of the policy under their plain names, so what is the resource's has to be known. A type that is not here is not narrowed down.
var identifying = map[string][]string{
	"aws_ec2_instance":                  {"aws_account", "instance_id", "region"},
	"bigquery_dataset":                  {"dataset_id"},
	"bigquery_project":                  {"location"},
	"cloud_dataproc_job":                {"job_id", "region"},
	"cloud_function":                    {"function_name", "region"},
	"cloud_run_job":                     {"job_name", "location"},
	"cloud_run_revision":                {"configuration_name", "location", "revision_name", "service_name"},
	"cloud_scheduler_job":               {"job_id", "location"},
	"cloud_tasks_queue":                 {"queue_id"},
	"cloudsql_database":                 {"database_id", "region"},
	"dataflow_job":                      {"job_name", "region"},
	"gae_app":                           {"module_id", "version_id"},
	"gce_instance":                      {"instance_id", "zone"},
	"gce_router":                        {"region", "router_id"},
	"gcs_bucket":                        {"bucket_name"},
	"http_load_balancer":                {"forwarding_rule_name", "url_map_name"},
	"https_lb_rule":                     {"forwarding_rule_name", "url_map_name"},
	"k8s_cluster":                       {"cluster_name", "location"},
	"k8s_container":                     {"cluster_name", "container_name", "location", "namespace_name", "pod_name"},
	"k8s_node":                          {"cluster_name", "location", "node_name"},
	"k8s_pod":                           {"cluster_name", "location", "namespace_name", "pod_name"},
	"nat_gateway":                       {"gateway_name", "region", "router_id"},
	"prometheus_target":                 {"cluster", "instance", "job", "location", "namespace"},
	"pubsub_subscription":               {"subscription_id"},
	"pubsub_topic":                      {"topic_id"},
	"redis_instance":                    {"instance_id", "node_id", "region"},
	"spanner_instance":                  {"instance_id"},
	"uptime_url":                        {"host"},
	"vpn_gateway":                       {"gateway_id", "region"},
	"workflows.googleapis.com/Workflow": {"location", "workflow_id"},
}

// watchedBy returns what a Cloud Monitoring incident watches, nil for one of another source, or when it does not say.
func watchedBy(in alert.Incident) *Watched {
	l := in.Labels
	w := Watched{Project: cmp.Or(l["resource.project_id"], l["project_id"], l["scoping_project_id"]), Type: l["resource_type"], Metric: l["metric_type"]}
	if in.Source != alert.SourceMonitoring || !projectForm.MatchString(w.Project) || !typeForm.MatchString(w.Type) {
		return nil
	}
	if !metricForm.MatchString(w.Metric) {
		w.Metric = ""
	}
	for _, name := range identifying[w.Type] {
		if v := cmp.Or(l["resource."+name], l[name]); v != "" && isPrintable(v) {
			if w.Labels == nil {
				w.Labels = map[string]string{}
			}
			w.Labels[name] = v
		}
	}
	return &w
}

// isPrintable reports whether a label's value can stand in a filter: control characters and a cut, which ends in an ellipsis, cannot be asked for.
func isPrintable(s string) bool {
	control := strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' || r == '\u2028' || r == '\u2029' })
	return !control && len(s) <= 1024 && !strings.HasSuffix(s, "…")
}

// alertOf is the alert of an incident that evidence is about: the first that fires, or the first.
func alertOf(in alert.Incident) (a alert.Alert) {
	if i := slices.IndexFunc(in.Alerts, func(a alert.Alert) bool { return a.Status == alert.Firing }); i >= 0 {
		return in.Alerts[i]
	}
	if len(in.Alerts) > 0 {
		return in.Alerts[0]
	}
	return a
}
