package tenantonboard

import (
	"context"
	"errors"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Limits of one sweep.
const (
	sweepEffects = 50
	sweepTenants = 50
)

// swept is the answer of a sweep.
type swept struct {
	ledger.Swept
	Tenants int `json:"tenants"` // that were taken on
}

// SweepTenants runs every minute: it visits the effects that are due, and takes on the tenants whose turn a crash or an unknown outcome has
// ended. Sweeps may overlap.
func (f *Function) SweepTenants(ctx context.Context, r *http.Request) (run.Response, error) {
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
	docs, err := f.DB.Query(ctx, store.Query{Collection: tenantsIn, DueBy: f.Now(), Limit: sweepTenants})
	errs = append(errs, err)
	for _, d := range docs {
		if ctx.Err() != nil {
			break // the next sweep finds the rest
		}
		errs = append(errs, f.advance(ctx, d.ID, ledger.Source{Event: "sweep"}))
	}
	return swept{effects, len(docs)}, errors.Join(errs...)
}
