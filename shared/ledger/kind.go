package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Effect is an act on a remote system: P says what is to be done, R what came of it. Both are stored as JSON.
type Effect[P, R any] interface {
	// Call acts: exactly one send, none after t.Deadline (also the deadline of ctx). Its error must say when the remote certainly did
	// not execute it, see fault.Unsent; everything else is taken for "maybe".
	Call(ctx context.Context, p P, t Token) (Act[R], error)
	// Find returns what carries the marker (or, for other classes, what the call would have made), oldest first. An empty answer need
	// not mean anything; thorough asks for every way there is to look.
	Find(ctx context.Context, p P, t Token, thorough bool) ([]Act[R], error)
}

// Undoer is an Effect that knows how to undo what was done twice.
type Undoer[P, R any] interface {
	// Undo returns the effects that undo extra, given what is kept.
	Undo(p P, kept, extra Act[R]) ([]Intent, error)
}

// Act is what a call did: the remote's name of it, and what else is worth keeping.
type Act[R any] struct {
	ID     string
	Result R
}

// Token goes with a call.
type Token struct {
	ID       string // of the effect: a request id for class Keyed
	Marker   string
	Attempt  int
	Deadline time.Time
	After    *Done // the result of the effect that this one waited for
}

// Policy says what follows an empty search after the settle window.
type Policy string

const (
	Recreate Policy = "recreate"
	Park     Policy = "park" // a second one would be worse than a delay
)

// Spec describes a kind of effect.
type Spec struct {
	Kind       string // "case.open": stored, never renamed
	Class      Class
	OnNotFound Policy        // for class Marked; default Recreate
	Settle     time.Duration // default the ledger's
	MaxDoubts  int           // calls that may have been executed before it is parked; default 5, a day's worth where a repeat is harmless
	Keep       time.Duration // of a terminal record; default 45 days, longer than any topic can replay
	Approval   bool          // wants an approving decision before the first call
	AuditAll   bool          // audit every success; default only those with a doubtful past, the others cannot have a twin of ours
}

// Intent is an effect that is about to be recorded. Make it with Kind.Intent.
type Intent struct {
	rec  Record
	hold bool
}

// ID returns the id of the record that the intent becomes.
func (i Intent) ID() string { return i.rec.ID }

// After makes the effect wait until the one with the id has succeeded, whose result its call is given.
func (i Intent) After(id string) Intent { i.rec.After = id; i.hold = true; return i }

// Following is After for an effect that is known to have succeeded: nothing is waited for.
func (i Intent) Following(r Record) Intent {
	i.rec.After, i.rec.Result = r.ID, r.Result // birth takes the result out again: it is the predecessor's
	i.hold = i.hold || r.State != Succeeded
	return i
}

// At makes the effect wait for a time.
func (i Intent) At(t time.Time) Intent { i.rec.Earliest = t.UTC(); i.hold = true; return i }

// Because notes why it was decided.
func (i Intent) Because(reason string) Intent { i.rec.Reason = shorten(reason, keptReason); return i }

// From notes the event behind it.
func (i Intent) From(s Source) Intent { i.rec.Source = s.short(); return i }

// Kind is a registered kind of effect: the typed way in and out.
type Kind[P, R any] struct{ k *kind }

// kind is a Spec and its Effect with the types taken off.
type kind struct {
	Spec
	call func(ctx context.Context, payload []byte, t Token) (Done, error)
	find func(ctx context.Context, payload []byte, t Token, thorough bool) ([]Done, error)
	undo func(payload []byte, kept, extra Done) ([]Intent, error)
}

// Register makes a kind of effect known to the ledger. Registering a name twice is an error.
func Register[P, R any](l *Ledger, s Spec, e Effect[P, R]) (Kind[P, R], error) {
	if _, ok := l.kinds[s.Kind]; ok || s.Kind == "" || s.Class == "" {
		return Kind[P, R]{}, fault.New(fault.Bug, "kind %q is registered twice, or has no name or class", s.Kind)
	}
	if s.OnNotFound == "" {
		s.OnNotFound = Recreate
	}
	if s.Settle == 0 {
		s.Settle = l.o.Settle
	}
	if s.MaxDoubts == 0 {
		s.MaxDoubts = s.Class.doubts()
	}
	if s.Keep == 0 {
		s.Keep = 45 * 24 * time.Hour
	}
	k := &kind{Spec: s, call: eraseCall(e), find: eraseFind(e), undo: eraseUndo(e)}
	l.kinds[s.Kind] = k
	return Kind[P, R]{k}, nil
}

