package hub

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Organization is a provider's or a tenant's organization. Texts are trimmed; Raw is what the hub sent, with its padding.
type Organization struct {
	ID, Name, DisplayName, CompanyName string
	Country                            string // two letters
	State, City, Zip, Domain           string
	Tag                                string // the provider's own mark, blank for many
	Status                             string // ACTIVE, ...
	Type                               string // orgType: TENANT, ...
	TenantType                         string // DEFAULT or INTERNAL
	Parent                             string
	Children                           []string
	Federated                          bool
	AdminName, AdminEmail              string    // in lists only
	Created, Updated                   time.Time // UTC, zero if the hub did not say
	Raw                                json.RawMessage
}

// TenantDraft is what a tenant is created from, and what an update replaces as a whole.
type TenantDraft struct {
	TenantType  string `json:"tenantType"` // DEFAULT or INTERNAL
	Country     string `json:"country"`    // two letters
	DisplayName string `json:"displayName"`
	CompanyName string `json:"companyName"`
	City        string `json:"city"`
	State       string `json:"state"`
	Zip         string `json:"zip"`
	Domain      string `json:"domain"`
	// AdminEmail is best left empty: some deployments refuse it. Add the administrator with AddUsers and TenantAdmin.
	AdminEmail string `json:"adminUserEmail,omitempty"`
	// Tag should be deterministic: with it FindTenants finds what an uncertain CreateTenant may have created.
	Tag string `json:"tag"`
}

// Draft returns what an update of the organization starts from.
func (o Organization) Draft() TenantDraft {
	return TenantDraft{
		TenantType: o.TenantType, Country: o.Country, DisplayName: o.DisplayName, CompanyName: o.CompanyName,
		City: o.City, State: o.State, Zip: o.Zip, Domain: o.Domain, Tag: o.Tag,
	}
}

// CreateTenant is "Create a Tenant Organization", POST /core/v1/mgmt/orgs/{master}/tenants: one send, no idempotency. A draft without the
// mandatory fields is fault.Invalid and not sent. No API token can exist for the new organization yet: people make them.
func (c *Client) CreateTenant(ctx context.Context, master string, t TenantDraft) (Organization, error) {
	if err := t.check(); err != nil {
		return Organization{}, err
	}
	return c.organization(ctx, request{doing: "create a tenant", method: "POST", org: master, path: orgPath(master) + "/tenants", body: t})
}

// Organization is "Retrieve Details About a Single Organization", GET /core/v1/mgmt/orgs/{org}.
func (c *Client) Organization(ctx context.Context, org string) (Organization, error) {
	return c.organization(ctx, request{doing: "get an organization", method: "GET", org: org, by: c.master, path: orgPath(org)})
}

// Tenants is "Retrieve Details About All Tenant Organizations", GET /core/v1/mgmt/orgs/{master}/tenants. The guide describes no paging.
func (c *Client) Tenants(ctx context.Context, master string) ([]Organization, error) {
	const doing = "list tenants"
	a, err := c.call(ctx, request{doing: doing, method: "GET", org: master, path: orgPath(master) + "/tenants"})
	if err != nil {
		return nil, err
	}
	return all(a.body, doing, organizationOf, "tenants", "orgs", "organizations")
}

// UpdateTenant is "Update a Tenant Organization", PUT /core/v1/mgmt/orgs/{org}. PUT replaces everything, so it reads, applies change, sends
// the whole with the tag, and reads again: the answer of PUT may show the old values. Nothing is sent if change changes nothing. If another
// writer comes between, or the hub does not show the change, it is fault.Conflict. org is the tenant's own id, although the guide's text
// says the master's: its example is right.
func (c *Client) UpdateTenant(ctx context.Context, org string, change func(*TenantDraft)) (Organization, error) {
	const doing = "update a tenant"
	before, err := c.Organization(ctx, org)
	if err != nil {
		return Organization{}, fault.Unsent(err)
	}
	want := before.Draft()
	change(&want)
	if err := want.check(); err != nil {
		return Organization{}, err
	}
	if same(want, before) {
		return before, nil
	}
	if _, err := c.call(ctx, request{doing: doing, method: "PUT", org: org, by: c.master, path: orgPath(org), body: want}); err != nil {
		return Organization{}, err
	}
	after, err := c.Organization(ctx, org)
	if err != nil {
		return Organization{}, readBack(err, doing)
	}
	if !same(want, after) {
		return after, fault.New(fault.Conflict, "the hub confirmed the update of a tenant but shows other values")
	}
	return after, nil
}

