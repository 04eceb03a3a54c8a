package bench

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
)

// group is a notification as Alertmanager sends it for a group of a Kubernetes cluster.
type group struct {
	number  int
	firing  int // alerts
	ended   int // further alerts, which have ended
	started time.Time
}

type fields = map[string]any

// body is the notification.
func (g group) body() []byte {
	alerts := make([]fields, 0, g.firing+g.ended)
	status := "resolved"
	for i := range g.firing + g.ended {
		alerts = append(alerts, g.alert(i))
		if i < g.firing {
			status = "firing"
		}
	}
	b, _ := json.Marshal(fields{ // texts and maps: it cannot fail
		"version": "4", "groupKey": g.key(), "truncatedAlerts": 0, "status": status, "receiver": "providerdesk",
		"groupLabels":       fields{"alertname": "KubePodCrashLooping", "namespace": g.namespace()},
		"commonLabels":      fields{"alertname": "KubePodCrashLooping", "namespace": g.namespace(), "cluster": "eu-1", "severity": "critical", "prometheus": "monitoring/k8s"},
		"commonAnnotations": fields{"runbook_url": "https://runbooks.example.com/kubepodcrashlooping", "summary": "Pod is crash looping."},
		"externalURL":       "https://alertmanager.example.com", "alerts": alerts,
	})
	return b
}

func (g group) alert(i int) fields {
	pod := fmt.Sprintf("checkout-7d9c5b%04d-%02d", g.number, i)
	a := fields{
		"status": "firing", "fingerprint": fmt.Sprintf("%08x%08x", g.number, i), "startsAt": g.started, "endsAt": "0001-01-01T00:00:00Z",
		"generatorURL": "https://prometheus.example.com/graph?g0.expr=rate%28kube_pod_container_status_restarts_total%5B10m%5D%29+%3E+0&g0.tab=1",
		"labels": fields{"alertname": "KubePodCrashLooping", "namespace": g.namespace(), "pod": pod, "container": "app", "cluster": "eu-1",
			"severity": "critical", "prometheus": "monitoring/k8s", "job": "kube-state-metrics", "instance": "10.12.3.4:8443"},
		"annotations": fields{"summary": "Pod is crash looping.", "runbook_url": "https://runbooks.example.com/kubepodcrashlooping",
			"description": "Pod " + g.namespace() + "/" + pod + " (app) is restarting 1.05 times / 10 minutes."},
	}
	if i >= g.firing {
		a["status"], a["endsAt"] = "resolved", g.started.Add(5*time.Minute)
	}
	return a
}

func (g group) namespace() string { return fmt.Sprintf("shop-%04d", g.number) }

func (g group) key() string {
	return fmt.Sprintf(`{}/{severity="critical"}:{alertname="KubePodCrashLooping", namespace="%s"}`, g.namespace())
}

// message is what AlertWebhook publishes for the notification, received at a time.
func (g group) message(at time.Time) []byte {
	all, err := alert.Alertmanager(g.body())
	if err != nil {
		panic(err) // this file is wrong
	}
	in := all[0]
	in.Sender, in.Tenant, in.Received = "prod-alertmanager", "acme", at
	return in.Append(nil)
}
