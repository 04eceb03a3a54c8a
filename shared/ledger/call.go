package ledger

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// call makes the call that r permits and records what came of it. When that cannot be recorded r stays CALLING, and the next visitor
// searches; so there is no error to return.
func (l *Ledger) call(ctx context.Context, k *kind, r Record, after *Done) Record {
	done, err := l.send(ctx, k, r, after)
	l.o.Crash(Called)
	// The report must survive the end of the request that asked for the call: a cancelled caller has still executed something.
	settled, serr := l.settle(context.WithoutCancel(ctx), k, r, after, done, err)
	if serr != nil {
		l.o.Log.WarnContext(ctx, "the outcome of a call is not recorded; a later visit will search for it",
			"effect", r.ID, "kind", r.Kind, "error", serr)
		return r
	}
	return settled
}

// send calls, for as long as the mark permits by the ledger's clock, and when that was set back meanwhile no longer than a call takes.
func (l *Ledger) send(ctx context.Context, k *kind, r Record, after *Done) (_ Done, err error) {
	defer l.rescue(ctx, r, &err)
	ctx, cancel := context.WithTimeout(ctx, min(l.o.CallTimeout, r.Deadline.Sub(l.o.Now())))
	defer cancel()
	return k.call(ctx, r.Payload, l.token(r, after))
}

func (l *Ledger) token(r Record, after *Done) Token {
	return Token{ID: r.ID, Marker: r.Marker, Attempt: r.Attempt, Deadline: r.Deadline, After: after}
}

// rescue turns a panic of an effect into an error: its defect is a doubt about that effect, which moves on like any other and does not
// stay at the head of every sweep. The value of a panic may hold anything, so only a run-time error is told.
func (l *Ledger) rescue(ctx context.Context, r Record, err *error) {
	p := recover()
	if p == nil {
		return
	}
	what := fmt.Sprintf("%T", p)
	if e, ok := p.(runtime.Error); ok {
		what = e.Error()
	}
	*err = fault.New(fault.Bug, "the effect panicked: %s", what)
	l.o.Log.ErrorContext(ctx, "an effect panicked", "effect", r.ID, "kind", r.Kind, "error", *err, "stack", string(debug.Stack()))
}

// settle records the outcome of r's call. The search for what exists has its own time, so that enough is left to record.
func (l *Ledger) settle(ctx context.Context, k *kind, r Record, after *Done, done Done, err error) (Record, error) {
	o, found := outcome(k.Class, err), []Done{done}
	if o == Exists {
		o, found = l.exists(ctx, k, r, after)
	}
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if o == Executed {
		got, serr := l.succeed(ctx, k, r, found[0], found[1:])
		switch {
		case serr != nil:
		case err != nil:
			l.found(ctx, got, Unknown, found[0])
		default:
			l.done(ctx, got, found[0])
		}
		return got, serr
	}
	r, by := l.failed(r, o, err)
	return l.report(ctx, k, r, by)
}

// exists finds out whether what stands in the way is ours.
func (l *Ledger) exists(ctx context.Context, k *kind, r Record, after *Done) (Outcome, []Done) {
	found, err := l.find(ctx, k, r, after, true)
	switch {
	case err != nil:
		return Ambiguous, nil
	case len(found) == 0:
		return Rejected, nil
	}
	return Executed, found
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
	r.doubt()
	r.State, r.NextAt = Unknown, now.Add(backoff(firstSearch, r.Doubts-1))
	return r, byDoubt
}

// notExecuted plans the next call, or gives up on a remote that has refused for longer than our patience.
func (l *Ledger) notExecuted(r Record, now time.Time, wait time.Duration) (Record, trigger) {
	if r.Refusals++; r.Refusals == 1 {
		r.RefusedSince = now
	}
	if now.Sub(r.RefusedSince) > patience {
		return r.park("not accepted for " + patience.String() + "; last: " + r.LastError), byExhaustion
	}
	// Older doubts had their window before this call was permitted, and this one leaves none.
	r.NotBefore = time.Time{}
	r.State, r.NextAt = Pending, now.Add(max(backoff(10*time.Second, r.Refusals-1), min(wait, time.Hour)))
	return r, byRefusal
}

// park leaves the rest to a person.
func (r Record) park(why string) Record {
	r.State, r.NextAt, r.LastError = Parked, time.Time{}, shorten(why, keptError)
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
	before := len(r.Duplicates)
	follow := l.twins(ctx, k, r, more)
	if by == byAudit && len(r.Duplicates) == before {
		return nil
	}
	err := l.put(ctx, k, r, from, by, follow...)
	if err == nil {
		l.twice(ctx, *r, r.Duplicates[before:])
	}
	return err
}

// won turns r into a success.
func (l *Ledger) won(k *kind, r *Record, done Done) {
	now := l.o.Now().UTC()
	r.ended(Executed, now, nil)
	r.State, r.Result, r.Completed, r.NextAt, r.LastError, r.LastKind = Succeeded, &done, now, time.Time{}, "", ""
	// Only a call after a doubtful one can have made a second object.
	r.plan(k, now, k.AuditAll || r.Doubts > 0 && r.Attempt > 1)
}

// plan makes r due for its audit when it wants one and the remote can be asked.
func (r *Record) plan(k *kind, now time.Time, audit bool) {
	if r.Audited = !audit || k.Class == Blind; !r.Audited {
		r.NextAt = now.Add(2 * max(k.Settle, 0))
	}
}

// twins notes what else carries the marker, and returns the effects that undo it. That one cannot be undone must not keep the fact out of the
// store: it is told, and stands in the record. So many that no remote makes them are a search that does not search, and undone by nobody.
func (l *Ledger) twins(ctx context.Context, k *kind, r *Record, more []Done) (follow []Intent) {
	for _, extra := range more {
		if extra.ID == r.Result.ID || r.isDuplicate(extra.ID) || len(r.Duplicates) == keptTwins {
			continue
		}
		r.Duplicates = append(r.Duplicates, extra.small())
		undo, err := l.undo(ctx, k, *r, extra)
		if err != nil {
			r.refused(fmt.Errorf("the duplicate %s is not undone: %w", extra.ID, err))
			l.o.Log.ErrorContext(ctx, "a duplicate is not undone and waits for a person", "effect", r.ID, "kind", r.Kind,
				"extra", extra.ID, "error", err)
		}
		follow = append(follow, undo...)
	}
	return follow
}

func (l *Ledger) undo(ctx context.Context, k *kind, r Record, extra Done) (_ []Intent, err error) {
	defer l.rescue(ctx, r, &err)
	return k.undo(r.Payload, *r.Result, extra)
}

// longest is the most that two visits of one record are apart.
const longest = 10 * time.Minute

// backoff doubles d n times.
func backoff(d time.Duration, n int) time.Duration {
	return min(d<<min(n, 10), longest)
}
