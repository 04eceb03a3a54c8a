package alert

import (
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// isErrorGroup reports whether a body is Error Reporting's, which uses the notification channels of Cloud Monitoring.
func isErrorGroup(o object) bool { return !o.has("incident") && o.has("group_info") }

// errorGroup reads a new or reopened error group. It says neither when the error began nor, later, that it has ended; so a group that is
// resolved by hand and opens again is a repeat of the same incident.
func errorGroup(o object) ([]Incident, error) {
	group := o.object("group_info")
	project, id := group.text("project_id"), errorGroupID(group.text("detail_link"))
	if id == "" {
		return nil, fault.New(fault.Invalid, "group_info.detail_link is missing or names no error group; send what Error Reporting sends")
	}
	exception, seen := o.object("exception_info"), o.object("event_info")
	a := Alert{
		Fingerprint: identity(id, maxName),
		Status:      Firing,
		Severity:    Error,
		Name:        errorName(o, exception),
		Summary:     clip(firstOf(exception.text("message"), seen.text("log_message"), o.text("subject")), maxText),
		Resource:    line(firstOf(seen.text("service"), project), maxName),
		Labels: filled(map[string]string{"project_id": project, "service": seen.text("service"), "version": seen.text("version"),
			"exception_type": exception.text("type"), "response_status": seen.text("response_status")}, maxLabel),
		Annotations: filled(map[string]string{"subject": o.text("subject"), "log_message": seen.text("log_message"),
			"request": requested(seen)}, maxText),
		Links: links(Link{"Error group", group.text("detail_link")}),
	}
	return []Incident{own(SourceMonitoring, "error group "+project+"/"+id, a)}, nil // no project has a space in its id
}

// requested is the request less its query, in which people put tokens.
func requested(seen object) string {
	address, _, _ := strings.Cut(seen.text("request_url"), "?")
	return strings.TrimSpace(seen.text("request_method") + " " + address)
}

func errorName(o, exception object) string {
	return line(firstOf(exception.text("type"), o.text("subject"), "Error group"), maxName)
}

// errorGroupID is the last part of the path of the group's page: what follows it is the view.
func errorGroupID(link string) string {
	if safeURL(link) == "" {
		return ""
	}
	if end := strings.IndexAny(link, "?#;"); end >= 0 {
		link = link[:end]
	}
	_, path, _ := strings.Cut(link, "://")
	_, path, _ = strings.Cut(strings.TrimRight(path, "/"), "/")
	return path[strings.LastIndex(path, "/")+1:]
}

// firstOf returns the first text that is more than white space.
func firstOf(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}
