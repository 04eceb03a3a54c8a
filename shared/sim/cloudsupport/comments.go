package cloudsupport

import (
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const maxComment = 12800 // characters

func (s *Server) createComment(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	body := rq.object.text("body")
	switch {
	case utf8.RuneCountInString(body) > maxComment:
		return nil, rest.Invalid("body", "The comment has more than %d characters.", maxComment)
	case d.State == stateClosed && !s.opts.CommentsOnClosed:
		return nil, closedCase()
	}
	c := d.caseRecord
	if c.State == stateAction || c.State == stateSolution {
		c.State = stateProgress // the customer has answered
	}
	c.Updated = tx.at
	return tx.comment(c, rq.caller, body).wire(c.name()), nil
}

// comment stages a comment and the case that it changes.
func (tx *tx) comment(c caseRecord, author actor, body string) commentRecord {
	r := commentRecord{Case: c.Number, ID: server.Digits(tx.next("comment"), 12), Body: body, Author: author, Created: tx.at}
	tx.change.Comments = append(tx.change.Comments, r)
	tx.put(c, "COMMENT_CREATED")
	return r
}

func (s *Server) getComment(tx *tx, rq *request) (any, error) {
	d, id, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	for _, c := range d.comments {
		if c.ID == id {
			return c.wire(d.name()), nil
		}
	}
	return nil, rest.NotFound()
}

func (s *Server) listComments(tx *tx, rq *request) (any, error) {
	d, _, err := tx.dossier(rq.param)
	if err != nil {
		return nil, err
	}
	l, err := s.listing(rq, d.name(), "")
	if err != nil {
		return nil, err
	}
	n := len(d.comments)
	list, next := rest.Page(l, n, func(i int) (string, wireComment, bool) {
		return rest.NewestFirst(n - i), d.comments[n-1-i].wire(d.name()), true
	})
	return struct {
		Comments []wireComment `json:"comments,omitempty"`
		Next     string        `json:"nextPageToken,omitempty"`
	}{list, next}, nil
}
