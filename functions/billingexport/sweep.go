package billingexport

import (
	"context"
	"errors"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Limits of one sweep.
const (
	sweepEffects = 50
	sweepMonths  = 20
)

// swept is the answer of a sweep.
type swept struct {
	ledger.Swept
	Months int `json:"months"` // that were taken on
}

// SweepExports runs every minute: it visits the effects that are due, and takes on the months that a crash or a failure has left. Sweeps may
// overlap.
func (f *Function) SweepExports(ctx context.Context, r *http.Request) (run.Response, error) {
	if err := run.RequireMethod(r, http.MethodPost); err != nil {
		return run.Response{}, err
	}
	s, err := f.sweep(ctx)
	if err != nil {
		return run.Response{}, fault.Wrap(fault.Transient, err, "sweep")
	}
	return run.Response{Status: http.StatusOK, Body: s}, nil
}

func (f *Function) sweep(ctx context.Context) (swept, error) {
	effects, err := f.ledger.Sweep(ctx, sweepEffects)
	errs := []error{err}
	docs, err := f.DB.Query(ctx, store.Query{Collection: monthsIn, DueBy: f.Now(), Limit: sweepMonths})
	errs = append(errs, err)
	for _, d := range docs {
		if ctx.Err() != nil {
			break // the next sweep finds the rest
		}
		errs = append(errs, f.revive(ctx, d))
	}
	errs = append(errs, f.overdue(ctx))
	return swept{effects, len(docs)}, errors.Join(errs...)
}

// revive takes on a month of which nothing was heard for a while.
func (f *Function) revive(ctx context.Context, d store.Doc) error {
	m, err := decodeMonth(d)
	if err != nil {
		return err
	}
	if m.Phase == Working {
		if err := f.remind(ctx, m); err != nil {
			return err
		}
	}
	err = f.carry(ctx, m, f.once(ctx))
	if err != nil && m.Phase == Planning { // the tenants cannot be listed, say: not every minute
		err = errors.Join(err, f.postpone(ctx, m.period(), err))
	}
	return err
}

// postpone leaves a month alone for a while.
func (f *Function) postpone(ctx context.Context, p hub.Period, cause error) error {
	m, err := f.readMonth(ctx, p)
	if err == nil {
		m.Error = short(cause.Error(), maxError)
		err = f.save(ctx, m, f.Now().Add(patience))
	}
	if fault.Is(err, fault.Conflict) {
		return nil // somebody takes it on
	}
	return err
}

// remind announces the open parts once more that nobody makes just now.
func (f *Function) remind(ctx context.Context, m *month) error {
	open, err := f.parts(ctx, openParts(m.Month))
	if err != nil {
		return err
	}
	var idle []*part
	for _, p := range open {
		if now := f.Now(); !now.Before(p.Lease) && !now.Before(p.NotBefore) {
			idle = append(idle, p)
		}
	}
	if err := f.announceParts(ctx, idle); err != nil {
		return err
	}
	if err := f.save(ctx, m, f.Now().Add(patience)); err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	return nil
}
