package tenantonboard

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// The effects on the policy of a parent.
const (
	kindGrant  = "google.grant"
	kindRevoke = "google.revoke"
)

// maxPairs is how many members one write gives a role, or takes one from: what it made must fit into the result of an effect.
const maxPairs = 80

var needPolicy = need{"the IAM policy", "cloudresourcemanager.googleapis.com",
	"roles/resourcemanager.projectIamAdmin, or roles/resourcemanager.organizationAdmin for an organization,"}

// ofOrganizations are roles that can be granted on an organization only.
var ofOrganizations = []string{supportAccountAdmin, "roles/resourcemanager.organizationViewer"}

// lookIAM reads the policy of the parent and decides which members lack a role.
func (f *Function) lookIAM(ctx context.Context, s *onboarding) (part, error) {
	g := s.Wanted.Google
	if g == nil || len(g.Members) == 0 {
		return part{}, nil
	}
	have, err := f.Cloud.Bindings(ctx, g.Parent)
	hidden, err := f.looked(ctx, s, needPolicy, err)
	if err != nil {
		return part{}, err
	}
	if s.Mode == Offboarding {
		return leaveIAM(g.Parent, pairs(g.Members), have).hiding(hidden), nil
	}
	return decideIAM(g.Parent, pairs(g.Members), have).hiding(hidden), nil
}

// pair is a member with a role.
type pair struct {
	Role   string `json:"role"`
	Member string `json:"member"`
}

func (p pair) String() string { return p.Role + " " + p.Member }

// is compares as IAM does, which keeps addresses in lower case.
func (p pair) is(o pair) bool { return p.Role == o.Role && strings.EqualFold(p.Member, o.Member) }

// pairs are the members with their roles, each once, in their order.
func pairs(members []Member) (all []pair) {
	for _, m := range members {
		for _, role := range m.Roles {
			if p := (pair{role, m.Member}); !slices.ContainsFunc(all, p.is) {
				all = append(all, p)
			}
		}
	}
	return all
}

// held are the pairs of a policy that hold without a condition.
func held(have []cloud.Binding) (all []pair) {
	for _, b := range have {
		for _, m := range b.Members {
			if b.Condition == nil {
				all = append(all, pair{b.Role, m})
			}
		}
	}
	return all
}

// decideIAM is pure: the pairs that a policy lacks. What wanted members have beside is told, and stays.
func decideIAM(parent string, wanted []pair, have []cloud.Binding) (p part) {
	there := held(have)
	var missing []pair
	for _, w := range wanted {
		if slices.Contains(ofOrganizations, w.Role) && !isOrganization(parent) {
			p.Blocks = append(p.Blocks, fmt.Sprintf("the role %s can be granted on an organization only, not on %s: leave it out of the request", w.Role, parent))
		} else if !slices.ContainsFunc(there, w.is) {
			missing = append(missing, w)
		}
	}
	p.Steps = policySteps(kindGrant, "iam/grant", "grant %s on %s", parent, missing)
	p.Drift = beside(wanted, there)
	return p
}

// leaveIAM is pure: the wanted pairs that a policy has are taken out of it.
func leaveIAM(parent string, wanted []pair, have []cloud.Binding) part {
	there := held(have)
	gone := slices.DeleteFunc(slices.Clone(wanted), func(w pair) bool { return !slices.ContainsFunc(there, w.is) })
	return part{Steps: taking(policySteps(kindRevoke, "iam/revoke", "revoke %s on %s", parent, gone)...)}
}

// policySteps are steps on pairs: one, unless there are very many.
func policySteps(kind, id, text, parent string, all []pair) (steps []Step) {
	for n, some := range slices.Collect(slices.Chunk(all, maxPairs)) {
		name := id
		if n > 0 {
			name = fmt.Sprintf("%s/%d", id, n+1)
		}
		steps = append(steps, step(StageIAM, kind, name, fmt.Sprintf(text, counted(len(some), "role"), parent), policyArgs{Parent: parent, Pairs: some}))
	}
	return steps
}

// beside are the further roles of wanted members.
func beside(wanted, there []pair) (drift []string) {
	var members []string
	for _, w := range wanted {
		if slices.ContainsFunc(members, func(m string) bool { return strings.EqualFold(m, w.Member) }) {
			continue
		}
		members = append(members, w.Member)
		var roles []string
		for _, t := range there {
			if strings.EqualFold(t.Member, w.Member) && !slices.ContainsFunc(wanted, t.is) {
				roles = append(roles, t.Role)
			}
		}
		if len(roles) > 0 {
			drift = append(drift, fmt.Sprintf("%s also has %s", w.Member, strings.Join(roles, ", ")))
		}
	}
	return drift
}

