package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// ErrMismatch is in the chain of the fault.Invalid that Do returns when an effect was recorded under the same name with another payload.
var ErrMismatch = errors.New("recorded with another payload")

// Do records the intents and the caller's own writes in one commit and then carries out those that need not wait. When it returns nil the
// intents are durable and the event behind them may be acknowledged: whatever did not finish, the sweeper finishes. The records say how
// far each one came.
//
// An error of kind fault.Conflict means that nothing was recorded because something changed since the caller read it: read and decide
// again. Without writes of the caller there is no conflict: intents that are recorded already are visited instead, each on its own.
func (l *Ledger) Do(ctx context.Context, with []store.Write, intents ...Intent) ([]Record, error) {
	l.o.Crash(Decided)
	recs, err := l.record(ctx, with, intents)
	if fault.Is(err, fault.Conflict) && len(with) == 0 {
		return l.meet(ctx, intents)
	}
	if err != nil {
		return nil, err
	}
	l.o.Crash(Recorded)
	for i, r := range recs {
		if r.State == Calling {
			recs[i] = l.call(ctx, l.kinds[r.Kind], r, intents[i].rec.Result)
		}
	}
	l.o.Crash(Settled)
	return recs, nil
}

// record commits the intents: those that may be called at once already with the mark.
func (l *Ledger) record(ctx context.Context, with []store.Write, intents []Intent) ([]Record, error) {
	recs := make([]Record, len(intents))
	writes := append([]store.Write(nil), with...)
	for i, in := range intents {
		w, r, err := l.birth(in)
		if err != nil {
			return nil, err
		}
		recs[i], writes = r, append(writes, w)
	}
	vs, err := l.db.Commit(ctx, writes...)
	if err != nil {
		return nil, fmt.Errorf("record %d intents: %w", len(intents), err)
	}
	for i := range recs {
		recs[i].version = vs[len(with)+i]
	}
	return recs, nil
}

// birth returns the first write of an effect.
func (l *Ledger) birth(in Intent) (store.Write, Record, error) {
	r, now := in.rec, l.o.Now().UTC()
	r.Result, r.Created, r.Updated = nil, now, now
	k, err := l.kindOf(r)
	if err != nil {
		return store.Write{}, r, err
	}
	by := byMark
	if in.hold {
		by, r.State = byIntent, Pending
		if !r.Approval {
			r.NextAt = later(now, r.Earliest)
		}
	} else {
		l.permit(&r, k, now)
	}
	if err := check(move{"", by, r.State}); err != nil {
		return store.Write{}, r, err
	}
	d, err := r.doc(k.Keep)
	return store.Create(d), r, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// permit fills in the mark: the permission of one call.
func (l *Ledger) permit(r *Record, k *kind, now time.Time) {
	now = now.UTC()
	r.State, r.Claim, r.Searches = Calling, l.o.NewID(), 0
	r.Attempt++
	r.Deadline = now.Add(l.o.CallTimeout)
	r.NotBefore = r.Deadline.Add(max(k.Settle, 0))
	r.NextAt = now.Add(l.lease())
	r.Attempts = append(r.Attempts, Attempt{N: r.Attempt, Started: now})
	if n := len(r.Attempts) - keptAttempts; n > 0 {
		r.Attempts = r.Attempts[n:]
	}
}

// meet does intents of which at least one is recorded already. One that cannot be done does not keep the others from being recorded; of
// several errors the one that a redelivery can heal is returned, so that the event comes again for it.
func (l *Ledger) meet(ctx context.Context, intents []Intent) ([]Record, error) {
	if len(intents) == 1 {
		r, err := l.again(ctx, intents[0])
		return []Record{r}, err
	}
	var recs []Record
	var failed error
	for _, in := range intents {
		got, err := l.Do(ctx, nil, in)
		if err != nil && (failed == nil || fault.Healing(err)) {
			failed = err
		}
		recs = append(recs, append(got, in.rec)[0])
	}
	return recs, failed
}

// again meets an effect that is recorded already.
func (l *Ledger) again(ctx context.Context, in Intent) (Record, error) {
	r, err := l.Get(ctx, in.rec.ID)
	if fault.Is(err, fault.Missing) {
		return r, fault.Wrap(fault.Transient, err, "forgotten just now") // it expired between the two; a redelivery records it anew
	}
	if err != nil {
		return r, err
	}
	if r.Fingerprint != in.rec.Fingerprint {
		return r, fault.Wrap(fault.Invalid, ErrMismatch, "effect "+r.Kind+" "+r.ID)
	}
	return l.visit(ctx, r)
}

// put moves a record that is still at the version it was read at, together with the intents that follow from it.
func (l *Ledger) put(ctx context.Context, k *kind, r *Record, from State, by trigger, follow ...Intent) error {
	if err := check(move{from, by, r.State}); err != nil {
		return err
	}
	r.Updated = l.o.Now().UTC()
	d, err := r.doc(k.Keep)
	if err != nil {
		return err
	}
	if follow, err = l.unrecorded(ctx, follow); err != nil {
		return err
	}
	writes := []store.Write{store.Replace(d, r.version)}
	for _, in := range follow {
		in.hold = true
		w, _, err := l.birth(in)
		if err != nil {
			return err
		}
		writes = append(writes, w)
	}
	vs, err := l.db.Commit(ctx, writes...)
	if err != nil {
		return fmt.Errorf("move effect %s from %s by %s: %w", r.ID, from, by, err)
	}
	r.version = vs[0]
	l.moved(ctx, *r, from, by)
	return nil
}

// unrecorded leaves out the intents that are there already: what undoes an object may have been asked for before, and must not keep the
// fact it follows from out of the store.
func (l *Ledger) unrecorded(ctx context.Context, intents []Intent) (fresh []Intent, err error) {
	seen := map[string]bool{}
	for _, in := range intents {
		if seen[in.ID()] {
			continue
		}
		seen[in.ID()] = true
		_, err := l.db.Get(ctx, store.Key{Collection: Collection, ID: in.ID()})
		switch {
		case fault.Is(err, fault.Missing):
			fresh = append(fresh, in)
		case err != nil:
			return nil, err
		}
	}
	return fresh, nil
}
