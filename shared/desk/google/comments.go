package google

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/api/cloudsupport/v2"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// CommentLimit is 12,800 characters, as published.
func (d *Desk) CommentLimit() int { return commentLimit }

// Comment calls cases.comments.create, one send. An empty body and one of more than CommentLimit characters are fault.Invalid.
func (d *Desk) Comment(ctx context.Context, name, body string) (desk.Comment, error) {
	const doing = "comment on a case"
	if err := check(caseForm, name, "a case"); err != nil {
		return desk.Comment{}, err
	}
	if n := utf8.RuneCountInString(body); n > commentLimit || strings.TrimSpace(body) == "" {
		return desk.Comment{}, fault.New(fault.Invalid, "a comment has 1 to %d characters, not %d", commentLimit, n)
	}
	var c *cloudsupport.Comment
	err := gapi.Do(ctx, doing, func(ctx context.Context) (err error) {
		c, err = d.api.Cases.Comments.Create(name, &cloudsupport.Comment{Body: body}).Context(ctx).Do()
		return err
	})
	if err != nil {
		return desk.Comment{}, err
	}
	return commentOf(c, doing)
}

// Comments calls cases.comments.list, all pages, and sorts: the API does not say in which order it lists.
func (d *Desk) Comments(ctx context.Context, name string) ([]desk.Comment, error) {
	const doing = "list comments"
	if err := check(caseForm, name, "a case"); err != nil {
		return nil, err
	}
	found, err := gapi.Pages(ctx, doing, func(ctx context.Context, token string) ([]*cloudsupport.Comment, string, error) {
		r, err := d.api.Cases.Comments.List(name).PageSize(pageSize).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return r.Comments, r.NextPageToken, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]desk.Comment, 0, len(found))
	for _, c := range found {
		k, err := commentOf(c, doing)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	slices.SortStableFunc(out, func(a, b desk.Comment) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

func commentOf(c *cloudsupport.Comment, doing string) (desk.Comment, error) {
	if c == nil || !strings.Contains(c.Name, "/comments/") {
		return desk.Comment{}, unreadable("comment", doing)
	}
	return desk.Comment{Name: c.Name, Body: c.Body, Author: actor(c.Creator), Created: moment(c.CreateTime)}, nil
}
