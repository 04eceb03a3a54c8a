package alert

import (
	"cmp"
	"maps"
)

// Split returns one incident for each alert, for routes that open a case per alert. The key of each is the group's key and the alert's
// fingerprint, everything else is the alert's own.
//
// What the sender left out does not weaken what it listed: the status of a listed alert is proof for that alert, so the incidents have
// Omitted 0 and may end. An alert that is not listed yields no incident, so leaving it out ends nothing. If nothing is listed the
// incident itself comes back, with its Omitted: somebody must know that there is trouble. An incident that is its own
// alert, as those of all sources without groups are, stays as it is.
func Split(in Incident) []Incident {
	if len(in.Alerts) == 0 || !grouped(in.Source) {
		return []Incident{in}
	}
	in.Raw = Excerpt(in.Raw, 4*MaxRaw/len(in.Alerts)) // together they must not be much more than the notification was
	out := make([]Incident, 0, len(in.Alerts))
	for _, a := range in.Alerts {
		out = append(out, single(in, a))
	}
	return out
}

func single(in Incident, a Alert) Incident {
	one := in
	one.Key = identity(in.Key+"/"+a.Fingerprint, maxKey)
	one.Title = title(a.Name)
	if where := cmp.Or(a.Resource, textsOf(a.Labels).places()); where != "" {
		one.Title = title(a.Name + ": " + where)
	}
	one.Severity, one.Status = a.Severity, a.Status
	one.Labels, one.Annotations = maps.Clone(a.Labels), maps.Clone(a.Annotations)
	one.Links = links(append(append([]Link(nil), a.Links...), in.Links...)...)
	one.Alerts, one.Omitted = []Alert{a}, 0
	return one
}

// grouped reports whether the incidents of a source are groups of alerts.
func grouped(source string) bool { return source == SourceAlertmanager || source == SourceGrafana }
