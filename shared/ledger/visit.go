package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// firstSearch is how long after a doubtful call the remote is searched for the first time; it doubles from there.
const firstSearch = 30 * time.Second

// firstWait is how long an effect is put off at first when its predecessor has not ended; it doubles too. It is short because that one is most
// often in flight.
const firstWait = 2 * time.Second

// Visit does what a record wants done now, if anything: call, search, audit. Somebody else's concurrent visit makes it do nothing.
func (l *Ledger) Visit(ctx context.Context, id string) (Record, error) {
	r, err := l.Get(ctx, id)
	if err != nil {
		return r, err
	}
	return l.visit(ctx, r)
}

// Hasten is Visit for an effect whose predecessor has succeeded, as the caller knows: it does not wait until it would look for that one again.
// What was called already, or has a time of its own, keeps it.
func (l *Ledger) Hasten(ctx context.Context, id string) (Record, error) {
	r, err := l.Get(ctx, id)
	if err != nil {
		return r, err
	}
	if now := l.o.Now(); r.State == Pending && r.After != "" && r.Attempt == 0 && !r.NextAt.IsZero() && !now.Before(r.Earliest) {
		r.NextAt = now // of this visit; what is stored moves with what comes of it
	}
	return l.visit(ctx, r)
}

func (l *Ledger) visit(ctx context.Context, r Record) (Record, error) {
	if r.NextAt.IsZero() || l.o.Now().Before(r.NextAt) {
		return r, nil
	}
	k, err := l.kindOf(r)
	if err != nil {
		return r, err
	}
	l.o.Crash(Visiting)
	got, err := l.step(ctx, k, r)
	if fault.Is(err, fault.Conflict) {
		return l.Get(ctx, r.ID) // somebody else moved it
	}
	return got, err
}

// step is what a due record in each state wants.
func (l *Ledger) step(ctx context.Context, k *kind, r Record) (Record, error) {
	switch r.State {
	case Pending:
		return l.begin(ctx, k, r)
	case Calling, Unknown:
		after, state, err := l.predecessor(ctx, r)
		if err != nil {
			return r, err
		}
		return l.reconcile(ctx, k, r, after, state)
	case Succeeded, Compensated:
		return l.audit(ctx, k, r)
	}
	return r, fault.New(fault.Bug, "effect %s is %s and due", r.ID, r.State)
}

// begin calls a pending effect once the one it waits for has succeeded.
func (l *Ledger) begin(ctx context.Context, k *kind, r Record) (Record, error) {
	after, state, err := l.predecessor(ctx, r)
	if err != nil {
		return r, err
	}
	if state != Succeeded {
		return l.wait(ctx, k, r, state)
	}
	if r.Doubts > 0 && k.Class != Blind { // a blind one was released by a person, who knows that it cannot be searched for
		return l.reconcile(ctx, k, r, after, state)
	}
	return l.permitted(ctx, k, r, after)
}

// missing stands for the state of an effect that nobody recorded, or that was forgotten.
const missing State = "MISSING"

// predecessor returns the result of the effect that r waits for and how that one stands: Succeeded when there is none to wait for.
func (l *Ledger) predecessor(ctx context.Context, r Record) (*Done, State, error) {
	if r.After == "" {
		return nil, Succeeded, nil
	}
	p, err := l.Get(ctx, r.After)
	if fault.Is(err, fault.Missing) {
		return nil, missing, nil
	}
	return p.Result, p.State, err
}

// wait puts off an effect whose predecessor has not succeeded, and parks it when that one never will.
func (l *Ledger) wait(ctx context.Context, k *kind, r Record, state State) (Record, error) {
	if state == Failed || state == Compensated || state == missing {
		r = r.park(fmt.Sprintf("the effect it waits for, %s, is %s", r.After, state))
		return r, l.put(ctx, k, &r, Pending, byExhaustion)
	}
	r.Searches++
	r.NextAt = l.o.Now().UTC().Add(backoff(firstWait, r.Searches-1))
	return r, l.put(ctx, k, &r, Pending, byWait)
}

