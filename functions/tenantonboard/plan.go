package tenantonboard

import (
	"context"
	"errors"
	"slices"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Plan looks at everything and decides what stands between what is there and what is wanted. It changes nothing.
func (f *Function) Plan(ctx context.Context, t Tenant, m Mode) (Plan, error) {
	s, err := f.known(ctx, t.Key)
	if err != nil {
		return Plan{}, err
	}
	return f.plan(ctx, s.next(t, m))
}

// known returns what is known of a tenant, or a new record of it.
func (f *Function) known(ctx context.Context, tenant string) (*onboarding, error) {
	s, err := f.read(ctx, tenant)
	if fault.Is(err, fault.Missing) {
		return &onboarding{V: 1, Status: Fresh}, nil
	}
	return s, err
}

// next returns s as the next run begins with it.
func (s *onboarding) next(t Tenant, m Mode) *onboarding {
	n := *s
	n.Wanted, n.Mode, n.Status, n.Run = t, m, Fresh, s.Run+1
	n.Work, n.Failed, n.Waiting, n.At, n.UndoAt, n.lines = nil, "", "", "", 0, nil
	return &n
}

func (f *Function) plan(ctx context.Context, s *onboarding) (Plan, error) {
	p := Plan{Tenant: s.Wanted.Key, Steps: []Step{}}
	for _, st := range f.order(s.Mode) {
		share, err := st.look(ctx, s)
		var a *awaiting
		if errors.As(err, &a) {
			share.Drift = append(share.Drift, a.sentence)
		} else if err != nil {
			return p, fault.Wrap(fault.Of(err), err, "look at stage "+string(st.Name))
		}
		p.Steps, p.Drift, p.Blocks = append(p.Steps, share.Steps...), append(p.Drift, share.Drift...), append(p.Blocks, share.Blocks...)
	}
	return p.sealed()
}

// Apply accepts a plan that somebody has seen, and records that the tenant is to be brought there. It is fault.Conflict when the plan has
// changed meanwhile (the new one is returned), when it is blocked, and when an earlier run has not ended. A message on topic
// "tenant-onboarding" carries it out.
func (f *Function) Apply(ctx context.Context, t Tenant, m Mode, digest, by string) (Plan, error) {
	s, err := f.known(ctx, t.Key)
	if err != nil {
		return Plan{}, err
	}
	if err := f.rests(ctx, s); err != nil {
		return Plan{}, err
	}
	n := s.next(t, m)
	p, err := f.plan(ctx, n)
	switch {
	case err != nil:
		return p, err
	case p.Digest != digest:
		return p, fault.New(fault.Conflict, "the plan of tenant %s has changed: look at the new one, and apply that", t.Key)
	case len(p.Blocks) > 0:
		return p, fault.New(fault.Conflict, "the plan of tenant %s cannot be applied: %s", t.Key, p.Blocks[0])
	}
	return p, f.accept(ctx, n, p, by)
}

// accept records a run that is to be carried out.
func (f *Function) accept(ctx context.Context, s *onboarding, p Plan, by string) error {
	s.Plan, s.By, s.Begun = p, by, f.Now().UTC()
	s.note("accepted plan " + p.Digest + " for " + string(s.Mode))
	writes, err := s.writes(s.Begun)
	if err != nil {
		return err
	}
	_, err = f.DB.Commit(ctx, writes...)
	return err
}

// Retry begins a further run towards what was wanted last. What is done is not done again. Taking something away that the accepted plan did
// not name wants a new plan.
func (f *Function) Retry(ctx context.Context, tenant, by string) error {
	s, err := f.read(ctx, tenant)
	if err != nil {
		return err
	}
	if err := f.rests(ctx, s); err != nil {
		return err
	}
	mode := s.Mode
	if mode == Undoing {
		mode = Onboarding
	}
	n := s.next(s.Wanted, mode)
	p, err := f.plan(ctx, n)
	if err != nil {
		return err
	}
	for _, step := range p.Steps {
		if step.Takes && !slices.ContainsFunc(s.Plan.Steps, func(old Step) bool { return old.ID == step.ID }) {
			return fault.New(fault.Conflict, "going on would take away what the accepted plan did not name: plan and apply tenant %s again", tenant)
		}
	}
	if len(p.Blocks) > 0 {
		return fault.New(fault.Conflict, "tenant %s cannot go on: %s", tenant, p.Blocks[0])
	}
	return f.accept(ctx, n, p, by)
}

// rests returns a fault.Conflict when a run of the tenant has not ended, or when a step of it may have been done: two runs must never do the
// same thing at the same time.
func (f *Function) rests(ctx context.Context, s *onboarding) error {
	if s.version != "" && !s.Status.resting() && s.Status != AwaitingToken {
		return fault.New(fault.Conflict, "a run of tenant %s is under way: wait for its end", s.Wanted.Key)
	}
	for _, w := range s.Work {
		if w.State != ledger.Parked {
			continue
		}
		rec, err := f.ledger.Get(ctx, w.Effect)
		switch {
		case err != nil:
			return err
		case !rec.State.Terminal():
			return fault.New(fault.Conflict, "step %q of tenant %s is %s: decide with `providerdesk ledger decide %s`, or wait for its end",
				w.Step.ID, s.Wanted.Key, rec.State, w.Effect)
		}
	}
	return nil
}
