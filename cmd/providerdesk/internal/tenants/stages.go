package tenants

import (
	"slices"

	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// State says how far a tenant is with a stage.
type State string

// The states of a stage.
const (
	Done    State = "done"
	Running State = "running"
	Waits   State = "waits"
	Failed  State = "failed"
	Ahead   State = "ahead"
)

// Stage is a stage of a tenant's run, and how far it is.
type Stage struct {
	Name  tenantonboard.Stage
	State State
}

// stages are those of an onboarding in their order, each with the status of a tenant that is through, and whether a request asks for it.
var stages = [...]struct {
	name    tenantonboard.Stage
	reached tenantonboard.Status
	wanted  func(tenantonboard.Tenant, tenantonboard.Google) bool
}{
	{tenantonboard.StageOrganization, tenantonboard.TenantCreated, func(tenantonboard.Tenant, tenantonboard.Google) bool { return true }},
	{tenantonboard.StageUsers, tenantonboard.UsersAdded, func(t tenantonboard.Tenant, _ tenantonboard.Google) bool { return len(t.Users) > 0 || t.Prune }},
	{tenantonboard.StageAPIs, tenantonboard.GoogleAPIs, func(_ tenantonboard.Tenant, g tenantonboard.Google) bool { return len(g.APIs) > 0 }},
	{tenantonboard.StageIAM, tenantonboard.GoogleIAM, func(_ tenantonboard.Tenant, g tenantonboard.Google) bool { return len(g.Members) > 0 }},
	{tenantonboard.StageContacts, tenantonboard.GoogleContacts, func(_ tenantonboard.Tenant, g tenantonboard.Google) bool { return len(g.Contacts) > 0 }},
	{tenantonboard.StageEvents, tenantonboard.SupportEvents, func(_ tenantonboard.Tenant, g tenantonboard.Google) bool { return g.SupportEvents != "" }},
	{tenantonboard.StageTestCase, tenantonboard.SupportTested, func(_ tenantonboard.Tenant, g tenantonboard.Google) bool { return g.TestCase }},
	{tenantonboard.StageReadable, tenantonboard.Checked, func(_ tenantonboard.Tenant, g tenantonboard.Google) bool { return len(g.Readable) > 0 }},
}

// Stages are the stages that the tenant's run has, in the order in which it goes through them, and how far it is with each.
func (d Detail) Stages() (all []Stage) {
	var g tenantonboard.Google
	if d.Wanted.Google != nil {
		g = *d.Wanted.Google
	}
	under := false // the first stage that is not done is the one under way
	for _, st := range stages {
		if !st.wanted(d.Wanted, g) && !d.works(st.name) {
			continue
		}
		s := Stage{st.name, d.state(st.name, st.reached)}
		if s.State == Ahead && !under && d.Mode == tenantonboard.Onboarding {
			s.State = d.underway()
		}
		under = under || s.State != Done
		all = append(all, s)
	}
	if d.Mode != tenantonboard.Onboarding {
		slices.Reverse(all)
	}
	return all
}

// underway is the state of the stage that is next.
func (d Detail) underway() State {
	switch {
	case d.Waits():
		return Waits
	case d.moves():
		return Running
	}
	return Ahead
}

// works reports whether the run has had, or will have, something to do in a stage.
func (d Detail) works(name tenantonboard.Stage) bool {
	return slices.ContainsFunc(d.Work, func(w Work) bool { return w.Step.Stage == name }) ||
		slices.ContainsFunc(d.Plan.Steps, func(s tenantonboard.Step) bool { return s.Stage == name })
}

// state is what the status and the work of a stage say of it.
func (d Detail) state(name tenantonboard.Stage, reached tenantonboard.Status) State {
	at, begun := slices.Index(statuses[:], d.Status), false
	for _, w := range d.Work {
		if w.Step.Stage != name {
			continue
		}
		switch begun = true; {
		case w.State == ledger.Failed, w.State == ledger.Parked:
			return Failed
		case w.open():
			return Running
		}
	}
	switch {
	case d.Failed == name:
		return Failed
	case d.Status == tenantonboard.Offboarded, d.Mode != tenantonboard.Onboarding && begun:
		return Done
	case d.Mode != tenantonboard.Onboarding:
		return Ahead
	case d.HasFailed():
		return before(name, d.Failed)
	case d.Waits():
		return before(name, tenantonboard.StageUsers) // only people's tokens are waited for
	case at >= slices.Index(statuses[:], reached):
		return Done
	}
	return Ahead
}

// before is Done for a stage that comes before another, and Ahead for one that comes after.
func before(name, other tenantonboard.Stage) State {
	for _, st := range stages {
		switch st.name {
		case other:
			return Ahead
		case name:
			return Done
		}
	}
	return Ahead
}

// open reports whether the work has not ended.
func (w Work) open() bool {
	return !slices.Contains([]ledger.State{ledger.Succeeded, ledger.Failed, ledger.Parked, ledger.Compensated}, w.State)
}
