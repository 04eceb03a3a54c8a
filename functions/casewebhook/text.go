package casewebhook

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
)

// Limits of what is written to a desk, in characters. The Cloud Support API states none for a title or a description; these are far below
// what it is known to take, and long enough for a person.
const (
	titleLimit       = 250
	descriptionLimit = 10_000
	commentLimit     = 10_000 // Google's is 12,800; the marker must fit too, and in JSON a character may take six of an effect's 64 KiB
)

// titleOf returns a case's title: the route's template, or what the incident is called.
func titleOf(r route, in alert.Incident) (string, error) {
	t := in.Title
	if r.title != nil {
		var err error
		if t, err = config.Render(r.title, in); err != nil {
			return "", err
		}
	}
	t = strings.Join(strings.Fields(t), " ")
	return clip(cmp.Or(t, in.Title), titleLimit), nil
}

// descriptionOf returns a case's description, without the marker: the route's template, or what a person at the desk needs to act.
func descriptionOf(r route, in alert.Incident, g grade, previous string, loc *time.Location) (string, error) {
	if r.description != nil {
		t, err := config.Render(r.description, in)
		return clip(strings.TrimSpace(t), descriptionLimit-2000) + prefixed("\n\n", gradeText(g)), err
	}
	p := page{loc: loc, left: descriptionLimit - 500}
	p.line("%s", in.Title)
	p.line("")
	p.line("Severity: %s    Tenant: %s    Priority: %s", in.Severity, in.Tenant, g.Priority)
	if g.Why != "" {
		p.line("%s", gradeText(g))
	}
	p.line("Since: %s", p.since(in.Alerts))
	p.line("Reported by: %s (%s), received %s", in.Sender, in.Source, p.time(in.Received))
	if previous != "" {
		p.line("Fired before: see case %s", previous)
	}
	p.list("What fires", firing(in.Alerts))
	if in.Omitted > 0 {
		p.line("The sender left out %d more alerts.", in.Omitted)
	}
	p.pairs("Labels", in.Labels)
	p.pairs("Notes", in.Annotations)
	p.links(in.Links)
	p.line("")
	p.line("Opened by providerdesk from a monitoring alert. Incident %s", clip(in.Key, 200))
	return clip(p.String(), descriptionLimit), nil
}

// gradeText tells why a priority is not simply the route's, "" if it is.
func gradeText(g grade) string {
	if g.Why == "" {
		return ""
	}
	return clip(fmt.Sprintf("Priority %s: %s", g.Priority, g.Why), 1000)
}

// newsOf returns a comment on what a message changed.
func newsOf(a want, c change, in alert.Incident, loc *time.Location) string {
	p := page{loc: loc, left: commentLimit - 500}
	switch a {
	case tellEnd:
		p.line("Resolved: %s", in.Title)
		p.line("Nothing fires any more, as of %s.", p.time(in.Received))
	case tellAgain:
		p.line("Fires again: %s", in.Title)
	default:
		p.line("News: %s", in.Title)
	}
	p.list("Fires now", c.fresh)
	p.list("Ended", c.ended)
	if in.Omitted > 0 {
		p.line("The sender left out %d more alerts.", in.Omitted)
	}
	return clip(p.String(), commentLimit)
}

// umbrellaText returns title and description of the case that collects what goes beyond a desk's budget.
func umbrellaText(deskName string, b budget, g grade, loc *time.Location) (title, description string) {
	p := page{loc: loc, left: descriptionLimit}
	title = fmt.Sprintf("Alert storm: more than %d incidents for desk %s", b.limit, deskName)
	p.line("%s", title)
	p.line("")
	p.line("Since %s more incidents have begun than this desk's budget of %d cases allows until %s.", p.time(b.start), b.limit, p.time(b.until))
	p.line("Each further incident is listed in a comment on this case instead of opening one of its own.")
	if g.Why != "" {
		p.line("%s", gradeText(g))
	}
	p.line("")
	p.line("Opened by providerdesk.")
	return title, p.String()
}

// stormNotice tells people of a storm, and how to get what is held back.
func stormNotice(deskName string, b budget, loc *time.Location) string {
	p := page{loc: loc}
	p.line("Alert storm: desk %s has had its budget of %s since %s.", deskName, counted(b.limit, "case"), p.time(b.start))
	p.line("Until %s further incidents are held back and listed on one umbrella case.", p.time(b.until))
	p.line("Those that still fire get cases of their own by: providerdesk cases release --desk %s --by YOU", deskName)
	return p.String()
}

