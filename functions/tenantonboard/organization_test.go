package tenantonboard

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

func TestTag(t *testing.T) {
	tag := tagOf(simhub.Provider, "acme")
	if !regexp.MustCompile(`^onb-[0-9a-f]{12}$`).MatchString(tag) || tag != tagOf(simhub.Provider, "acme") {
		t.Errorf("tag %q", tag)
	}
	if tag == tagOf(simhub.Provider, "acme2") || tag == tagOf(simhub.TenantCoke, "acme") {
		t.Error("two tenants, or two providers, have the same tag")
	}
}

func TestDecideOrganization(t *testing.T) {
	want := hub.TenantDraft{TenantType: "DEFAULT", Country: "DE", DisplayName: "Acme", CompanyName: "Acme Ltd", City: "Berlin", State: "Berlin", Zip: "10115",
		Domain: "acme.example", Tag: "onb-1"}
	like := func(change func(*hub.Organization)) hub.Organization {
		o := hub.Organization{ID: "org-1", TenantType: want.TenantType, Country: want.Country, DisplayName: want.DisplayName, CompanyName: want.CompanyName,
			City: want.City, State: want.State, Zip: want.Zip, Domain: want.Domain, Tag: want.Tag}
		change(&o)
		return o
	}
	same := like(func(*hub.Organization) {})
	others := like(func(o *hub.Organization) {
		o.ID, o.Tag, o.DisplayName, o.Domain = "org-9", "onb-9", "Other", "other.example"
	})
	untagged := like(func(o *hub.Organization) { o.Tag = "" })
	twin := like(func(o *hub.Organization) { o.ID = "org-2" })
	const created, updated = "+ create the organization of tenant acme", "+ update the organization of tenant acme"
	for name, c := range map[string]struct {
		all  []hub.Organization
		want []string
	}{
		"none":                         {want: []string{created}},
		"only others":                  {all: []hub.Organization{others}, want: []string{created}},
		"one by tag":                   {all: []hub.Organization{others, same}},
		"one by tag, moved":            {all: []hub.Organization{like(func(o *hub.Organization) { o.City, o.Zip = "Bonn", "53111" })}, want: []string{updated}},
		"one by tag, renamed":          {all: []hub.Organization{like(func(o *hub.Organization) { o.DisplayName = "Acme 2" })}, want: []string{updated}},
		"one by tag, of another type":  {all: []hub.Organization{like(func(o *hub.Organization) { o.TenantType = "INTERNAL" })}, want: []string{updated}},
		"one by name":                  {all: []hub.Organization{untagged}, want: []string{updated, "~ the organization was not made here: it is adopted by its domain and display name"}},
		"one by name, in another case": {all: []hub.Organization{like(func(o *hub.Organization) { o.Tag, o.DisplayName = "", "ACME " })}, want: []string{updated, "~ the organization was not made here: it is adopted by its domain and display name"}},
		"one by tag, and one by name":  {all: []hub.Organization{untagged, twin}},
		"by name, of another tenant":   {all: []hub.Organization{like(func(o *hub.Organization) { o.Tag = "onb-9" })}, want: []string{created}},
		"by name, in another domain":   {all: []hub.Organization{like(func(o *hub.Organization) { o.Tag, o.Domain = "", "x.example" })}, want: []string{created}},
		"twins by tag":                 {all: []hub.Organization{same, twin}, want: []string{"! 2 organizations could be this tenant's: give all but one another tag or name at the hub, then retry"}},
		"three by name":                {all: []hub.Organization{untagged, untagged, untagged}, want: []string{"! 3 organizations could be this tenant's: give all but one another tag or name at the hub, then retry"}},
	} {
		p := decideOrganization("acme", want, hub.FindTenants(c.all, want))
		if got := lines(p); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
		for _, s := range p.Steps {
			a, err := argsOf[organizationArgs](s.Args)
			if err != nil || a.Draft != want || (s.Kind == kindUpdate) != (a.Organization != "") || s.Takes {
				t.Errorf("%s: step %+v, %v", name, s, err)
			}
		}
	}
}

// TestOrganizationIsFoundAgain: under every reading of the guide an organization that is there is neither made again nor updated without need,
// one without a tag is adopted, and changed fields are brought there.
func TestOrganizationIsFoundAgain(t *testing.T) {
	for name, switches := range map[string]simhub.Switches{"": {}, "padded": {Padding: true}, "an update shows the old": {StaleUpdate: true}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, setup{hub: simhub.Options{Switches: switches}})
				tenant := acme()
				tenant.Google, tenant.Users = nil, nil
				byHand := w.draft(tenant)
				byHand.Tag, byHand.DisplayName = "", strings.ToUpper(byHand.DisplayName)
				made, err := w.Hub.CreateTenant(w.Context(), simhub.Provider, byHand)
				w.must(err)
				if s := w.onboard(tenant); s.Status != Ready || s.Org != made.ID {
					t.Fatalf("%s, organization %s, not %s: %s", s.Status, s.Org, made.ID, s.Waiting)
				}
				tenant.Organization.City = "Lyon"
				w.onboard(tenant)
				w.onboard(tenant)
				_, calls := w.hub.Calls()
				orgs := slices.DeleteFunc(w.hub.Organizations(), func(o simhub.Organization) bool { return o.Tag != tagOf(simhub.Provider, "acme") })
				if calls["tenants.create"] != 1 || calls["orgs.update"] != 2 || len(orgs) != 1 || orgs[0].DisplayName != "Acme" {
					t.Errorf("%d creates, %d updates; %+v", calls["tenants.create"], calls["orgs.update"], orgs)
				}
				if o, err := w.Hub.Organization(w.Context(), made.ID); err != nil || o.Draft() != w.draft(tenant) {
					t.Errorf("%+v, %v", o.Draft(), err)
				}
			})
		})
	}
}