// Intent returns the intent to do p, named by its business key within a tenant. The same name with another payload is fault.Invalid when it
// meets the recorded one.
func (k Kind[P, R]) Intent(tenant, business string, p P) (Intent, error) {
	payload, err := json.Marshal(p)
	if err != nil {
		return Intent{}, fault.Wrap(fault.Bug, err, "encode the payload of "+k.k.Kind)
	}
	if business == "" || len(business) > keptName || len(tenant) > keptName || len(payload) > maxPayload {
		return Intent{}, fault.New(fault.Invalid, "%s needs a business key and tenant of at most %d bytes, and at most %d bytes of payload, not %d",
			k.k.Kind, keptName, maxPayload, len(payload))
	}
	print, err := Fingerprint(payload)
	if err != nil {
		return Intent{}, err
	}
	id := ID(k.k.Kind, tenant, business)
	return Intent{hold: k.k.Approval, rec: Record{
		V: version, ID: id, Kind: k.k.Kind, Tenant: tenant, Business: business, Fingerprint: print,
		Payload: payload, Marker: Marker(id), Approval: k.k.Approval,
	}}, nil
}

// Result returns what a succeeded effect did, or an error of kind fault.Conflict when it has not succeeded.
func (k Kind[P, R]) Result(r Record) (Act[R], error) {
	if r.Result == nil {
		return Act[R]{}, fault.New(fault.Conflict, "effect %s is %s and has no result", r.ID, r.State)
	}
	return typed[R](*r.Result)
}

// Payload returns what was to be done.
func (k Kind[P, R]) Payload(r Record) (P, error) {
	var p P
	err := json.Unmarshal(r.Payload, &p)
	return p, fault.Wrap(fault.Bug, err, "decode the payload of "+r.ID)
}

func eraseCall[P, R any](e Effect[P, R]) func(context.Context, []byte, Token) (Done, error) {
	return func(ctx context.Context, payload []byte, t Token) (Done, error) {
		var p P
		if err := json.Unmarshal(payload, &p); err != nil {
			return Done{}, fault.Wrap(fault.Invalid, err, "decode payload")
		}
		a, err := e.Call(ctx, p, t)
		if err != nil {
			return Done{}, err
		}
		return erase(a)
	}
}

func eraseFind[P, R any](e Effect[P, R]) func(context.Context, []byte, Token, bool) ([]Done, error) {
	return func(ctx context.Context, payload []byte, t Token, thorough bool) ([]Done, error) {
		var p P
		if err := json.Unmarshal(payload, &p); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "decode payload")
		}
		acts, err := e.Find(ctx, p, t, thorough)
		if err != nil {
			return nil, err
		}
		found := make([]Done, len(acts))
		for i, a := range acts {
			if found[i], err = erase(a); err != nil {
				return nil, err
			}
		}
		return found, nil
	}
}

func eraseUndo[P, R any](e Effect[P, R]) func([]byte, Done, Done) ([]Intent, error) {
	u, ok := e.(Undoer[P, R])
	if !ok {
		return func([]byte, Done, Done) ([]Intent, error) { return nil, nil }
	}
	return func(payload []byte, kept, extra Done) ([]Intent, error) {
		var p P
		if err := json.Unmarshal(payload, &p); err != nil {
			return nil, fault.Wrap(fault.Bug, err, "decode payload")
		}
		k, err := typed[R](kept)
		if err != nil {
			return nil, err
		}
		x, err := typed[R](extra)
		if err != nil {
			return nil, err
		}
		return u.Undo(p, k, x)
	}
}

// erase encodes an act. A result that cannot be encoded, or is too large, must not turn a success into a doubt: the id alone is kept.
func erase[R any](a Act[R]) (Done, error) {
	if a.ID == "" || len(a.ID) > keptID {
		return Done{}, fault.New(fault.Bug, "the remote's answer has no id, or none of at most %d bytes", keptID)
	}
	data, err := json.Marshal(a.Result)
	if err != nil || len(data) > keptResult {
		data = nil
	}
	return Done{ID: a.ID, Result: data}, nil
}

func typed[R any](d Done) (Act[R], error) {
	a := Act[R]{ID: d.ID}
	if d.Result == nil {
		return a, nil
	}
	if err := json.Unmarshal(d.Result, &a.Result); err != nil {
		return a, fault.Wrap(fault.Bug, fmt.Errorf("result of %s: %w", d.ID, err), "decode")
	}
	return a, nil
}
