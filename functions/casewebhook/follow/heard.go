package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/logs"
	"github.com/providerdesk/providerdesk/shared/store"
)

// heardIn says when senders were last heard.
const heardIn = "heard"

// slack is the part of a heartbeat by which a sender is noted late: an instance notes it once in that time, not for every alert.
const slack = 10

// heard is when a sender was heard, to the tenth of its heartbeat.
type heard struct {
	At     time.Time `json:"at"`
	Silent bool      `json:"silent,omitempty"` // somebody was told
	Times  int       `json:"times,omitempty"`  // silences so far

	version store.Version
}

// Heard notes that a sender was heard. It costs nothing for senders without a heartbeat, and one write in a tenth of it for the others.
func (f *Follower) Heard(ctx context.Context, name string) error {
	s, ok := f.sender(name)
	if !ok || !f.nowAndThen("heard/"+name, s.Heartbeat/slack) {
		return nil
	}
	err := unlessConflict(f.hear(ctx, s))
	if err != nil {
		f.forget("heard/" + name)
	}
	return err
}

func (f *Follower) hear(ctx context.Context, s config.Sender) error {
	h, err := f.lastHeard(ctx, s.Name)
	if err != nil && !fault.Is(err, fault.Missing) {
		return err
	}
	var alarms []ledger.Intent
	now := f.Now().UTC()
	if h.Silent {
		alarms = f.Alarms(ctx, fmt.Sprintf("heartbeat/%s/%d/over", s.Name, h.Times), fmt.Sprintf("The sender %s is heard again, after %s.", s.Name, period(now.Sub(h.At))))
	}
	h.At, h.Silent = now, false
	return f.note(ctx, s, h, alarms)
}

// sender returns a sender that has a heartbeat.
func (f *Follower) sender(name string) (config.Sender, bool) {
	i := slices.IndexFunc(f.Config.Senders, func(s config.Sender) bool { return s.Name == name && s.Heartbeat > 0 })
	if i < 0 {
		return config.Sender{}, false
	}
	return f.Config.Senders[i], true
}

func (f *Follower) lastHeard(ctx context.Context, name string) (h heard, err error) {
	d, err := f.DB.Get(ctx, store.Key{Collection: heardIn, ID: name})
	if err != nil {
		return h, err
	}
	return decodeHeard(d)
}

func decodeHeard(d store.Doc) (h heard, err error) {
	err = json.Unmarshal(d.Data, &h)
	h.version = d.Version
	return h, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
}

// note stores when a sender was heard. It is due when it will be silent; of a silent one nothing is expected.
func (f *Follower) note(ctx context.Context, s config.Sender, h heard, alarms []ledger.Intent) error {
	data, err := json.Marshal(h)
	if err != nil {
		return fault.Wrap(fault.Bug, err, "encode a sender")
	}
	d := store.Doc{Key: store.Key{Collection: heardIn, ID: s.Name}, Data: data}
	if !h.Silent {
		d.Due = h.At.Add(s.Heartbeat + s.Heartbeat/slack)
	}
	w := store.Create(d)
	if h.version != "" {
		w = store.Replace(d, h.version)
	}
	_, err = f.Ledger.Do(ctx, []store.Write{w}, alarms...)
	return err
}

// silent raises an alarm for each sender that was not heard for its heartbeat. One that was never heard counts from the first tick.
func (f *Follower) silent(ctx context.Context) error {
	var errs []error
	for _, s := range f.Config.Senders {
		if s.Heartbeat > 0 && f.nowAndThen("expected/"+s.Name, 24*time.Hour) {
			err := f.expect(ctx, s)
			if err != nil {
				f.forget("expected/" + s.Name)
			}
			errs = append(errs, err)
		}
	}
	due, err := f.DB.Query(ctx, store.Query{Collection: heardIn, DueBy: f.Now(), Limit: 100})
	errs = append(errs, err)
	for _, d := range due {
		errs = append(errs, unlessConflict(f.missed(ctx, d)))
	}
	return errors.Join(errs...)
}

func (f *Follower) expect(ctx context.Context, s config.Sender) error {
	_, err := f.lastHeard(ctx, s.Name)
	if fault.Is(err, fault.Missing) {
		return unlessConflict(f.note(ctx, s, heard{At: f.Now().UTC()}, nil))
	}
	return err
}

func (f *Follower) missed(ctx context.Context, d store.Doc) error {
	s, ok := f.sender(d.ID)
	if !ok { // no longer configured
		_, err := f.DB.Commit(ctx, store.Delete(d.Key, d.Version))
		return err
	}
	h, err := decodeHeard(d)
	if err != nil {
		return err
	}
	if due := h.At.Add(s.Heartbeat + s.Heartbeat/slack); f.Now().Before(due) {
		return f.note(ctx, s, h, nil) // the heartbeat was made longer
	}
	h.Silent, h.Times = true, h.Times+1
	err = f.note(ctx, s, h, f.Alarms(ctx, fmt.Sprintf("heartbeat/%s/%d", s.Name, h.Times),
		fmt.Sprintf("Nothing was heard from the sender %s for %s.", s.Name, period(f.Now().Sub(h.At)))))
	if err == nil {
		f.Log.ErrorContext(ctx, "a sender is silent", logs.SenderSilent.Attr(), "sender", s.Name)
	}
	return err
}
