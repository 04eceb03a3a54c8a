package follow

import (
	"context"
	"encoding/json"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// doubtful is how long a first message may be there without our knowing its thread: as long as the ledger tries.
const doubtful = 26 * time.Hour

// thread says which case a thread is about.
type thread struct {
	Case string `json:"case"`
}

func threadID(at chat.Place) string { return hashed(string(at.Platform), at.Space, at.Thread) }

func spaceID(at chat.Place) string { return hashed(string(at.Platform), at.Space) }

// ByThread returns the case that a thread is about: fault.Missing when there is none, fault.Transient while it is open whether a message of
// ours began that thread.
func (f *Follower) ByThread(ctx context.Context, at chat.Place) (Case, error) {
	id, err := f.caseOf(ctx, at)
	if fault.Is(err, fault.Missing) {
		if err := f.beginning(ctx, at); err != nil {
			return Case{}, err
		}
		id, err = f.caseOf(ctx, at) // it may have been noted between the two
	}
	if err != nil {
		return Case{}, err
	}
	return f.read(ctx, id)
}

func (f *Follower) caseOf(ctx context.Context, at chat.Place) (string, error) {
	d, err := f.DB.Get(ctx, store.Key{Collection: threadsIn, ID: threadID(at)})
	if err != nil {
		return "", err
	}
	var t thread
	err = json.Unmarshal(d.Data, &t)
	return t.Case, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
}

// beginning is fault.Transient while a first message in the room may be there without our knowing its thread.
func (f *Follower) beginning(ctx context.Context, at chat.Place) error {
	open, err := f.DB.Query(ctx, store.Query{Collection: rootsIn, State: spaceID(at), Limit: 100})
	if err != nil {
		return err
	}
	for _, d := range open {
		if f.Now().Before(d.Expire) {
			return fault.New(fault.Transient, "a thread is just being opened in this room")
		}
	}
	return nil
}

// bind notes which case the thread of a first message is about. It may be told twice.
func (f *Follower) bind(ctx context.Context, id, effect string, s chat.Sent) error {
	data, err := json.Marshal(thread{id})
	if err != nil {
		return fault.Wrap(fault.Bug, err, "encode a thread")
	}
	key := store.Key{Collection: threadsIn, ID: threadID(s.Place)}
	if _, err := f.DB.Commit(ctx, store.Create(store.Doc{Key: key, Data: data})); err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	return f.unbind(ctx, effect)
}

// unbind notes that nothing is open about a first message any more.
func (f *Follower) unbind(ctx context.Context, effect string) error {
	open, err := f.DB.Get(ctx, store.Key{Collection: rootsIn, ID: effect})
	if err == nil {
		_, err = f.DB.Commit(ctx, store.Delete(open.Key, open.Version))
	}
	if fault.Is(err, fault.Missing) || fault.Is(err, fault.Conflict) {
		return nil // somebody else has noted it
	}
	return err
}
