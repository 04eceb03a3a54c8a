package casewebhook

import (
	"context"

	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
)

// openFollower makes the part that follows cases and speaks in chats. When the configuration has rooms for alarms, notices go there.
func (f *Function) openFollower() (err error) {
	if f.spoken, err = say.Register(f.ledger, f.Rooms); err != nil {
		return err
	}
	f.follow, err = follow.New(follow.Deps{Config: f.Config, DB: f.DB, Ledger: f.ledger, Desks: f.Desks, Acts: f.kinds.Kinds, Rooms: f.Rooms, Say: f.spoken,
		Publisher: f.Publisher, Now: f.Now, Log: f.Log})
	if f.Notices == nil && len(f.Config.Chat.Alarms) > 0 {
		f.Notices = func(ctx context.Context, text, key string) []ledger.Intent { return f.follow.Alarms(ctx, key, text) }
	}
	return err
}

// Follower follows cases: for what people do in chats, and for an operator's tools.
func (f *Function) Follower() *follow.Follower { return f.follow }

// CaseUpdate handles one message of topic "support-events": an event of a desk, or the scheduler's tick. It returns an error only when a
// redelivery can heal it.
func (f *Function) CaseUpdate(ctx context.Context, e event.Envelope) error {
	return f.follow.CaseUpdate(ctx, e)
}

// tracked returns the intent to follow the case that an effect opens, none when there is nobody to follow it for. Without rooms of a route
// those of the desk hear of it.
func (f *Function) tracked(tenant, opening, deskName string, route []config.Room) ([]ledger.Intent, error) {
	rooms, ok := f.follow.Wants(deskName, route)
	if !ok {
		return nil, nil
	}
	in, err := f.follow.Track(tenant, opening, rooms)
	return []ledger.Intent{in}, err
}

// heard notes that a sender is alive. Its alert matters more than that.
func (f *Function) heard(ctx context.Context, sender string) {
	if err := f.follow.Heard(ctx, sender); err != nil {
		f.Log.WarnContext(ctx, "it is not noted that a sender was heard", "sender", sender, "error", err)
	}
}
