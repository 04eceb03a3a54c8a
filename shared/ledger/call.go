package ledger

import (
	"context"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// call makes the call that r permits and records what came of it. When that cannot be recorded r stays CALLING, and the next visitor
// searches; so there is no error to return.
func (l *Ledger) call(ctx context.Context, k *kind, r Record, after *Done) Record {
	done, err := l.send(ctx, k, r, after)
	l.o.Crash(Called)
	// The report must survive the end of the request that asked for the call: a cancelled caller has still executed something.
	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	settled, serr := l.settle(rctx, k, r, done, err)
	if serr != nil {
		l.o.Log.WarnContext(ctx, "the outcome of a call is not recorded; a later visit will search for it",
			"effect", r.ID, "effectKind", r.Kind, "error", serr)
		return r
	}
	return settled
}

func (l *Ledger) send(ctx context.Context, k *kind, r Record, after *Done) (Done, error) {
	ctx, cancel := context.WithDeadline(ctx, r.Deadline)
	defer cancel()
	return k.call(ctx, r.Payload, l.token(r, after))
}

func (l *Ledger) token(r Record, after *Done) Token {
	return Token{ID: r.ID, Marker: r.Marker, Attempt: r.Attempt, Deadline: r.Deadline, After: after}
}

// settle records the outcome of r's call.
func (l *Ledger) settle(ctx context.Context, k *kind, r Record, done Done, err error) (Record, error) {
	o := outcome(k.Class, err)
	if o == Exists {
		found, ferr := k.find(ctx, r.Payload, l.token(r, nil), true)
		if o = Rejected; ferr != nil {
			o = Ambiguous
		} else if len(found) > 0 {
			o, done = Executed, found[0]
		}
	}
	if o == Executed {
		return l.succeed(ctx, k, r, done, nil)
	}
	r, by := l.failed(r, o, err)
	return l.report(ctx, k, r, by)
}

// failed notes a call that did not succeed and says how the record moves on.
func (l *Ledger) failed(r Record, o Outcome, err error) (Record, trigger) {
	now := l.o.Now().UTC()
	r.ended(o, now, err)
	switch o {
	case Rejected:
		r.State, r.NextAt, r.Completed = Failed, time.Time{}, now
		return r, byRejection
	case NotExecuted:
		return l.notExecuted(r, now, fault.RetryAfter(err))
	}
	r.Doubts++
	r.State, r.NextAt = Unknown, now.Add(firstSearch)
	return r, byDoubt
}

// notExecuted plans the next call, or gives up on a remote that has refused for longer than our patience.
func (l *Ledger) notExecuted(r Record, now time.Time, wait time.Duration) (Record, trigger) {
	if r.Refusals++; r.Refusals == 1 {
		r.RefusedSince = now
	}
	if now.Sub(r.RefusedSince) > patience {
		return l.park(r, "not accepted for "+patience.String()+"; last: "+r.LastError), byExhaustion
	}
	r.State, r.NextAt = Pending, now.Add(max(backoff(10*time.Second, r.Refusals-1), min(wait, time.Hour)))
	return r, byRefusal
}

// park leaves the rest to a person.
func (l *Ledger) park(r Record, why string) Record {
	r.State, r.NextAt, r.LastError = Parked, time.Time{}, shorten(why, keptError)
	l.o.Log.Error("an effect is parked and waits for a person", "effect", r.ID, "effectKind", r.Kind, "tenant", r.Tenant, "reason", why)
	return r
}

// report writes a failure that only the holder of the permission may report: when somebody else has taken over meanwhile there is
// nothing to say.
func (l *Ledger) report(ctx context.Context, k *kind, r Record, by trigger) (Record, error) {
	var err error
	for try := range recordTries {
		if !l.pause(ctx, try) {
			return r, err
		}
		if err = l.put(ctx, k, &r, Calling, by); !fault.Is(err, fault.Transient) {
			break
		}
	}
	if fault.Is(err, fault.Conflict) {
		return l.Get(ctx, r.ID)
	}
	return r, err
}

// succeed records what the remote has. Facts are not fenced: a success is recorded whoever reports it and however late, as the result or,
// when there is one already, as a duplicate together with the effects that undo it.
func (l *Ledger) succeed(ctx context.Context, k *kind, r Record, done Done, more []Done) (Record, error) {
	err := l.merge(ctx, k, &r, done, more)
	for try := 1; try < recordTries && (fault.Is(err, fault.Conflict) || fault.Is(err, fault.Transient)); try++ {
		if !l.pause(ctx, try) {
			break
		}
		var fresh Record
		if fresh, err = l.Get(ctx, r.ID); err == nil {
			r = fresh
			err = l.merge(ctx, k, &r, done, more)
		}
	}
	return r, err
}

// pause waits before a further try to record; false when ctx ended.
func (l *Ledger) pause(ctx context.Context, try int) bool {
	if try == 0 {
		return true
	}
	t := time.NewTimer(100 * time.Millisecond << try)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// merge is one try of succeed on the record as it was read.
func (l *Ledger) merge(ctx context.Context, k *kind, r *Record, done Done, more []Done) error {
	from, by := r.State, bySuccess
	if from == Succeeded || from == Compensated {
		by, more = byAudit, append([]Done{done}, more...)
	} else {
		l.won(k, r, done)
	}
	follow, news, err := l.twins(k, r, more)
	if err != nil {
		return err
	}
	if by == byAudit && (!news || from == Compensated) {
		return nil
	}
	return l.put(ctx, k, r, from, by, follow...)
}

// won turns r into a success.
func (l *Ledger) won(k *kind, r *Record, done Done) {
	now := l.o.Now().UTC()
	r.ended(Executed, now, nil)
	r.State, r.Result, r.Completed, r.NextAt, r.LastError, r.LastKind = Succeeded, &done, now, time.Time{}, "", ""
	// Only a call after a doubtful one can have made a second object.
	if r.Audited = !(k.AuditAll || r.Doubts > 0 && r.Attempt > 1); !r.Audited {
		r.NextAt = now.Add(2 * max(k.Settle, 0))
	}
}

// twins notes what else carries the marker, and returns the effects that undo it.
func (l *Ledger) twins(k *kind, r *Record, more []Done) (follow []Intent, news bool, err error) {
	for _, extra := range more {
		if extra.ID == r.Result.ID || r.isDuplicate(extra.ID) {
			continue
		}
		news = true
		r.Duplicates = append(r.Duplicates, extra)
		l.o.Log.Error("an effect was executed twice and is being undone", "effect", r.ID, "effectKind", r.Kind, "tenant", r.Tenant,
			"kept", r.Result.ID, "extra", extra.ID)
		undo, err := k.undo(r.Payload, *r.Result, extra)
		if err != nil {
			return nil, false, err
		}
		follow = append(follow, undo...)
	}
	return follow, news, nil
}

// backoff doubles d n times, to ten minutes at most.
func backoff(d time.Duration, n int) time.Duration {
	return min(d<<min(n, 10), 10*time.Minute)
}
