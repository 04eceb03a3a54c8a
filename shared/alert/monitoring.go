package alert

import (
	"cmp"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Monitoring decodes an incident of Google Cloud Monitoring, the same JSON from a webhook channel and in the data of a Pub/Sub channel, and
// what Error Reporting sends to the same channel.
//
// Labels holds, under its plain name, every user label of the metadata, label of the resource, label of the metric and user label of the
// policy; where two have the same name the later in this list wins and the earlier is kept as user.NAME, resource.NAME or metric.NAME.
// So incident.labels.project_id is the affected project. Over all of them stand scoping_project_id, scoping_project_number,
// resource_type, metric_type and policy_name, which say where the policy is and what it watches.
func Monitoring(body []byte) ([]Incident, error) {
	o, err := read(body)
	if err != nil {
		return nil, err
	}
	if isErrorGroup(o) {
		return errorGroup(o)
	}
	if err := checkMonitoring(o); err != nil {
		return nil, err
	}
	in, err := incident(o.object("incident"))
	if err != nil {
		return nil, err
	}
	in.Test = o.text("version") == "test"
	return []Incident{in}, nil
}

// checkMonitoring tells the bodies apart that arrive on one channel. The form of 2015 is refused: it knows a third state, "acknowledged",
// and nobody has sent it for years.
func checkMonitoring(o object) error {
	version := o.text("version")
	switch {
	case o.object("msg") != nil, o.get("version").isNumber() && o.has("incident"):
		return fault.New(fault.Invalid, "this is the notification format of 2015 (a numeric version); recreate the notification channel in Cloud Monitoring, which then sends version 1.2")
	case o.object("incident") == nil:
		return fault.New(fault.Invalid, "incident is missing; send a Cloud Monitoring notification of version 1.2")
	case version != "test" && !strings.HasPrefix(version, "1."):
		return fault.New(fault.Invalid, `version must be "1.2"`)
	}
	return nil
}

func incident(o object) (Incident, error) {
	id := o.text("incident_id")
	if id == "" {
		return Incident{}, fault.New(fault.Invalid, "incident.incident_id is missing; without it a close cannot be told from another incident's")
	}
	a, err := incidentAlert(o, id)
	if err != nil {
		return Incident{}, err
	}
	scope := cmp.Or(o.first("scoping_project_id", "scoping_project_number"), "-")
	return own(SourceMonitoring, scope+"/"+id, a), nil
}

func incidentAlert(o object, id string) (Alert, error) {
	labels, err := incidentLabels(o)
	if err != nil {
		return Alert{}, err
	}
	a := Alert{
		Fingerprint: identity(id, maxName),
		Severity:    severity(o.text("severity")),
		Name:        cmp.Or(line(o.first("policy_name", "condition_name"), maxName), "Cloud Monitoring incident"),
		Summary:     clip(o.text("summary"), maxText),
		Resource:    incidentResource(o),
		Condition:   clip(condition(o), maxText),
		Observed:    clip(o.text("observed_value"), maxText),
		Threshold:   clip(threshold(o), maxText),
		Labels:      clipped(labels, maxLabel),
		Annotations: clipped(documentation(o), maxText),
		Links:       links(append([]Link{{"Incident", o.text("url")}}, documentationLinks(o)...)...),
	}
	return a, incidentTimes(&a, o)
}

func incidentTimes(a *Alert, o object) error {
	switch strings.ToLower(o.text("state")) {
	case "open":
		a.Status = Firing
	case "closed":
		a.Status = Resolved
	default:
		return fault.New(fault.Invalid, `incident.state must be "open" or "closed"`)
	}
	var ok bool
	if a.Starts, ok = seconds(o.text("started_at")); !ok {
		return fault.New(fault.Invalid, "incident.started_at must be a time in seconds since 1970")
	}
	ends, ok := seconds(o.text("ended_at"))
	if !ok {
		return fault.New(fault.Invalid, "incident.ended_at must be a time in seconds since 1970, or null")
	}
	if a.Status == Resolved && !ends.Before(a.Starts) {
		a.Ends = ends
	}
	return nil
}

// seconds reads a Unix time. Nothing and 0, which the test message sends, are the zero time.
func seconds(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 253402300799 { // the last second of the year 9999
		return time.Time{}, false
	}
	if n == 0 {
		return time.Time{}, true
	}
	return time.Unix(n, 0).UTC(), true
}

func incidentResource(o object) string {
	labels := o.object("resource").object("labels")
	s := o.first("resource_display_name", "resource_name", "resource_id")
	return line(cmp.Or(s, labels.first("instance_id", "host", "project_id"), o.object("resource").text("type")), maxName)
}

// incidentLabels builds the scheme that [Monitoring] documents.
func incidentLabels(o object) (map[string]string, error) {
	out := map[string]string{}
	owner := map[string]string{}
	for _, s := range []struct {
		prefix, name, what string
		of                 object
	}{
		{"user.", "user_labels", "incident.metadata.user_labels", o.object("metadata")},
		{"resource.", "labels", "incident.resource.labels", o.object("resource")},
		{"metric.", "labels", "incident.metric.labels", o.object("metric")},
		{"policy.", "policy_user_labels", "incident.policy_user_labels", o},
	} {
		list, err := s.of.texts(s.name, s.what)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			if was, clash := out[l.name]; clash {
				out[owner[l.name]+l.name] = was
			}
			out[l.name], owner[l.name] = l.text, s.prefix
		}
	}
	maps.Copy(out, facts(o))
	return out, nil
}

// facts are the labels that no other label may hide.
func facts(o object) map[string]string {
	all := map[string]string{
		"scoping_project_id":     o.text("scoping_project_id"),
		"scoping_project_number": o.text("scoping_project_number"),
		"resource_type":          o.object("resource").text("type"),
		"metric_type":            o.object("metric").text("type"),
		"policy_name":            o.text("policy_name"),
	}
	maps.DeleteFunc(all, func(_, v string) bool { return v == "" })
	return all
}

// documentation is an object, but a plain text in the test message.
func documentation(o object) map[string]string {
	d := o.object("documentation")
	all := map[string]string{
		"documentation": cmp.Or(d.text("content"), o.text("documentation")),
		"subject":       d.text("subject"),
	}
	maps.DeleteFunc(all, func(_, v string) bool { return v == "" })
	return all
}

func documentationLinks(o object) []Link {
	var out []Link
	links := o.object("documentation").get("links")
	if links.kind() != '[' {
		return nil
	}
	for v := range links.items() {
		l := v.object()
		out = append(out, Link{cmp.Or(l.first("displayName", "display_name"), "Documentation"), l.text("url")})
	}
	return out
}
