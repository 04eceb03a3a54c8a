package alert

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Alertmanager decodes the webhook of Alertmanager, version 4, also as VictoriaMetrics and others send it: one incident for the group.
func Alertmanager(body []byte) ([]Incident, error) {
	o, err := read(body)
	if err != nil {
		return nil, err
	}
	if err := checkGroup(o); err != nil {
		return nil, err
	}
	in, err := group(o, nil)
	if err != nil {
		return nil, err
	}
	in.Source, in.Key = SourceAlertmanager, identity(o.text("groupKey"), maxKey)
	in.Repeat = o.text("notification_reason") == "repeat interval elapsed"
	if err := describe(&in, o, "Alertmanager"); err != nil {
		return nil, err
	}
	return []Incident{in}, nil
}

func checkGroup(o object) error {
	version := o.text("version")
	switch {
	case version == "1" && o.has("alerts"), version == "" && o.has("ruleUrl"):
		return fault.New(fault.Invalid, "this is a Grafana notification; write source: grafana for this sender")
	case version == "" && !o.has("alerts"):
		return fault.New(fault.Invalid, "this is no Alertmanager notification; remove a custom payload from the webhook_config")
	case version != "4":
		return fault.New(fault.Invalid, `version must be "4", the webhook of Alertmanager 0.7 and later`)
	case o.text("groupKey") == "":
		return fault.New(fault.Invalid, "groupKey is missing; send the group's key, which stays the same from the first notification to the last")
	}
	return nil
}

// addition adds to an alert what one kind of sender says beyond the others.
type addition func(Alert, object) Alert

// group reads what a group lists. What it is called and where it came from is left to the caller.
func group(o object, add addition) (Incident, error) {
	alerts, err := alertList(o, add)
	if err != nil {
		return Incident{}, err
	}
	omitted, err := count(o.get("truncatedAlerts"))
	if err != nil {
		return Incident{}, err
	}
	if len(alerts) == 0 && omitted == 0 {
		return Incident{}, fault.New(fault.Invalid, "alerts is empty; send at least one alert")
	}
	return Incident{Severity: worst(alerts), Status: status(alerts), Alerts: alerts, Omitted: omitted}, nil
}

// describe fills in what the group says about itself; system is the name of what sent it.
func describe(in *Incident, o object, system string) error {
	common, err := o.texts("commonLabels", "commonLabels")
	if err != nil {
		return err
	}
	grouped, err := o.texts("groupLabels", "groupLabels")
	if err != nil {
		return err
	}
	notes, err := o.texts("commonAnnotations", "commonAnnotations")
	if err != nil {
		return err
	}
	in.Title = groupTitle(in, grouped, common)
	in.Labels = clipped(merge(common, grouped), maxLabel)
	in.Annotations = clipped(notes, maxText)
	in.Links = links(runbook(notes), dashboard(notes), Link{system, o.text("externalURL")})
	return nil
}

// groupTitle says what happens, how often and where: "HighLatency (3 alerts): cluster=eu-1".
func groupTitle(in *Incident, grouped, common map[string]string) string {
	s := cmp.Or(first(grouped, "alertname"), first(common, "alertname"))
	if s == "" {
		s = alertNames(in.Alerts)
	}
	if n := len(in.Alerts) + in.Omitted; n > 1 {
		s += fmt.Sprintf(" (%d alerts)", n)
	}
	where := pairs(grouped)
	if where == "" {
		where = whereabouts(in, common)
	}
	if where != "" {
		s += ": " + where
	}
	return title(s)
}

// whereabouts says where a group is that was not grouped by place. What the listed alerts have in common says nothing about those that
// were left out.
func whereabouts(in *Incident, common map[string]string) string {
	switch {
	case in.Omitted > 0:
		return ""
	case len(in.Alerts) == 1:
		return in.Alerts[0].Resource
	}
	return pairs(common)
}

