package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Swept says what a sweep did.
type Swept struct {
	Due    int           `json:"due"`    // records that wanted a visit
	States map[State]int `json:"states"` // how they stand after it
}

// Sweep visits at most limit records that are due, a few at a time, and finishes what crashes and unknown outcomes left. Any number of sweeps
// may run at once. What it cannot finish before ctx ends it leaves to the next sweep. Its error joins those of single visits.
func (l *Ledger) Sweep(ctx context.Context, limit int) (Swept, error) {
	recs, err := l.Due(ctx, l.o.Now(), limit)
	if err != nil {
		return Swept{}, err
	}
	s := Swept{Due: len(recs), States: map[State]int{}}
	var (
		mu   sync.Mutex
		errs []error
		wg   sync.WaitGroup
		free = make(chan struct{}, 8)
	)
	for _, r := range recs {
		if !l.timeLeft(ctx) {
			break
		}
		free <- struct{}{}
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
	return s, errors.Join(errs...)
}

// guarded is visit with a panic turned into an error, so that one effect's defect does not end the process that carries the others.
func (l *Ledger) guarded(ctx context.Context, r Record) (got Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			got, err = r, fault.New(fault.Bug, "visiting effect %s of kind %s panicked: %v", r.ID, r.Kind, p)
		}
	}()
	return l.visit(ctx, r)
}

// timeLeft reports whether a whole visit fits before ctx ends. A context ends by the machine's clock, not by Options.Now.
func (l *Ledger) timeLeft(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	end, ok := ctx.Deadline()
	return !ok || time.Until(end) > l.o.CallTimeout
}
