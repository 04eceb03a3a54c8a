package google

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/cloudsupport/v2"
	"google.golang.org/api/googleapi"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Google promises an id for six months after it is no longer listed; an hour is for the instance that lives long.
const classTTL = time.Hour

// classes close enough to a wrong name to be suggested.
const maxSuggested = 5

type classID struct {
	id    string
	until time.Time
}

// classification returns the id of a display name, and whether it was looked up just now.
// It asks for the name alone first; only when that finds nothing it reads the whole catalogue, to be sure and to suggest.
func (d *Desk) classification(ctx context.Context, name string) (id string, fresh bool, err error) {
	if name == "" {
		return "", false, fault.New(fault.Invalid, "the case has no classification, and the desk has no default")
	}
	if id := d.cached(name); id != "" {
		return id, false, nil
	}
	found, err := d.classes(ctx, narrow(name))
	if err == nil && !slices.ContainsFunc(found, named(name)) {
		found, err = d.classes(ctx, "")
	}
	if err != nil {
		return "", false, err
	}
	id, err = pick(found, name)
	if err == nil {
		d.cache(name, id)
	}
	return id, true, err
}

// narrow is the query for one name, or for everything if the name cannot be quoted.
func narrow(name string) string {
	if strings.ContainsAny(name, `"*\`) {
		return ""
	}
	return fmt.Sprintf(`display_name:"*%s*"`, name)
}

// classes calls caseClassifications.search, all pages.
func (d *Desk) classes(ctx context.Context, query string) ([]*cloudsupport.CaseClassification, error) {
	return gapi.Pages(ctx, "search classifications", func(ctx context.Context, token string) ([]*cloudsupport.CaseClassification, string, error) {
		r, err := d.api.CaseClassifications.Search().Query(query).PageSize(pageSize).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return r.CaseClassifications, r.NextPageToken, nil
	})
}

func named(name string) func(*cloudsupport.CaseClassification) bool {
	return func(c *cloudsupport.CaseClassification) bool { return c.DisplayName == name && c.Id != "" }
}

// pick returns the id of the one classification with that name.
func pick(found []*cloudsupport.CaseClassification, name string) (string, error) {
	id := ""
	for _, c := range found {
		switch {
		case !named(name)(c) || c.Id == id:
		case id != "":
			return "", fault.New(fault.Invalid, "the desk has several classifications of the same name; ask for a more specific one: %s", closest(found, name))
		default:
			id = c.Id
		}
	}
	if id == "" {
		return "", fault.New(fault.Invalid, "the desk has no classification of that name; the closest are: %s", closest(found, name))
	}
	return id, nil
}

// closest lists the names that share most with name.
func closest(found []*cloudsupport.CaseClassification, name string) string {
	var names []string
	for _, c := range found {
		if c.DisplayName != name {
			names = append(names, c.DisplayName)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	want := threes(name)
	likeness := func(s string) float64 {
		have, both := threes(s), 0
		for t := range have {
			if want[t] {
				both++
			}
		}
		return float64(2*both) / float64(len(have)+len(want)+1)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(likeness(b), likeness(a)) })
	quoted := []string{}
	for _, n := range names[:min(len(names), maxSuggested)] {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	return strings.Join(quoted, ", ")
}

// threes is the set of runs of three characters in s.
func threes(s string) map[string]bool {
	r := []rune(strings.ToLower(s))
	set := map[string]bool{}
	for i := range len(r) - 2 {
		set[string(r[i:i+3])] = true
	}
	return set
}

// classRefused reports whether a create was refused (400) for its classification. The API has no code for that, only the field's name in
// the text of its answer. A wrong guess costs one look-up: the refusal itself is definite.
func classRefused(err error) bool {
	var g *googleapi.Error
	return errors.As(err, &g) && g.Code == 400 && (fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict)) &&
		strings.Contains(strings.ToLower(g.Body), "classification")
}

func (d *Desk) cached(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.ids[name]; d.o.Now().Before(c.until) {
		return c.id
	}
	return ""
}

func (d *Desk) cache(name, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids[name] = classID{id, d.o.Now().Add(classTTL)}
}

func (d *Desk) forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.ids, name)
}
