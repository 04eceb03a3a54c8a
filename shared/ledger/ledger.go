// Package ledger makes an act on a remote system happen once, although events come at least once, processes die at any instruction,
// and the remote offers no idempotency key.
//
// # How
//
// An effect is named by its business identity, never by a message id. Its record, keyed by that name, is written before the act and says
// what is about to be done; the act carries a marker derived from the same name, so that it can be found again at the remote.
//
//	record the intent and mark it CALLING (one commit, together with the caller's own state)
//	call once, before the deadline written in the mark
//	record what came of it:  SUCCEEDED  FAILED  PENDING (certainly not executed)  UNKNOWN (maybe executed)
//
// A record that stays CALLING past its lease, or is UNKNOWN, is reconciled by whoever visits it: search the remote for the marker. A hit is
// conclusive at once and adopted. An empty answer proves nothing until the settle window after the call's deadline is over, because a
// request may execute late and a search index lags; only then, and when a second, thorough search is empty too, the effect is called
// again or parked, as its kind says.
//
// # What is safe, and why
//
// Every transition is one conditional write on the version that was read, so of several visitors one wins and the others change nothing:
// that is the fence. A call needs a mark, and a second mark needs either proof that the first call did not execute or an empty search
// after its deadline plus the settle window. The client refuses to send after the deadline in the mark (see shared/gapi). Hence at most
// one execution, as long as no request executes, and stays invisible to the search, longer than the settle window. When that is
// exceeded the audit finds the second object and undoes it. The lease is politeness: it saves searches, it carries no safety.
//
// Facts are never fenced: a success reported by a caller that everybody had given up is recorded all the same, as the result or as a
// duplicate with the effects that undo it.
//
// # Keys owned
//
// Collection "effects", id hex(sha256(kind, tenant, business key)), state the State, due the time of the next visit (absent when none is
// needed), expire only with a terminal state. Attempts are kept inside the record: one effect costs two writes when all goes well.
//
// # Not promised
//
// An order between effects beyond Intent.After; that an effect of class Blind happens (it is parked on doubt); that a remote which
// executes a request after the settle window leaves no second object between its appearance and the audit; anything after
// Spec.Keep, when the store may forget the record.
package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Collection is where records live.
const Collection = "effects"

// Defaults of Options, in the order that keeps them true: a call ends before the lease, the lease before the function, the function before
// the acknowledgement deadline of its subscription (180 s).
const (
	DefaultCallTimeout = 30 * time.Second
	DefaultSettle      = 15 * time.Minute
	recordTimeout      = 10 * time.Second // for the write after a call, which must outlive a cancelled request
	recordTries        = 5
	patience           = 24 * time.Hour // how long a remote may refuse before a person is asked
	maxPayload         = 64 << 10       // bytes
)

// Options of a ledger. The zero value is usable.
type Options struct {
	CallTimeout time.Duration // of one call; DefaultCallTimeout
	Settle      time.Duration // see the package comment; DefaultSettle. Negative: none, for tests
	Now         func() time.Time
	NewID       func() string // fresh random ids for claims
	Log         *slog.Logger
	Crash       func(Point) // test hook: called at every point where a process may die
}

// Ledger records effects in a store and carries them out. It is safe for concurrent use, also by many processes.
type Ledger struct {
	db    store.DB
	o     Options
	kinds map[string]*kind
}

// New returns a ledger on db. Register its kinds before the first use.
func New(db store.DB, o Options) *Ledger {
	if o.CallTimeout == 0 {
		o.CallTimeout = DefaultCallTimeout
	}
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = rand.Text
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Crash == nil {
		o.Crash = func(Point) {}
	}
	return &Ledger{db: db, o: o, kinds: map[string]*kind{}}
}

// lease is how long a visitor leaves a CALLING record alone: the call and time to record its end.
func (l *Ledger) lease() time.Duration { return 2 * l.o.CallTimeout }

// Get returns the record with the id, or an error of kind fault.Missing.
func (l *Ledger) Get(ctx context.Context, id string) (Record, error) {
	d, err := l.db.Get(ctx, store.Key{Collection: Collection, ID: id})
	if err != nil {
		return Record{}, err
	}
	return decode(d)
}

// Due returns at most limit records that want a visit at now, the longest overdue first. Due and List return what can be read beside the
// error for what cannot.
func (l *Ledger) Due(ctx context.Context, now time.Time, limit int) ([]Record, error) {
	return l.query(ctx, store.Query{Collection: Collection, DueBy: now, Limit: limit})
}

// List returns records in a state (all states when empty) ordered by id, the page after afterID.
func (l *Ledger) List(ctx context.Context, s State, afterID string, limit int) ([]Record, error) {
	return l.query(ctx, store.Query{Collection: Collection, State: string(s), AfterID: afterID, Limit: limit})
}

func (l *Ledger) query(ctx context.Context, q store.Query) ([]Record, error) {
	docs, err := l.db.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	return decodeAll(docs)
}

func decodeAll(docs []store.Doc) ([]Record, error) {
	recs := make([]Record, 0, len(docs))
	var errs []error
	for _, d := range docs {
		r, err := decode(d)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		recs = append(recs, r)
	}
	return recs, errors.Join(errs...)
}

// kindOf returns the registered kind of a record.
func (l *Ledger) kindOf(r Record) (*kind, error) {
	k, ok := l.kinds[r.Kind]
	if !ok {
		return nil, fault.New(fault.Bug, "no effect of kind %q is registered here", r.Kind)
	}
	return k, nil
}
