package story

import (
	"encoding/json"
	"time"
)

// The notifications of the story, as Alertmanager sends them.

type notification struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   int               `json:"truncatedAlerts"`
	Status            string            `json:"status"`
	Receiver          string            `json:"receiver"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Alerts            []firing          `json:"alerts"`
}

type firing struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// began is when all of it began: a repeated notification says the same as the first one.
var began = time.Date(2026, 3, 1, 11, 58, 20, 0, time.UTC)

func latency(status string) []byte {
	return group("HighLatency", status,
		one("cart answers in 1.9 s", "cart-7d9f", "c0ffee0000000001", "1.9", "0.5"),
		one("checkout answers in 2.4 s", "checkout-5b6c", "c0ffee0000000002", "2.4", "0.5"))
}

func disk() []byte {
	return group("DiskAlmostFull", "firing", one("the disk of db-0 is full in 3 hours", "db-0", "c0ffee0000000003", "94", "90"))
}

func memory() []byte {
	return group("OutOfMemory", "firing", one("search is killed again and again", "search-0", "c0ffee0000000004", "5", "3"))
}

func group(name, status string, alerts ...firing) []byte {
	labels := map[string]string{"alertname": name, "cluster": "eu-1", "severity": "critical"}
	n := notification{
		Version: "4", GroupKey: `{}/{team="core"}:{alertname="` + name + `", cluster="eu-1"}`, Status: status, Receiver: "providerdesk",
		GroupLabels: map[string]string{"alertname": name, "cluster": "eu-1"}, CommonLabels: labels, CommonAnnotations: map[string]string{},
		ExternalURL: "https://alertmanager.acme.example",
	}
	for _, a := range alerts {
		for k, v := range labels {
			a.Labels[k] = v
		}
		if a.Status = status; status == "resolved" {
			a.EndsAt = began.Add(20 * time.Minute)
		}
		n.Alerts = append(n.Alerts, a)
	}
	data, err := json.Marshal(n)
	if err != nil {
		return nil // strings and times have a form in JSON
	}
	return data
}

func one(summary, pod, fingerprint, value, threshold string) firing {
	return firing{
		Labels:       map[string]string{"pod": pod, "namespace": "shop"},
		Annotations:  map[string]string{"summary": summary, "value": value, "threshold": threshold, "runbook_url": "https://runbooks.acme.example/" + pod},
		StartsAt:     began,
		GeneratorURL: "https://prometheus.acme.example/graph?g0.tab=1",
		Fingerprint:  fingerprint,
	}
}