// FindTenants returns the tenants that a draft may have become: those with its tag if any has it, else those without a tag that have its
// domain and display name. Spaces and case of names do not count. More than one is for a person to look at.
func FindTenants(all []Organization, t TenantDraft) []Organization {
	var tagged, named []Organization
	for _, o := range all {
		switch {
		case t.Tag != "" && o.Tag == strings.TrimSpace(t.Tag):
			tagged = append(tagged, o)
		case o.Tag == "" && alike(o.Domain, t.Domain) && alike(o.DisplayName, t.DisplayName):
			named = append(named, o)
		}
	}
	if len(tagged) > 0 {
		return tagged
	}
	return named
}

// alike compares names as people do.
func alike(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

func same(want TenantDraft, o Organization) bool {
	want, have := want.trimmed(), o.Draft()
	want.AdminEmail = "" // not shown by the hub
	return want == have
}

func (t TenantDraft) trimmed() TenantDraft {
	for _, f := range t.fields() {
		*f = strings.TrimSpace(*f)
	}
	return t
}

func (t *TenantDraft) fields() []*string {
	return append(t.mandatory(), &t.AdminEmail, &t.Tag)
}

func (t *TenantDraft) mandatory() []*string {
	return []*string{&t.TenantType, &t.Country, &t.DisplayName, &t.CompanyName, &t.City, &t.State, &t.Zip, &t.Domain}
}

var countryForm = regexp.MustCompile(`^[A-Z]{2}$`)

func (t TenantDraft) check() error {
	switch {
	case t.TenantType != "DEFAULT" && t.TenantType != "INTERNAL":
		return fault.New(fault.Invalid, "the type of a tenant is DEFAULT or INTERNAL")
	case !countryForm.MatchString(t.Country):
		return fault.New(fault.Invalid, "the country of a tenant is two capital letters")
	case t.AdminEmail != "" && !isEmail(t.AdminEmail):
		return fault.New(fault.Invalid, "the administrator of a tenant is named by a mail address")
	}
	for _, f := range t.mandatory() {
		if strings.TrimSpace(*f) == "" {
			return fault.New(fault.Invalid, "a tenant needs a display name, a company name, a city, a state, a zip code and a domain")
		}
	}
	return nil
}

func (c *Client) organization(ctx context.Context, r request) (Organization, error) {
	a, err := c.call(ctx, r)
	if err != nil {
		return Organization{}, err
	}
	o, ok := organizationOf(a.body)
	if !ok {
		return Organization{}, unreadable("organization", r.doing)
	}
	return o, nil
}

func organizationOf(raw json.RawMessage) (Organization, bool) {
	o, _ := objectOf(raw)
	out := Organization{
		ID: o.text("id"), Name: o.text("name"), DisplayName: o.text("displayName"), CompanyName: o.text("companyName"),
		Country: o.text("country"), State: o.text("state"), City: o.text("city"), Zip: o.text("zip"), Domain: o.text("domain"),
		Tag: o.text("tag"), Status: o.text("status"), Type: o.text("orgType"), TenantType: o.text("tenantType"), Parent: o.text("parentOrgId"),
		Children: o.texts("childOrgIds", "id", "orgId"), Federated: o.flag("isFederated"), AdminName: o.text("adminUserName"),
		AdminEmail: o.text("adminUserEmail"), Created: o.time("createTimestamp"), Updated: o.time("updateTimestamp"), Raw: raw,
	}
	return out, idForm.MatchString(out.ID)
}

func orgPath(org string) string { return "/core/v1/mgmt/orgs/" + org }

// all decodes a list, bare or wrapped. One element that cannot be read fails the whole: a list with a hole would be believed.
func all[T any](text []byte, doing string, read func(json.RawMessage) (T, bool), wrappers ...string) ([]T, error) {
	elements, ok := listOf(text, wrappers...)
	if !ok {
		return nil, unreadable("list", doing)
	}
	out := make([]T, 0, len(elements))
	for _, e := range elements {
		t, ok := read(e)
		if !ok {
			return nil, unreadable("list", doing)
		}
		out = append(out, t)
	}
	return out, nil
}
