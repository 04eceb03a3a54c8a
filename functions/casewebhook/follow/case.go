package follow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
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
	rootsIn   = "roots"   // first messages whose thread is not known yet
)

// kept is how long a closed case is remembered.
const kept = 400 * 24 * time.Hour

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

	Begun    bool      `json:"begun,omitempty"` // it has been looked at
	Since    time.Time `json:"since,omitzero"`  // at the first look: what is older is not told
	Account  string    `json:"account,omitempty"`
	Comments []string  `json:"comments,omitempty"` // known ones, by id
	Files    []string  `json:"files,omitempty"`
	Rev      int       `json:"rev"` // of what is shown
	Told     []told    `json:"told,omitempty"`
	Clock    clock     `json:"clock"`
	Final    bool      `json:"final,omitempty"` // it is closed and had its last look
	Fails    int       `json:"fails,omitempty"` // looks in a row that failed, or found something in a queue

	id      string
	due     time.Time
	version store.Version
}

// Spoken is a comment of ours that came from a chat: it is not told where it was said.
type Spoken struct {
	Marker string     `json:"m"`
	From   chat.Place `json:"f"`
}

// told is how far a room has been told.
type told struct {
	Place chat.Place `json:"p"`
	Root  string     `json:"r"`           // effect that begins the thread
	Sent  *chat.Sent `json:"s,omitempty"` // that message, once it is known to be there
	Queue []string   `json:"q,omitempty"` // effects that are not known to be done, in order
	Stuck bool       `json:"k,omitempty"` // the first of them waits for a person, who was told
}

// clock holds the times that the watch decides on.
type clock struct {
	Asked    time.Time `json:"asked,omitzero"`    // the opening, or the last comment of our people
	Answered time.Time `json:"answered,omitzero"` // the last comment of the desk's people
	By       string    `json:"by,omitempty"`      // who answered
	Spoke    time.Time `json:"spoke,omitzero"`    // the last comment of anybody
	State    time.Time `json:"state,omitzero"`    // since when it is in its state
	Wait     string    `json:"wait,omitempty"`    // what is waited for, and since when
	Acted    time.Time `json:"acted,omitzero"`    // when this wait was reminded of, or ended by a closing
	Proposed bool      `json:"proposed,omitempty"`
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
	if c.Final {
		d.Expire = c.Clock.State.Add(kept)
	}
	if c.version == "" {
		return store.Create(d), nil
	}
	return store.Replace(d, c.version), nil
}

// ByName returns what is known of a case, or fault.Missing when it is not followed.
func (f *Follower) ByName(ctx context.Context, deskName, name string) (Case, error) {
	return f.read(ctx, ID(deskName, name))
}

// ByID returns what is known of the case that a button of ours is about, or fault.Missing.
func (f *Follower) ByID(ctx context.Context, id string) (Case, error) { return f.read(ctx, id) }

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

// toldAt returns how far a room has been told, nil when it was told nothing.
func (c *Case) toldAt(at chat.Place) *told {
	i := slices.IndexFunc(c.Told, func(t told) bool { return t.Place == at })
	if i < 0 {
		return nil
	}
	return &c.Told[i]
}

// queued reports whether something is on its way to a room, and no person has to decide on it first.
func (c Case) queued() bool {
	return slices.ContainsFunc(c.Told, func(t told) bool { return len(t.Queue) > 0 && !t.Stuck })
}

// leave takes a room out of the case. Should it come back, its thread is a new one.
func (c *Case) leave(at chat.Place) {
	c.Rev++
	c.Rooms = slices.DeleteFunc(slices.Clone(c.Rooms), func(p chat.Place) bool { return p == at })
	c.Told = slices.DeleteFunc(slices.Clone(c.Told), func(t told) bool { return t.Place == at })
}