// heldText returns the comment that lists incidents on an umbrella case, and how many of them it has room for.
func heldText(all []incident, loc *time.Location) (body string, listed int) {
	p := page{loc: loc, left: commentLimit - 200}
	p.line("%d incidents:", len(all))
	for _, i := range all {
		row := fmt.Sprintf("- [%s] %s: %s, tenant %s, sender %s, as of %s", i.Severity, clip(i.Title, 120), i.Status, i.Tenant, i.Sender, p.time(i.Heard))
		if len(row) > p.left {
			break
		}
		p.line("%s", row)
		listed++
	}
	return strings.Replace(p.String(), fmt.Sprintf("%d incidents:", len(all)), fmt.Sprintf("%d incidents:", listed), 1), listed
}

// page writes a text for people, with an eye on its length.
type page struct {
	strings.Builder
	loc  *time.Location
	left int // bytes
}

func (p *page) line(format string, args ...any) {
	s := fmt.Sprintf(format, args...) + "\n"
	p.left -= len(s)
	p.WriteString(s)
}

// time writes a time with its zone and its distance from UTC: nobody at a desk should have to guess.
func (p *page) time(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	t = t.In(p.loc)
	if p.loc == time.UTC {
		return t.Format("2006-01-02 15:04:05 UTC")
	}
	return t.Format("2006-01-02 15:04:05 MST (UTC-07:00)")
}

// since returns the earliest beginning of what fires.
func (p *page) since(all []alert.Alert) string {
	var first time.Time
	for _, a := range firing(all) {
		if !a.Starts.IsZero() && (first.IsZero() || a.Starts.Before(first)) {
			first = a.Starts
		}
	}
	return p.time(first)
}

// list writes alerts, as many as there is room for.
func (p *page) list(head string, all []alert.Alert) {
	if len(all) == 0 {
		return
	}
	p.line("")
	p.line("%s (%d):", head, len(all))
	for n, a := range all {
		item := p.item(n+1, a)
		if len(item) > p.left {
			p.line("... and %d more", len(all)-n)
			return
		}
		p.left -= len(item)
		p.WriteString(item)
	}
}

func (p *page) item(n int, a alert.Alert) string {
	q := page{loc: p.loc}
	q.line("%d. %s [%s]%s", n, a.Name, a.Severity, prefixed(" on ", a.Resource))
	q.line("   since %s%s", p.time(a.Starts), p.until(a))
	q.some("   ", a.Summary)
	q.some("   condition: ", a.Condition)
	q.some("   observed: ", a.Observed)
	q.some("   threshold: ", a.Threshold)
	q.some("   labels: ", joined(a.Labels))
	for _, l := range a.Links {
		q.line("   %s: %s", l.Name, l.URL)
	}
	return q.String()
}

func (p *page) until(a alert.Alert) string {
	if a.Ends.IsZero() {
		return ""
	}
	return ", until " + p.time(a.Ends)
}

func (p *page) some(head, s string) {
	if s != "" {
		p.line("%s%s", head, clip(s, 1000))
	}
}

func (p *page) pairs(head string, m map[string]string) {
	if len(m) == 0 || p.left < 500 {
		return
	}
	p.line("")
	p.line("%s:", head)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if row := "  " + k + ": " + clip(m[k], 500); len(row) < p.left {
			p.line("%s", row)
		}
	}
}

func (p *page) links(all []alert.Link) {
	if len(all) == 0 || p.left < 500 {
		return
	}
	p.line("")
	p.line("Links:")
	for _, l := range all {
		if len(l.Name)+len(l.URL) < p.left {
			p.line("  %s: %s", l.Name, l.URL)
		}
	}
}

func firing(all []alert.Alert) (some []alert.Alert) {
	for _, a := range all {
		if a.Status == alert.Firing {
			some = append(some, a)
		}
	}
	return some
}

func joined(m map[string]string) string {
	all := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, k+"="+m[k])
	}
	return strings.Join(all, ", ")
}

func prefixed(head, s string) string {
	if s == "" {
		return ""
	}
	return head + s
}

// clip shortens s to at most n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
