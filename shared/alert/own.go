package alert

import "maps"

// own makes the incident that is its own alert.
func own(source, key string, a Alert) Incident {
	return Incident{
		Source:      source,
		Key:         identity(key, maxKey),
		Title:       incidentTitle(a),
		Severity:    a.Severity,
		Status:      a.Status,
		Labels:      maps.Clone(a.Labels),
		Annotations: maps.Clone(a.Annotations),
		Links:       append([]Link(nil), a.Links...),
		Alerts:      []Alert{a},
	}
}

func incidentTitle(a Alert) string {
	if a.Resource == "" {
		return title(a.Name)
	}
	return title(a.Name + ": " + a.Resource)
}

// filled drops what is empty and bounds the rest.
func filled(m map[string]string, limit int) map[string]string {
	maps.DeleteFunc(m, func(_, v string) bool { return v == "" })
	return clipped(m, limit)
}
