package ledger

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/logs"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Swept says what a sweep did.
type Swept struct {
	Due     int           `json:"due"`     // records that wanted a visit
	Foreign int           `json:"foreign"` // due records before them of kinds that other processes carry out
	States  map[State]int `json:"states"`  // how those that were visited stand after it

	Unfinished    map[State]int `json:"unfinished"`    // of the next nextEffects that want a visit within nextHour
	OldestSeconds int64         `json:"oldestSeconds"` // how long the oldest of these could have been finished; 0: there are none
}

// What is looked at of what is not finished. Two visits of an effect are nextHour apart at most, so an effect that is not among these waits for
// its time, or for many others.
const (
	nextEffects = 200
	nextHour    = time.Hour
)

// Sweep visits at most limit records that are due, a few at a time, and finishes what crashes and unknown outcomes left. Any number of sweeps
// may run at once. What it cannot finish before ctx ends it leaves to the next sweep. Its error joins those of single visits.
func (l *Ledger) Sweep(ctx context.Context, limit int) (Swept, error) {
	recs, foreign, err := l.mine(ctx, limit)
	s := Swept{Due: len(recs), Foreign: foreign, States: map[State]int{}}
	var (
		mu   sync.Mutex
		errs = []error{err}
		wg   sync.WaitGroup
		free = make(chan struct{}, 8)
	)
	for _, r := range recs {
		free <- struct{}{} // before the look at the time: the wait may be long
		if !l.timeLeft(ctx) {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			got, err := l.guarded(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			s.States[got.State]++
			errs = append(errs, err)
		})
	}
	wg.Wait()
	errs = append(errs, l.backlog(ctx, &s))
	return s, errors.Join(errs...)
}

// backlog looks at what is not finished after a sweep, and logs the sweep: one query.
func (l *Ledger) backlog(ctx context.Context, s *Swept) error {
	s.Unfinished = map[State]int{}
	now, unfinished := l.o.Now(), 0
	docs, err := l.db.Query(ctx, store.Query{Collection: Collection, DueBy: now.Add(nextHour), Limit: nextEffects})
	recs, _ := decodeAll(docs) // what cannot be read has been told by whoever wanted to visit it
	for _, r := range recs {
		if l.kinds[r.Kind] == nil || r.State.Terminal() {
			continue // another process's, or an audit
		}
		unfinished++
		s.Unfinished[r.State]++
		s.OldestSeconds = max(s.OldestSeconds, int64(now.Sub(later(r.Created, r.Earliest))/time.Second))
	}
	attrs := []slog.Attr{logs.Sweep.Attr(), slog.Int("due", s.Due), slog.Int("unfinished", unfinished)}
	for _, state := range [...]State{Pending, Calling, Unknown} {
		attrs = append(attrs, slog.Int(strings.ToLower(string(state)), s.Unfinished[state]))
	}
	if err == nil { // an age that is not known is none
		attrs = append(attrs, slog.Int64("oldest_seconds", s.OldestSeconds))
	}
	l.o.Log.LogAttrs(ctx, slog.LevelInfo, "swept", attrs...)
	return err
}

// mine returns at most limit due records of registered kinds. Kinds of other processes in the same store, and records that cannot be read,
// may stand before them, for ever even: then it looks further, as far as one query goes.
func (l *Ledger) mine(ctx context.Context, limit int) (recs []Record, foreign int, err error) {
	for page := limit; ; page = min(4*page, store.MaxQuery) {
		docs, err := l.db.Query(ctx, store.Query{Collection: Collection, DueBy: l.o.Now(), Limit: page})
		if err != nil {
			return nil, 0, err
		}
		all, err := decodeAll(docs)
		recs = slices.DeleteFunc(all, func(r Record) bool { return l.kinds[r.Kind] == nil })
		if len(recs) >= limit || len(docs) < page || page >= store.MaxQuery {
			return recs[:min(limit, len(recs))], len(all) - len(recs), err
		}
	}
}

// guarded is visit with a panic turned into an error, so that one effect's defect does not end the process that carries the others.
func (l *Ledger) guarded(ctx context.Context, r Record) (got Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			got, err = r, fault.New(fault.Bug, "visiting effect %s of kind %s panicked: %v", r.ID, r.Kind, p)
		}
	}()
	if got, err = l.visit(ctx, r); got.ID == "" {
		got = r
	}
	return got, err
}

// timeLeft reports whether a whole visit fits before ctx ends. A context ends by the machine's clock, not by Options.Now.
func (l *Ledger) timeLeft(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	end, ok := ctx.Deadline()
	return !ok || time.Until(end) > l.o.CallTimeout
}
