package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Verdict is what a person decides.
type Verdict string

const (
	Approve Verdict = "approve" // call it (again): a parked or failed effect, or one that wants approval
	Adopt   Verdict = "adopt"   // it was done: the decision names the remote's object
	Veto    Verdict = "veto"    // give it up; one veto is enough, whatever others say before or after
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
	if err := d.check(); err != nil {
		return Record{}, err
	}
	r, err := l.Get(ctx, id)
	if err != nil {
		return r, err
	}
	from, now := r.State, l.o.Now().UTC()
	k, ok := l.kinds[r.Kind]
	if !ok {
		k = &kind{Spec: Spec{Kind: r.Kind, Keep: 45 * 24 * time.Hour}}
		if d.Verdict != Veto {
			return r, fault.New(fault.Conflict, "nothing here can carry out an effect of kind %s", r.Kind)
		}
	}
	d.At = now
	free := d.Verdict != Approve || !r.vetoed() && len(r.Decisions) < keptDecisions
	by := r.decided(k, d, now)
	if !free || check(move{from, by, r.State}) != nil || from == Pending && !r.Approval {
		return r, fault.New(fault.Conflict, "an effect that is %s takes no %s", from, d.Verdict)
	}
	return r, l.put(ctx, k, &r, from, by)
}

// check refuses what is no decision, and what the record has no room for.
func (d Decision) check() error {
	switch o := d.Object; {
	case d.Verdict != Approve && d.Verdict != Adopt && d.Verdict != Veto:
		return fault.New(fault.Invalid, "a verdict is %s, %s or %s", Approve, Adopt, Veto)
	case d.Who == "" || (o == nil || o.ID == "") != (d.Verdict != Adopt):
		return fault.New(fault.Invalid, "a decision names who took it, and an adoption what is adopted")
	case len(d.Who) > keptName || len(d.Note) > keptReason || o != nil && (len(o.ID) > keptID || len(o.Result) > keptTwin):
		return fault.New(fault.Invalid, "a decision is longer than a record keeps")
	case o != nil && o.Result != nil && !json.Valid(o.Result):
		return fault.New(fault.Invalid, "the result of what is adopted is not JSON")
	}
	return nil
}

// vetoed reports whether anybody gave r up, which no later approval undoes.
func (r Record) vetoed() bool {
	return slices.ContainsFunc(r.Decisions, func(d Decision) bool { return d.Verdict == Veto })
}

// decided moves r as d says.
func (r *Record) decided(k *kind, d Decision, now time.Time) trigger {
	r.Decisions = append(r.Decisions, d)
	switch d.Verdict {
	case Approve:
		r.State, r.NextAt, r.Completed, r.Refusals, r.Searches = Pending, later(now, r.Earliest), time.Time{}, 0, 0
		r.Doubts = min(r.Doubts, 1) // its past stays doubtful, the count begins anew
		return byApproval
	case Adopt:
		r.State, r.Result, r.NextAt, r.Completed = Succeeded, d.Object, time.Time{}, now
		r.plan(k, now, r.Doubts > 0) // what a doubtful call made may not be what the person names
		return byAdoption
	}
	r.State, r.NextAt, r.Completed = Failed, time.Time{}, now
	return byVeto
}

// KindEvent is the kind of record that Park makes.
const KindEvent = "event"

// Park records an event that can never succeed, with the reason, so that it can be acknowledged without being lost. Parking the
// same event again changes nothing. Data beyond 48 KiB is left out.
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
	r := Record{V: version, ID: id, Kind: KindEvent, Tenant: shorten(tenant, keptName), Business: shorten(name, keptName), Payload: payload,
		Marker: Marker(id), Reason: shorten(reason, keptReason), Source: from.short(), Created: now, Updated: now}
	r = r.park(reason)
	d, err := r.doc(0)
	if err != nil {
		return r, err
	}
	if _, err = l.db.Commit(ctx, store.Create(d)); fault.Is(err, fault.Conflict) {
		return l.Get(ctx, id)
	}
	if err == nil {
		l.moved(ctx, r, "", byExhaustion)
	}
	return r, err
}
