package follow

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/say"
	"github.com/providerdesk/providerdesk/shared/store"
)

// alarmsIn holds what is wrong, so that it is told once.
const alarmsIn = "alarms"

// Alarms tells the operator something: in the log at once, and by the intents, which are to be recorded with what makes it known, in the rooms
// for alarms and on topic "case-activity". The key names the occasion: with another text it is another occasion.
func (f *Follower) Alarms(ctx context.Context, key, text string) []ledger.Intent {
	f.Log.ErrorContext(ctx, "alarm", "alarm", key, "text", text)
	business := "alarm/" + hashed(key, text)
	var all []ledger.Intent
	add := func(in ledger.Intent, err error) {
		if err != nil {
			f.Log.ErrorContext(ctx, "an alarm cannot be told", "alarm", key, "error", err)
			return
		}
		all = append(all, in.Because("alarm: "+key))
	}
	for _, at := range Places(f.Config.Chat.Alarms) {
		room, err := f.Rooms.Room(at.Platform)
		if err != nil {
			add(ledger.Intent{}, err)
			continue
		}
		for i, page := range room.Pages(chat.Post{Title: "providerdesk needs attention", Body: text}) {
			add(f.Say.Intent("", fmt.Sprintf("%s/%s/%s/%d", business, at.Platform, short(at.Space), i), say.Saying{At: at, Post: page}))
		}
	}
	a := Activity{Type: TypeAlarm, Detail: Detail{Text: text}, At: f.Now().UTC()}.fit()
	add(f.kinds.activity.Intent("", business, a))
	return all
}

// condition is whether something is wrong.
type condition struct {
	Wrong bool      `json:"wrong"`
	Times int       `json:"times"`
	Since time.Time `json:"since"`
}

// condition notes whether something is wrong, and tells when that changes, which is reported. What was never wrong costs a read.
func (f *Follower) condition(ctx context.Context, what string, wrong bool, text string) (changed bool, err error) {
	doc := store.Doc{Key: store.Key{Collection: alarmsIn, ID: what}}
	var c condition
	old, err := f.DB.Get(ctx, doc.Key)
	switch {
	case fault.Is(err, fault.Missing):
	case err != nil:
		return false, err
	default:
		if err := json.Unmarshal(old.Data, &c); err != nil {
			return false, fault.Wrap(fault.Bug, err, "decode "+doc.Key.String())
		}
	}
	if c.Wrong == wrong {
		return false, nil
	}
	c = condition{wrong, c.Times + 1, f.Now().UTC()}
	if doc.Data, err = json.Marshal(c); err != nil {
		return false, fault.Wrap(fault.Bug, err, "encode an alarm")
	}
	w := store.Create(doc)
	if old.Version != "" {
		w = store.Replace(doc, old.Version)
	}
	_, err = f.Ledger.Do(ctx, []store.Write{w}, f.Alarms(ctx, fmt.Sprintf("%s/%d", what, c.Times), text)...)
	return err == nil, unlessConflict(err)
}

// unlessConflict forgives a commit that somebody else was quicker with: they have told it.
func unlessConflict(err error) error {
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
