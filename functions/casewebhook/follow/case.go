package follow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Collections owned by this package.
const (
	casesIn   = "cases"   // what is known of a case; Due: when it wants to be looked at
	threadsIn = "threads" // which case a thread is about
)

// Case is what is known of a case at a desk, as it is stored.
type Case struct {
	V         int           `json:"v"`
	Tenant    string        `json:"tenant,omitempty"`
	Desk      string        `json:"desk"`
	Name      string        `json:"name"` // the desk's resource name
	Title     string        `json:"title,omitempty"`
	URL       string        `json:"url,omitempty"`
	State     desk.State    `json:"state,omitempty"`
	Priority  desk.Priority `json:"priority,omitempty"`
	Escalated bool          `json:"escalated,omitempty"`
	Rooms     []chat.Place  `json:"rooms,omitempty"` // where it is told; without threads
	Spoken    []Spoken      `json:"spoken,omitempty"`
	Last      string        `json:"last,omitempty"` // effect of the last comment from a chat: the next one waits for it

	id      string
	due     time.Time
	version store.Version
}

// Spoken is a comment of ours that came from a chat: it is not told where it was said.
type Spoken struct {
	Marker string     `json:"m"`
	From   chat.Place `json:"f"`
}

// ID names the document of a case.
func ID(deskName, name string) string { return hashed(deskName, name) }

// ID of the document.
func (c Case) ID() string { return c.id }

// hashed makes an id of parts. No two lists have one id: each part goes in with its length.
func hashed(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Said returns the write that notes a comment which the effect will make: where it came from, and that later ones wait for it. Commit it
// with the intent. The case wants a look at once.
func (c Case) Said(marker, effect string, from chat.Place, now time.Time) (store.Write, error) {
	c.Spoken = append(c.Spoken[:len(c.Spoken):len(c.Spoken)], Spoken{marker, from})
	c.Last = effect
	return c.Wanting(now)
}

// Wanting returns the write that stores c, to be looked at soon.
func (c Case) Wanting(now time.Time) (store.Write, error) {
	c.due = now
	return c.write()
}

func (c Case) write() (store.Write, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return store.Write{}, fault.Wrap(fault.Bug, err, "encode case "+c.id)
	}
	d := store.Doc{Key: store.Key{Collection: casesIn, ID: c.id}, Data: data, Due: c.due}
	if c.version == "" {
		return store.Create(d), nil
	}
	return store.Replace(d, c.version), nil
}

// ByName returns what is known of a case, or fault.Missing when it is not followed.
func (f *Follower) ByName(ctx context.Context, deskName, name string) (Case, error) {
	return f.read(ctx, ID(deskName, name))
}

// ByThread returns the case that a thread is about: fault.Missing when there is none, fault.Transient while it is open whether a message of
// ours began that thread.
func (f *Follower) ByThread(ctx context.Context, at chat.Place) (Case, error) {
	d, err := f.DB.Get(ctx, store.Key{Collection: threadsIn, ID: threadID(at)})
	if err != nil {
		return Case{}, err
	}
	var t struct {
		Case string `json:"case"`
	}
	if err := json.Unmarshal(d.Data, &t); err != nil {
		return Case{}, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	return f.read(ctx, t.Case)
}

func threadID(at chat.Place) string { return hashed(string(at.Platform), at.Space, at.Thread) }

func (f *Follower) read(ctx context.Context, id string) (Case, error) {
	d, err := f.DB.Get(ctx, store.Key{Collection: casesIn, ID: id})
	if err != nil {
		return Case{}, err
	}
	return decodeCase(d)
}

func decodeCase(d store.Doc) (Case, error) {
	var c Case
	if err := json.Unmarshal(d.Data, &c); err != nil {
		return c, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	c.id, c.due, c.version = d.ID, d.Due, d.Version
	return c, nil
}
