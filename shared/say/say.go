// Package say is what is said in chats, each thing once: the ledger's effect chat.post, whose business name says what is said, to whom and
// why. A room is told the marker of the effect, so a message whose acknowledgement was lost is found again and not said twice.
//
// Not promised: that a room still exists. What a platform refuses for good ends FAILED, and what waits for it is parked.
package say

import (
	"context"
	"encoding/json"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Rooms are the configured chat platforms.
type Rooms map[chat.Platform]chat.Room

// Room returns a platform's sending side.
func (r Rooms) Room(p chat.Platform) (chat.Room, error) {
	room, ok := r[p]
	if !ok {
		return nil, fault.Unsent(fault.New(fault.Transient, "no chat platform %q is configured here", p))
	}
	return room, nil
}

// Saying is a message to be posted. It fits the platform: see chat.Room.Pages.
type Saying struct {
	At   chat.Place `json:"at"` // without a thread, and after another saying: in the thread of that one
	Post chat.Post  `json:"post"`
}

// Kind is the effect of this package.
type Kind = ledger.Kind[Saying, chat.Sent]

// Register makes it known to a ledger.
func Register(l *ledger.Ledger, rooms Rooms) (Kind, error) {
	return ledger.Register(l, ledger.Spec{Kind: "chat.post", Class: ledger.Marked}, ledger.Effect[Saying, chat.Sent](effect{rooms}))
}

// Back is how far back a message is searched for. No call is in doubt for longer before a person is asked.
const Back = 72 * time.Hour

type effect struct{ rooms Rooms }

func (e effect) Call(ctx context.Context, p Saying, t ledger.Token) (ledger.Act[chat.Sent], error) {
	room, at, err := e.at(p, t)
	if err != nil {
		return ledger.Act[chat.Sent]{}, fault.Unsent(err)
	}
	s, err := room.Post(ctx, at, p.Post, t.Marker)
	return Act(s), err
}

func (e effect) Find(ctx context.Context, p Saying, t ledger.Token, _ bool) ([]ledger.Act[chat.Sent], error) {
	room, at, err := e.at(p, t)
	if err != nil {
		return nil, err
	}
	found, err := room.Find(ctx, at, t.Marker, t.Deadline.Add(-Back))
	return Acts(found), err
}

// at returns where a saying belongs.
func (e effect) at(p Saying, t ledger.Token) (chat.Room, chat.Place, error) {
	room, err := e.rooms.Room(p.At.Platform)
	if err != nil || p.At.Thread != "" || t.After == nil {
		return room, p.At, err
	}
	var before chat.Sent
	if err := json.Unmarshal(t.After.Result, &before); err != nil {
		return nil, p.At, fault.Wrap(fault.Invalid, err, "read where it was said before")
	}
	if before.Place.Space == p.At.Space && before.Place.Platform == p.At.Platform {
		p.At.Thread = before.Place.Thread
	}
	return room, p.At, nil
}

// Act is a message that is there, as an effect's result.
func Act(s chat.Sent) ledger.Act[chat.Sent] { return ledger.Act[chat.Sent]{ID: s.Name, Result: s} }

// Acts are several.
func Acts(all []chat.Sent) []ledger.Act[chat.Sent] {
	acts := make([]ledger.Act[chat.Sent], len(all))
	for i, s := range all {
		acts[i] = Act(s)
	}
	return acts
}
