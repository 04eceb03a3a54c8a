package act

import (
	"context"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Opening is a case to be opened.
type Opening struct {
	Desk  string     `json:"desk"`
	Draft desk.Draft `json:"draft"` // the description without the marker
}

// Opened is what later effects need of a case.
type Opened struct {
	Desk string `json:"desk"`
	Case string `json:"case"`
	URL  string `json:"url,omitempty"`
	Left string `json:"left,omitempty"` // why an ending left the case open
}

type openEffect struct {
	desks     Desks
	duplicate ledger.Kind[Twin, Opened]
}

func (e openEffect) Call(ctx context.Context, p Opening, t ledger.Token) (ledger.Act[Opened], error) {
	d, err := e.desks.Desk(p.Desk)
	if err != nil {
		return ledger.Act[Opened]{}, err
	}
	p.Draft.Description = Signed(p.Draft.Description, t)
	c, err := d.Open(ctx, p.Draft)
	return opened(p.Desk, c), err
}

func (e openEffect) Find(ctx context.Context, p Opening, t ledger.Token, thorough bool) ([]ledger.Act[Opened], error) {
	d, err := e.desks.Desk(p.Desk)
	if err != nil {
		return nil, err
	}
	cases, err := d.Find(ctx, t.Marker, thorough)
	acts := make([]ledger.Act[Opened], len(cases))
	for i, c := range cases {
		acts[i] = opened(p.Desk, c)
	}
	return acts, err
}

// Undo closes a second case of the same name, and says on it which one is kept.
func (e openEffect) Undo(_ Opening, kept, extra ledger.Act[Opened]) ([]ledger.Intent, error) {
	in, err := e.duplicate.Intent("", extra.ID, Twin{Desk: extra.Result.Desk, Case: extra.ID, Kept: kept.ID})
	return []ledger.Intent{in}, err
}
