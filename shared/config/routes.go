package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/strict"
)

// Route says what is done with an incident. The first one whose When holds wins.
type Route struct {
	When           string // CEL over incident
	Desk           string
	Priority       string        // P0 to P4
	Raise          []Raise       // reasons for a higher one
	Lower          time.Duration // how long the reasons to raise must be gone before the priority is lowered again; zero: it never is
	Hours          *Hours        // nil: every hour is a business hour
	OneCasePer     string        // "group" (default) or "alert"
	Classification string        // overrides the desk's, as do the next three
	Subscribers    []string
	Language       string
	TimeZone       string // of the times in texts
	Test           bool   // its cases are test cases
	Title          string // text/template over the incident; default in casewebhook
	Description    string // likewise
	Updates        []string
	Refire         Refire
	Resolve        Resolve
	Rooms          []Room // where its cases are told; empty: the desk's
	Line           int    // where the route stands in the file
}

// Raise is a reason for a higher priority than the route's.
type Raise struct {
	To   string // P0 to P3, above the route's
	When string // CEL over incident, its age among them
	Line int
}

// Hours are business hours: outside of them a case has at most the priority Otherwise.
type Hours struct {
	TimeZone  string
	Days      []time.Weekday
	From, To  time.Duration // since midnight, by the clock on the wall
	Otherwise string
	Always    bool // but not one whose incident is critical
}

// Refire says what a new occurrence of a resolved incident does: within Within of the resolution Do, later a new case.
type Refire struct {
	Within       time.Duration // default 24h
	Do           string        // "comment" (default) or "new"
	WontFix      string        // "new" (default), "suppress" or "comment": if people have closed the case and said that they will not fix it
	WontFixWords []string      // how they say it
}

// Resolve says what the end of an incident does.
type Resolve struct {
	Do    string        // "comment" (default), "close" or "nothing"
	After time.Duration // quiet period before a close; default 10m
}

// The words of Route.Updates: what later messages may touch on a case.
const (
	UpdateComment  = "comment"  // news is commented
	UpdatePriority = "priority" // the priority is raised and lowered
)

// Priorities are the words for a priority, the highest first.
var Priorities = [...]string{"P0", "P1", "P2", "P3", "P4"}

// wontFixWords are how people say that a thing stays as it is, unless a route knows better.
var wontFixWords = [...]string{"won't fix", "wontfix", "as designed"}

func (r *reader) routes(v value, c *Config) {
	var last value
	ok := v.List(func(e value) {
		if n := len(c.Routes); n > 0 && c.Routes[n-1].When == "true" {
			e.Problem("is never reached: the route before it takes everything; move it up")
		}
		last = e
		c.Routes = append(c.Routes, r.route(e, c))
	})
	switch n := len(c.Routes); {
	case ok && n == 0:
		v.Problem("is empty; write at least one route")
	case n > 0 && c.Routes[n-1].When != "true":
		last.Problem(`is the last route and must take what no other took; write when: "true", or add such a route`)
	}
}

func (r *reader) route(v value, c *Config) Route {
	to := Route{OneCasePer: "group", Updates: []string{UpdateComment, UpdatePriority}, Resolve: Resolve{"comment", 10 * time.Minute}, Line: v.Line(),
		Refire: Refire{24 * time.Hour, "comment", "new", slices.Clone(wontFixWords[:])}}
	there := v.Mapping(fields{
		"when":           strict.Text(&to.When),
		"desk":           strict.Text(&to.Desk),
		"priority":       strict.OneOf(&to.Priority, Priorities[:]...),
		"raise":          func(v value) { raises(v, &to.Raise) },
		"lower":          func(v value) { lower(v, &to.Lower) },
		"hours":          func(v value) { to.Hours = hours(v) },
		"one_case_per":   strict.OneOf(&to.OneCasePer, "group", "alert"),
		"classification": strict.Text(&to.Classification),
		"subscribers":    strict.Texts(&to.Subscribers, email),
		"language":       strict.Text(&to.Language, language),
		"time_zone":      strict.Text(&to.TimeZone, timeZone),
		"test":           strict.Yes(&to.Test),
		"title":          strict.Text(&to.Title, rendersTitle),
		"description":    strict.Text(&to.Description, renders),
		"updates":        instead(&to.Updates, strict.Words(UpdateComment, UpdatePriority)),
		"refire":         func(v value) { r.refire(v, &to.Refire) },
		"resolve":        func(v value) { r.resolution(v, &to.Resolve) },
		"rooms":          rooms(&to.Rooms),
	}, "when", "desk", "priority")
	checkRails(v, to, there)
	r.Later(func() { checkDesk(c, to, there); roomsNeedChat(c, to.Rooms, there["rooms"]) })
	return to
}

// instead reads texts that take the place of the default.
func instead(dst *[]string, checks ...strict.Check) func(value) {
	return func(v value) { *dst = nil; strict.Texts(dst, checks...)(v) }
}

