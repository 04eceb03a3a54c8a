package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// group is one incident of the scenario: five alerts that Alertmanager puts together, and the case that must come of them.
type group struct {
	alertname, cluster, severity, team string
	title, priority, classification    string
	does                               string // what happens to it later
	comments                           []string
	state                              string
}

const (
	compute = "Technical Issue > Compute > Compute Engine"
	storage = "Technical Issue > Storage > Cloud Storage"
)

// scenario has every priority, label values that are hard to quote, and each fate once.
var scenario = []group{
	{"HighLatency", "eu-1", "critical", "shop", "HighLatency (5 alerts): cluster=eu-1", "P1", compute, "", nil, "NEW"},
	{"HighLatency", "münchen", "page", "shop", "HighLatency (5 alerts): cluster=münchen", "P1", compute, "a sixth alert", []string{"instance=node-6"}, "NEW"},
	{"DiskFull", "東京", "critical", "storage", "storage: DiskFull (5 alerts): cluster=東京", "P2", storage, "", nil, "NEW"},
	{"DiskFull", "são paulo", "warning", "storage", "storage: DiskFull (5 alerts): cluster=são paulo", "P2", storage, "resolved", []string{"resolved"}, "CLOSED"},
	{"ReplicationLag", `say "hi"`, "error", "db", `ReplicationLag (5 alerts): cluster=say "hi"`, "P2", compute, "", nil, "NEW"},
	{"ReplicationLag", `back\slash`, "high", "db", `ReplicationLag (5 alerts): cluster=back\slash`, "P2", compute, "resolved", []string{"resolved"}, "NEW"},
	{"CertificateExpires", "🚨", "warning", "edge", "CertificateExpires (5 alerts): cluster=🚨", "P3", compute, "", nil, "NEW"},
	{"CertificateExpires", "a=b, c{d}", "Warning", "edge", "CertificateExpires (5 alerts): cluster=a=b, c{d}", "P3", compute, "", nil, "NEW"},
	{"BackupOld", "us-1", "info", "ops", "BackupOld (5 alerts): cluster=us-1", "P4", compute, "", nil, "NEW"},
	{"BackupOld", "{{.Title}}", "none of these", "ops", "BackupOld (5 alerts): cluster={{.Title}}", "P4", compute, "", nil, "NEW"},
}

// alert is the n-th alert of the group.
func (g group) alert(n int, started, ends time.Time) postable {
	return postable{
		Labels: map[string]string{
			"alertname": g.alertname, "cluster": g.cluster, "severity": g.severity, "team": g.team, "instance": fmt.Sprintf("node-%d", n),
		},
		Annotations: map[string]string{
			"summary":     fmt.Sprintf("%s on node %d of %s", g.alertname, n, g.cluster),
			"runbook_url": "https://runbooks.acme.example/" + g.alertname,
		},
		StartsAt: started, EndsAt: ends, GeneratorURL: "https://prometheus.acme.example/graph?g0.expr=up",
	}
}

// alerts are the group's five.
func (g group) alerts(started, ends time.Time) (list []postable) {
	for n := range 5 {
		list = append(list, g.alert(n+1, started, ends))
	}
	return list
}

func TestAlertsBecomeCases(t *testing.T) {
	enabled(t)
	began := time.Now()
	s := newSite(t)
	am := newAlertmanager(t, s)
	ends := began.Add(time.Hour)

	s.arm("cases.create", "commit_then_drop", 2) // two cases are there and nobody hears so
	for i := range scenario[2:] {                // the desk opens the others one after the other, so that the kill falls in between
		s.arm("cases.create", fmt.Sprintf("delay:%dms", 300*(i+1)), 1)
	}
	started := time.Now() // an older start would make Alertmanager send at once, perhaps before all five are there
	var all []postable
	for _, g := range scenario {
		all = append(all, g.alerts(started, ends)...)
	}
	am.post(all)
	eventually(t, 30*time.Second, "four cases are there", func() (bool, any) { n := len(s.cases()); return n >= 4, n })
	early := s.calls()
	s.crash()
	s.up()
	existed := s.cases()
	restarted := time.Now()
	t.Logf("%6.1f s: killed while filing %d cases: %d are there, 2 of them without an answer", since(began), len(scenario), len(existed))
	if n := len(existed); n < 4 || n == len(scenario) {
		t.Fatalf("%d cases at the restart: the kill did not fall in the middle", n)
	}

	eventually(t, 3*time.Minute, "every group has its case", func() (bool, any) {
		n := len(s.cases())
		return n >= len(scenario), n
	})
	t.Logf("%6.1f s: all cases are there, %.1f s after the restart", since(began), since(restarted))

	repeated(t, s, am)
	t.Logf("%6.1f s: every group was repeated and nothing came of it", since(began))

	am.post([]postable{scenario[1].alert(6, time.Now(), ends)})
	for _, g := range scenario {
		if g.does == "resolved" {
			am.post(g.alerts(started, time.Now()))
		}
	}
	eventually(t, 2*time.Minute, "news and ends arrive", func() (bool, any) {
		got := s.results()
		return fates(got), got
	})
	repeated(t, s, am)
	t.Logf("%6.1f s: news and ends arrived and the rest was repeated", since(began))

	got, late := s.results(), s.calls()
	check(t, got)
	once(t, got, existed, early, late)
	t.Logf("%d alerts in %d groups, %d notifications, %d deliveries handled, %d cases, %.0f s\n%s",
		len(all)+1, len(scenario), am.delivered(), s.handled(), len(s.cases()), since(began), table(got))
	if list := s.unfinished(); len(list) > 0 {
		t.Errorf("not finished: %q", list)
	}
	if err := s.stop(t); err != nil {
		t.Errorf("up does not end well: %v", err)
	}
	silent(t, s, s.sender, s.push, s.admin)
}

