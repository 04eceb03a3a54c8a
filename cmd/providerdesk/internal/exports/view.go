package exports

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// PrintPlan shows what a request would do.
func PrintPlan(s screen.Screen, p billingexport.Plan) {
	for i, m := range p.Months {
		if i > 0 {
			s.Line("")
		}
		s.Line("%s  %s", s.Bold(m.Month), doing(m))
		s.Facts([][2]string{
			{"why", m.Reason}, {"tenants", tenants(m)}, {"asks the hub", requests(m)}, {"newest", number(m.Newest)}, {"current", number(m.Current)},
			{"would write", m.Next}, {"would be", string(m.State)}, {"would replace", strings.Join(m.Partitions, ", ")},
		}...)
	}
	s.Line("")
	s.Line("%s to the hub, at most %s; if nothing has changed, %s.", count(p.Requests, "request"), count(p.Objects, "object"), count(p.Unchanged, "object"))
}

// doing says in words what becomes of a month.
func doing(m billingexport.MonthPlan) string {
	switch m.Do {
	case "join":
		return "joins the run that is under way"
	case "after":
		return "runs after the one that is under way"
	}
	return "runs"
}

func tenants(m billingexport.MonthPlan) string {
	text := strconv.Itoa(len(m.Tenants))
	if m.Kept > 0 {
		text += fmt.Sprintf(", and %d kept as they are", m.Kept)
	}
	return text
}

func requests(m billingexport.MonthPlan) string {
	if m.Archive {
		return "nothing: from what was fetched before"
	}
	var parts []string
	for _, r := range m.Requests {
		parts = append(parts, fmt.Sprintf("%d × %s", r.Times, r.Kind))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + " for each"
}

// number is a revision's, "" for none.
func number(rev int) string {
	if rev == 0 {
		return ""
	}
	return "revision " + strconv.Itoa(rev)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// PrintList shows months, a line each.
func PrintList(s screen.Screen, all []billingexport.Status) {
	if len(all) == 0 {
		s.Line("no month was ever exported")
		return
	}
	rows := make([][]screen.Cell, len(all))
	for i, m := range all {
		rows[i] = []screen.Cell{
			screen.Plain(m.Month), phase(s, m), screen.Plain(fmt.Sprintf("%d of %d", m.Done, m.Tenants)), screen.Plain(or(number(m.Published), "none")),
			newest(s, m), screen.Plain(s.Time(m.Begun)),
		}
	}
	s.Table([]string{"MONTH", "RUN", "TENANTS", "PUBLISHED", "NEWEST", "AS OF"}, rows)
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func phase(s screen.Screen, m billingexport.Status) screen.Cell {
	cell := screen.Plain(string(m.Phase))
	if m.Phase == billingexport.Resting {
		cell.Paint = s.Dim
	}
	return cell
}

// newest is the revision with which the last run ended.
func newest(s screen.Screen, m billingexport.Status) screen.Cell {
	if m.Ended == nil || m.Ended.Revision == 0 {
		return screen.Plain("none")
	}
	return screen.Cell{Text: fmt.Sprintf("%d %s", m.Ended.Revision, m.Ended.State), Paint: paint(s, m.Ended.State)}
}

func paint(s screen.Screen, state revision.State) func(string) screen.Painted {
	switch state {
	case revision.Published:
		return s.Good
	case revision.Unreconciled:
		return s.Bad
	}
	return s.Warn
}

// PrintStatus shows how a month stands.
func PrintStatus(s screen.Screen, m billingexport.Status) {
	ended := ""
	if m.Ended != nil {
		ended = fmt.Sprintf("%s: %s", s.Time(m.Ended.At), m.Ended.Reason)
	}
	next := ""
	if m.Next != nil {
		next = "another one, asked for meanwhile"
	}
	s.Facts([][2]string{
		{"month", m.Month}, {"run", string(m.Phase)}, {"began", s.Time(m.Begun)}, {"why", m.Reason}, {"tenants", fmt.Sprintf("%d of %d", m.Done, m.Tenants)},
		{"published", or(number(m.Published), "none")}, {"ended", ended}, {"next", next},
	}...)
	if len(m.Open) == 0 {
		return
	}
	s.Line("")
	rows := make([][]screen.Cell, len(m.Open))
	for i, p := range m.Open {
		rows[i] = []screen.Cell{screen.Plain(p.ID), screen.Plain(p.Name), screen.Plain(strconv.Itoa(p.Attempts)), screen.Plain(s.Time(p.Next)), screen.Plain(p.Error)}
	}
	s.Table([]string{"OPEN", "NAME", "TRIED", "AGAIN", "BECAUSE"}, rows)
}

// PrintRevision shows a revision; with its files if they are wanted.
func PrintRevision(s screen.Screen, v billingexport.Shown, files bool) {
	m := v.Manifest
	s.Facts([][2]string{
		{"month", m.Month}, {"revision", strconv.Itoa(m.Revision)}, {"state", string(m.State)}, {"current", or(number(v.Current), "none")},
		{"as of", s.Time(m.Made)}, {"since", number(m.Since)}, {"FOCUS", m.FocusVersion}, {"tenants", strconv.Itoa(len(m.Parts))}, {"manifest", v.Name},
		{"sha256", v.SHA256},
	}...)
	totals(s, "TOTAL", v.Totals)
	totals(s, "RESTATED BY", v.Delta)
	if len(v.Grave) > 0 {
		s.Line("")
		rows := make([][]screen.Cell, len(v.Grave))
		for i, f := range v.Grave {
			rows[i] = []screen.Cell{{Text: string(f.Code), Paint: s.Bad}, screen.Plain(or(f.Name, f.ID)), screen.Plain(f.Of), screen.Plain(f.Text)}
		}
		s.Table([]string{"IN THE WAY", "TENANT", "OF", "WHAT"}, rows)
	}
	if files {
		printFiles(s, m)
	}
}

// totals shows sums with all their digits.
func totals(s screen.Screen, title string, all []revision.Total) {
	if len(all) == 0 {
		return
	}
	s.Line("")
	rows := make([][]screen.Cell, len(all))
	for i, t := range all {
		rows[i] = []screen.Cell{screen.Plain(string(t.Lens)), screen.Plain(bill.CurrencyName(t.Currency)), screen.Plain(bill.Exact(t.Amount))}
	}
	s.Table([]string{"LENS", "CURRENCY", title}, rows)
}

func printFiles(s screen.Screen, m revision.Manifest) {
	var all []revision.File
	for _, p := range m.Parts {
		all = append(all, p.Files...)
	}
	all = append(append(append(all, m.Delta...), m.Summary...), m.Reports...)
	s.Line("")
	rows := make([][]screen.Cell, len(all))
	for i, f := range all {
		rows[i] = []screen.Cell{screen.Plain(strconv.FormatInt(f.Rows, 10)), screen.Plain(strconv.FormatInt(f.Bytes, 10)), screen.Plain(f.Name)}
	}
	s.Table([]string{"ROWS", "BYTES", "FILE"}, rows)
}
