package act

import (
	"context"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Comment is a text to be said on a case. It has room for the marker within the desk's limit.
type Comment struct {
	Target
	Body string `json:"body"`
	By   string `json:"by,omitempty"` // the person behind it; the text names them too
}

// Said is a comment that was made.
type Said struct {
	Case string `json:"case"`
}

type commentEffect struct{ desks Desks }

func (e commentEffect) Call(ctx context.Context, p Comment, t ledger.Token) (ledger.Act[Said], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return ledger.Act[Said]{}, fault.Unsent(err)
	}
	c, err := d.Comment(ctx, at.Case, Signed(p.Body, t))
	return ledger.Act[Said]{ID: c.Name, Result: Said{at.Case}}, err
}

func (e commentEffect) Find(ctx context.Context, p Comment, t ledger.Token, _ bool) ([]ledger.Act[Said], error) {
	d, at, err := p.Of(e.desks, t)
	if err != nil {
		return nil, err
	}
	all, err := d.Comments(ctx, at.Case)
	var acts []ledger.Act[Said]
	for _, c := range all {
		if Carries(c.Body, t.Marker) {
			acts = append(acts, ledger.Act[Said]{ID: c.Name, Result: Said{at.Case}})
		}
	}
	return acts, err
}
