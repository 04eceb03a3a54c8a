package commands

import (
	"encoding/json"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// auditIn is the collection of who did what. Nothing in it is ever changed.
const auditIn = "audit"

// Entry is one line of the audit.
type Entry struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Order   string    `json:"order"`
	Who     string    `json:"who,omitempty"` // empty: nobody the configuration knows, see Person
	Person  string    `json:"person,omitempty"`
	Via     string    `json:"via,omitempty"`
	Second  string    `json:"second,omitempty"` // who approved
	What    string    `json:"what,omitempty"`
	Desk    string    `json:"desk,omitempty"`
	Case    string    `json:"case,omitempty"`
	Effects []string  `json:"effects,omitempty"`
	Opens   int       `json:"opens,omitempty"` // cases that this opens, whatever the desk's budget for alerts is
	Reason  string    `json:"reason"`          // why it was decided so, or what came of it
}

// stamp makes ids that sort by time.
const stamp = "20060102T150405.000000Z"

func entryID(at time.Time, order, what string) string {
	return at.UTC().Format(stamp) + "-" + order[:min(len(order), 24)] + "-" + what
}

// asked is the entry of an act and what was decided on it.
func asked(in input, p plan, effects []string, now time.Time) Entry {
	e := Entry{ID: entryID(now, in.order, "asked"), At: now, Order: in.order, Who: in.who.Name, Person: in.who.ID, Via: in.who.Via, What: in.cmd.short(),
		Desk: p.Desk, Case: p.Case, Effects: effects, Reason: p.Reason}
	if j := p.Job; j != nil {
		e.Desk, e.Case, e.Second, e.What = j.Target.Desk, j.Target.Name, j.Second, j.Cmd.short()
		if j.Cmd.Verb == Create {
			e.Opens = 1
		}
	} else if a := p.Ask; a != nil {
		e.Desk, e.Case = a.Job.Target.Desk, a.Job.Target.Name
	}
	return e
}

// concluded is the entry of an order's outcome.
func concluded(o order, out outcome, now time.Time) Entry {
	return Entry{ID: entryID(now, o.id, "ended"), At: now, Order: o.id, Who: o.Who, Via: o.Via, What: o.What, Desk: o.Job.Target.Desk, Case: out.name,
		Effects: o.Effects, Reason: out.reason}
}

// unanswered is the entry of a question that has expired.
func unanswered(a ask, now time.Time) Entry {
	return Entry{ID: entryID(now, a.Job.Order, "expired"), At: now, Order: a.Job.Order, Who: a.Job.By, Via: a.Job.Via, What: a.Job.Cmd.short(),
		Desk: a.Job.Target.Desk, Case: a.Job.Target.Name, Reason: "nobody answered in time"}
}

func (e Entry) write() (store.Write, error) {
	data, err := json.Marshal(e)
	return store.Create(store.Doc{Key: store.Key{Collection: auditIn, ID: e.ID}, Data: data}), fault.Wrap(fault.Bug, err, "encode an audit entry")
}

func decodeEntry(d store.Doc) (Entry, error) {
	var e Entry
	err := json.Unmarshal(d.Data, &e)
	return e, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
}
