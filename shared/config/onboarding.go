package config

import (
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/strict"
)

// life of an invitation at the hub: a reminder after that comes too late.
const life = 7 * 24 * time.Hour

func (r *reader) onboarding(v value, c *Config) {
	c.Onboarding = Onboarding{Tokens: map[string]Secret{}, MaxTenants: 50, Reminders: []time.Duration{72 * time.Hour, 144 * time.Hour}, Resends: 2, InFlight: 4}
	o := &c.Onboarding
	there := v.Mapping(fields{
		"organization":    strict.Text(&o.Organization, organization),
		"token":           r.secret(&o.Token),
		"tokens":          func(v value) { r.tokens(v, o.Tokens) },
		"auth":            func(v value) { r.auth(v, &o.Auth) },
		"me":              strict.Text(&o.Me, email),
		"allowed_domains": strict.Texts(&o.AllowedDomains, domain),
		"max_tenants":     strict.Number(&o.MaxTenants, 1, 500),
		"reminders":       func(v value) { reminders(v, &o.Reminders) },
		"resends":         strict.Number(&o.Resends, 0, 10),
		"desk":            strict.Text(&o.Desk),
		"in_flight":       strict.Number(&o.InFlight, 1, 16),
	}, "organization", "token", "auth", "me")
	r.Later(func() { checkTestDesk(c, there["desk"]) })
}

// tokens reads the API tokens of tenants.
func (r *reader) tokens(v value, tokens map[string]Secret) {
	v.Pairs(func(name string, line int, child value) {
		if message := organization(name); message != "" {
			v.Add(line, child.Key(), "the key of a token %s", message)
			return
		}
		var s Secret
		if r.secret(&s)(child); !s.IsZero() {
			tokens[name] = s
		}
	})
}

// reminders reads times after an invitation, each later than the one before. An empty list is none.
func reminders(v value, dst *[]time.Duration) {
	all := []time.Duration{}
	v.List(func(e value) {
		var d time.Duration
		strict.Duration(&d, time.Hour, life)(e)
		if n := len(all); d > 0 && n > 0 && d <= all[n-1] {
			e.Problem("must be longer than the one before")
		}
		all = append(all, d)
	})
	*dst = all
}

func checkTestDesk(c *Config, v value) {
	name := c.Onboarding.Desk
	if name == "" {
		return
	}
	var names []string
	for n, d := range c.Desks {
		if d.Kind == "google" {
			names = append(names, n)
		}
	}
	if !slices.Contains(names, name) {
		v.Problem("is not the name of a desk of kind google%s; write one of those under desks", strict.Suggest(name, names))
	}
}

func domain(s string) string {
	if s != strings.ToLower(s) || email("someone@"+s) != "" {
		return "must be a domain in lower case, such as example.com"
	}
	return ""
}
