package casewebhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Collections owned by this package.
const (
	incidentsIn = "incidents"
	budgetsIn   = "budgets"
)

// States of an incident on an umbrella case; all others have none.
const (
	held   = "held"   // waits to be listed there
	onList = "listed" // is listed there, and fires
)

// How long things are remembered. The effect that opened a case is needed as long as its incident may have news; the incident itself must
// outlive that effect, because the two together say which occurrences have had their case.
const (
	keptCase = 400 * 24 * time.Hour
	kept     = keptCase + 24*time.Hour
)

// incident is what is known of an incident, as it is stored.
type incident struct {
	V          int             `json:"v"`
	Tenant     string          `json:"tenant"`
	Sender     string          `json:"sender"`
	Key        string          `json:"key"`
	Title      string          `json:"title"`
	Severity   alert.Severity  `json:"severity"`
	Desk       string          `json:"desk"`
	Episode    int             `json:"episode"`            // occurrences that wanted a case
	Case       string          `json:"case,omitempty"`     // effect that opens the case of this occurrence
	Umbrella   bool            `json:"umbrella,omitempty"` // Case is an umbrella
	Status     alert.Status    `json:"status"`
	ResolvedAt time.Time       `json:"resolvedAt,omitzero"`
	Heard      time.Time       `json:"heard"` // receipt of the latest message that said something new
	News       int             `json:"news"`  // comments so far, which names the next one
	Alerts     map[string]seen `json:"alerts"`

	Priority    string      `json:"priority,omitempty"`    // of its own case, as we last set it
	PrioritySet string      `json:"prioritySet,omitempty"` // effect that set it so; empty: the one that opened the case
	Theirs      bool        `json:"theirs,omitempty"`      // people have set another one, and we leave it alone
	Course      []turn      `json:"course,omitempty"`      // how it is to change if nothing more is heard
	Calms       []spell     `json:"calms,omitempty"`       // from when on there is less reason for it, and from when on no longer
	Turns       int         `json:"turns,omitempty"`       // changes so far, which names the next one
	Silent      bool        `json:"silent,omitempty"`      // its route wants no comments on news
	Draft       *desk.Draft `json:"draft,omitempty"`       // while it is on an umbrella case: the case that it would have

	id      string
	held    bool
	size    int           // bytes, as it was read
	version store.Version // "" before the first write
}

// seen is what is known of one alert.
type seen struct {
	Starts time.Time `json:"s,omitzero"`
	Ended  time.Time `json:"e,omitzero"` // zero while it fires
	Heard  time.Time `json:"h,omitzero"` // receipt of the message that says so
}

func (s seen) firing() bool { return s.Ended.IsZero() }

// incidentID names an incident. No two triples have one id: each part goes in with its length.
func incidentID(tenant, sender, key string) string {
	h := sha256.New()
	for _, s := range []string{tenant, sender, key} {
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// incidentOf reads what is known of the incident that a message is about.
func (f *Function) incidentOf(ctx context.Context, in alert.Incident) (incident, error) {
	id := incidentID(in.Tenant, in.Sender, in.Key)
	got, err := f.readIncident(ctx, id)
	if fault.Is(err, fault.Missing) {
		return incident{V: 1, Tenant: in.Tenant, Sender: in.Sender, Key: in.Key, id: id}, nil
	}
	return got, err
}

func (f *Function) readIncident(ctx context.Context, id string) (incident, error) {
	d, err := f.DB.Get(ctx, store.Key{Collection: incidentsIn, ID: id})
	if err != nil {
		return incident{}, err
	}
	return decodeIncident(d)
}

func decodeIncident(d store.Doc) (incident, error) {
	var i incident
	if err := json.Unmarshal(d.Data, &i); err != nil {
		return i, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	i.id, i.version, i.held, i.size = d.ID, d.Version, d.State == held, len(d.Data)
	return i, nil
}

// waits reports whether i fires and has no case of its own.
func (i incident) waits() bool { return i.Umbrella && i.Status == alert.Firing }

// write returns the write that stores i over what was read.
func (i incident) write() (store.Write, error) {
	data, err := json.Marshal(i)
	if err != nil {
		return store.Write{}, fault.Wrap(fault.Bug, err, "encode incident "+i.id)
	}
	d := store.Doc{Key: store.Key{Collection: incidentsIn, ID: i.id}, Data: data}
	switch {
	case i.held:
		d.State = held
	case i.waits():
		d.State = onList
	}
	if i.Status == alert.Resolved {
		d.Expire = i.ResolvedAt.Add(kept)
	}
	if len(i.Course) > 0 {
		d.Due = i.Course[0].At
	}
	if i.version == "" {
		return store.Create(d), nil
	}
	return store.Replace(d, i.version), nil
}

// budget counts the cases opened for a desk in one window: all of them, or those of one priority.
type budget struct {
	Cases    int    `json:"cases"`
	Umbrella string `json:"umbrella,omitempty"` // effect that opens the window's umbrella case

	limit   int // 0: none
	window  string
	id      string
	start   time.Time
	until   time.Time
	version store.Version
}

// spent reports whether no further case may be opened.
func (b budget) spent() bool { return b.limit > 0 && b.Cases >= b.limit }

// budgetOf reads the count of a desk's current window.
func (f *Function) budgetOf(ctx context.Context, name string, now time.Time) (budget, error) {
	c := f.Config.Desks[name].Budget
	if c.Cases == 0 {
		return budget{}, nil
	}
	return f.window(ctx, strings.ToLower(name), c, now)
}

// window reads the count of a current window.
func (f *Function) window(ctx context.Context, name string, c config.Budget, now time.Time) (budget, error) {
	start := now.UTC().Truncate(c.Per)
	b := budget{limit: c.Cases, window: start.Format(time.RFC3339), start: start, until: start.Add(c.Per)}
	b.id = name + "-" + strconv.FormatInt(start.Unix(), 10)
	d, err := f.DB.Get(ctx, store.Key{Collection: budgetsIn, ID: b.id})
	if fault.Is(err, fault.Missing) {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	b.version = d.Version
	return b, fault.Wrap(fault.Bug, json.Unmarshal(d.Data, &b), "decode "+d.Key.String())
}

func (b budget) write() (store.Write, error) {
	data, err := json.Marshal(b)
	if err != nil {
		return store.Write{}, fault.Wrap(fault.Bug, err, "encode budget "+b.id)
	}
	d := store.Doc{Key: store.Key{Collection: budgetsIn, ID: b.id}, Data: data, Expire: b.until.Add(kept)}
	if b.version == "" {
		return store.Create(d), nil
	}
	return store.Replace(d, b.version), nil
}
