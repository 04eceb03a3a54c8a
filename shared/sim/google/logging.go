package google

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// Cloud Logging, as far as a reader of entries needs it. Every resource writes entries, made of the seed, its name and the time: the same
// question has the same answer. Some of them hold what looks like a secret, as real ones do.

const (
	entriesPage    = 50
	maxEntriesPage = 1000
	entriesEvery   = 15 * time.Second
	maxLogWindow   = 48 * time.Hour // more is generated for nobody
)

// LogEntry is one that a test plants beside those that every resource writes.
type LogEntry struct {
	Project  string // id or number
	Type     string // of the resource
	Labels   map[string]string
	Time     time.Time
	Severity string
	Text     string
	JSON     map[string]any
}

type wireLogEntry struct {
	LogName   string         `json:"logName"`
	Resource  wireResource   `json:"resource"`
	Timestamp string         `json:"timestamp"`
	Received  string         `json:"receiveTimestamp"`
	Severity  string         `json:"severity"`
	InsertID  string         `json:"insertId"`
	Text      string         `json:"textPayload,omitempty"`
	JSON      map[string]any `json:"jsonPayload,omitempty"`
}

type wireResource struct {
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
}

// severities in their order.
var severities = []string{"DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"}

func (s *Server) listEntries(tx *tx, rq *request) (any, error) {
	projects, f := s.loggingProjects(rq)
	if f != nil {
		return nil, f
	}
	sel, ok := selected(rq.object.text("filter"), "timestamp", "severity")
	if !ok || sel.kind == "" || sel.metric != "" || len(sel.metricLabels) > 0 {
		return nil, rest.Invalid("filter", "The filter cannot be read: this simulator takes resource.type, resource.labels, timestamp and severity, joined by AND.")
	}
	w, ok := windowOf(sel.others, tx.at)
	if !ok {
		return nil, rest.Invalid("filter", "A timestamp or a severity in the filter cannot be compared.")
	}
	order := rq.object.text("orderBy")
	if order != "" && order != "timestamp asc" && order != "timestamp desc" {
		return nil, rest.Invalid("orderBy", `The order is "timestamp asc" or "timestamp desc".`)
	}
	var all []wireLogEntry
	for _, p := range projects {
		all = append(all, s.entries(p, sel, w)...)
	}
	slices.SortStableFunc(all, func(a, b wireLogEntry) int {
		c := cmp.Or(strings.Compare(a.Timestamp, b.Timestamp), strings.Compare(a.InsertID, b.InsertID))
		if order == "timestamp desc" {
			return -c
		}
		return c
	})
	return s.entriesPage(rq, all)
}

