package hub

import (
	"net/http"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const (
	typeProvider = "PROVIDER"
	typeTenant   = "TENANT"
)

// orgRecord is an organization as it is kept.
type orgRecord struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"` // drawn by the hub
	Type     string    `json:"type"`
	Parent   string    `json:"parent,omitempty"`
	Details  details   `json:"details"`
	Serviced bool      `json:"serviced"` // has at least one active service
	Since    time.Time `json:"since"`    // of its services
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
}

// details are what a request says of an organization; PUT replaces all of them.
type details struct {
	TenantType  string `json:"tenantType"`
	Country     string `json:"country"`
	DisplayName string `json:"displayName"`
	CompanyName string `json:"companyName"`
	City        string `json:"city"`
	State       string `json:"state"`
	Zip         string `json:"zip"`
	Domain      string `json:"domain"`
	AdminEmail  string `json:"adminUserEmail"`
	Tag         string `json:"tag"`
}

func (o orgRecord) key() string { return o.ID }

func idsOf(orgs []orgRecord) []string {
	ids := make([]string, len(orgs))
	for i, o := range orgs {
		ids[i] = o.ID
	}
	return ids
}

// wireOrg is an organization as the guide shows it.
type wireOrg struct {
	Created     int64    `json:"createTimestamp,omitempty"`
	Updated     int64    `json:"updateTimestamp,omitempty"`
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	CompanyName string   `json:"companyName"`
	AdminName   *string  `json:"adminUserName,omitempty"`
	AdminEmail  *string  `json:"adminUserEmail,omitempty"`
	Country     string   `json:"country"`
	State       string   `json:"state"`
	City        string   `json:"city"`
	Zip         string   `json:"zip"`
	Domain      string   `json:"domain"`
	Tag         string   `json:"tag"`
	Status      string   `json:"status"`
	OrgType     string   `json:"orgType"`
	Parent      string   `json:"parentOrgId"`
	Children    []string `json:"childOrgIds"`
	TenantType  string   `json:"tenantType"`
	IsFederated bool     `json:"isFederated"`
}

func (tx *tx) wire(o orgRecord) wireOrg {
	d, children := o.Details, []string{}
	if o.Type == typeProvider {
		children = idsOf(tx.state.children(o.ID))
	}
	return wireOrg{
		Created: o.Created.UnixMilli(), Updated: o.Updated.UnixMilli(), ID: o.ID, Name: o.Name,
		DisplayName: d.DisplayName, CompanyName: d.CompanyName, Country: d.Country, State: d.State, City: d.City, Zip: d.Zip,
		Domain: d.Domain, Tag: d.Tag, Status: "ACTIVE", OrgType: o.Type, Parent: o.Parent,
		Children: children, TenantType: d.TenantType,
	}
}

func (tx *tx) createTenant(rq *request) (reply, error) {
	d, err := tx.details(rq)
	if err != nil {
		return reply{}, err
	}
	if rq.org.Type != typeProvider {
		return reply{}, denied("The organization is no provider.")
	}
	random := tx.next("org name")
	o := orgRecord{
		ID: uuid(tx.next("org")), Name: server.Letters(random, server.Lower[10:], 2) + server.Letters(random, server.Lower, 6),
		Type: typeTenant, Parent: rq.org.ID, Details: d, Created: tx.at, Updated: tx.at,
	}
	tx.change.Orgs = append(tx.change.Orgs, o)
	if d.AdminEmail != "" {
		tx.invite(rq, o, joining{Users: []user{{Username: d.AdminEmail}}, Roles: []string{TenantAdmin}})
	}
	w := tx.wire(o)
	w.Created, w.Updated = 0, 0
	return answer(http.StatusCreated, w)
}

// details reads the body of POST and PUT.
func (tx *tx) details(rq *request) (d details, err error) {
	if err := rq.decode(&d); err != nil {
		return d, err
	}
	if d.AdminEmail != "" && tx.switches.RefuseAdminEmail {
		return d, invalid("adminUserEmail", "The field cannot be set.")
	}
	if d.AdminEmail != "" && !isMail(d.AdminEmail) {
		return d, invalid("adminUserEmail", "The value is no mail address.")
	}
	return d, nil
}

func (tx *tx) getOrg(rq *request) (reply, error) {
	w := tx.wire(rq.org)
	if tx.switches.Padding {
		w.Name, w.Tag = " "+w.Name, " "+w.Tag+" "
	}
	return answer(http.StatusOK, w)
}

// listTenants is not paged. A Provider Account Administrator sees the tenants it is bound to.
func (tx *tx) listTenants(rq *request) (reply, error) {
	if rq.org.Type != typeProvider {
		return reply{}, denied("The organization is no provider.")
	}
	all := []wireOrg{}
	for _, o := range tx.state.children(rq.org.ID) {
		if o.Created.After(rq.at.Add(-rq.Lag)) || !rq.caller.manages(o) {
			continue
		}
		w, name := tx.wire(o), ""
		if m, ok := tx.state.members.get(memberKey(o.ID, o.Details.AdminEmail)); ok {
			name = strings.TrimSpace(m.First + " " + m.Last)
		}
		w.AdminName, w.AdminEmail = &name, &o.Details.AdminEmail
		all = append(all, w)
	}
	return answer(http.StatusOK, all)
}

// updateOrg replaces everything: what is left out is empty afterwards.
func (tx *tx) updateOrg(rq *request) (reply, error) {
	d, err := tx.details(rq)
	if err != nil {
		return reply{}, err
	}
	if rq.org.Type != typeTenant {
		return reply{}, invalid("orgId", "The organization is no tenant.")
	}
	before := tx.wire(rq.org)
	o := rq.org
	o.Details, o.Updated = d, tx.at
	tx.change.Orgs = append(tx.change.Orgs, o)
	w := tx.wire(o)
	if tx.switches.StaleUpdate {
		before.Updated = w.Updated
		w = before
	}
	return answer(http.StatusOK, w)
}

// Activate gives an organization its services, as an order does.
func (s *Server) Activate(orgID string) error {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now().Add(s.state.clock))
	o, ok := s.state.orgs.get(orgID)
	if !ok {
		return notFound()
	}
	if !o.Serviced {
		o.Serviced, o.Since = true, tx.at
		tx.change.Orgs = append(tx.change.Orgs, o)
	}
	return tx.commit()
}

// tenant is the organization of a parameter tenantId, which must link to that of the path.
func (tx *tx) tenant(rq *request, id string) (orgRecord, error) {
	o, ok := tx.state.orgs.get(id)
	if !ok || id != rq.org.ID && o.Parent != rq.org.ID {
		f := denied("tenantId: The tenant organization must link to the master organization.")
		f.Fields = []string{"tenantId"}
		return o, f
	}
	return o, nil
}
