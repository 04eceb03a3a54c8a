package say

import (
	"context"
	"encoding/json"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Editing is what a message that was posted should show from now on. The effect follows the one that posted it.
type Editing struct {
	Marker string    `json:"marker"` // of the posting, so that the message is still found
	Post   chat.Post `json:"post"`
}

// Edited is a message that was changed.
type Edited struct {
	Name string `json:"name"`
}

// EditKind is the effect chat.edit.
type EditKind = ledger.Kind[Editing, Edited]

// RegisterEdit makes chat.edit known to a ledger. To show the same again does no harm, so nothing is looked for after a doubt.
func RegisterEdit(l *ledger.Ledger, rooms Rooms) (EditKind, error) {
	return ledger.Register(l, ledger.Spec{Kind: "chat.edit", Class: ledger.Keyed}, ledger.Effect[Editing, Edited](editEffect{rooms}))
}

type editEffect struct{ rooms Rooms }

func (e editEffect) Call(ctx context.Context, p Editing, t ledger.Token) (ledger.Act[Edited], error) {
	var sent chat.Sent
	if t.After == nil || json.Unmarshal(t.After.Result, &sent) != nil {
		return ledger.Act[Edited]{}, fault.New(fault.Invalid, "the effect follows no message to change")
	}
	room, err := e.rooms.Room(sent.Place.Platform)
	if err != nil {
		return ledger.Act[Edited]{}, fault.Unsent(err)
	}
	return ledger.Act[Edited]{ID: sent.Name, Result: Edited{sent.Name}}, room.Edit(ctx, sent, p.Post, p.Marker)
}

func (e editEffect) Find(context.Context, Editing, ledger.Token, bool) ([]ledger.Act[Edited], error) {
	return nil, nil
}
