package hub

import (
	"slices"
	"time"
)

// Organization is an organization as the hub has it, for whoever checks what really happened.
type Organization struct {
	ID, Name, DisplayName, Domain, Tag string
	Type, Parent                       string
	Serviced                           bool
	Created, Updated                   time.Time
}

// Organizations returns all organizations, oldest first, after what is due by now has been executed.
func (s *Server) Organizations() []Organization {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Organization
	for _, o := range s.state.orgs.list {
		all = append(all, Organization{o.ID, o.Name, o.Details.DisplayName, o.Details.Domain, o.Details.Tag, o.Type, o.Parent, o.Serviced, o.Created, o.Updated})
	}
	return all
}

// Member is a user in an organization.
type Member struct {
	Username        string
	Roles, Bindings []string
	Services        map[string][]string // roles by service id
}

// Members returns who is in an organization.
func (s *Server) Members(orgID string) []Member {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Member
	for _, m := range s.state.members.list {
		if m.Org != orgID || len(m.Roles) == 0 {
			continue
		}
		v := Member{m.Username, slices.Clone(m.Roles), slices.Clone(m.Bindings), map[string][]string{}}
		for _, r := range m.Services {
			v.Services[r.ServiceID] = slices.Clone(r.Roles)
		}
		all = append(all, v)
	}
	return all
}

// Invitation is a mail that was sent to somebody without an account.
type Invitation struct {
	Username          string
	Roles             []string
	Sent, Expires     time.Time
	Revoked, Redeemed bool
}

// Invitations returns all invitations to an organization, oldest first.
func (s *Server) Invitations(orgID string) []Invitation {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Invitation
	for _, i := range s.state.invitations.list {
		if i.Org == orgID {
			all = append(all, Invitation{i.Username, slices.Clone(i.Asked.Roles), i.At, i.expires(), !i.RevokedAt.IsZero(), i.Redeemed})
		}
	}
	return all
}

// SupportRequest is a support request with the names of its files by their ids.
type SupportRequest struct {
	ID, OrgID, Title, Description, Severity string
	InternalTicketID, CreatedBy             string
	Status, SubStatus, CloseReason          string
	Escalated                               bool
	Details                                 []string
	Files                                   map[string]string
	Created, Updated                        time.Time
}

// SupportRequests returns all support requests, oldest first.
func (s *Server) SupportRequests() []SupportRequest {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []SupportRequest
	for _, t := range s.state.tickets.list {
		v := SupportRequest{
			ID: t.ID, OrgID: t.Org, Title: t.Asked.Title, Description: t.Asked.Description, Severity: t.Asked.Severity,
			InternalTicketID: t.Asked.InternalID, CreatedBy: t.By, Status: t.Status, SubStatus: t.SubStatus, CloseReason: t.Reason,
			Escalated: t.Escalated, Details: slices.Clone(t.Details), Files: map[string]string{}, Created: t.Created, Updated: t.Updated,
		}
		for _, f := range t.Files {
			v.Files[f.FileID] = f.FileName
		}
		all = append(all, v)
	}
	return all
}
