package probe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// may is what the hub's refusals mean to whoever needs a role: the hub does not tell roles of a token, so they are seen by what it may do.
func may(role string) hints {
	return hints{
		denied:  "access is refused; make an API token there with role " + role + ", and see that the organization has an active service",
		missing: "the organization does not exist; correct its id",
	}
}

// Onboarding asks whether the API tokens that onboarding has open the organizations that they are for, and whether our own account is there.
func Onboarding(ctx context.Context, c *hub.Client, o config.Onboarding) []Result {
	_, err := c.Tenants(ctx, o.Organization)
	results := []Result{may("provider administrator").result("the provider's token lists the tenants", err)}
	if err == nil {
		results = append(results, ourselves(ctx, c, o))
	}
	for _, org := range slices.Sorted(maps.Keys(o.Tokens)) {
		_, err := c.Users(ctx, org)
		results = append(results, may("tenant administrator").result("the token of organization "+org+" lists its people", err))
	}
	return results
}

// ourselves looks for the account that is never removed: with a wrong address another one would be protected.
func ourselves(ctx context.Context, c *hub.Client, o config.Onboarding) Result {
	members, err := c.Users(ctx, o.Organization)
	r := may("provider administrator").result("our own account is a member", err)
	if _, ok := hub.FindMember(members, o.Me); err == nil && !ok {
		return r.but(Fail, "nobody in the provider's organization has that address; correct onboarding.me")
	}
	return r
}

// HubDesk asks whether a desk at the hub can be used: what a request can be about, and which requests there are.
func HubDesk(ctx context.Context, c *hub.Client, organization string) []Result {
	role := may("provider support user or tenant administrator")
	categories, err := c.Metadata(ctx, organization, "")
	r := role.result("support requests have categories", err)
	if err == nil && len(categories) == 0 {
		r = r.but(Unclear, "the hub lists none; ask VMware whether the organization may open support requests")
	}
	_, err = c.Tickets(ctx, organization, hub.TicketFilter{})
	return []Result{r, role.result("support requests are listed", err)}
}

// oldToken is when an API token should be replaced: those of the hub live for six months, unless somebody chose otherwise.
const oldToken = 150 * 24 * time.Hour

// Age says how old an API token is, by what it says of itself. Most say nothing: then only whoever made it knows.
func Age(ctx context.Context, whose string, secret config.Secret, now time.Time) Result {
	token, err := secret.Resolve(ctx)
	r := hints{denied: "it cannot be read"}.result("the API token of "+whose+" is not old", err)
	if err != nil {
		return r
	}
	issued, ok := hub.IssuedAt(token)
	switch age := now.Sub(issued); {
	case !ok:
		return r.but(Unclear, "it does not say when it was made; the hub's pages do, where it was made")
	case age > oldToken:
		return r.but(Fail, fmt.Sprintf("it was made %d days ago, and lives for about 180; make a new one, see \"Rotation\" in docs/operate.md", int(age.Hours()/24)))
	}
	return r
}