// permitted marks r and calls.
func (l *Ledger) permitted(ctx context.Context, k *kind, r Record, after *Done) (Record, error) {
	from := r.State
	l.permit(&r, k, l.o.Now())
	if err := l.put(ctx, k, &r, from, byMark); err != nil {
		return r, err
	}
	l.o.Crash(Remarked)
	return l.call(ctx, k, r, after), nil
}

// reconcile finds out what became of a call that nobody reported, by searching the remote for the marker.
func (l *Ledger) reconcile(ctx context.Context, k *kind, r Record, after *Done, before State) (Record, error) {
	from := r.State
	if from == Calling {
		r.doubt() // its caller is gone; what it did is open
	}
	if k.Class == Blind {
		r = r.park("maybe executed, and the remote cannot be asked")
		return r, l.put(ctx, k, &r, from, byExhaustion)
	}
	l.o.Crash(Searching)
	// The time before the search judges its answer: what was settled when the search began is visible in it.
	over := k.Class.repeatable() || !l.o.Now().Before(r.NotBefore)
	found, err := l.find(ctx, k, r, after, over)
	l.o.Crash(Searched)
	switch {
	case err != nil:
		r.refused(err)
		return l.later(ctx, k, r, from)
	case len(found) > 0:
		got, err := l.succeed(ctx, k, r, found[0], found[1:])
		if err == nil {
			l.found(ctx, got, from, found[0])
		}
		return got, err
	case !over:
		return l.later(ctx, k, r, from)
	case from != Pending && (r.Doubts >= k.MaxDoubts || k.Class == Marked && k.OnNotFound == Park): // a person's release weighs more
		r = r.park(fmt.Sprintf("maybe executed %d times, and not to be found", r.Doubts))
		return r, l.put(ctx, k, &r, from, byExhaustion)
	case before != Succeeded:
		r = r.park(fmt.Sprintf("not to be found, and not to be called again: the effect it followed, %s, is %s", r.After, before))
		return r, l.put(ctx, k, &r, from, byExhaustion)
	}
	return l.permitted(ctx, k, r, after)
}

func (l *Ledger) find(ctx context.Context, k *kind, r Record, after *Done, thorough bool) (_ []Done, err error) {
	defer l.rescue(ctx, r, &err)
	ctx, cancel := context.WithTimeout(ctx, l.o.CallTimeout)
	defer cancel()
	t := l.token(r, after)
	t.Deadline = l.o.Now().UTC().Add(l.o.CallTimeout) // a search's own: that of the call is over
	return k.find(ctx, r.Payload, t, thorough)
}

// later leaves r in doubt until the next search: soon at first, and at once when the settle window is over.
func (l *Ledger) later(ctx context.Context, k *kind, r Record, from State) (Record, error) {
	now := l.o.Now().UTC()
	r.Searches++
	r.NextAt = now.Add(backoff(firstSearch, r.Searches))
	if r.NotBefore.After(now) && r.NotBefore.Before(r.NextAt) {
		r.NextAt = r.NotBefore
	}
	if from == Calling {
		r.State = Unknown
		r.ended(Ambiguous, now, nil)
	}
	return r, l.put(ctx, k, &r, from, bySearch)
}

// audit counts what carries the marker once late executions and slow indexes must have shown themselves.
func (l *Ledger) audit(ctx context.Context, k *kind, r Record) (Record, error) {
	from := r.State
	after, _, err := l.predecessor(ctx, r)
	if err != nil {
		return r, err
	}
	found, err := l.find(ctx, k, r, after, true)
	if err != nil { // stays wanted, but not at the head of every sweep
		r.refused(err)
		r.Searches++
		r.NextAt = l.o.Now().UTC().Add(backoff(firstSearch, r.Searches))
		return r, l.put(ctx, k, &r, from, byAudit)
	}
	r.LastError, r.LastKind = "", ""
	before := len(r.Duplicates)
	follow := l.twins(ctx, k, &r, found)
	if len(found) == 0 {
		l.o.Log.WarnContext(ctx, "an audit does not find what the ledger says is there", "effect", r.ID, "kind", r.Kind)
	}
	r.Audited, r.NextAt = true, time.Time{}
	if err = l.put(ctx, k, &r, from, byAudit, follow...); err == nil {
		l.twice(ctx, r, r.Duplicates[before:])
	}
	return r, err
}