// policyArgs are pairs to be in the policy of a parent, or out of it.
type policyArgs struct {
	Parent string `json:"parent"`
	Pairs  []pair `json:"pairs"`
}

// bindings are the pairs by their roles.
func (p policyArgs) bindings() (all []cloud.Binding) {
	for _, one := range p.Pairs {
		i := slices.IndexFunc(all, func(b cloud.Binding) bool { return b.Role == one.Role })
		if i < 0 {
			i, all = len(all), append(all, cloud.Binding{Role: one.Role})
		}
		all[i].Members = append(all[i].Members, one.Member)
	}
	return all
}

// texts are the pairs as a result keeps them.
func (p policyArgs) texts() (all []string) {
	for _, one := range p.Pairs {
		all = append(all, one.String())
	}
	return all
}

func (f *Function) registerIAM() error {
	grant := ledger.Spec{Kind: kindGrant, Class: ledger.Desired}
	if err := registerKind(f, grant, ledger.Effect[policyArgs, Result](grantEffect{f}), undoGrant); err != nil {
		return err
	}
	return registerKind(f, ledger.Spec{Kind: kindRevoke, Class: ledger.Desired}, ledger.Effect[policyArgs, Result](revokeEffect{f}), nil)
}

// grantEffect puts pairs into a policy. They were not in it when it was decided, so those that are found after a call without an answer, or
// by a further one, are taken for its work.
type grantEffect struct{ f *Function }

func (e grantEffect) Call(ctx context.Context, p policyArgs, t ledger.Token) (ledger.Act[Result], error) {
	ours, err := e.f.Cloud.GrantRoles(ctx, p.Parent, p.bindings())
	if err != nil {
		return ledger.Act[Result]{}, policyFault(err, ours)
	}
	made := policyArgs{Pairs: held(ours)}.texts()
	if t.Attempt > 1 {
		made = p.texts()
	}
	return ledger.Act[Result]{ID: p.Parent, Result: Result{Made: made}}, nil
}

// policyFault says how certain it is that a policy was not changed: not at all after a write that was executed, or whose fate is open,
// entirely without one. Writes that only met others will be executed once the others rest.
func policyFault(err error, open []cloud.Binding) error {
	switch {
	case len(open) > 0:
		return fault.Wrap(fault.Transient, err, "after a write whose fate is open")
	case gapi.Status(err) == http.StatusConflict:
		return fault.Unsent(fault.Wrap(fault.Transient, err, "others change the policy"))
	}
	return asking(err)
}

func (e grantEffect) Find(ctx context.Context, p policyArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.Cloud.Bindings(ctx, p.Parent)
	if err != nil {
		return nil, err
	}
	there := held(have)
	if slices.ContainsFunc(p.Pairs, func(one pair) bool { return !slices.ContainsFunc(there, one.is) }) {
		return nil, nil
	}
	return []ledger.Act[Result]{{ID: p.Parent, Result: Result{Made: p.texts()}}}, nil
}

// undoGrant revokes the pairs that the run granted, and none that was there before.
func undoGrant(p policyArgs, r Result) (Step, bool) {
	back := policyArgs{Parent: p.Parent}
	for _, text := range r.Made {
		role, member, _ := strings.Cut(text, " ")
		back.Pairs = append(back.Pairs, pair{role, member})
	}
	return step(StageIAM, kindRevoke, "", fmt.Sprintf("revoke %s that the run granted on %s", counted(len(back.Pairs), "role"), p.Parent), back), len(back.Pairs) > 0
}

// revokeEffect takes pairs out of a policy.
type revokeEffect struct{ f *Function }

func (e revokeEffect) Call(ctx context.Context, p policyArgs, _ ledger.Token) (ledger.Act[Result], error) {
	ours, err := e.f.Cloud.RevokeRoles(ctx, p.Parent, p.bindings())
	if err != nil {
		return ledger.Act[Result]{}, policyFault(err, ours)
	}
	return ledger.Act[Result]{ID: p.Parent}, nil
}

func (e revokeEffect) Find(ctx context.Context, p policyArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.Cloud.Bindings(ctx, p.Parent)
	if err != nil {
		return nil, err
	}
	there := held(have)
	if slices.ContainsFunc(p.Pairs, func(one pair) bool { return slices.ContainsFunc(there, one.is) }) {
		return nil, nil
	}
	return []ledger.Act[Result]{{ID: p.Parent}}, nil
}
