package hub

import (
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// seeded is when the organizations of the seed and their services began.
var seeded = time.Date(2018, 6, 7, 15, 56, 16, 0, time.UTC)

// seed fills an empty hub, in one change: it is there entirely or not at all.
func (s *Server) seed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.state.orgs.list) > 0 {
		return nil
	}
	tx := s.begin(s.opts.Now())
	provider := tx.seedOrg(Provider, typeProvider, details{DisplayName: "Acme Cloud", CompanyName: "Acme Cloud Ltd", City: "Palo Alto", State: "California", Zip: "94304", Domain: "acme.example"})
	coke := tx.seedOrg(TenantCoke, typeTenant, details{DisplayName: "Coke", CompanyName: "The Coca-Cola Company", City: "Atlanta", State: "GA", Zip: "30313", Domain: "coke.com"})
	lorem := tx.seedOrg(TenantLorem, typeTenant, details{DisplayName: "Lorem", CompanyName: "Lorem Ipsum", City: "Atlanta", State: "Georgia", Zip: "30313", Domain: "lorem.com", Tag: "hightouchVMC"})
	for _, o := range []orgRecord{provider, coke, lorem} {
		tx.seedPeople(o)
	}
	for i := range s.opts.Tenants {
		name := fmt.Sprintf("tenant-%05d", i+1)
		tx.seedOrg(uuid(tx.next("org")), typeTenant, details{
			DisplayName: name, CompanyName: name, City: "Atlanta", State: "GA", Zip: "30313", Domain: name + ".example", Tag: name,
		})
	}
	return tx.commit()
}

func (tx *tx) seedOrg(id, orgType string, d details) orgRecord {
	d.TenantType, d.Country = "DEFAULT", "US"
	random := tx.next("org name")
	o := orgRecord{
		ID: id, Name: server.Letters(random, server.Lower[10:], 2) + server.Letters(random, server.Lower, 6), Type: orgType, Details: d,
		Serviced: true, Since: seeded, Created: seeded, Updated: seeded,
	}
	if orgType == typeTenant {
		o.Parent = Provider
	}
	tx.change.Orgs = append(tx.change.Orgs, o)
	return o
}

// seedPeople makes a user and an API token for every role of an organization, and one for all roles of the provider.
func (tx *tx) seedPeople(o orgRecord) {
	roles := rolesOf(o.Type)
	for _, role := range roles {
		tx.seedUser(o, shortName(role), []string{role})
	}
	if o.Type == typeProvider {
		tx.seedUser(o, "owner", roles)
	}
}

func (tx *tx) seedUser(o orgRecord, name string, roles []string) {
	m := member{Org: o.ID, Username: name + "@" + o.Details.Domain, First: name, Last: o.Details.DisplayName, IDP: o.Details.Domain, Roles: roles, Created: seeded}
	if len(roles) == 1 && (roles[0] == ProviderBillingUser || roles[0] == TenantBillingUser) {
		m.Group = roles
	}
	t := tx.issue(o, m.Username, roles)
	for _, r := range roles {
		if r == ProviderAccountAdmin {
			m.Bindings, t.Bindings = []string{TenantCoke, TenantLorem}, []string{TenantCoke, TenantLorem}
		}
	}
	tx.change.Members = append(tx.change.Members, m)
	tx.change.Tokens = append(tx.change.Tokens, t)
}

// shortName is "billing_user" of "msp:provider_billing_user".
func shortName(role string) string {
	for _, prefix := range []string{"msp:provider_", "msp:tenant_"} {
		if len(role) > len(prefix) && role[:len(prefix)] == prefix {
			return role[len(prefix):]
		}
	}
	return role
}
