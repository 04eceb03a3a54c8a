package warehouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// KindName is the kind of the effect.
const KindName = "export.load"

// keep is how long the record of a load stays: BigQuery forgets a job's id after half a year, the ledger must not.
const keep = 10 * 365 * 24 * time.Hour

// maxChain is how many revisions of a month are recorded at once, if none of them was.
const maxChain = 100

// Publication names what is loaded: one lens of a published revision. The manifest says the rest.
type Publication struct {
	Month    string        `json:"month"`
	Lens     revision.Lens `json:"lens"`
	Revision int           `json:"revision"`
	Manifest string        `json:"manifestSha256"`
}

// business is the name of the effect.
func business(m hub.Period, l revision.Lens, rev int) string {
	return fmt.Sprintf("%s/%s/%04d", m, l, rev)
}

// Kind is the registered effect.
type Kind struct {
	ledger.Kind[Publication, State]
	ledger *ledger.Ledger
	w      *Warehouse
}

// Register makes the effect known to a ledger.
func Register(l *ledger.Ledger, w *Warehouse) (Kind, error) {
	k, err := ledger.Register(l, ledger.Spec{Kind: KindName, Class: ledger.Keyed, Keep: keep}, Effect{w})
	return Kind{k, l, w}, err
}

// Intents are the intents to load a published revision and, before it, those published revisions that it follows and that nobody recorded yet:
// of a process that died between publishing and recording, or of a time before there was a warehouse. Each waits for the one before.
func (k Kind) Intents(ctx context.Context, m hub.Period, l revision.Lens, rev int) ([]ledger.Intent, error) {
	var all []ledger.Intent
	for range maxChain {
		manifest, sum, err := k.w.manifest(ctx, m, rev)
		if err != nil {
			return nil, err
		}
		in, err := k.Intent("", business(m, l, rev), Publication{Month: m.String(), Lens: l, Revision: rev, Manifest: sum})
		if err != nil {
			return nil, err
		}
		if rev, err = k.w.chargedBefore(ctx, manifest, m, l); err != nil {
			return nil, err
		}
		if rev == 0 {
			return inOrder(append(all, in)), nil
		}
		before, err := k.ledger.Get(ctx, loadID(m, l, rev))
		if err == nil {
			return inOrder(append(all, in.Following(before))), nil
		}
		if !fault.Is(err, fault.Missing) {
			return nil, err
		}
		all = append(all, in.After(loadID(m, l, rev)))
	}
	return nil, fault.New(fault.Invalid, "more than %d revisions of a month wait to be loaded", maxChain)
}

// chargedBefore returns the last published revision before another one that has files of a lens, 0 if none has: a lens that was added later begins
// with all of its charges as corrections, and one that was left out for a while is corrected from where it was.
func (w *Warehouse) chargedBefore(ctx context.Context, of revision.Manifest, m hub.Period, l revision.Lens) (int, error) {
	for of.Since > 0 {
		before, sum, err := w.manifest(ctx, m, of.Since)
		if err != nil {
			return 0, err
		}
		if len(w.jobOf(before, m, l, sum).Current) > 0 {
			return before.Revision, nil
		}
		of = before
	}
	return 0, nil
}

// loadID is the id of the effect's record.
func loadID(m hub.Period, l revision.Lens, rev int) string {
	return ledger.ID(KindName, "", business(m, l, rev))
}

func inOrder(newestFirst []ledger.Intent) []ledger.Intent {
	slices.Reverse(newestFirst)
	return newestFirst
}

// Effect loads a publication.
type Effect struct{ w *Warehouse }

// Call loads. A load that is not done is told as certainly not finished: what was started is met again, and repeating it does no harm.
func (e Effect) Call(ctx context.Context, p Publication, _ ledger.Token) (ledger.Act[State], error) {
	j, err := e.job(ctx, p)
	if err != nil {
		return ledger.Act[State]{}, err
	}
	s, err := e.w.Load(ctx, j)
	if err == nil && s.Phase != Done {
		err = again(0, "%w", errRuns)
	}
	return act(p, s), err
}

// Find looks whether it was loaded.
func (e Effect) Find(ctx context.Context, p Publication, _ ledger.Token, _ bool) ([]ledger.Act[State], error) {
	j, err := e.job(ctx, p)
	if err != nil {
		return nil, err
	}
	s, err := e.w.Look(ctx, j)
	if err != nil || s.Phase != Done {
		return nil, err
	}
	return []ledger.Act[State]{act(p, s)}, nil
}

func act(p Publication, s State) ledger.Act[State] {
	return ledger.Act[State]{ID: fmt.Sprintf("%s/%s/%s", p.Month, p.Lens, p.Manifest), Result: s}
}

// job reads what there is to load. A manifest is written once: another one in its place is nobody's.
func (e Effect) job(ctx context.Context, p Publication) (Job, error) {
	month, err := hub.ParsePeriod(p.Month)
	if err != nil {
		return Job{}, err
	}
	m, sum, err := e.w.manifest(ctx, month, p.Revision)
	if err != nil {
		return Job{}, unsent(err)
	}
	if sum != p.Manifest {
		return Job{}, fault.Wrap(fault.Invalid, errors.New("its digest is another one"), "read a manifest")
	}
	return e.w.jobOf(m, month, p.Lens, sum), nil
}

// unsent says of a failure before anything was asked of BigQuery that it left no doubt.
func unsent(err error) error {
	if fault.Is(err, fault.Transient) || fault.Is(err, fault.Bug) {
		return fault.Unsent(err)
	}
	return err
}
