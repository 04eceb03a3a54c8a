package casewebhook

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/providerdesk/providerdesk/functions/casewebhook/commands"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Limits of one sweep.
const (
	sweepEffects  = 50
	sweepHeld     = 300 // incidents read
	sweepTurns    = 100 // priorities looked at
	sweepComments = 3   // comments written on umbrella cases
	sweepOrders   = 100 // what people asked for, looked at
	sweepBytes    = store.MaxCommit / 2
)

// swept is the answer of a sweep.
type swept struct {
	ledger.Swept
	Listed int            `json:"listed"` // held incidents that were listed on umbrella cases
	Turned int            `json:"turned"` // incidents whose priority was due for a change
	Told   commands.Swept `json:"told"`
}

// SweepCases runs every minute: it visits the effects that are due, lists held incidents on their umbrella cases, changes priorities whose
// time has come, and tells the outcome of what people asked for. Sweeps may overlap.
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
	turned, terr := f.turnDue(ctx)
	s, err := f.ledger.Sweep(ctx, sweepEffects)
	told, oerr := f.commands.Sweep(ctx, sweepOrders) // after the effects that outcomes hang on
	return swept{s, listed, turned, told}, errors.Join(herr, terr, err, oerr)
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
	if f.closedUmbrella(ctx, mine[0]) {
		*all = rest
		return 0, unlessConflict(f.moveHeld(ctx, mine[:fitting(mine)]))
	}
	body, n := heldText(mine[:fitting(mine)], f.location(mine[0].Desk, config.Route{}))
	*all = append(rest, mine[n:]...)
	if err := f.recordListed(ctx, mine[:n], body); err != nil {
		return 0, unlessConflict(err)
	}
	return n, nil
}

// fitting returns how many incidents one commit holds.
func fitting(all []incident) int {
	left := sweepBytes
	for n, i := range all {
		if left -= i.size; left < 0 && n > 0 {
			return n
		}
	}
	return len(all)
}

func unlessConflict(err error) error {
	if fault.Is(err, fault.Conflict) {
		return nil // the next sweep sees what changed
	}
	return err
}

// closedUmbrella reports whether the umbrella case of an incident was opened and is closed. When the desk does not say, it is not.
func (f *Function) closedUmbrella(ctx context.Context, i incident) bool {
	rec, err := f.ledger.Get(ctx, i.Case)
	if err != nil || rec.State != ledger.Succeeded {
		return false
	}
	gone, err := f.gone(ctx, i)
	return gone && err == nil
}

// moveHeld moves incidents from an umbrella case that people have closed to its successor, which is opened for them. Those that have
// ended need none: nobody waits for them.
func (f *Function) moveHeld(ctx context.Context, some []incident) error {
	old, err := f.ledger.Get(ctx, some[0].Case)
	if err != nil {
		return err
	}
	payload, err := f.kinds.Open.Payload(old)
	if err != nil {
		return err
	}
	next, err := f.kinds.Open.Intent(old.Tenant, old.Business+"/next", payload)
	if err != nil {
		return err
	}
	writes := make([]store.Write, len(some))
	wanted := false
	for n, i := range some {
		if i.held = i.Status == alert.Firing; i.held {
			i.Case, wanted = next.ID(), true
		}
		if writes[n], err = i.write(); err != nil {
			return err
		}
	}
	if _, err = f.ledger.Get(ctx, next.ID()); wanted && fault.Is(err, fault.Missing) {
		tracks, err := f.tracked(old.Tenant, next.ID(), payload.Desk, nil)
		if err != nil {
			return err
		}
		next = next.Because("incidents wait for an umbrella case, and people have closed it")
		return f.commit(ctx, writes, append([]ledger.Intent{next}, tracks...))
	}
	_, err = f.DB.Commit(ctx, writes...)
	return err
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
