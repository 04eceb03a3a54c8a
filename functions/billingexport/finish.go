package billingexport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/report"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/store"
)

// finishing is how long a month is left to who finishes it. It is politeness too: two who finish it write the same objects.
const finishing = 10 * time.Minute

// finishers is how many may be faster, one after the other: the last parts of a fleet end together, and each may be the last one.
const finishers = 8

// finish takes a month on from where it is: it is called by whoever may have done the last open part, and by the sweep.
func (f *Function) finish(ctx context.Context, p hub.Period) error {
	me, held := f.Deps.Ledger.NewID(), store.Time(f.Now().Add(finishing))
	for range finishers {
		m, err := f.readMonth(ctx, p)
		if err != nil {
			return err
		}
		err = f.turn(ctx, m, me, held)
		if !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return fault.New(fault.Conflict, "the run of %s changes all the time", p)
}

// turn does what a month's phase wants, with a lease of me until held. fault.Conflict: somebody was faster, look again.
func (f *Function) turn(ctx context.Context, m *month, me string, held time.Time) error {
	switch m.Phase {
	case Resting:
		return f.again(ctx, m)
	case Working:
		open, err := f.hasOpen(ctx, m.Month)
		if err != nil || open {
			return err
		}
	case Finishing:
		if f.Now().Before(m.Lease) && m.Holder != me {
			return nil
		}
	default:
		return nil
	}
	m.Phase, m.Lease, m.Holder = Finishing, held, me
	if err := f.save(ctx, m, m.Lease); err != nil {
		return err
	}
	return f.conclude(ctx, m)
}

// again begins the run that was asked for while another was under way.
func (f *Function) again(ctx context.Context, m *month) error {
	if m.Next == nil {
		return nil
	}
	q, at := *m.Next, beginOf(m.NextRun)
	if err := f.start(ctx, m, q, at, reasonOf(q)); err != nil {
		return err
	}
	return f.plan(ctx, m, f.once(ctx))
}

// conclude completes a month, and when that fails leaves it to the next who looks.
func (f *Function) conclude(ctx context.Context, m *month) error {
	err := f.complete(ctx, m)
	if err == nil || fault.Is(err, fault.Conflict) {
		return err
	}
	f.Log.WarnContext(ctx, "a month is not finished yet", "month", m.Month, "run", m.Run, "error", err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	m.Lease, m.Holder, m.Error = time.Time{}, "", short(err.Error(), maxError)
	if err := f.save(ctx, m, f.Now().Add(time.Minute)); err != nil {
		f.Log.WarnContext(ctx, "that is not recorded either: the month is left alone until its lease ends", "error", err)
	}
	return err
}

// errTaken says that a revision of that number has other objects than ours: another one is decided. Only somebody with another store can have
// written them, or whoever wrote before ours was lost: within one, a number belongs to the run that has recorded it, and the next run begins
// when its manifest is there.
var errTaken = errors.New("the revision's number is taken")

// complete decides what a run comes to, unless that is decided, and carries it out.
func (f *Function) complete(ctx context.Context, m *month) error {
	got, err := f.outcomes(ctx, m)
	if err != nil {
		return err
	}
	for range tries {
		if m.Plan == nil || f.rules.unrecorded {
			if err := f.decide(ctx, m, got); err != nil {
				return err
			}
		}
		c, said, err := f.carryOut(ctx, m, got)
		switch {
		case errors.Is(err, errTaken):
			m.Plan = nil
		case err != nil:
			return err
		default:
			return f.rest(ctx, m, c, said)
		}
	}
	return fault.New(fault.Transient, "%s has a new revision all the time", m.Month)
}

// outcomes reads what the parts of a run came to.
func (f *Function) outcomes(ctx context.Context, m *month) (outcomes, error) {
	got := outcomes{made: map[string]revision.Part{}, failed: map[string]bill.Verdict{}}
	done, err := f.parts(ctx, doneParts(m.Month))
	if err != nil {
		return got, err
	}
	var mine []*part
	for _, p := range done {
		switch {
		case p.Run != m.Run:
		case p.Verdict != nil:
			got.failed[p.Tenant.ID] = *p.Verdict
		default:
			mine = append(mine, p)
		}
	}
	made := make([]revision.Part, len(mine))
	err = each(ctx, len(mine), func(ctx context.Context, i int) (err error) {
		made[i], err = f.readMade(ctx, mine[i].period(), mine[i].Tenant.ID, mine[i].Digest)
		return err
	})
	for _, p := range made {
		got.made[p.Org] = p
	}
	return got, err
}

// readMade reads the document of a part.
func (f *Function) readMade(ctx context.Context, p hub.Period, org, digest string) (revision.Part, error) {
	data, _, err := blob.ReadAll(ctx, f.Bucket, revision.PartFolder(p, org, digest)+revision.PartFile, revision.MaxPart)
	if err != nil {
		return revision.Part{}, fmt.Errorf("read the part of %s: %w", org, err)
	}
	return revision.DecodePart(data)
}

// draft is a run as a revision without a number, compared with the newest one.
func (f *Function) draft(m *month, got outcomes, newest *revision.Manifest) revision.Draft {
	if f.rules.forgetful {
		newest = nil
	}
	return revision.Draft{Month: m.Month, Run: m.Run, Made: m.Begun, Closed: f.Config.Billing.ClosedAt(m.period().Start()),
		Parts: candidate(m, got, newest)}
}

// decide compares a run with the newest revision and records what follows.
func (f *Function) decide(ctx context.Context, m *month, got outcomes) error {
	p := m.period()
	newest, err := f.newest(ctx, p)
	if err != nil {
		return err
	}
	draft := f.draft(m, got, newest)
	next := revision.Decide(draft, newest)
	d := &decision{New: next.New, Since: next.Since, Reason: next.Reason + m.strangers(draft.Parts)}
	if newest != nil {
		d.Newest, d.Revision = newest.Revision, newest.Revision
	}
	if f.rules.sinceLast {
		d.Since = d.Newest
	}
	if d.New {
		if d.Revision, err = f.free(ctx, p); err != nil {
			return err
		}
		if d.Before, err = f.before(ctx, p); err != nil {
			return err
		}
	}
	m.Plan = d
	if f.rules.unrecorded {
		return nil
	}
	return f.save(ctx, m, m.Lease)
}

// carryOut makes the revision that was decided, or finds it there, and moves current.json. It returns the newest revision, and what the reports
// of one that was made just now say.
func (f *Function) carryOut(ctx context.Context, m *month, got outcomes) (c committed, said []report.Statement, err error) {
	p := m.period()
	c, found, err := f.committed(ctx, p, m.Plan.Revision)
	if err != nil {
		return c, nil, err
	}
	if m.Plan.New {
		var newest *revision.Manifest
		if before, found, err := f.committed(ctx, p, m.Plan.Newest); err != nil {
			return c, nil, err
		} else if found {
			newest = &before.manifest
		}
		draft := f.draft(m, got, newest)
		if !found {
			c, said, err = f.commit(ctx, m, draft)
		}
		if err != nil {
			return c, nil, err
		}
		if !c.says(draft) {
			return c, nil, fmt.Errorf("revision %d of %s: %w", m.Plan.Revision, m.Month, errTaken)
		}
	}
	return c, said, f.point(ctx, p, c)
}

// commit writes the objects of a revision and its manifest last.
func (f *Function) commit(ctx context.Context, m *month, d revision.Draft) (c committed, said []report.Statement, err error) {
	p, man := m.period(), d.Manifest(m.Plan.Revision, m.Plan.Since)
	if f.rules.early {
		if c, err := f.putManifest(ctx, p, man); err != nil {
			return c, nil, err
		}
	}
	if said, err = f.furnish(ctx, m, &man); err != nil {
		return c, nil, taken(err)
	}
	c, err = f.putManifest(ctx, p, man)
	if !errors.Is(taken(err), errTaken) {
		return c, said, err
	}
	c, found, lookErr := f.committed(ctx, p, man.Revision)
	if lookErr != nil || !found {
		return c, nil, errors.Join(err, lookErr)
	}
	return c, nil, nil // somebody else's: the caller compares
}

// taken turns the conflict of an object into errTaken.
func taken(err error) error {
	if fault.Is(err, fault.Conflict) {
		return errors.Join(errTaken, err)
	}
	return err
}
