package casewebhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Explained is what would become of an incident of which nothing is known yet, and why. Budgets and caps are not asked.
type Explained struct {
	Key      string         `json:"key"`
	Title    string         `json:"title"`
	Tenant   string         `json:"tenant"`
	Sender   string         `json:"sender"`
	Source   string         `json:"source"`
	Severity alert.Severity `json:"severity"`
	Status   alert.Status   `json:"status"`
	Passed   []Tried        `json:"passed,omitempty"` // the routes before the one that takes it
	Route    Tried          `json:"route"`            // the one that takes it
	Reason   string         `json:"reason"`           // what is decided, in words
	Priority string         `json:"priority,omitempty"`
	Why      string         `json:"why,omitempty"`   // it is not simply the route's
	Later    []turn         `json:"later,omitempty"` // how it changes if nothing more is heard
	Desk     string         `json:"desk,omitempty"`
	Case     *desk.Draft    `json:"case,omitempty"` // that is filed; nil: none
	Problem  string         `json:"problem,omitempty"`
}

// Tried is a route and what its condition saw.
type Tried struct {
	Line int    `json:"line"`
	When string `json:"when"`
	Saw  string `json:"saw,omitempty"`
}

// Explain says what a notification of a sender would do at a time. It reads and writes nothing.
func Explain(c *config.Config, s config.Sender, m alert.Message, now time.Time) ([]Explained, error) {
	routes, err := newRouter(c)
	if err != nil {
		return nil, err
	}
	incidents, err := decodeAs(sender{Sender: s}, m)
	if err != nil {
		return nil, err
	}
	all := []Explained{}
	for _, in := range incidents {
		in.Received = now.UTC()
		some, err := routes.explain(c, in, false)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// explain follows an incident as Function.file does.
func (r *router) explain(c *config.Config, in alert.Incident, alone bool) (all []Explained, err error) {
	one, err := r.match(in)
	if err != nil {
		return nil, err
	}
	parts := []alert.Incident{in}
	if one.OneCasePer == "alert" && !alone {
		parts = alert.Split(in)
	}
	if len(parts) > 1 {
		for _, part := range parts {
			some, err := r.explain(c, part, true)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	}
	if one, err = r.match(parts[0]); err != nil {
		return nil, err
	}
	return []Explained{r.filed(c, parts[0], one)}, nil
}

// filed is what would become of an incident on its route.
func (r *router) filed(c *config.Config, in alert.Incident, one route) Explained {
	e := Explained{Key: in.Key, Title: in.Title, Tenant: in.Tenant, Sender: in.Sender, Source: in.Source, Severity: in.Severity, Status: in.Status}
	vars := variables(in)
	for _, before := range r.routes {
		if before.Line == one.Line && before.When == one.When {
			break
		}
		e.Passed = append(e.Passed, before.tried(vars))
	}
	e.Route = one.tried(vars)
	p := decide(incident{}, in, one, facts{now: in.Received})
	e.Reason = p.Reason
	if !p.opens(openCase) {
		return e
	}
	e.Priority, e.Why, e.Later, e.Desk = p.Grade.Priority, p.Grade.Why, p.Next.Course, one.Desk
	title, description, err := textsOf(one, in, p.Grade, "", locationOf(c.Desks[one.Desk], one.Route))
	if err != nil {
		e.Problem = "a template fails, so the default text is used: " + err.Error()
	}
	d := draftOf(c.Desks[one.Desk], one.Route, title, description, e.Priority)
	e.Case = &d
	return e
}

// tried says what a route's condition saw of an incident.
func (r route) tried(vars map[string]any) Tried {
	t := Tried{Line: r.Line, When: r.When}
	if _, _, err := r.when.Eval(vars); err != nil {
		t.Saw = "cannot be evaluated: " + clip(err.Error(), 200) + "; "
	}
	var saw []string
	for _, name := range r.uses {
		saw = append(saw, name+" is "+clip(worded(vars[name]), 200))
	}
	t.Saw += strings.Join(saw, ", ")
	t.Saw = strings.TrimSuffix(t.Saw, "; ")
	return t
}

// worded writes a field's value as a condition would.
func worded(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []string:
		return fmt.Sprintf("%q", v)
	case map[string]string:
		pairs := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, fmt.Sprintf("%q: %q", k, v[k]))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// Recognise returns the only sender that a notification can be from: one whose source reads it.
func Recognise(all []config.Sender, m alert.Message) (config.Sender, error) {
	var found []config.Sender
	for _, s := range all {
		if incidents, err := decodeAs(sender{Sender: s}, m); err == nil && own(incidents, s) {
			found = append(found, s)
		}
	}
	if exact := slices.DeleteFunc(slices.Clone(found), func(s config.Sender) bool { return s.Source == alert.SourceAny }); len(exact) > 0 {
		found = exact
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return config.Sender{}, fault.New(fault.Invalid, "no sender of the configuration sends what is in the file; name one to see why its decoder refuses it")
	}
	names := make([]string, len(found))
	for i, s := range found {
		names[i] = s.Name
	}
	return config.Sender{}, fault.New(fault.Invalid, "several senders send this: name one of %s", strings.Join(names, ", "))
}

// own reports whether incidents are of a sender's own source. What reads any source claims none that another sender of the same kind has.
func own(incidents []alert.Incident, s config.Sender) bool {
	return s.Source == alert.SourceAny || slices.ContainsFunc(incidents, func(in alert.Incident) bool { return in.Source == s.Source })
}
