package tenantonboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/logs"
)

// Limits of a run.
const (
	turns     = 100 // of one delivery
	maxBegun  = 8   // steps begun in one turn
	maxRounds = 3   // how often a step is begun in a run before a person is asked
)

// OnboardTenant handles one message of topic "tenant-onboarding". It carries a tenant on as far as it goes now.
func (f *Function) OnboardTenant(ctx context.Context, e event.Envelope) error {
	from := ledger.Source{Event: e.ID, Attempt: e.Attempt, Traceparent: e.Traceparent}
	m, err := decodeMessage(e.Data)
	if err == nil {
		err = f.advance(ctx, m.Tenant, from)
	}
	if err == nil || fault.Healing(err) {
		return err
	}
	_, err = f.ledger.Park(ctx, "", TopicOnboarding+"/"+e.ID, err.Error(), e.Data, from)
	return err
}

// advance takes turns until the tenant rests or waits. What waits is carried on by a sweep.
func (f *Function) advance(ctx context.Context, tenant string, from ledger.Source) error {
	for range turns {
		s, err := f.read(ctx, tenant)
		if err != nil {
			return err
		}
		more, err := f.turn(ctx, s, from)
		if fault.Is(err, fault.Conflict) {
			continue // somebody else took it on: look again
		}
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// turn takes a tenant on by one commit, and reports whether there is more to do now.
func (f *Function) turn(ctx context.Context, s *onboarding, from ledger.Source) (more bool, err error) {
	if s.Status.resting() {
		return false, nil
	}
	open, err := f.follow(ctx, s)
	if err != nil || open {
		return false, err
	}
	if failed := s.failure(); failed != nil {
		return f.failed(ctx, s, *failed, from)
	}
	if s.Mode == Undoing {
		return f.undo(ctx, s, from)
	}
	return f.forward(ctx, s, from)
}

// follow reads what has become of the work that was open, and reports whether some still is.
func (f *Function) follow(ctx context.Context, s *onboarding) (open bool, err error) {
	for i := range s.Work {
		w := &s.Work[i]
		if !w.open() {
			continue
		}
		rec, err := f.ledger.Get(ctx, w.Effect)
		if err != nil {
			return false, err
		}
		if w.State, w.Error = rec.State, rec.LastError; rec.State == ledger.Succeeded {
			if w.Result, err = resultOf(rec); err != nil {
				return false, err
			}
			w.Error = ""
			s.note("done: " + w.Step.Text)
		}
		s.Org = cmp.Or(w.Result.Organization, s.Org)
		open = open || w.open()
	}
	return open, nil
}

// failure returns the first work of what the run does now that certainly failed, or waits for a person.
func (s *onboarding) failure() *work {
	from := 0
	if s.Mode == Undoing {
		from = s.UndoAt
	}
	for i := from; i < len(s.Work); i++ {
		if st := s.Work[i].State; st == ledger.Failed || st == ledger.Parked {
			return &s.Work[i]
		}
	}
	return nil
}

// failed ends a run that cannot go on, or turns it round. Everything that was begun has ended; what is parked may have been done, so nothing
// is taken back before a person has decided.
func (f *Function) failed(ctx context.Context, s *onboarding, w work, from ledger.Source) (bool, error) {
	parked := slices.ContainsFunc(s.Work, func(w work) bool { return w.State == ledger.Parked })
	s.note(fmt.Sprintf("%s: %s: %s", w.State, w.Step.Text, w.Error))
	if parked {
		s.Waiting = fmt.Sprintf("step %q waits for a decision: see `providerdesk ledger show %s`, decide, then retry the tenant", w.Step.ID, w.Effect)
		return f.end(ctx, s, Failed, w.Step.Stage, from)
	}
	return f.stop(ctx, s, w.Step.Stage, fmt.Sprintf("step %q failed: %s. Mend the cause, then retry the tenant", w.Step.ID, w.Error), from)
}

// stop ends a run that certainly cannot go on at a stage, or turns it round if that is wanted. Nothing of it is open.
func (f *Function) stop(ctx context.Context, s *onboarding, at Stage, why string, from ledger.Source) (bool, error) {
	s.Waiting = why
	if s.Mode != Onboarding || s.Wanted.OnFailure != Undo {
		return f.end(ctx, s, Failed, at, from)
	}
	s.Mode, s.UndoAt, s.Failed = Undoing, len(s.Work), at
	return f.undo(ctx, s, from)
}

// forward looks at the stages from the one that is under way on, and begins what the first of them that has something to do wants.
func (f *Function) forward(ctx context.Context, s *onboarding, from ledger.Source) (bool, error) {
	all := f.order(s.Mode)
	for _, st := range all[index(all, s.At):] {
		p, err := st.look(ctx, s)
		if err != nil {
			return f.halted(ctx, s, st, err, from)
		}
		if len(p.Blocks) > 0 {
			return f.stop(ctx, s, st.Name, p.Blocks[0], from)
		}
		if len(p.Steps) > 0 {
			s.At = st.Name
			return f.begin(ctx, s, p.Steps, from)
		}
		if s.Mode == Onboarding {
			s.Status = st.Reached
		}
	}
	return f.finish(ctx, s, from)
}

// order returns the stages as a mode goes through them.
func (f *Function) order(m Mode) []stage {
	all := slices.Clone(f.stages)
	if m == Offboarding {
		slices.Reverse(all)
	}
	return all
}

func index(all []stage, at Stage) int {
	return max(0, slices.IndexFunc(all, func(s stage) bool { return s.Name == at }))
}

// begin records the intent to do steps, and does them.
func (f *Function) begin(ctx context.Context, s *onboarding, steps []Step, from ledger.Source) (bool, error) {
	steps = steps[:min(len(steps), maxBegun)]
	for _, step := range steps { // all of them, before one of them is noted as begun
		if why := s.forbids(step); why != "" {
			return f.stop(ctx, s, step.Stage, why, from)
		}
	}
	var intents []ledger.Intent
	for _, step := range steps {
		in, err := f.intent(s, step)
		if err != nil {
			return false, err
		}
		intents = append(intents, in.From(from))
		s.Work = append(s.Work, work{Step: step, Effect: in.ID(), State: ledger.Pending})
		s.note("begin: " + step.Text)
	}
	if s.Mode != Undoing { // why it is undone is still to be told at its end
		s.Waiting = ""
	}
	if s.Status == AwaitingToken {
		s.Status = TenantCreated
	}
	writes, err := s.writes(f.Now().UTC())
	if err != nil {
		return false, err
	}
	_, err = f.ledger.Do(ctx, writes, intents...)
	return true, err
}

// forbids says why a step is not to be carried out; empty if it is.
func (s *onboarding) forbids(step Step) string {
	switch {
	case step.Takes && s.Mode != Undoing && !slices.ContainsFunc(s.Plan.Steps, func(p Step) bool { return p.ID == step.ID }):
		return fmt.Sprintf("the tenant has changed since the plan was accepted: %s is not in it. Plan again", step.ID)
	case s.times(step.ID) >= maxRounds:
		return fmt.Sprintf("step %q was done %d times and is still wanted: the remote does not keep it. Look there, then retry the tenant", step.ID, maxRounds)
	}
	return ""
}

// intent names the effect of a step by the tenant, the run, the step, and how often the run has begun it.
func (f *Function) intent(s *onboarding, step Step) (ledger.Intent, error) {
	k, ok := f.kinds[step.Kind]
	if !ok {
		return ledger.Intent{}, fault.New(fault.Bug, "no effect of kind %q", step.Kind)
	}
	key := s.Wanted.Key
	in, err := k.intent(key, fmt.Sprintf("%s/%d/%s/%d", key, s.Run, step.ID, s.times(step.ID)+1), step.Args)
	if err != nil {
		return in, err
	}
	for i := len(s.Work) - 1; step.After != "" && i >= 0; i-- {
		if s.Work[i].Step.ID == step.After {
			in = in.After(s.Work[i].Effect)
			break
		}
	}
	return in.Because(step.Text), nil
}

// awaiting is what a look returns when only a person can let it go on.
type awaiting struct{ sentence string }

func (e *awaiting) Error() string { return e.sentence }

// halted decides what a look that failed means. What heals is tried again by whoever sent us.
func (f *Function) halted(ctx context.Context, s *onboarding, st stage, err error, from ledger.Source) (bool, error) {
	var a *awaiting
	switch {
	case errors.As(err, &a):
		return f.wait(ctx, s, st, a.sentence)
	case fault.Healing(err):
		return false, err
	}
	return f.stop(ctx, s, st.Name, fmt.Sprintf("looking at stage %q failed: %v. Mend the cause, then retry the tenant", st.Name, err), from)
}

// wait leaves a tenant until a person has made its token. A sweep looks again.
func (f *Function) wait(ctx context.Context, s *onboarding, st stage, sentence string) (bool, error) {
	if s.Status != AwaitingToken {
		s.note("waiting: " + sentence)
	}
	s.Status, s.At, s.Waiting = AwaitingToken, st.Name, sentence
	writes, err := s.writes(f.Now().UTC())
	if err != nil {
		return false, err
	}
	_, err = f.DB.Commit(ctx, writes...)
	return false, err
}

// undo takes back what the run made, the last first, one stage at a time.
func (f *Function) undo(ctx context.Context, s *onboarding, from ledger.Source) (bool, error) {
	var steps []Step
	for i := s.UndoAt - 1; i >= 0 && len(steps) < maxBegun; i-- {
		w := s.Work[i]
		step, ok := f.undoOf(w)
		if !ok || s.times(step.ID) > 0 {
			continue
		}
		if len(steps) > 0 && step.Stage != steps[0].Stage {
			break
		}
		steps = append(steps, step)
	}
	if len(steps) == 0 {
		return f.end(ctx, s, Undone, s.Failed, from)
	}
	return f.begin(ctx, s, steps, from)
}

// undoOf returns the step that takes back what a work has made.
func (f *Function) undoOf(w work) (Step, bool) {
	if w.State != ledger.Succeeded || len(w.Result.Made) == 0 {
		return Step{}, false
	}
	step, ok := f.kinds[w.Step.Kind].undo(w.Step.Args, w.Result)
	step.ID, step.Takes = "undo/"+w.Effect[:12]+"/"+w.Step.ID, true
	return step, ok
}

// finish ends a run that has nothing left to do.
func (f *Function) finish(ctx context.Context, s *onboarding, from ledger.Source) (bool, error) {
	refused := s.refused()
	switch {
	case s.Mode == Offboarding:
		return f.end(ctx, s, Offboarded, "", from)
	case len(refused) > 0:
		s.Waiting = fmt.Sprintf("%d were refused, %s: see the tenant's steps, mend the request or the cause, then apply or retry", len(refused), some(refused))
		return f.end(ctx, s, Failed, s.refusing(), from)
	case len(s.Following) > 0:
		return f.end(ctx, s, Invited, "", from)
	}
	return f.end(ctx, s, Ready, "", from)
}

// end records how a run ended, and tells it.
func (f *Function) end(ctx context.Context, s *onboarding, status Status, failed Stage, from ledger.Source) (bool, error) {
	s.Status, s.Failed, s.At = status, failed, ""
	if status == Ready || status == Invited || status == Offboarded {
		s.Waiting = ""
	}
	s.note("ended: " + string(status))
	told, err := f.lifecycle(s)
	if err != nil {
		return false, err
	}
	writes, err := s.writes(f.Now().UTC())
	if err != nil {
		return false, err
	}
	if _, err = f.ledger.Do(ctx, writes, told.From(from)); err != nil {
		return false, err
	}
	f.Log.InfoContext(ctx, "a run ended", logs.TenantEnded.Attr(), "tenant", s.Wanted.Key, "run", s.Run, "mode", s.Mode, "status", status)
	return false, nil
}