// checkRails sees that the rails of a priority make sense together.
func checkRails(v value, to Route, there map[string]value) {
	for i, one := range to.Raise {
		if to.Priority != "" && one.To >= to.Priority {
			v.Add(one.Line, fmt.Sprintf("%s[%d].to", there["raise"].Key(), i), "must be above the route's own priority, %s", to.Priority)
		}
	}
	if to.Lower > 0 && len(to.Raise) == 0 {
		there["lower"].Problem("has nothing to lower: the route raises no priority; write raise, or remove it")
	}
	if _, ok := there["updates"]; ok && to.Lower > 0 && !slices.Contains(to.Updates, UpdatePriority) {
		there["lower"].Problem("lowers nothing: updates does not name priority; add it there, or remove this")
	}
}

// checkDesk sees that the desk of a route is there, and has what the route wants of it.
func checkDesk(c *Config, r Route, there map[string]value) {
	d, ok := c.Desks[r.Desk]
	if r.Desk != "" && !ok {
		names := slices.Collect(maps.Keys(c.Desks))
		there["desk"].Problem("is not the name of a desk%s; write one of those under desks", strict.Suggest(r.Desk, names))
	}
	if r.Test && d.Kind == "hub" {
		there["test"].Problem("is not for desk %s: a desk of kind hub has no test cases, and its people would work on them; remove it", r.Desk)
	}
}

func raises(v value, all *[]Raise) {
	v.List(func(e value) {
		one := Raise{Line: e.Line()}
		e.Mapping(fields{
			"to":   strict.OneOf(&one.To, Priorities[:len(Priorities)-1]...),
			"when": strict.Text(&one.When),
		}, "to", "when")
		*all = append(*all, one)
	})
}

// lower reads the word never, or after how long.
func lower(v value, after *time.Duration) {
	if v.IsText() {
		strict.Text(new(string), never)(v)
		return
	}
	v.Mapping(fields{"after": strict.Duration(after, time.Minute, strict.Forever)}, "after")
}

func never(s string) string {
	if s == "never" {
		return ""
	}
	return "must be never, or {after: 30m} for example"
}

func hours(v value) *Hours {
	h := &Hours{Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}}
	there := v.Mapping(fields{
		"time_zone": strict.Text(&h.TimeZone, timeZone),
		"days":      func(v value) { h.Days = days(v) },
		"from":      clock(&h.From),
		"to":        clock(&h.To),
		"otherwise": strict.OneOf(&h.Otherwise, Priorities[:]...),
		"always":    strict.Yes(&h.Always),
	}, "time_zone", "from", "to", "otherwise")
	if to, ok := there["to"]; ok && h.To > 0 && h.From >= h.To {
		to.Problem("must be later than from, on the same day; midnight is 24:00")
	}
	return h
}

// weekdays are in the order of time.Weekday.
var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func days(v value) (all []time.Weekday) {
	var names []string
	strict.Texts(&names, strict.Words(weekdays[:]...))(v)
	for _, n := range names {
		all = append(all, time.Weekday(slices.Index(weekdays[:], n)))
	}
	if v.Empty() {
		v.Problem("is empty; write at least one day")
	}
	return all
}

var clockForm = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$`)

// clock reads a time of the day.
func clock(dst *time.Duration) func(value) {
	return func(v value) {
		var s string
		strict.Text(&s, form(clockForm, 5, `must be a time of the day such as "08:00"`))(v)
		if s != "" {
			*dst = number(s[:2])*time.Hour + number(s[3:])*time.Minute
		}
	}
}

// number reads digits.
func number(s string) time.Duration {
	n, _ := strconv.Atoi(s)
	return time.Duration(n)
}

func (r *reader) refire(v value, f *Refire) {
	v.Mapping(fields{
		"within":         strict.Duration(&f.Within, 0, strict.Forever),
		"do":             strict.OneOf(&f.Do, "comment", "new"),
		"wont_fix":       strict.OneOf(&f.WontFix, "new", "suppress", "comment"),
		"wont_fix_words": instead(&f.WontFixWords),
	})
}

func (r *reader) resolution(v value, f *Resolve) {
	v.Mapping(fields{
		"do":    strict.OneOf(&f.Do, "comment", "close", "nothing"),
		"after": strict.Duration(&f.After, 0, strict.Forever),
	})
}

// priorityCaps reads the caps of a desk. The lowest priority has none: there is no lower one for what goes beyond it.
func (r *reader) priorityCaps(v value) map[string]Budget {
	all := map[string]Budget{}
	v.Pairs(func(name string, line int, child value) {
		if !slices.Contains(Priorities[:len(Priorities)-1], name) {
			v.Add(line, child.Key(), "the key must be %s", strict.Alternatives(Priorities[:len(Priorities)-1]))
		}
		var b Budget
		r.budget(child, &b)
		all[name] = b
	})
	return all
}
