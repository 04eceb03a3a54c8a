package alert

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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
	n, err := alertmanager(body, new(Room))
	if err != nil {
		return nil, err
	}
	return []Incident{n.Incident()}, nil
}

func alertmanager(body []byte, room *Room) (n Notice, err error) {
	o, err := readObject(body, room)
	if err != nil {
		return n, err
	}
	if err := checkGroup(o); err != nil {
		return n, err
	}
	if n, err = group(o, nil, room); err != nil {
		return n, err
	}
	n.Head.Source, n.Head.Key = SourceAlertmanager, identity(o.text("groupKey"), maxKey)
	n.Head.Repeat = o.text("notification_reason") == "repeat interval elapsed"
	return n, describe(&n, o, "Alertmanager")
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
func group(o object, add addition, room *Room) (Notice, error) {
	alerts, err := alertList(o, add, room)
	if err != nil {
		return Notice{}, err
	}
	omitted, err := count(o.get("truncatedAlerts"))
	if err != nil {
		return Notice{}, err
	}
	if len(alerts) == 0 && omitted == 0 {
		return Notice{}, fault.New(fault.Invalid, "alerts is empty; send at least one alert")
	}
	return Notice{Head: Incident{Severity: worst(alerts), Status: status(alerts), Omitted: omitted}, alerts: alerts}, nil
}

// describe fills in what the group says about itself; system is the name of what sent it.
func describe(n *Notice, o object, system string) error {
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
	n.Head.Title = groupTitle(n, grouped, common)
	n.labels = grouped.over(common).clipped(maxLabel)
	n.annotations = notes.clipped(maxText)
	n.Head.Links = links(runbook(notes), dashboard(notes), Link{system, o.text("externalURL")})
	return nil
}

// groupTitle says what happens, how often and where: "HighLatency (3 alerts): cluster=eu-1".
func groupTitle(n *Notice, grouped, common texts) string {
	s := cmp.Or(grouped.first("alertname"), common.first("alertname"))
	if s == "" {
		s = alertNames(n.alerts)
	}
	if count := len(n.alerts) + n.Head.Omitted; count > 1 {
		s += " (" + strconv.Itoa(count) + " alerts)"
	}
	where := grouped.places()
	if where == "" {
		where = whereabouts(n, common)
	}
	if where != "" {
		s += ": " + where
	}
	return title(s)
}

// whereabouts says where a group is that was not grouped by place. What the listed alerts have in common says nothing about those that
// were left out.
func whereabouts(n *Notice, common texts) string {
	switch {
	case n.Head.Omitted > 0:
		return ""
	case len(n.alerts) == 1:
		return n.alerts[0].Resource
	}
	return common.places()
}

// alertNames names the alerts of a group that has no common name, at most two of them.
func alertNames(alerts []listed) string {
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
func alertList(o object, add addition, room *Room) ([]listed, error) {
	list := o.get("alerts")
	if list.kind() != '[' && !list.isNull() {
		return nil, fault.New(fault.Invalid, "alerts must be an array")
	}
	alerts := slices.Grow(room.alerts[:0], max(1, list.count())) // never nil, which JSON would show
	var before origin
	for v := range list.items() {
		if v.kind() != '{' {
			return nil, fault.New(fault.Invalid, "alerts[%d] must be an object", len(alerts))
		}
		alerts = append(alerts, listed{})
		a := &alerts[len(alerts)-1]
		if err := a.read(v.object(), &before); err != nil {
			return nil, fault.New(fault.Invalid, "alerts[%d].%s", len(alerts)-1, fault.Public(err))
		}
		if add != nil {
			a.Alert = add(a.Alert, v.object())
		}
	}
	room.alerts = alerts
	if inOrder(alerts) {
		return alerts, nil
	}
	slices.SortFunc(alerts, byFingerprint)
	return slices.CompactFunc(alerts, func(a, b listed) bool { return a.Fingerprint == b.Fingerprint }), nil
}

// inOrder reports whether alerts stand in the order of their fingerprints, one for each.
func inOrder(alerts []listed) bool {
	for i := 1; i < len(alerts); i++ {
		if alerts[i-1].Fingerprint >= alerts[i].Fingerprint {
			return false
		}
	}
	return true
}

// byFingerprint orders alerts. Of two that are the same alert (a sender without fingerprints and with equal labels) the one that matters
// more comes first: the firing, the newer, the worse one. The text at the end makes the order complete, whatever order they were sent in.
func byFingerprint(a, b listed) int {
	if n := cmp.Or(cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Status, b.Status),
		b.Starts.Compare(a.Starts), cmp.Compare(b.Severity.Rank(), a.Severity.Rank())); n != 0 {
		return n
	}
	x, _ := json.Marshal(a.whole())
	y, _ := json.Marshal(b.whole())
	return bytes.Compare(x, y)
}

// read reads an alert. What it says of a field begins with the field's name.
func (a *listed) read(o object, before *origin) error {
	labels, err := o.texts("labels", "labels")
	if err != nil {
		return err
	}
	notes, err := o.texts("annotations", "annotations")
	if err != nil {
		return err
	}
	before.move(runbook(notes), dashboard(notes), o.text("generatorURL"))
	a.labels, a.annotations = labels.clipped(maxLabel), notes.clipped(maxText)
	a.Alert = Alert{
		Fingerprint: fingerprint(o.text("fingerprint"), labels),
		Severity:    severity(labels.get("severity")),
		Name:        alertName(labels, notes),
		Summary:     clip(notes.first("summary", "message", "description"), maxText),
		Resource:    resource(labels),
		Condition:   clip(cmp.Or(notes.first("condition", "expr", "expression"), before.rule), maxText),
		Observed:    clip(notes.first("value", "current_value"), maxText),
		Threshold:   clip(notes.first("threshold"), maxText),
		Links:       before.links,
	}
	return a.times(o)
}

// times reads the status and, because it decides which of them count, the times.
func (a *Alert) times(o object) error {
	switch s := Status(strings.ToLower(o.text("status"))); s {
	case Firing, Resolved:
		a.Status = s
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
func fingerprint(sent string, labels texts) string {
	if len(sent) == 16 && isHex(sent) {
		return strings.ToLower(sent)
	}
	h := sha256.New()
	for _, l := range labels {
		fmt.Fprintf(h, "%q=%q\n", l.name, l.text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c|' ' < 'a' || c|' ' > 'f') {
			return false
		}
	}
	return true
}

func alertName(labels, notes texts) string {
	name := labels.first("alertname", "alert", "rule")
	if name == "" {
		name = cmp.Or(notes.first("title", "summary", "message", "description"), resource(labels))
	}
	return cmp.Or(line(name, maxName), "Alert without a name")
}

// places are the labels that say where, the most telling first. An instance comes after a pod and a node: for the alerts of Kubernetes it
// is only the exporter that saw them.
var places = []string{"resource", "pod", "node", "instance", "host", "hostname", "device", "service", "job", "namespace", "cluster"}

func resource(labels texts) string {
	where := labels.first(places...)
	if ns := labels.first("namespace"); where != "" && where == labels.first("pod") && ns != "" {
		where = ns + "/" + where
	}
	return line(where, maxName)
}

func runbook(notes texts) Link {
	return Link{"Runbook", notes.first("runbook_url", "runbook")}
}

func dashboard(notes texts) Link {
	return Link{"Dashboard", notes.first("dashboard_url", "dashboard")}
}

// origin is where an alert comes from and what follows from that: the alerts of a group mostly have one rule, and so one origin.
type origin struct {
	runbook, dashboard Link
	generator          string // address of the graph
	rule               string
	links              []Link // shared by alerts: to be appended to, but not changed
}

// move makes it the origin of the next alert.
func (g *origin) move(runbook, dashboard Link, generator string) {
	if g.links != nil && runbook == g.runbook && dashboard == g.dashboard && generator == g.generator {
		return
	}
	shown := slices.Clip(links(runbook, dashboard, Link{"Source", generator}))
	if generator != g.generator {
		g.rule = expression(generator)
	}
	g.runbook, g.dashboard, g.generator, g.links = runbook, dashboard, generator, shown
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
