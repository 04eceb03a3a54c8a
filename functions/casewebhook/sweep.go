package casewebhook

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Limits of one sweep.
const (
	sweepEffects  = 50
	sweepHeld     = 300 // incidents read
	sweepComments = 3   // comments written on umbrella cases
)

// swept is the answer of a sweep.
type swept struct {
	ledger.Swept
	Listed int `json:"listed"` // held incidents that were listed on umbrella cases
}

// SweepCases runs every minute: it visits the effects that are due and lists held incidents on their umbrella cases. Sweeps may overlap.
func (f *Function) SweepCases(ctx context.Context, r *http.Request) (run.Response, error) {
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
	listed, herr := f.listHeld(ctx)
	s, err := f.ledger.Sweep(ctx, sweepEffects)
	return swept{s, listed}, errors.Join(herr, err)
}

// listHeld writes the comments that list held incidents on umbrella cases.
func (f *Function) listHeld(ctx context.Context) (listed int, err error) {
	docs, err := f.DB.Query(ctx, store.Query{Collection: incidentsIn, State: held, Limit: sweepHeld})
	if err != nil || len(docs) == 0 {
		return 0, err
	}
	all := make([]incident, len(docs))
	for i, d := range docs {
		if all[i], err = decodeIncident(d); err != nil {
			return 0, err
		}
	}
	for range sweepComments {
		n, err := f.listSome(ctx, &all)
		listed += n
		if err != nil || len(all) == 0 {
			return listed, err
		}
	}
	return listed, nil
}

// listSome takes incidents of one umbrella case off the list, as many as one comment holds, and records in one commit that they are listed
// and the comment that lists them. When somebody else changed one of them meanwhile, the next sweep lists them.
func (f *Function) listSome(ctx context.Context, all *[]incident) (int, error) {
	var mine, rest []incident
	for _, i := range *all {
		if i.Case == (*all)[0].Case {
			mine = append(mine, i)
		} else {
			rest = append(rest, i)
		}
	}
	body, n := heldText(mine, f.location(mine[0].Desk))
	*all = append(rest, mine[n:]...)
	err := f.recordListed(ctx, mine[:n], body)
	if fault.Is(err, fault.Conflict) {
		return 0, nil
	}
	return n, err
}

func (f *Function) recordListed(ctx context.Context, some []incident, body string) error {
	writes := make([]store.Write, len(some))
	var names strings.Builder
	for n, i := range some {
		names.WriteString(i.id + string(i.version))
		i.held = false
		w, err := i.write()
		if err != nil {
			return err
		}
		writes[n] = w
	}
	intents, err := f.commentIntents(ctx, some[0], "held/"+incidentID(names.String(), "", ""), body)
	if err != nil {
		return err
	}
	for i := range intents {
		intents[i] = intents[i].Because("incidents beyond the desk's budget")
	}
	_, err = f.ledger.Do(ctx, writes, intents...)
	return err
}
