package alert

import (
	"cmp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// SecurityCommandCenter decodes a notification of Security Command Center, and a detection of Event Threat Detection as a log sink sends it.
//
// A finding fires while it is ACTIVE and not muted: what somebody muted opens nothing, and ends what it had opened. A finding that is active
// again begins with the time of that change. A log entry of a detection is an event of the past and never ends.
func SecurityCommandCenter(body []byte) ([]Incident, error) {
	o, err := read(body)
	if err != nil {
		return nil, err
	}
	switch {
	case o.object("finding") != nil:
		return finding(o)
	case isDetection(o):
		return detection(o)
	}
	return nil, fault.New(fault.Invalid, "this is no finding of Security Command Center; send what its notifications publish, or a log entry of Event Threat Detection")
}

func finding(o object) ([]Incident, error) {
	f := o.object("finding")
	name := f.first("name", "canonicalName")
	if name == "" {
		return nil, fault.New(fault.Invalid, "finding.name is missing; without it a finding cannot be told from another")
	}
	a := Alert{
		Fingerprint: identity(name, maxName),
		Severity:    findingSeverity(f),
		Name:        line(firstOf(f.text("category"), "Security finding"), maxName),
		Summary:     clip(firstOf(f.text("description"), f.object("sourceProperties").text("Explanation")), maxText),
		Resource:    line(firstOf(o.object("resource").text("displayName"), f.text("resourceName")), maxName),
		Labels:      findingLabels(o, f),
		Annotations: filled(map[string]string{"next_steps": firstOf(f.text("nextSteps"), f.object("sourceProperties").text("Recommendation")),
			"resource_name": f.text("resourceName"), "finding": name}, maxText),
		Links: links(Link{"Resource", f.text("externalUri")}),
	}
	if err := findingTimes(&a, f); err != nil {
		return nil, err
	}
	return []Incident{own(SourceSecurityCommandCenter, name, a)}, nil
}

// findingSeverity: findings of old have theirs among the properties of their source.
func findingSeverity(f object) Severity {
	p := f.object("sourceProperties")
	for _, word := range []string{f.text("severity"), p.text("SeverityLevel"), p.text("severity"), p.text("detectionPriority")} {
		if s := severity(word); s != SeverityNone {
			return s
		}
	}
	return SeverityNone
}

// findingLabels: marks that people set stand as mark.NAME, so that none can be taken for what the finding says itself.
func findingLabels(o, f object) map[string]string {
	r := o.object("resource")
	all := map[string]string{"category": f.text("category"), "class": f.text("findingClass"), "mute": f.text("mute"),
		"resource_type": r.text("type"), "project": firstOf(r.text("projectDisplayName"), f.object("sourceProperties").text("ProjectId")),
		"notification_config": o.text("notificationConfigName")}
	for m := range value(f.object("securityMarks").object("marks")).items() {
		all["mark."+m[0].name] = m.text()
	}
	return filled(all, maxLabel)
}

func findingTimes(a *Alert, f object) error {
	switch strings.ToUpper(f.text("state")) {
	case "ACTIVE":
		a.Status = Firing
	case "INACTIVE":
		a.Status = Resolved
	default:
		return fault.New(fault.Invalid, `finding.state must be "ACTIVE" or "INACTIVE"`)
	}
	if f.text("mute") == "MUTED" {
		a.Status = Resolved
	}
	changed, ok := instant(cmp.Or(f.text("eventTime"), f.text("createTime")))
	if !ok {
		return fault.New(fault.Invalid, "finding.eventTime must be a time such as 2026-01-31T15:04:05Z")
	}
	a.Starts = changed
	if a.Status == Firing {
		return nil
	}
	a.Ends = changed
	if created, ok := instant(f.text("createTime")); ok && created.Before(changed) {
		a.Starts = created
	}
	return nil
}

// isDetection recognises a log entry of Event Threat Detection.
func isDetection(o object) bool {
	return o.has("jsonPayload") && strings.Contains(o.text("logName"), "/threatdetection.googleapis.com")
}

// detection reads a log entry. Those of old have no id of their own: then the same rule on the same resource is the same incident.
func detection(o object) ([]Incident, error) {
	p := o.object("jsonPayload")
	rule, where := p.object("detectionCategory").text("ruleName"), detectedAt(o, p)
	if rule == "" {
		return nil, fault.New(fault.Invalid, "jsonPayload.detectionCategory.ruleName is missing; send the log entry as Cloud Logging exports it")
	}
	key := firstOf(p.text("findingId"), o.text("insertId"), rule+" "+where)
	a := Alert{
		Fingerprint: identity(key, maxName),
		Status:      Firing,
		Severity:    severity(firstOf(p.text("detectionPriority"), p.text("severity"), o.text("severity"))),
		Name:        line("Threat detected: "+rule, maxName),
		Summary:     clip(firstOf(p.text("description"), p.object("detectionCategory").text("indicator")), maxText),
		Resource:    line(where, maxName),
		Labels: filled(map[string]string{"rule": rule, "technique": p.object("detectionCategory").text("technique"),
			"project": detectedIn(o, p)}, maxLabel),
	}
	var err error
	if a.Starts, err = optionalTime(o, "timestamp"); err != nil {
		return nil, err
	}
	return []Incident{own(SourceSecurityCommandCenter, "detection "+detectedIn(o, p)+"/"+key, a)}, nil
}

func detectedAt(o, p object) string {
	for r := range p.get("affectedResources").items() {
		if s := r.object().text("gcpResourceName"); s != "" {
			return s
		}
	}
	return firstOf(p.object("properties").text("instanceDetails"), detectedIn(o, p))
}

func detectedIn(o, p object) string {
	log, _, _ := strings.Cut(strings.TrimPrefix(o.text("logName"), "projects/"), "/")
	return firstOf(p.object("properties").object("network").text("project"), p.object("properties").text("project_id"), log)
}
