package config

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"text/template"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
)

// maxRendered is the most a template may write for one incident, in bytes.
const maxRendered = 256 << 10

// Template parses a route's title or description, a text/template over an [alert.Incident]. A label that an incident lacks is written as
// nothing: an alert must not get lost for want of a label.
func Template(name, text string) (*template.Template, error) {
	return template.New(name).Option("missingkey=zero").Parse(text)
}

// Render runs a template. A template that writes without end is an error.
func Render(t *template.Template, in alert.Incident) (string, error) {
	w := &bounded{left: maxRendered}
	if err := t.Execute(w, in); err != nil {
		return "", err
	}
	return w.text.String(), nil
}

// bounded is a writer that refuses more than it has left.
type bounded struct {
	text strings.Builder
	left int
}

var errLong = errors.New("the text becomes too long")

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errLong
	}
	return b.text.Write(p)
}

var _ io.Writer = (*bounded)(nil)

// renders checks a template by writing a sample incident with it, in which every label that the template names is there.
func renders(text string) string {
	_, message := rendered(text)
	return message
}

func rendersTitle(text string) string {
	s, message := rendered(text)
	if message == "" && strings.TrimSpace(s) == "" {
		return "must not render to an empty title"
	}
	return message
}

func rendered(text string) (string, string) {
	t, err := Template("template", text)
	if err != nil {
		return "", "must be a template: " + strings.TrimPrefix(err.Error(), "template: ")
	}
	s, err := Render(t.Option("missingkey=error"), sample(text))
	if err != nil {
		return "", "must be a template over an incident: " + strings.TrimPrefix(err.Error(), "template: ")
	}
	return s, ""
}

var named = regexp.MustCompile(`\.([\pL_][\pL\pN_]*)`)

// sample is an incident that has everything an incident can have.
func sample(text string) alert.Incident {
	labels := map[string]string{"alertname": "HighLatency", "cluster": "eu-1"}
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		labels[m[1]] = "sample"
	}
	link := []alert.Link{{Name: "Runbook", URL: "https://example.com/runbook"}}
	starts := time.Date(2026, time.January, 31, 15, 4, 5, 0, time.UTC)
	one := alert.Alert{
		Fingerprint: "0123456789abcdef", Status: alert.Firing, Severity: alert.Critical, Name: "HighLatency",
		Summary: "The shop answers slowly.", Resource: "shop/cart-1", Condition: "latency > 0.5", Observed: "1.25", Threshold: "0.5",
		Labels: labels, Annotations: labels, Links: link, Starts: starts, Ends: starts.Add(time.Hour),
	}
	return alert.Incident{
		Source: alert.SourceAlertmanager, Sender: "sample", Tenant: "sample", Key: "sample", Title: "HighLatency: cluster=eu-1",
		Severity: alert.Critical, Status: alert.Firing, Labels: labels, Annotations: labels, Links: link,
		Alerts: []alert.Alert{one}, Omitted: 1, Received: starts.Add(time.Minute),
	}
}
