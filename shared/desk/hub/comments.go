package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	api "github.com/providerdesk/providerdesk/shared/hub"
)

// commentLimit is ours: the guide states none. It is what Google's desk takes, so that a text for the one goes to the other.
const commentLimit = 12800

// CommentLimit is 12,800 characters.
func (d *Desk) CommentLimit() int { return commentLimit }

// Comment adds details to a request, one send. An empty body and one of more than CommentLimit characters are fault.Invalid. Its name is made
// of its text: the same text said twice has one name.
func (d *Desk) Comment(ctx context.Context, name, body string) (desk.Comment, error) {
	id, err := d.id(name)
	if err != nil {
		return desk.Comment{}, err
	}
	if n := utf8.RuneCountInString(body); n > commentLimit || strings.TrimSpace(body) == "" {
		return desk.Comment{}, fault.New(fault.Invalid, "a comment has 1 to %d characters, not %d", commentLimit, n)
	}
	t, err := d.o.Client.ChangeTicket(ctx, d.o.Organization, id, api.TicketChange{Details: body})
	if err != nil {
		return desk.Comment{}, err
	}
	c := d.comment(t, body)
	c.Created = t.Updated
	return c, nil
}

// Comments are the additional details of a request, in the hub's order, which is that of writing.
func (d *Desk) Comments(ctx context.Context, name string) ([]desk.Comment, error) {
	t, err := d.read(ctx, name)
	if err != nil {
		return nil, err
	}
	all := make([]desk.Comment, len(t.AdditionalDetails))
	for i, body := range t.AdditionalDetails {
		all[i] = d.comment(t, body)
	}
	return all, nil
}

func (d *Desk) comment(t api.Ticket, body string) desk.Comment {
	sum := sha256.Sum256([]byte(strings.TrimSpace(body)))
	c := desk.Comment{Name: d.path + t.ID + "/details/" + hex.EncodeToString(sum[:8]), Body: body}
	if markerOf(body) != "" {
		c.Author = desk.Actor{Email: t.CreatedBy}
	}
	return c
}
