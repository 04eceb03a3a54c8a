// Package alert turns what monitoring systems send into one type, Incident.
//
// An incident is the thing a person works on, and at most one case is opened for it. Its Key is stable over the opening
// notification, every repeat and the close; what makes one occurrence of an alert differ from the next one (it fired, was resolved and
// fires again) is the pair (Alert.Fingerprint, Alert.Starts).
//
//	source                 an incident is                Key                                          an alert is
//	alertmanager           a group of one receiver       groupKey                                     one label set: fingerprint, startsAt
//	grafana                a group with group labels     orgId, groupKey                              one label set: rule, fingerprint, startsAt
//	                       an alert of any other group   orgId, rule, fingerprint                     the incident itself
//	monitoring             an incident                   scoping project and incident_id              the incident itself
//	                       a group of Error Reporting    project and id of the error group            the incident itself
//	servicehealth          an event of Google's          event id                                     the incident itself
//	budget                 a threshold in a period       budgetId, costIntervalStart, kind, threshold the incident itself
//	securitycommandcenter  a finding                     finding's name                               the incident itself
//	                       a detection in a log          findingId, else insertId, else what, where   the incident itself
//	cloudevents            what its data says            that of the data, else source and id         as the data has it
//	plain                  one object of the body        key                                          the incident itself
//	any                    what [Any] recognises         as above                                     as above
//
// Decoders are pure, refuse what they cannot understand with fault.Invalid and a sentence that says what to change, never echo input,
// and tolerate fields they do not know: senders add them. The status of each alert is trusted, never the status of a group: a sender that
// truncates computes it from what it lists. Alerts stand in the order of their fingerprints, one for each, so the order a sender chose
// changes nothing. A notification that was understood and tells of no alert (a budget's daily report, an empty batch) is no incident and no
// error. Decoders are fuzzed.
package alert

import (
	"net/http"
	"time"
)

// The sources that have a decoder; see [ByName].
const (
	SourceAlertmanager          = "alertmanager"
	SourceGrafana               = "grafana"
	SourceMonitoring            = "monitoring"
	SourceServiceHealth         = "servicehealth"
	SourceBudget                = "budget"
	SourceSecurityCommandCenter = "securitycommandcenter"
	SourceCloudEvents           = "cloudevents"
	SourcePlain                 = "plain"
	SourceAny                   = "any"
)

// Sources returns the names of all sources that have a decoder, in the order of the table above.
func Sources() []string {
	return []string{SourceAlertmanager, SourceGrafana, SourceMonitoring, SourceServiceHealth, SourceBudget, SourceSecurityCommandCenter,
		SourceCloudEvents, SourcePlain, SourceAny}
}

// Severity is normalized; SeverityNone when the sender gives none.
type Severity string

const (
	Critical     Severity = "critical"
	Error        Severity = "error"
	Warning      Severity = "warning"
	Info         Severity = "info"
	SeverityNone Severity = "none"
)

// Rank orders severities: the higher, the worse. An unknown word ranks like none.
func (s Severity) Rank() int {
	switch s {
	case Critical:
		return 4
	case Error:
		return 3
	case Warning:
		return 2
	case Info:
		return 1
	}
	return 0
}

// Status of an alert or an incident.
type Status string

const (
	Firing   Status = "firing"
	Resolved Status = "resolved"
)

// Link is something for a person to open.
type Link struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Incident is one notification of a monitoring system about one incident. It travels as JSON on topic "alerts".
type Incident struct {
	Source string `json:"source"` // the format it was read from, never "any"
	Sender string `json:"sender"` // name of the sender in the configuration; set by the receiver, not by the decoder
	Tenant string `json:"tenant"` // likewise
	Key    string `json:"key"`    // identity within the sender; any Unicode, hash before use as an id

	Title       string            `json:"title"`    // what a person calls it: the alert's or policy's name and what it is about
	Severity    Severity          `json:"severity"` // the worst of the firing alerts; of all alerts when none fires
	Status      Status            `json:"status"`   // Firing if any listed alert fires, or none is listed
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Links       []Link            `json:"links,omitempty"`
	Alerts      []Alert           `json:"alerts"`
	Omitted     int               `json:"omitted,omitempty"` // alerts the sender left out; if > 0 this message proves no end of the incident
	Test        bool              `json:"test,omitempty"`    // the sender's test button
	Repeat      bool              `json:"repeat,omitempty"`  // the sender itself says it is a plain repeat; a hint only
	Received    time.Time         `json:"received"`          // set by the receiver
	Raw         string            `json:"raw,omitempty"`     // an Excerpt of the notification, set by a receiver that is asked to keep it
}

// Alert is one alert of an incident.
type Alert struct {
	Fingerprint string            `json:"fingerprint"`
	Status      Status            `json:"status"`
	Severity    Severity          `json:"severity"`
	Name        string            `json:"name"`
	Summary     string            `json:"summary,omitempty"`
	Resource    string            `json:"resource,omitempty"`  // where: instance, resource name, project
	Condition   string            `json:"condition,omitempty"` // the rule in words
	Observed    string            `json:"observed,omitempty"`  // as the sender wrote it, with no rounding
	Threshold   string            `json:"threshold,omitempty"` // likewise
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Links       []Link            `json:"links,omitempty"`
	Starts      time.Time         `json:"starts"`
	Ends        time.Time         `json:"ends,omitzero"` // zero while firing
}

// Message is one notification as it arrived.
type Message struct {
	Body       []byte
	Header     http.Header       // of a webhook's request: CloudEvents in binary mode stand there. No signature covers it
	Attributes map[string]string // of a Pub/Sub message: the id of a budget stands there
}

// Decoder turns one notification into incidents.
type Decoder func(Message) ([]Incident, error)

// ByName returns the decoder of a source.
func ByName(source string) (Decoder, bool) {
	switch source {
	case SourceAlertmanager:
		return func(m Message) ([]Incident, error) { return Alertmanager(m.Body) }, true
	case SourceGrafana:
		return func(m Message) ([]Incident, error) { return Grafana(m.Body) }, true
	case SourceMonitoring:
		return func(m Message) ([]Incident, error) { return Monitoring(m.Body) }, true
	case SourceServiceHealth:
		return pushed(func(m Message) ([]Incident, error) { return ServiceHealth(m.Body) }), true
	case SourceBudget:
		return pushed(Budget), true
	case SourceSecurityCommandCenter:
		return pushed(func(m Message) ([]Incident, error) { return SecurityCommandCenter(m.Body) }), true
	case SourceCloudEvents:
		return CloudEvents, true
	case SourcePlain:
		return func(m Message) ([]Incident, error) { return Plain(m.Body) }, true
	case SourceAny:
		return Any, true
	}
	return nil, false
}
