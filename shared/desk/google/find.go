package google

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/api/cloudsupport/v2"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

var markerForm = regexp.MustCompile(`^[A-Za-z0-9]{1,128}$`)

// Find calls cases.search for the quoted marker, all pages; thorough also walks cases.list, narrowed to our account if it is known. Both
// must succeed. Kept are cases whose description holds the marker as a word of its own, directly under our parent, not created by
// another account. A marker is one word of letters and digits, anything else fault.Invalid.
func (d *Desk) Find(ctx context.Context, marker string, thorough bool) ([]desk.Case, error) {
	if !markerForm.MatchString(marker) {
		return nil, fault.New(fault.Invalid, "a marker is one word of letters and digits")
	}
	found, err := d.search(ctx, `"`+marker+`"`)
	if err != nil {
		return nil, err
	}
	if thorough {
		listed, err := d.list(ctx, d.mine())
		if err != nil {
			return nil, err
		}
		found = append(found, listed...)
	}
	kept := slices.DeleteFunc(found, func(c desk.Case) bool {
		return !holds(c.Description, marker) || !d.ours(c.Name) || d.foreign(c.Creator)
	})
	return ordered(kept), nil
}

// holds reports whether text holds marker with no letter or digit beside it.
func holds(text, marker string) bool {
	return regexp.MustCompile(`(^|[^A-Za-z0-9])` + marker + `([^A-Za-z0-9]|$)`).MatchString(text)
}

// foreign reports whether another account than ours created a case, as far as both are known.
func (d *Desk) foreign(a desk.Actor) bool {
	return d.o.Account != "" && a.Email != "" && !strings.EqualFold(a.Email, d.o.Account)
}

// ordered drops repetitions, and sorts by the time of creation, then by name.
func ordered(cases []desk.Case) []desk.Case {
	slices.SortFunc(cases, func(a, b desk.Case) int { return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Name, b.Name)) })
	return slices.CompactFunc(cases, func(a, b desk.Case) bool { return a.Name == b.Name })
}

// search calls cases.search, all pages.
func (d *Desk) search(ctx context.Context, query string) ([]desk.Case, error) {
	return d.all(ctx, "search cases", func(ctx context.Context, token string) ([]*cloudsupport.Case, string, error) {
		r, err := d.api.Cases.Search(d.o.Parent).Query(query).PageSize(pageSize).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return r.Cases, r.NextPageToken, nil
	})
}

// list calls cases.list, all pages. It lists direct children only, so it teaches the parent's number.
func (d *Desk) list(ctx context.Context, filter string) ([]desk.Case, error) {
	found, err := d.all(ctx, "list cases", func(ctx context.Context, token string) ([]*cloudsupport.Case, string, error) {
		r, err := d.api.Cases.List(d.o.Parent).Filter(filter).PageSize(pageSize).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return r.Cases, r.NextPageToken, nil
	})
	if len(found) > 0 {
		d.learn(parentOf(found[0].Name))
	}
	return found, err
}

func (d *Desk) all(ctx context.Context, doing string, fetch func(context.Context, string) ([]*cloudsupport.Case, string, error)) ([]desk.Case, error) {
	found, err := gapi.Pages(ctx, doing, fetch)
	if err != nil {
		return nil, err
	}
	out := make([]desk.Case, 0, len(found))
	for _, c := range found {
		k, err := d.caseOf(c, doing)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// mine is the filter for the cases of our account, empty if it is unknown.
func (d *Desk) mine() string {
	if d.o.Account == "" {
		return ""
	}
	return fmt.Sprintf(`creator.email=%q`, d.o.Account)
}