// entriesPage cuts a page. Its place is kept in the body of this method, not in the query.
func (s *Server) entriesPage(rq *request, all []wireLogEntry) (any, error) {
	size := rq.object.number("pageSize")
	if size < 0 {
		return nil, rest.Invalid("pageSize", "The size of a page must not be negative.")
	}
	query := url.Values{"pageSize": {strconv.FormatInt(size, 10)}, "pageToken": {rq.object.text("pageToken")}}
	id := fmt.Sprintf("entries\x00%q\x00%s\x00%s", rq.object.texts("resourceNames"), rq.object.text("filter"), rq.object.text("orderBy"))
	l, err := rest.NewListing(s.ids, id, query, entriesPage, maxEntriesPage)
	if err != nil {
		return nil, err
	}
	list, next := rest.Page(l, len(all), func(i int) (string, wireLogEntry, bool) { return rest.Ordinal(i), all[i], true })
	return struct {
		Entries []wireLogEntry `json:"entries,omitempty"`
		Next    string         `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}

// loggingProjects are the projects that a request asks. Folders, organizations, buckets and views are not simulated.
func (s *Server) loggingProjects(rq *request) (all []twoNames, f *rest.Failure) {
	names := rq.object.texts("resourceNames")
	if len(names) > 100 || len(rq.object.texts("projectIds")) > 0 {
		return nil, rest.Invalid("resourceNames", "Name 1 to 100 resources, and no projectIds.")
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "projects/") || strings.Count(name, "/") != 1 {
			return nil, rest.Invalid("resourceNames", "This simulator has the logs of projects only: projects/ID.")
		}
		full, f := s.resource(name)
		if f != nil {
			return nil, f
		}
		all = append(all, s.named(full, name))
	}
	return all, nil
}

// twoNames are those of a project.
type twoNames struct{ number, id string }

func (s *Server) named(full, asked string) twoNames {
	number := strings.TrimPrefix(full, "projects/")
	return twoNames{number, s.projectID(number, asked)}
}

// logWindow is what a filter says of times and severities.
type logWindow struct {
	from, to    time.Time
	least, most int // of severities
}

// windowOf narrows the default, all severities of the last day. Nothing is in a log before it happened.
func windowOf(all []comparison, now time.Time) (w logWindow, ok bool) {
	w = logWindow{from: time.Time{}, to: now, most: len(severities) - 1}
	for _, c := range all {
		if c.field == "severity" {
			ok = w.severity(c)
		} else {
			ok = c.quoted && w.timestamp(c)
		}
		if !ok {
			return w, false
		}
	}
	if w.from.IsZero() {
		w.from = w.to.Add(-24 * time.Hour)
	}
	return w, w.to.Sub(w.from) <= maxLogWindow
}

func (w *logWindow) severity(c comparison) bool {
	n := slices.Index(severities, c.value)
	switch c.op {
	case "=":
		w.least, w.most = max(w.least, n), min(w.most, n)
	case ">=":
		w.least = max(w.least, n)
	case ">":
		w.least = max(w.least, n+1)
	case "<=":
		w.most = min(w.most, n)
	case "<":
		w.most = min(w.most, n-1)
	default:
		return false
	}
	return n >= 0
}

func (w *logWindow) timestamp(c comparison) bool {
	t, err := time.Parse(time.RFC3339Nano, c.value)
	switch c.op {
	case ">", ">=":
		if t.After(w.from) {
			w.from = t
		}
	case "<", "<=":
		if t.Before(w.to) {
			w.to = t
		}
	default:
		return false
	}
	return err == nil
}

func (w logWindow) holds(t time.Time, severity string) bool {
	n := slices.Index(severities, severity)
	return !t.Before(w.from) && !t.After(w.to) && w.least <= n && n <= w.most
}

// entries are what a resource wrote in a window.
func (s *Server) entries(of twoNames, sel selection, w logWindow) (all []wireLogEntry) {
	resource := wireResource{sel.kind, maps.Clone(sel.labels)}
	resource.Labels["project_id"] = of.id
	name := of.number + "\x00" + sel.kind + "\x00" + fmt.Sprint(sel.labels)
	if !s.opts.QuietLogs {
		for t := w.from.Truncate(entriesEvery); !t.After(w.to); t = t.Add(entriesEvery) {
			random := s.ids.Draw("log\x00"+name, uint64(t.Unix()))
			e := logged(random, t.Add(time.Duration(random[0])*50*time.Millisecond), resource)
			if at, _ := time.Parse(time.RFC3339Nano, e.Timestamp); w.holds(at, e.Severity) {
				all = append(all, e)
			}
		}
	}
	for i, p := range s.opts.LogEntries {
		if s.projectNumber(p.Project) == of.number && p.Type == sel.kind && covers(p.Labels, sel.labels) && w.holds(p.Time, p.Severity) {
			e := entryAt(p.Time, wireResource{p.Type, p.Labels}, p.Severity, fmt.Sprintf("planted-%04d", i))
			e.Text, e.JSON = p.Text, p.JSON
			all = append(all, e)
		}
	}
	return all
}

// covers reports whether a resource has all the labels that are asked for.
func covers(has, asked map[string]string) bool {
	for name, v := range asked {
		if has[name] != v {
			return false
		}
	}
	return true
}

// said is what resources log, by severity: a few times more of what is harmless.
var said = []struct{ severity, text string }{
	{"INFO", "GET /healthz 200 in 3 ms"}, {"INFO", "GET /api/orders 200 in 41 ms"}, {"INFO", "checkpoint complete: wrote 412 buffers"},
	{"DEBUG", "cache hit ratio 0.93"}, {"NOTICE", "configuration reloaded"}, {"WARNING", "connection pool is at 85 % of its size"},
	{"ERROR", "upstream request timeout after 15000 ms"},
	{"ERROR", "cannot connect to postgres://app:simulated-password@10.0.0.5:5432/orders: connection refused"},
}

func logged(random [32]byte, at time.Time, of wireResource) wireLogEntry {
	what := said[int(binary.BigEndian.Uint16(random[1:]))%len(said)]
	e := entryAt(at, of, what.severity, fmt.Sprintf("%x", random[4:12]))
	if random[3]%2 == 0 {
		e.Text = what.text
		return e
	}
	e.JSON = map[string]any{"message": what.text, "thread": int(random[13]), "authorization": "Bearer simulated-" + fmt.Sprintf("%x", random[14:22])}
	return e
}

func entryAt(at time.Time, of wireResource, severity, id string) wireLogEntry {
	return wireLogEntry{LogName: "projects/" + cmp.Or(of.Labels["project_id"], "-") + "/logs/app", Resource: of, Timestamp: timestamp(at),
		Received: timestamp(at.Add(700 * time.Millisecond)), Severity: severity, InsertID: id}
}
