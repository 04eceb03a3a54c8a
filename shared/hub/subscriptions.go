package hub

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// SubscriptionQuery says whose subscriptions are wanted: exactly one of its fields is set, because the guide says in two ways what the hub
// returns without any.
type SubscriptionQuery struct {
	Tenant   string // of this tenant
	All      bool   // of all tenants of the master organization
	Provider bool   // of the provider itself
}

// Subscriptions is "View Subscriptions", GET /billing/v1/orgs/{org}/subscriptions, streamed like Usage. The guide's example is http: this is
// https. A Provider Billing User may ask, a tenant's roles may not.
//
// The sequence ends after its first error. It makes its request when it is ranged over.
func (c *Client) Subscriptions(ctx context.Context, org string, q SubscriptionQuery) iter.Seq2[UsageItem, error] {
	return func(yield func(UsageItem, error) bool) {
		more := true
		err := c.subscriptions(ctx, org, q, func(i UsageItem) bool {
			more = yield(i, nil)
			return more
		})
		if err != nil && more {
			yield(UsageItem{}, err)
		}
	}
}

func (c *Client) subscriptions(ctx context.Context, org string, q SubscriptionQuery, yield func(UsageItem) bool) error {
	const doing = "read subscriptions"
	f, err := c.SubscriptionsFile(ctx, org, q)
	if err != nil {
		return err
	}
	return readTree(f, doing, foreignTo(org, q.Tenant, q.Provider), yield)
}

func (q SubscriptionQuery) values() (url.Values, error) {
	if err := checkScope(q.Tenant, q.Provider); err != nil {
		return nil, err
	}
	if q.All && (q.Provider || q.Tenant != "") || !q.All && !q.Provider && q.Tenant == "" {
		return nil, fault.New(fault.Invalid, "subscriptions are those of a tenant, of all tenants or of the provider")
	}
	v := url.Values{"allTenants": {strconv.FormatBool(q.All)}, "providerReport": {strconv.FormatBool(q.Provider)}}
	if q.Tenant != "" {
		v.Set("tenantId", q.Tenant)
	}
	return v, nil
}
