package alert

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Grafana decodes the webhook contact point of Grafana's unified alerting, version 8 to 12.
//
// A group that has group labels is one incident: its groupKey names the route and those labels, and orgId the organization, for two
// organizations may have the same policies. A policy that groups by nothing has one groupKey for the alerts of every rule, so there each
// alert is an incident of its own; what such a body leaves out has no identity at all and is not told.
//
// The fingerprint of an alert is a hash of its labels, which two rules may share: the rule's id stands before it where Grafana sends it.
func Grafana(body []byte) ([]Incident, error) {
	o, err := read(body)
	if err != nil {
		return nil, err
	}
	if err := checkGrafana(o); err != nil {
		return nil, err
	}
	n, err := group(o, grafanaAlert, new(Room))
	if err != nil {
		return nil, err
	}
	if err := describe(&n, o, "Grafana"); err != nil {
		return nil, err
	}
	n.Head.Source, n.Head.Test = SourceGrafana, isGrafanaTest(o)
	return identified(n.Incident(), o)
}

// identified gives a group its identity, or each alert of a group that has none.
func identified(in Incident, o object) ([]Incident, error) {
	organization := cmp.Or(o.text("orgId"), "-")
	if key := o.text("groupKey"); hasGroup(o, key) {
		in.Key = identity(organization+"/"+key, maxKey)
		return []Incident{in}, nil
	}
	if len(in.Alerts) == 0 {
		return nil, fault.New(fault.Invalid, "alerts is empty and the group has no labels; list at least one alert, or group by a label")
	}
	in.Key = identity(organization, maxKey)
	return Split(in), nil
}

func checkGrafana(o object) error {
	version := o.text("version")
	switch {
	case version == "4" && o.has("alerts"):
		return fault.New(fault.Invalid, "this is an Alertmanager notification; write source: alertmanager for this sender")
	case version == "" && o.has("ruleUrl"):
		return fault.New(fault.Invalid, "this is a notification of the alerting that Grafana had before version 8; switch to unified alerting, whose alerts have an identity and an end")
	case version == "" && !o.has("alerts"):
		return fault.New(fault.Invalid, "this is no Grafana notification; remove a custom payload from the contact point")
	case version != "1":
		return fault.New(fault.Invalid, `version must be "1", the webhook of Grafana 8 and later`)
	}
	return nil
}

// hasGroup reports whether the group's key tells groups apart.
func hasGroup(o object, key string) bool {
	return key != "" && len(o.object("groupLabels")) > 1 && !strings.HasSuffix(key, ":{}")
}

// grafanaAlert adds what Grafana says of an alert and Alertmanager does not.
func grafanaAlert(a Alert, o object) Alert {
	if rule := o.text("ruleUID"); rule != "" {
		a.Fingerprint = identity(rule+":"+a.Fingerprint, maxName)
	}
	a.Observed = cmp.Or(clip(grafanaValues(o), maxText), a.Observed)
	a.Links = links(append(a.Links, Link{"Dashboard", o.text("dashboardURL")}, Link{"Panel", o.text("panelURL")},
		Link{"Silence", o.text("silenceURL")}, Link{"Image", o.text("imageURL")})...)
	return a
}

// grafanaValues writes the numbers as "A=1, B=0.5". They are null when one of them is not a number, and absent before Grafana 10.
func grafanaValues(o object) string {
	values := map[string]string{}
	for f := range value(o.object("values")).items() {
		values[f[0].name] = f.text()
	}
	return cmp.Or(textsOf(values).places(), o.text("valueString"))
}

// grafanaTestKey is the groupKey of the test button: the labels and a clock, later a word, a fingerprint and a clock.
var grafanaTestKey = regexp.MustCompile(`^(\{.*\}\d{4}-\d\d-\d\d.*|[a-z]+-[0-9a-f]{16}-\d+)$`)

// isGrafanaTest recognises the test button by the name of its alert and one more mark: somebody may call a rule of their own TestAlert.
func isGrafanaTest(o object) bool {
	marked := grafanaTestKey.MatchString(o.text("groupKey"))
	n := 0
	for v := range o.get("alerts").items() {
		a := v.object()
		labels := a.object("labels")
		if labels.text("alertname") != "TestAlert" {
			return false
		}
		n++
		marked = marked || labels.text("instance") == "Grafana" || a.text("fingerprint") == "57c6d9296de2ad39" ||
			strings.HasPrefix(a.text("generatorURL"), "?")
	}
	return n > 0 && marked
}
