package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Verdict is what a person decides.
type Verdict string

const (
	Approve Verdict = "approve" // call it (again): a parked or failed effect, or one that wants approval
	Adopt   Verdict = "adopt"   // it was done: the decision names the remote's object
	Veto    Verdict = "veto"    // give it up; one veto is enough
)

// Decision is a person's word on an effect. It is kept for ever with the record.
type Decision struct {
	Who     string    `json:"who"`
	At      time.Time `json:"at"`
	Verdict Verdict   `json:"verdict"`
	Note    string    `json:"note,omitempty"`
	Object  *Done     `json:"object,omitempty"` // with Adopt
}

// Decide applies a person's decision. It is fault.Conflict when the effect is in no state for it, or was moved meanwhile; what is released
// is called by the next sweep. An effect released with a doubtful past is searched for before it is called.
func (l *Ledger) Decide(ctx context.Context, id string, d Decision) (Record, error) {
	if d.Who == "" || d.Verdict == Adopt && (d.Object == nil || d.Object.ID == "") {
		return Record{}, fault.New(fault.Invalid, "a decision names who took it, and an adoption what is adopted")
	}
	r, err := l.Get(ctx, id)
	if err != nil {
		return r, err
	}
	from, now := r.State, l.o.Now().UTC()
	d.At = now
	r.Decisions = append(r.Decisions, d)
	by := r.decided(d, now)
	if check(move{from, by, r.State}) != nil || from == Pending && !r.Approval {
		return r, fault.New(fault.Conflict, "an effect that is %s takes no %s", from, d.Verdict)
	}
	k, ok := l.kinds[r.Kind]
	if !ok {
		k = &kind{Spec: Spec{Kind: r.Kind, Keep: 45 * 24 * time.Hour}}
		if d.Verdict != Veto {
			return r, fault.New(fault.Conflict, "nothing here can carry out an effect of kind %s", r.Kind)
		}
	}
	return r, l.put(ctx, k, &r, from, by)
}

// decided moves r as d says.
func (r *Record) decided(d Decision, now time.Time) trigger {
	switch d.Verdict {
	case Approve:
		r.State, r.NextAt, r.Refusals, r.Searches = Pending, now, 0, 0
		r.Doubts = min(r.Doubts, 1) // its past stays doubtful, the count begins anew
		return byApproval
	case Adopt:
		r.State, r.Result, r.NextAt, r.Completed, r.Audited = Succeeded, d.Object, time.Time{}, now, true
		return byAdoption
	}
	r.State, r.NextAt, r.Completed = Failed, time.Time{}, now
	return byVeto
}

// KindEvent is the kind of record that Park makes.
const KindEvent = "event"

// Park records an event that can never succeed, with the reason, so that it can be acknowledged without being lost. Parking the
// same event again changes nothing. Data beyond 64 KiB is left out.
func (l *Ledger) Park(ctx context.Context, tenant, name, reason string, data []byte, from Source) (Record, error) {
	id := ID(KindEvent, tenant, name)
	if len(data) > maxPayload*3/4 {
		data = nil
	}
	payload, err := json.Marshal(data) // base64: it need not be JSON, nor text
	if err != nil {
		return Record{}, fault.Wrap(fault.Bug, err, "encode event")
	}
	now := l.o.Now().UTC()
	r := Record{V: version, ID: id, Kind: KindEvent, Tenant: tenant, Business: name, Payload: payload, Marker: Marker(id),
		Reason: reason, Source: from, Created: now, Updated: now}
	r = l.park(r, reason)
	d, err := r.doc(0)
	if err != nil {
		return r, err
	}
	if _, err = l.db.Commit(ctx, store.Create(d)); fault.Is(err, fault.Conflict) {
		return l.Get(ctx, id)
	}
	return r, err
}
