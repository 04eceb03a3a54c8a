package probe_test

import (
	"context"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

func TestHub(t *testing.T) {
	for name, tc := range map[string]struct {
		organization, me, fault string
		tokens                  []string // of these organizations
		roles                   []string // of the provider's token
		want                    []string // of each line
	}{
		"everything is there": {me: "admin@acme.example", tokens: []string{simhub.TenantCoke},
			want: []string{"ok the provider's token lists the tenants", "ok our own account is a member", "ok the token of organization " + simhub.TenantCoke + " opens it"}},
		"somebody else's address": {me: "nobody@acme.example",
			want: []string{"ok the provider's token", "bad our own account is a member: nobody in the provider's organization has that address"}},
		"a token of too few rights": {roles: []string{simhub.ProviderBillingUser}, want: []string{"bad the provider's token lists the tenants: access is refused; make an API token"}},
		"another organization": {organization: "9d9648a7-0000-0000-0000-000000000000",
			want: []string{"bad the provider's token lists the tenants: the organization does not exist; correct its id"}},
		"a hub that is down": {fault: "status:503", want: []string{"bad the provider's token lists the tenants: the hub does not answer; try again"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv, err := simhub.New(simhub.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			if tc.roles == nil {
				tc.roles = []string{simhub.ProviderAdmin}
			}
			o := config.Onboarding{Organization: simhub.Provider, Me: tc.me, Tokens: map[string]config.Secret{}}
			if tc.organization != "" {
				o.Organization = tc.organization
			}
			for _, org := range tc.tokens {
				o.Tokens[org] = config.Secret{}
			}
			if tc.fault != "" {
				if err := srv.ArmFault("tenants.list", tc.fault, 100); err != nil {
					t.Fatal(err)
				}
			}
			c, err := hub.New(hub.Options{Endpoint: "http://hub.example/api", Base: srv.Transport(), Backoff: 1, Token: func(_ context.Context, org string) (string, error) {
				if len(tc.tokens) > 0 && org == tc.tokens[0] {
					return srv.TokenFor(org, simhub.TenantAdmin), nil
				}
				return srv.TokenFor(simhub.Provider, tc.roles...), nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(render(probe.Hub(t.Context(), c, o))), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("got %q, want %q", lines, tc.want)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("got %q, want %q", lines[i], want)
				}
			}
		})
	}
}