func since(t time.Time) float64 { return time.Since(t).Seconds() }

// repeated waits until Alertmanager has repeated every group that still fires, and the command has handled it all without a call that
// changes something. The groups repeat at the same pace, so as many repeats as there are groups are at least one for each.
func repeated(t *testing.T, s *site, am *alertmanager) {
	t.Helper()
	quiet := func() (bool, any) {
		n, m := s.handled(), am.delivered()
		return n >= m, fmt.Sprint(n, " handled of ", m)
	}
	eventually(t, time.Minute, "what was sent is handled", quiet)
	sent, before := am.delivered(), s.calls().writes()
	eventually(t, 90*time.Second, "repeats", func() (bool, any) { n := am.delivered() - sent; return n >= len(scenario), n })
	eventually(t, time.Minute, "the repeats are handled", quiet)
	if after := s.calls().writes(); after != before {
		t.Errorf("a repeat changed something: %d writing calls became %d", before, after)
	}
}

// result is a group and what the desk has of it.
type result struct {
	group
	cases    []supportCase
	comments []string
}

// results finds each group's cases by its cluster, which no two share.
func (s *site) results() []result {
	s.Helper()
	all := s.cases()
	results := make([]result, len(scenario))
	for i, g := range scenario {
		results[i].group = g
		for _, c := range all {
			if strings.HasSuffix(c.DisplayName, "cluster="+g.cluster) {
				results[i].cases = append(results[i].cases, c)
			}
		}
		if len(results[i].cases) > 0 {
			results[i].comments = s.comments(results[i].cases[0].Name)
		}
	}
	return results
}

// fates reports whether every group has met its fate, or more than that.
func fates(got []result) bool {
	for _, r := range got {
		if len(r.cases) == 0 || len(r.comments) < len(r.group.comments) || r.state == "CLOSED" && r.cases[0].State != "CLOSED" {
			return false
		}
	}
	return true
}

var markers = regexp.MustCompile(`\bREF[A-Z2-7]{26}\b`)

func (c supportCase) marker() string { return markers.FindString(c.Description) }

// check compares every group's case with what it must be.
func check(t *testing.T, got []result) {
	t.Helper()
	for _, r := range got {
		if len(r.cases) != 1 {
			t.Errorf("%s: %d cases", r.title, len(r.cases))
			continue
		}
		c := r.cases[0]
		for _, f := range [][3]string{
			{"title", c.DisplayName, r.title}, {"priority", c.Priority, r.priority},
			{"classification", c.Classification.DisplayName, r.classification}, {"state", c.State, r.state},
			{"subscribers", strings.Join(c.Subscribers, " "), "oncall@example.com"},
		} {
			if f[1] != f[2] {
				t.Errorf("%s: %s is %q, must be %q", r.title, f[0], f[1], f[2])
			}
		}
		if n := len(markers.FindAllString(c.Description, -1)); n != 1 {
			t.Errorf("%s: %d markers in the description", r.title, n)
		}
		for n := range 5 {
			if want := fmt.Sprintf("%s on node %d of %s", r.alertname, n+1, r.cluster); !strings.Contains(c.Description, want) {
				t.Errorf("%s: the description does not tell of %q", r.title, want)
			}
		}
		if !strings.Contains(c.Description, "https://runbooks.acme.example/"+r.alertname) {
			t.Errorf("%s: the description has no runbook", r.title)
		}
		checkComments(t, r)
	}
}

func checkComments(t *testing.T, r result) {
	t.Helper()
	if len(r.comments) != len(r.group.comments) {
		t.Errorf("%s: %d comments, must be %d: %q", r.title, len(r.comments), len(r.group.comments), r.comments)
		return
	}
	for i, want := range r.group.comments {
		if !strings.Contains(strings.ToLower(r.comments[i]), want) {
			t.Errorf("%s: comment %q says nothing of %q", r.title, r.comments[i], want)
		}
	}
}

// once checks that each case was created by exactly one call: before the kill, or after it. The desk forgets its list of calls when it is
// killed, but not what it has executed.
func once(t *testing.T, got []result, existed []supportCase, early, late calls) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range got {
		for _, c := range r.cases {
			marker := c.marker()
			if seen[marker] {
				t.Errorf("%s: shares its marker with another case", r.title)
			}
			seen[marker] = true
			n := late.creates(marker)
			if slices.ContainsFunc(existed, func(e supportCase) bool { return e.Name == c.Name }) {
				n++
			}
			if n != 1 || early.creates(marker) > 1 {
				t.Errorf("%s: created by %d calls", r.title, n)
			}
		}
	}
	if n := late.Counts["cases.create"] + len(existed); n != len(scenario) {
		t.Errorf("%d calls of cases.create for %d groups", n, len(scenario))
	}
}

// creates counts the calls that created a case with the marker.
func (c calls) creates(marker string) (n int) {
	for _, call := range c.Calls {
		if call.Op == "cases.create" && call.Marker == marker {
			n++
		}
	}
	return n
}

func table(got []result) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CASES\tPRIORITY\tSTATE\tCOMMENTS\tSEVERITY\tTHEN\tTITLE")
	for _, r := range got {
		for _, c := range r.cases {
			fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%s\t%s\n", len(r.cases), c.Priority, c.State, len(r.comments), r.severity, r.does, c.DisplayName)
		}
	}
	w.Flush()
	return b.String()
}

// silent checks that the log holds none of the words.
func silent(t *testing.T, s *site, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(s.log(), w) {
			t.Errorf("the log holds %.12s…", w)
		}
	}
}
