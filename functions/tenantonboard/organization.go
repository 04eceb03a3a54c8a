package tenantonboard

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// The effects on an organization.
const (
	kindCreate = "tenant.create"
	kindUpdate = "tenant.update"
)

// tagOf is the mark by which a tenant's organization is found again: the same for ever, for one tenant of one provider.
func tagOf(master, tenant string) string {
	sum := sha256.Sum256([]byte(master + "/" + tenant))
	return "onb-" + hex.EncodeToString(sum[:6])
}

func (f *Function) master() string { return f.Config.Onboarding.Organization }

func (f *Function) draft(t Tenant) hub.TenantDraft {
	o := t.Organization
	return hub.TenantDraft{TenantType: cmp.Or(o.Type, "DEFAULT"), Country: o.Country, DisplayName: o.DisplayName, CompanyName: o.CompanyName,
		City: o.City, State: o.State, Zip: o.Zip, Domain: o.Domain, Tag: tagOf(f.master(), t.Key)}
}

// lookOrganization lists the tenants, together with who else looks now, and decides what the organization lacks.
func (f *Function) lookOrganization(ctx context.Context, s *onboarding) (part, error) {
	if s.Mode == Offboarding {
		return stays(s.Org), nil
	}
	all, err := f.listing.tenants(ctx)
	if err != nil {
		return part{}, err
	}
	want := f.draft(s.Wanted)
	found := hub.FindTenants(all, want)
	if len(found) == 1 {
		s.Org = found[0].ID
	}
	return decideOrganization(s.Wanted.Key, want, found), nil
}

// stays says that an offboarding leaves the organization.
func stays(org string) (p part) {
	if org != "" {
		p.Drift = append(p.Drift, "organization "+org+" stays: the hub's API has no call that removes one")
	}
	return p
}

// decideOrganization is pure: what stands between the organizations found for a tenant and the one wanted.
func decideOrganization(tenant string, want hub.TenantDraft, found []hub.Organization) (p part) {
	switch len(found) {
	case 0:
		p.Steps = append(p.Steps, step(StageOrganization, kindCreate, "organization/create", "create the organization of tenant "+tenant, organizationArgs{Draft: want}))
	case 1:
		have := found[0].Draft()
		if have.Tag == "" {
			p.Drift = append(p.Drift, "the organization was not made here: it is adopted by its domain and display name")
		}
		if have != want {
			p.Steps = append(p.Steps, step(StageOrganization, kindUpdate, "organization/update", "update the organization of tenant "+tenant,
				organizationArgs{Draft: want, Organization: found[0].ID}))
		}
	default:
		p.Blocks = append(p.Blocks, fmt.Sprintf("%d organizations could be this tenant's: give all but one another tag or name at the hub, then retry", len(found)))
	}
	return p
}

// organizationArgs is an organization to be created, or updated if it is there.
type organizationArgs struct {
	Draft        hub.TenantDraft `json:"draft"`
	Organization string          `json:"organization,omitempty"`
}

func (f *Function) registerOrganization() error {
	if err := registerKind(f, ledger.Spec{Kind: kindCreate, Class: ledger.Marked}, ledger.Effect[organizationArgs, Result](createEffect{f}), nil); err != nil {
		return err
	}
	return registerKind(f, ledger.Spec{Kind: kindUpdate, Class: ledger.Desired}, ledger.Effect[organizationArgs, Result](updateEffect{f}), nil)
}

// createEffect creates an organization: no key, names need not be unique, so the tag is the marker.
type createEffect struct{ f *Function }

func (e createEffect) Call(ctx context.Context, p organizationArgs, _ ledger.Token) (ledger.Act[Result], error) {
	o, err := e.f.Hub.CreateTenant(ctx, e.f.master(), p.Draft)
	if err != nil {
		return ledger.Act[Result]{}, err
	}
	return organizationAct(o), nil
}

func (e createEffect) Find(ctx context.Context, p organizationArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	all, err := e.f.Hub.Tenants(ctx, e.f.master())
	if err != nil {
		return nil, err
	}
	var acts []ledger.Act[Result]
	for _, o := range all {
		if o.Tag == p.Draft.Tag {
			acts = append(acts, organizationAct(o))
		}
	}
	return acts, nil
}

func organizationAct(o hub.Organization) ledger.Act[Result] {
	return ledger.Act[Result]{ID: o.ID, Result: Result{Organization: o.ID}}
}

// updateEffect replaces what an organization says of itself.
type updateEffect struct{ f *Function }

func (e updateEffect) Call(ctx context.Context, p organizationArgs, _ ledger.Token) (ledger.Act[Result], error) {
	o, err := e.f.Hub.UpdateTenant(ctx, p.Organization, func(t *hub.TenantDraft) { *t = p.Draft })
	if err != nil {
		return ledger.Act[Result]{}, err
	}
	return organizationAct(o), nil
}

func (e updateEffect) Find(ctx context.Context, p organizationArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	o, err := e.f.Hub.Organization(ctx, p.Organization)
	if err != nil || o.Draft() != p.Draft {
		return nil, err
	}
	return []ledger.Act[Result]{organizationAct(o)}, nil
}

// resultOf returns what a succeeded effect says of itself.
func resultOf(rec ledger.Record) (r Result, err error) {
	if rec.Result == nil || len(rec.Result.Result) == 0 {
		return r, nil
	}
	return r, fault.Wrap(fault.Bug, json.Unmarshal(rec.Result.Result, &r), "decode the result of effect "+rec.ID)
}
