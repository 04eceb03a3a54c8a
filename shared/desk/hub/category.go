package hub

import (
	"context"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	api "github.com/providerdesk/providerdesk/shared/hub"
)

const (
	categoryTTL  = time.Hour
	maxSuggested = 10
	separator    = " > "
)

// place is where a request is filed, by the hub's ids.
type place struct{ category, issue string }

func (p place) String() string { return p.category + separator + p.issue }

// category is a place with its names.
type category struct {
	place
	name, issue string
}

// named reports whether a classification means this one. Case and spaces do not count.
func (c category) named(class string) bool {
	if above, below, ok := strings.Cut(class, separator); ok {
		return (alike(above, c.category) || alike(above, c.name)) && c.issued(below)
	}
	return c.issued(class)
}

func (c category) issued(name string) bool { return alike(name, c.place.issue) || alike(name, c.issue) }

func alike(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// category returns the place of a classification, and whether the categories were looked up just now.
func (d *Desk) category(ctx context.Context, class string) (at place, fresh bool, err error) {
	all, fresh, err := d.known(ctx)
	if err != nil {
		return place{}, fresh, err
	}
	at, err = pick(all, class)
	if err == nil || fresh {
		return at, fresh, err
	}
	d.forget() // it may be newer than what is kept
	if all, _, err = d.known(ctx); err != nil {
		return place{}, true, err
	}
	at, err = pick(all, class)
	return at, true, err
}

// pick returns the only place that a classification means; without one the first technical place, or the first.
func pick(all []category, class string) (place, error) {
	var found []place
	for _, c := range all {
		if class == "" && strings.HasPrefix(strings.ToLower(c.category), "technical") || class != "" && c.named(class) {
			found = append(found, c.place)
		}
	}
	switch {
	case len(all) == 0:
		return place{}, fault.New(fault.Invalid, "the hub has no categories of support requests for this organization")
	case class == "" && len(found) == 0:
		return all[0].place, nil
	case class == "" || len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return place{}, fault.New(fault.Invalid, "the hub has several categories of this name; ask for one of: %s", suggested(found))
	}
	return place{}, fault.New(fault.Invalid, "the hub has no category of this name; it has: %s", suggested(places(all)))
}

func places(all []category) (out []place) {
	for _, c := range all {
		out = append(out, c.place)
	}
	return out
}

func suggested(all []place) string {
	var names []string
	for _, p := range all[:min(len(all), maxSuggested)] {
		names = append(names, `"`+p.String()+`"`)
	}
	return strings.Join(names, ", ")
}

// known returns the categories, kept or looked up. Two callers may look at the same time: it is a read.
func (d *Desk) known(ctx context.Context) (all []category, fresh bool, err error) {
	if all := d.kept(); all != nil {
		return all, false, nil
	}
	found, err := d.o.Client.Metadata(ctx, d.o.Organization, "")
	if err != nil {
		return nil, true, err
	}
	all = flat(found)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.categories, d.until = all, d.o.Now().Add(categoryTTL)
	return all, true, nil
}

// flat lists every issue with its category. A category without issues is taken for its own: the guide does not show their form.
func flat(found []api.Category) (all []category) {
	for _, c := range found {
		issues := c.Issues
		if len(issues) == 0 {
			issues = []api.Category{c}
		}
		for _, i := range issues {
			all = append(all, category{place{c.ID, i.ID}, c.Name, i.Name})
		}
	}
	return all
}

func (d *Desk) kept() []category {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.o.Now().Before(d.until) {
		return d.categories
	}
	return nil
}

func (d *Desk) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.categories, d.until = nil, time.Time{}
}
