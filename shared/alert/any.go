package alert

import (
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Any decodes whatever it recognises. It looks in this order:
//
//  1. a header of a CloudEvent, or a body with specversion in it or in its first element: cloudevents
//  2. a Pub/Sub push: what is inside, with its attributes, once
//  3. an array: plain
//  4. an object: the one format whose marks it has; see recognisers
//
// A body with the marks of none, or of two, is refused: a guess would give an incident two identities.
func Any(m Message) ([]Incident, error) {
	if isEventHeader(m.Header) {
		return CloudEvents(m)
	}
	v, err := readValue(m.Body)
	if err != nil {
		return nil, err
	}
	if isEvent(v) {
		return CloudEvents(Message{Body: m.Body})
	}
	if m, err = unwrapAny(m, v); err != nil {
		return nil, err
	}
	return recognised(m)
}

func unwrapAny(m Message, v value) (Message, error) {
	if !isPush(v.object()) {
		return m, nil
	}
	return unwrap(m)
}

func isEvent(v value) bool {
	if v.kind() != '[' {
		return v.object().has("specversion")
	}
	for e := range v.items() {
		return e.object().has("specversion")
	}
	return false
}

// recogniser knows a format by marks that no other has.
type recogniser struct {
	source string
	is     func(object) bool
}

var recognisers = []recogniser{
	{SourceAlertmanager, func(o object) bool { return o.has("alerts") && o.text("version") == "4" }},
	{SourceGrafana, func(o object) bool {
		return o.has("alerts") && o.text("version") == "1" || o.has("ruleUrl") && o.has("state")
	}},
	{SourceMonitoring, func(o object) bool {
		return o.has("incident") || o.has("group_info") || o.object("msg").has("incident")
	}},
	{SourceServiceHealth, func(o object) bool {
		return isHealthLog(o) || strings.Contains(o.text("name"), "/events/") || strings.Contains(o.text("name"), "/organizationEvents/")
	}},
	{SourceSecurityCommandCenter, func(o object) bool { return o.has("finding") || isDetection(o) }},
	{SourceBudget, isBudget},
	{SourcePlain, func(o object) bool { return o.has("key") && o.has("title") }},
}

// recognised decodes a body by its content, without any wrapper.
func recognised(m Message) ([]Incident, error) {
	v, err := readValue(m.Body)
	if err != nil {
		return nil, err
	}
	if v.kind() == '[' {
		return Plain(m.Body)
	}
	source := ""
	for _, r := range recognisers {
		switch {
		case !r.is(v.object()):
		case source != "":
			return nil, fault.New(fault.Invalid, "the body has the marks of both %s and %s; write the source of this sender instead of any", source, r.source)
		default:
			source = r.source
		}
	}
	decode, ok := ByName(source)
	if !ok {
		return nil, fault.New(fault.Invalid, "the body is no notification that is understood; send one of %s, or a CloudEvent", strings.Join(formats(), ", "))
	}
	return decode(m)
}

// formats are the sources that are formats of a body.
func formats() []string {
	names := make([]string, len(recognisers))
	for i, r := range recognisers {
		names[i] = r.source
	}
	return names
}
