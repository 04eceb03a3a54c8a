package probe

import (
	"context"
	"maps"
	"slices"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// Hub asks whether the API tokens that onboarding has open the organizations that they are for, and whether our own account is there.
func Hub(ctx context.Context, c *hub.Client, o config.Onboarding) []Result {
	_, err := c.Tenants(ctx, o.Organization)
	results := []Result{hubResult("the provider's token lists the tenants", err)}
	if err == nil {
		results = append(results, ourselves(ctx, c, o))
	}
	for _, org := range slices.Sorted(maps.Keys(o.Tokens)) {
		_, err := c.Users(ctx, org)
		results = append(results, hubResult("the token of organization "+org+" opens it", err))
	}
	return results
}

// ourselves looks for the account that is never removed: with a wrong address another one would be protected.
func ourselves(ctx context.Context, c *hub.Client, o config.Onboarding) Result {
	members, err := c.Users(ctx, o.Organization)
	r := hubResult("our own account is a member", err)
	if _, ok := hub.FindMember(members, o.Me); err == nil && !ok {
		r.OK, r.Advice = false, "nobody in the provider's organization has that address; correct onboarding.me"
	}
	return r
}

func hubResult(what string, err error) Result {
	r := Result{What: what, OK: err == nil}
	switch fault.Of(err) {
	case "":
	case fault.Denied:
		r.Advice = "access is refused; make an API token there with role administrator, and see that the organization has an active service (" + err.Error() + ")"
	case fault.Missing:
		r.Advice = "the organization does not exist; correct its id (" + err.Error() + ")"
	case fault.Transient, fault.Throttled:
		r.Advice = "the hub does not answer; try again, and look at endpoints.hub (" + err.Error() + ")"
	default:
		r.Advice = err.Error()
	}
	return r
}
