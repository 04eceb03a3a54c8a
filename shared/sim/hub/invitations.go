package hub

import (
	"net/http"
	"time"
)

// An invitation is good for seven days from when it was sent, to the millisecond.
const invitationLife = 7 * 24 * time.Hour

const (
	available = "AVAILABLE"
	redeemed  = "REDEEMED"
)

// invitation is one mail that was sent to somebody without an account.
type invitation struct {
	ID        string    `json:"id"`
	Org       string    `json:"org"`
	Username  string    `json:"username"`
	IDP       string    `json:"idp,omitempty"`
	Link      string    `json:"link"` // shared by all invitations of one call
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Created   time.Time `json:"created"`
	RevokedBy string    `json:"revokedBy,omitempty"`
	RevokedAt time.Time `json:"revokedAt,omitzero"`
	Redeemed  bool      `json:"redeemed,omitempty"`
	Asked     joining   `json:"asked"`
}

func (i invitation) key() string { return i.ID }

func (i invitation) open() bool { return !i.Redeemed && i.RevokedAt.IsZero() }

func (i invitation) expires() time.Time { return i.At.Add(invitationLife) }

func (tx *tx) invitationLink(org orgRecord) string {
	return "/cphub/api/auth/v1/orgs/" + org.ID + "/invitations/" + uuid(tx.next("invitation link"))
}

func (tx *tx) sendInvitation(rq *request, org orgRecord, u user, in joining, link string) {
	in.Users = nil
	at := tx.at.Truncate(time.Millisecond)
	tx.change.Invitations = append(tx.change.Invitations, invitation{
		ID: uuid(tx.next("invitation")), Org: org.ID, Username: u.Username, IDP: u.IDP, Link: link, By: rq.caller.Username, At: at, Created: tx.at, Asked: in,
	})
}

// wireInvitation is an invitation as the guide shows it: an expired one is still AVAILABLE, and one time of four is in microseconds.
type wireInvitation struct {
	ExpirationTime int64    `json:"expirationTime"`
	GeneratedBy    string   `json:"generatedBy"`
	GeneratedAt    int64    `json:"generatedAt"`
	RevokedBy      string   `json:"revokedBy"`
	RevokedAt      int64    `json:"revokedAt"`
	Status         string   `json:"status"`
	Username       string   `json:"username"`
	OrgRoles       []string `json:"orgRoles"`
	Bindings       []string `json:"orgRoleBindingOrgs,omitempty"`
	RefLink        string   `json:"refLink"`
}

func (tx *tx) listInvitations(rq *request) (reply, error) {
	all := []wireInvitation{}
	for _, i := range tx.state.invitations.list {
		if i.Org == rq.org.ID && !i.Created.After(rq.at.Add(-rq.Lag)) {
			all = append(all, tx.wireInvitation(i))
		}
	}
	return answer(http.StatusOK, all)
}

func (tx *tx) wireInvitation(i invitation) wireInvitation {
	w := wireInvitation{
		ExpirationTime: i.expires().UnixMilli(), GeneratedBy: i.By, GeneratedAt: i.At.UnixMilli(), RevokedBy: i.RevokedBy,
		Status: available, Username: i.Username, OrgRoles: i.Asked.Roles, Bindings: i.Asked.Bindings, RefLink: i.Link,
	}
	if !i.RevokedAt.IsZero() {
		w.RevokedAt, w.Status = i.RevokedAt.UnixMicro(), tx.switches.RevokedStatus
	}
	if i.Redeemed {
		w.Status = redeemed
	}
	return w
}

func (tx *tx) revokeInvitations(rq *request) (reply, error) {
	return tx.eachInvitation(rq, "revokedUsersInvitation", "Invitations have been revoked successfully", func(i *invitation) {
		i.RevokedBy, i.RevokedAt = rq.caller.Username, tx.at.Truncate(time.Millisecond)
	})
}

// resendInvitations starts the seven days again; the link stays the same.
func (tx *tx) resendInvitations(rq *request) (reply, error) {
	return tx.eachInvitation(rq, "resentUsersInvitation", "Invitations have been resent successfully", func(i *invitation) {
		i.By, i.At = rq.caller.Username, tx.at.Truncate(time.Millisecond)
	})
}

// eachInvitation does the same to the open invitations of every mail address, and tells for which it could not.
func (tx *tx) eachInvitation(rq *request, result, message string, do func(*invitation)) (reply, error) {
	var in struct {
		Emails []string `json:"emails"`
	}
	if err := rq.decode(&in); err != nil {
		return reply{}, err
	}
	b, seen := newBatch(), map[string]bool{}
	for _, email := range in.Emails {
		if seen[fold(email)] {
			continue
		}
		seen[fold(email)] = true
		open := tx.openInvitations(rq.org.ID, email)
		if len(open) == 0 {
			b.fail(email, "There is no pending invitation")
			continue
		}
		b.Users = append(b.Users, email)
		for _, i := range open {
			do(&i)
			b.link(email, i.Link)
			tx.change.Invitations = append(tx.change.Invitations, i)
		}
	}
	b.settle()
	if len(b.Failed) > 0 {
		message = "Some invitations could not be changed"
	}
	return answer(tx.confirmed(len(b.Failed) > 0), map[string]any{"message": message, result: b})
}

func (tx *tx) openInvitations(org, email string) []invitation {
	return tx.state.invitations.where(func(i invitation) bool {
		return i.Org == org && i.open() && fold(i.Username) == fold(email)
	})
}

// Accept lets an invited user come in, as a click on the link in the newest mail does. It fails once the seven days are over.
func (s *Server) Accept(orgID, username string) error {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now().Add(s.state.clock))
	org, ok := s.state.orgs.get(orgID)
	open := tx.openInvitations(orgID, username)
	if !ok || len(open) == 0 {
		return notFound()
	}
	newest := open[0]
	for _, i := range open[1:] {
		if !i.At.Before(newest.At) {
			newest = i
		}
	}
	if !tx.at.Before(newest.expires()) {
		return fail(http.StatusConflict, "EXPIRED", "The invitation has expired.")
	}
	newest.Redeemed = true
	tx.change.Invitations = append(tx.change.Invitations, newest)
	m, _ := s.state.members.get(memberKey(orgID, username))
	tx.join(m, org, user{newest.Username, newest.IDP}, newest.Asked)
	return tx.commit()
}
