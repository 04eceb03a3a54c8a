package fetch

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Tenant is a tenant of the provider. Status is empty if only its usage is known.
type Tenant struct{ ID, Name, Status string }

// Tenants returns the tenants, ordered by id. Who may read usage need not be allowed to list tenants: then they are those that the usage report
// of the last month and the subscriptions name.
func (f *Fetcher) Tenants(ctx context.Context) ([]Tenant, error) {
	listed, err := f.Hub.Tenants(ctx, f.Master)
	if fault.Is(err, fault.Denied) {
		return f.named(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	all := map[string]Tenant{}
	for _, o := range listed {
		all[o.ID] = Tenant{o.ID, cmp.Or(o.DisplayName, o.Name), o.Status}
	}
	return f.ordered(all), nil
}

// named gathers the organizations of what can be read; denied is returned if nothing can.
func (f *Fetcher) named(ctx context.Context, denied error) ([]Tenant, error) {
	all, read := map[string]Tenant{}, false
	for _, items := range []iter.Seq2[hub.UsageItem, error]{
		f.Hub.Usage(ctx, f.Master, hub.UsageQuery{Period: hub.PeriodOf(f.now()).Add(-1)}),
		f.Hub.Subscriptions(ctx, f.Master, hub.SubscriptionQuery{All: true}),
	} {
		err := organizations(items, all)
		if err != nil && !fault.Is(err, fault.Denied) {
			return nil, err
		}
		read = read || err == nil
	}
	if !read {
		return nil, denied
	}
	return f.ordered(all), nil
}

func organizations(items iter.Seq2[hub.UsageItem, error], into map[string]Tenant) error {
	for i, err := range items {
		if err != nil {
			return err
		}
		if o := i.Organization; o != nil {
			into[o.ID] = Tenant{ID: o.ID, Name: o.Name}
		}
	}
	return nil
}

func (f *Fetcher) ordered(all map[string]Tenant) []Tenant {
	delete(all, f.Master)
	return slices.SortedFunc(maps.Values(all), func(a, b Tenant) int { return cmp.Compare(a.ID, b.ID) })
}
