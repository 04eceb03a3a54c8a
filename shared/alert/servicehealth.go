package alert

import (
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// ServiceHealth decodes an event of Personalized Service Health: as the API has it, of a project or an organization, and as a log sink
// sends it. The id of an event is the same in all of them, so a person hears of it once.
//
// An event that is closed has ended, whatever the reason: resolved, given up as a false positive, closed by itself, or merged into
// another event, which has its own incident; detailed_state and parent_event are labels. Google says how much an event touches the project,
// not how bad it is: severity is error for IMPACTED, warning for RELATED and PARTIALLY_RELATED, info for NOT_IMPACTED, none when it is
// not known.
func ServiceHealth(body []byte) ([]Incident, error) {
	o, err := read(body)
	if err != nil {
		return nil, err
	}
	e, err := healthEventOf(o)
	if err != nil {
		return nil, err
	}
	a, err := e.alert()
	if err != nil {
		return nil, err
	}
	in := own(SourceServiceHealth, e.id, a)
	in.Title = title(a.Name) // Google writes the places into it
	return []Incident{in}, nil
}

// healthEvent is an event less the difference between the API and the log.
type healthEvent struct {
	object
	id, scope           string
	products, locations string // separated by ", "
	productIDs          string
}

const healthResource = "servicehealth.googleapis.com/Event"

func healthEventOf(o object) (healthEvent, error) {
	switch {
	case isHealthLog(o):
		return loggedEvent(o)
	case o.has("error"):
		return healthEvent{}, fault.New(fault.Invalid, "this is an error of the Service Health API, not an event; send the event that the API answers with")
	}
	parts := strings.Split(o.text("name"), "/")
	if len(parts) != 6 || parts[4] != "events" && parts[4] != "organizationEvents" || parts[5] == "" {
		return healthEvent{}, fault.New(fault.Invalid, "this is no event of Personalized Service Health; send an event of its API, whose name has /events/ or /organizationEvents/ in it, or its log entry")
	}
	e := healthEvent{object: o, id: parts[5], scope: parts[0] + "/" + parts[1]}
	e.products, e.productIDs, e.locations = impacts(o)
	return e, nil
}

// isHealthLog recognises the log entry by its resource, or by its log when the resource was left out on the way.
func isHealthLog(o object) bool {
	return o.has("jsonPayload") && (o.object("resource").text("type") == healthResource || strings.Contains(o.text("logName"), "/servicehealth.googleapis.com"))
}

func loggedEvent(o object) (healthEvent, error) {
	labels := o.object("resource").object("labels")
	p := o.object("jsonPayload")
	e := healthEvent{object: p, id: labels.text("event_id")}
	if e.id == "" {
		return e, fault.New(fault.Invalid, "resource.labels.event_id is missing; send the log entry as Cloud Logging exports it")
	}
	if c := labels.text("resource_container"); c != "" {
		e.scope = "projects/" + strings.TrimPrefix(c, "projects/")
	}
	e.products, e.productIDs, e.locations = joined(p.get("impactedProducts")), joined(p.get("impactedProductIds")), joined(p.get("impactedLocations"))
	return e, nil
}

func (e healthEvent) alert() (Alert, error) {
	latest := latestUpdate(e.object)
	a := Alert{
		Fingerprint: identity(e.id, maxName),
		Severity:    relevance[e.text("relevance")],
		Name:        line(firstOf(e.text("title"), "Google Cloud service event"), maxName),
		Summary:     clip(firstOf(e.text("description"), latest.text("description")), maxText),
		Resource:    line(e.locations, maxName),
		Labels: filled(map[string]string{"scope": e.scope, "category": e.text("category"), "detailed_category": e.text("detailedCategory"),
			"detailed_state": e.text("detailedState"), "relevance": e.text("relevance"), "parent_event": e.text("parentEvent"),
			"products": e.products, "product_ids": e.productIDs, "locations": e.locations}, maxLabel),
		Annotations: filled(map[string]string{"symptom": firstOf(e.text("symptom"), latest.text("symptom")),
			"workaround": firstOf(e.text("workaround"), latest.text("workaround")), "next_update": e.text("nextUpdateTime")}, maxText),
	}
	if a.Severity == "" {
		a.Severity = SeverityNone
	}
	return a, e.times(&a)
}

var relevance = map[string]Severity{"IMPACTED": Error, "RELATED": Warning, "PARTIALLY_RELATED": Warning, "NOT_IMPACTED": Info}

// healthStates: a log entry may have only the detailed one.
var healthStates = map[string]Status{
	"ACTIVE": Firing, "EMERGING": Firing, "CONFIRMED": Firing,
	"CLOSED": Resolved, "RESOLVED": Resolved, "MERGED": Resolved, "AUTO_CLOSED": Resolved, "FALSE_POSITIVE": Resolved,
}

func (e healthEvent) times(a *Alert) (err error) {
	known := false
	if a.Status, known = healthStates[e.first("state", "detailedState")]; !known {
		return fault.New(fault.Invalid, `state must be "ACTIVE" or "CLOSED"`)
	}
	if a.Starts, err = optionalTime(e.object, "startTime"); err != nil || a.Status == Firing {
		return err
	}
	ends, err := optionalTime(e.object, "endTime")
	if !ends.Before(a.Starts) {
		a.Ends = ends
	}
	return err
}

// impacts returns what an event of the API touches, each name once, in the order of the event.
func impacts(o object) (products, ids, locations string) {
	var p, i, l list
	for v := range o.get("eventImpacts").items() {
		impact := v.object()
		p.add(impact.object("product").text("productName"))
		i.add(impact.object("product").text("id"))
		l.add(impact.object("location").text("locationName"))
	}
	return p.String(), i.String(), l.String()
}

// latestUpdate is the update that says most about now; the API lists them only when asked to.
func latestUpdate(o object) (latest object) {
	newest := ""
	for v := range o.get("updates").items() {
		if u := v.object(); u != nil && u.text("updateTime") >= newest {
			latest, newest = u, u.text("updateTime")
		}
	}
	return latest
}
