package tenantonboard

import (
	"context"
	"encoding/json"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// stage is one part of an onboarding.
type stage struct {
	Name    Stage
	Reached Status // of a tenant for which it has ended
	// look asks the remote what there is and decides what is left to do. It changes nothing.
	look func(ctx context.Context, s *onboarding) (part, error)
}

// part is a stage's share of a plan.
type part struct {
	Steps  []Step
	Drift  []string
	Blocks []string
}

// stages are the parts in their order. Offboarding goes through them backwards.
func stages(f *Function) []stage {
	return []stage{
		{StageOrganization, TenantCreated, f.lookOrganization},
		{StageUsers, UsersAdded, f.lookUsers},
		{StageAPIs, GoogleAPIs, f.lookAPIs},
		{StageIAM, GoogleIAM, f.lookIAM},
		{StageContacts, GoogleContacts, f.lookContacts},
		{StageEvents, SupportEvents, f.lookEvents},
		{StageTestCase, SupportTested, f.lookTestCase},
		{StageReadable, Checked, f.lookReadable},
	}
}

// kind is a kind of effect with its types taken off, as the saga needs it.
type kind struct {
	intent func(tenant, business string, args json.RawMessage) (ledger.Intent, error)
	undo   func(args json.RawMessage, r Result) (Step, bool)
}

// register makes the kinds of effects known. Each stage's file has its own.
func (f *Function) register() error {
	for _, add := range []func() error{
		f.registerOrganization, f.registerUsers, f.registerAPIs, f.registerIAM, f.registerContacts, f.registerEvents, f.registerTestCase,
		f.registerLifecycle,
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// registerKind registers an effect. undo returns the step that takes back what the effect made, false when nothing is to be taken back; nil: never.
func registerKind[P any](f *Function, s ledger.Spec, e ledger.Effect[P, Result], undo func(P, Result) (Step, bool)) error {
	registered, err := ledger.Register(f.ledger, s, e)
	if err != nil {
		return err
	}
	f.kinds[s.Kind] = kind{
		intent: func(tenant, business string, args json.RawMessage) (ledger.Intent, error) {
			p, err := argsOf[P](args)
			if err != nil {
				return ledger.Intent{}, err
			}
			return registered.Intent(tenant, business, p)
		},
		undo: func(args json.RawMessage, r Result) (Step, bool) {
			p, err := argsOf[P](args)
			if err != nil || undo == nil {
				return Step{}, false
			}
			return undo(p, r)
		},
	}
	return nil
}

// unversioned is an effect on a state of which the remote keeps no version. A repeat would do no harm, but a request that is executed late could bring
// back what was undone meanwhile, or take away what the next run made. So a doubt is waited out as if something was created, for up to a day.
func unversioned(kind string) ledger.Spec {
	return ledger.Spec{Kind: kind, Class: ledger.Marked, MaxDoubts: 96}
}

func argsOf[P any](args json.RawMessage) (p P, err error) {
	return p, fault.Wrap(fault.Bug, json.Unmarshal(args, &p), "decode a step")
}

// step returns a step with its arguments encoded.
func step[P any](stage Stage, kind, id, text string, args P) Step {
	data, _ := json.Marshal(args) // texts, numbers, lists and maps of them: it cannot fail
	return Step{ID: id, Stage: stage, Kind: kind, Text: text, Args: data}
}