// alertNames names the alerts of a group that has no common name, at most two of them.
func alertNames(alerts []Alert) string {
	var list []string
	for _, a := range alerts {
		list = append(list, a.Name)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	switch len(list) {
	case 0:
		return "Alerts"
	case 1, 2:
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s, %s and %d more", list[0], list[1], len(list)-2)
}

// pairs writes labels as "a=b, c=d", less those that do not say where.
func pairs(labels map[string]string) string {
	var list []string
	for _, k := range names(labels) {
		if k != "alertname" && k != "severity" && labels[k] != "" {
			list = append(list, k+"="+labels[k])
		}
	}
	return strings.Join(list, ", ")
}

// merge puts the second map over the first.
func merge(under, over map[string]string) map[string]string {
	out := make(map[string]string, len(under)+len(over))
	maps.Copy(out, under)
	maps.Copy(out, over)
	return out
}

func count(v value) (int, error) {
	if v.isNull() {
		return 0, nil
	}
	n, err := strconv.ParseUint(v.text(), 10, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "truncatedAlerts must be a whole number, 0 or more")
	}
	return int(min(n, math.MaxInt32)), nil
}

// alertList reads the alerts, in the order of their fingerprints, one for each.
func alertList(o object, add addition) ([]Alert, error) {
	list := o.get("alerts")
	if list.kind() != '[' && !list.isNull() {
		return nil, fault.New(fault.Invalid, "alerts must be an array")
	}
	alerts := make([]Alert, 0, list.count())
	var rules generator
	for v := range list.items() {
		if v.kind() != '{' {
			return nil, fault.New(fault.Invalid, "alerts[%d] must be an object", len(alerts))
		}
		a, err := oneAlert(v.object(), &rules)
		if err != nil {
			return nil, fault.New(fault.Invalid, "alerts[%d].%s", len(alerts), fault.Public(err))
		}
		if add != nil {
			a = add(a, v.object())
		}
		alerts = append(alerts, a)
	}
	slices.SortFunc(alerts, byFingerprint)
	return slices.CompactFunc(alerts, func(a, b Alert) bool { return a.Fingerprint == b.Fingerprint }), nil
}

// byFingerprint orders alerts. Of two that are the same alert (a sender without fingerprints and with equal labels) the one that matters
// more comes first: the firing, the newer, the worse one. The text at the end makes the order complete, whatever order they were sent in.
func byFingerprint(a, b Alert) int {
	if n := cmp.Or(cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Status, b.Status),
		b.Starts.Compare(a.Starts), cmp.Compare(b.Severity.Rank(), a.Severity.Rank())); n != 0 {
		return n
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Compare(x, y)
}

// oneAlert reads an alert. What it says of a field begins with the field's name.
func oneAlert(o object, rules *generator) (Alert, error) {
	labels, err := o.texts("labels", "labels")
	if err != nil {
		return Alert{}, err
	}
	notes, err := o.texts("annotations", "annotations")
	if err != nil {
		return Alert{}, err
	}
	a := Alert{
		Fingerprint: fingerprint(o.text("fingerprint"), labels),
		Severity:    severity(labels["severity"]),
		Name:        alertName(labels, notes),
		Summary:     clip(first(notes, "summary", "message", "description"), maxText),
		Resource:    resource(labels),
		Condition:   clip(cmp.Or(first(notes, "condition", "expr", "expression"), rules.rule(o.text("generatorURL"))), maxText),
		Observed:    clip(first(notes, "value", "current_value"), maxText),
		Threshold:   clip(first(notes, "threshold"), maxText),
		Labels:      clipped(labels, maxLabel),
		Annotations: clipped(notes, maxText),
		Links:       links(runbook(notes), dashboard(notes), Link{"Source", o.text("generatorURL")}),
	}
	return a, times(&a, o)
}

// times reads the status and, because it decides which of them count, the times.
func times(a *Alert, o object) error {
	switch strings.ToLower(o.text("status")) {
	case "firing":
		a.Status = Firing
	case "resolved":
		a.Status = Resolved
	default:
		return fault.New(fault.Invalid, `status must be "firing" or "resolved"`)
	}
	starts, ok := instant(o.text("startsAt"))
	if !ok || starts.IsZero() {
		return fault.New(fault.Invalid, "startsAt must be a time such as 2026-01-31T15:04:05Z")
	}
	a.Starts = starts
	if a.Status == Firing {
		return nil // an alert that fires has no end
	}
	if ends, ok := instant(o.text("endsAt")); ok && !ends.Before(starts) {
		a.Ends = ends // an end before the start is no time we know
	}
	return nil
}

// instant reads a time in RFC 3339, in UTC. Years that JSON cannot carry are no time.
func instant(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	t = t.UTC()
	return t, err == nil && t.Year() >= 1 && t.Year() <= 9999
}

// fingerprint returns the one that was sent. Older and other senders send none: then a hash of the labels, which make up the alert.
func fingerprint(sent string, labels map[string]string) string {
	var plain [8]byte
	if len(sent) == 2*len(plain) {
		if _, err := hex.Decode(plain[:], []byte(sent)); err == nil {
			return strings.ToLower(sent)
		}
	}
	h := sha256.New()
	for _, k := range names(labels) {
		fmt.Fprintf(h, "%q=%q\n", k, labels[k])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func alertName(labels, notes map[string]string) string {
	name := first(labels, "alertname", "alert", "rule")
	if name == "" {
		name = cmp.Or(first(notes, "title", "summary", "message", "description"), resource(labels))
	}
	return cmp.Or(line(name, maxName), "Alert without a name")
}

// places are the labels that say where, the most telling first. An instance comes after a pod and a node: for the alerts of Kubernetes it
// is only the exporter that saw them.
var places = []string{"resource", "pod", "node", "instance", "host", "hostname", "device", "service", "job", "namespace", "cluster"}

func resource(labels map[string]string) string {
	where := first(labels, places...)
	if ns := first(labels, "namespace"); where != "" && where == first(labels, "pod") && ns != "" {
		where = ns + "/" + where
	}
	return line(where, maxName)
}

func runbook(notes map[string]string) Link {
	return Link{"Runbook", first(notes, "runbook_url", "runbook")}
}

func dashboard(notes map[string]string) Link {
	return Link{"Dashboard", first(notes, "dashboard_url", "dashboard")}
}

// generator is the last address of a graph and the rule in it: the alerts of a group mostly have one rule, and so one address.
type generator struct{ url, expression string }

func (g *generator) rule(url string) string {
	if url != g.url {
		*g = generator{url, expression(url)}
	}
	return g.expression
}

// expression finds the rule in the address of the graph that Prometheus shows for it.
func expression(generatorURL string) string {
	generatorURL, _, _ = strings.Cut(generatorURL, "#")
	_, query, _ := strings.Cut(generatorURL, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(pair, "g0.expr="); ok {
			rule, _ := url.QueryUnescape(value) // "" on an error
			return strings.ToValidUTF8(strings.TrimSpace(rule), "\uFFFD")
		}
	}
	return ""
}
