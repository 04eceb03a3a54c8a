package probe_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/probe"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// hubWith is a simulated hub and a client with a token of these roles for each organization.
func hubWith(t *testing.T, fault string, roles map[string][]string) (*simhub.Server, *hub.Client) {
	t.Helper()
	srv, err := simhub.New(simhub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	if fault != "" {
		arm(t, srv, fault)
	}
	c, err := hub.New(hub.Options{Endpoint: endpoint + "/api", Base: srv.Transport(), Backoff: 1, Token: func(_ context.Context, org string) (string, error) {
		if r, ok := roles[org]; ok {
			return srv.TokenFor(org, r...), nil
		}
		return srv.TokenFor(simhub.Provider, simhub.ProviderAdmin), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return srv, c
}

func TestOnboarding(t *testing.T) {
	const lists, member, coke = "the provider's token lists the tenants", "our own account is a member", "the token of organization " + simhub.TenantCoke + " lists its people"
	tenant := map[string]config.Secret{simhub.TenantCoke: {}}
	for name, tc := range map[string]struct {
		organization, me, fault string
		tokens                  map[string]config.Secret
		roles                   map[string][]string
		want                    []string
	}{
		"everything is there": {me: "admin@acme.example", tokens: tenant, roles: map[string][]string{simhub.TenantCoke: {simhub.TenantAdmin}},
			want: []string{"pass " + lists, "pass " + member, "pass " + coke}},
		"somebody else's address": {me: "nobody@acme.example",
			want: []string{"pass " + lists, "fail " + member + ": nobody in the provider's organization has that address"}},
		"a token of too few rights": {roles: map[string][]string{simhub.Provider: {simhub.ProviderBillingUser}},
			want: []string{"fail " + lists + ": access is refused; make an API token there with role provider administrator"}},
		"a tenant's token of too few rights": {me: "admin@acme.example", tokens: tenant, roles: map[string][]string{simhub.TenantCoke: {simhub.TenantBillingUser}},
			want: []string{"pass " + lists, "pass " + member, "fail " + coke + ": access is refused; make an API token there with role tenant administrator"}},
		"a token that is none": {roles: map[string][]string{simhub.Provider: {"nobody has this"}}, want: []string{"fail " + lists + ": access is refused"}},
		"another organization": {organization: "9d9648a7-0000-0000-0000-000000000000",
			want: []string{"fail " + lists + ": the organization does not exist; correct its id"}},
		"a hub that is down": {fault: "status:503", want: []string{"cannot tell " + lists + ": it does not answer; try again"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv, c := hubWith(t, tc.fault, tc.roles)
			o := config.Onboarding{Organization: or(tc.organization, simhub.Provider), Me: tc.me, Tokens: tc.tokens}
			probed(t, srv, func() []probe.Result { return probe.Onboarding(t.Context(), c, o) }, tc.want...)
		})
	}
}

func TestHubDesk(t *testing.T) {
	const categories, listed = "support requests have categories", "support requests are listed"
	for name, tc := range map[string]struct {
		role, fault string
		want        []string
	}{
		"everything is there":       {role: simhub.ProviderSupportUser, want: []string{"pass " + categories, "pass " + listed}},
		"a token of too few rights": {role: simhub.ProviderBillingUser, want: []string{"fail " + categories + ": access is refused; make an API token there with role provider support user", "fail " + listed}},
		"a hub that is down":        {role: simhub.ProviderSupportUser, fault: "drop", want: []string{"cannot tell " + categories + ": it does not answer", "cannot tell " + listed}},
	} {
		t.Run(name, func(t *testing.T) {
			srv, c := hubWith(t, tc.fault, map[string][]string{simhub.Provider: {tc.role}})
			probed(t, srv, func() []probe.Result { return probe.HubDesk(t.Context(), c, simhub.Provider) }, tc.want...)
		})
	}
}

func TestUsage(t *testing.T) {
	month := hub.PeriodOf(time.Now()).Add(-1)
	what := "the token reads the usage of " + month.String()
	for name, tc := range map[string]struct{ role, fault, want string }{
		"it does":                   {role: simhub.ProviderBillingUser, want: "pass " + what},
		"a token of too few rights": {role: simhub.ProviderSupportUser, want: "fail " + what + ": access is refused; make an API token there with role provider billing user"},
		"a hub that is down":        {role: simhub.ProviderBillingUser, fault: "status:500", want: "cannot tell " + what + ": it does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, c := hubWith(t, tc.fault, map[string][]string{simhub.Provider: {tc.role}})
			probed(t, srv, func() []probe.Result { return []probe.Result{probe.Usage(t.Context(), c, simhub.Provider, month)} }, tc.want)
		})
	}
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	issued := func(days int) string { return jwt(fmt.Sprintf(`{"iat":%d}`, now.AddDate(0, 0, -days).Unix())) }
	const what = "the API token of the desk is not old"
	for name, tc := range map[string]struct{ token, want string }{
		"made lately":           {issued(10), "pass " + what},
		"made on the last day":  {issued(150), "pass " + what},
		"made long ago":         {issued(151), "fail " + what + ": it was made 151 days ago, and lives for about 180; make a new one"},
		"it is no JWT":          {"abcdefgh", "cannot tell " + what + ": it does not say when it was made"},
		"a JWT without a time":  {jwt(`{"sub":"x"}`), "cannot tell " + what},
		"a JWT with a bad time": {jwt(`{"iat":"soon"}`), "cannot tell " + what},
		"no JSON in it":         {"e30.!!!.c2ln", "cannot tell " + what},
		"it is not there":       {"", "fail " + what + ": it cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			secret, err := config.NewSecret("env:TOKEN", config.Sources{Env: func(string) (string, bool) { return tc.token, tc.token != "" }})
			if err != nil {
				t.Fatal(err)
			}
			lines(t, []probe.Result{probe.Age(t.Context(), "the desk", secret, now)}, tc.want)
		})
	}
}
