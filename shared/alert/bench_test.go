package alert

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// usual is a notification of five alerts of a Kubernetes cluster, 4 KB.
func usual() []byte {
	type fields = map[string]any
	var alerts []fields
	for i := range 5 {
		alerts = append(alerts, fields{
			"status": "firing", "fingerprint": fmt.Sprintf("%016x", 5-i), "startsAt": time.Date(2026, 1, 31, 15, 4, 5, 678e6, time.UTC), "endsAt": "0001-01-01T00:00:00Z",
			"generatorURL": "https://prometheus.example.com/graph?g0.expr=rate%28kube_pod_container_status_restarts_total%5B10m%5D%29+%3E+0&g0.tab=1",
			"labels": fields{"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": fmt.Sprintf("checkout-7d9c5b-%02d", i), "container": "app",
				"cluster": "eu-1", "severity": "critical", "prometheus": "monitoring/k8s", "job": "kube-state-metrics", "instance": "10.12.3.4:8443"},
			"annotations": fields{"summary": "Pod is crash looping.", "runbook_url": "https://runbooks.example.com/kubepodcrashlooping",
				"description": "Pod shop/checkout (app) is restarting 1.05 times / 10 minutes."},
		})
	}
	b, _ := json.Marshal(fields{ // texts and maps: it cannot fail
		"version": "4", "groupKey": `{}/{severity="critical"}:{alertname="KubePodCrashLooping", namespace="shop"}`, "truncatedAlerts": 0,
		"status": "firing", "receiver": "providerdesk", "externalURL": "https://alertmanager.example.com", "alerts": alerts,
		"groupLabels":       fields{"alertname": "KubePodCrashLooping", "namespace": "shop"},
		"commonLabels":      fields{"alertname": "KubePodCrashLooping", "namespace": "shop", "cluster": "eu-1", "severity": "critical", "prometheus": "monitoring/k8s"},
		"commonAnnotations": fields{"runbook_url": "https://runbooks.example.com/kubepodcrashlooping", "summary": "Pod is crash looping."},
	})
	return b
}

func BenchmarkAlertmanager(b *testing.B) {
	body := usual()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Alertmanager(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNotices is what AlertWebhook does with a notification: read it and write what is in it.
func BenchmarkNotices(b *testing.B) {
	m := Message{Body: usual()}
	var room Room
	buf := make([]byte, 0, 64<<10)
	b.SetBytes(int64(len(m.Body)))
	b.ReportAllocs()
	for b.Loop() {
		list, _, err := room.Notices(SourceAlertmanager, m)
		if err != nil {
			b.Fatal(err)
		}
		buf = list[0].Append(buf[:0])
		room.Clear()
	}
}
