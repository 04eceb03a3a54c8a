package hub

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// InvitationStatus is where an invitation stands at a time. The hub stores only part of it: see Invitation.Status.
type InvitationStatus string

const (
	Redeemed InvitationStatus = "REDEEMED"
	Revoked  InvitationStatus = "REVOKED"
	Expired  InvitationStatus = "EXPIRED"
	Pending  InvitationStatus = "PENDING"
)

const (
	openFor = 7 * 24 * time.Hour // an invitation, as the guide says
	nearEnd = 24 * time.Hour     // before its end a pending invitation may be sent again
)

// Invitation asks somebody to join an organization.
type Invitation struct {
	Username  string // a mail address
	InvitedBy string
	RevokedBy string
	Generated time.Time // UTC, whatever unit the hub used
	Expires   time.Time
	RevokedAt time.Time // zero: never
	Stored    string    // the hub's status; AVAILABLE also for what is revoked or over
	Roles     []string
	Bindings  []string // tenants that a ProviderAccountAdmin will manage
	Ref       string   // refLink; two invitations may share one
	Raw       json.RawMessage
}

// Status derives where the invitation stands at now: redeemed if the hub says so, else revoked if it was ever revoked, else expired from
// Expires on (seven days after Generated if the hub gave no time), else pending.
func (i Invitation) Status(now time.Time) InvitationStatus {
	end := i.Expires
	if end.IsZero() && !i.Generated.IsZero() {
		end = i.Generated.Add(openFor)
	}
	switch {
	case strings.EqualFold(i.Stored, string(Redeemed)):
		return Redeemed
	case !i.RevokedAt.IsZero() || strings.EqualFold(i.Stored, string(Revoked)):
		return Revoked
	case !end.IsZero() && !now.Before(end):
		return Expired
	}
	return Pending
}

// Resendable reports whether the invitation may be sent again at now: it is expired, or pending in its last day.
func (i Invitation) Resendable(now time.Time) bool {
	switch i.Status(now) {
	case Expired:
		return true
	case Pending:
		return !i.Expires.IsZero() && !now.Before(i.Expires.Add(-nearEnd))
	}
	return false
}

// Outcome of Revoke and Resend, judged by what the hub lists afterwards. Every address asked for is in one of them.
type Outcome struct {
	Done    []string // it is so
	Left    []string // asked for, and not so
	Skipped []string // not asked for, because it cannot or need not be
}

// Invitations is "Fetch a List of Pending Invitations", GET /auth/v1/orgs/{org}/invitations. The list holds revoked, redeemed and expired
// ones too.
func (c *Client) Invitations(ctx context.Context, org string) ([]Invitation, error) {
	const doing = "list invitations"
	a, err := c.call(ctx, request{doing: doing, method: "GET", org: org, path: authPath(org) + "/invitations"})
	if err != nil {
		return nil, err
	}
	return all(a.body, doing, invitationOf, "invitations", "results")
}

// Revoke is the DELETE of "Revoke or Resend Invitations", /auth/v1/orgs/{org}/invitations with the addresses in its body: one send, then the
// list is read, because something between may drop the body of a DELETE. Addresses without an open invitation at first are skipped. Outcome
// is complete only without an error.
func (c *Client) Revoke(ctx context.Context, org string, emails []string) (Outcome, error) {
	open := func(i Invitation, now time.Time) bool { s := i.Status(now); return s == Pending || s == Expired }
	return c.invite(ctx, act{"revoke invitations", "DELETE", org, emails, open, func(before, after []Invitation, now time.Time) bool {
		return !anyInvitation(after, func(i Invitation) bool { return open(i, now) })
	}})
}

// Resend is the POST of "Revoke or Resend Invitations", /auth/v1/orgs/{org}/invitations: one send. Only what is Resendable is asked for, the
// rest is skipped. The guide does not show the answer: it is done if the list then shows a later Generated or Expires than before.
func (c *Client) Resend(ctx context.Context, org string, emails []string) (Outcome, error) {
	return c.invite(ctx, act{"resend invitations", "POST", org, emails, Invitation.Resendable, func(before, after []Invitation, _ time.Time) bool {
		g, e := latest(before)
		g2, e2 := latest(after)
		return g2.After(g) || e2.After(e)
	}})
}

// act is one request about the invitations of some addresses.
type act struct {
	doing, method, org string
	emails             []string
	wanted             func(Invitation, time.Time) bool                   // one of them makes an address worth asking for
	done               func(before, after []Invitation, n time.Time) bool // of one address
}

func (c *Client) invite(ctx context.Context, a act) (out Outcome, err error) {
	if err := checkEmails(a.emails); err != nil {
		return out, err
	}
	before, err := c.Invitations(ctx, a.org)
	if err != nil {
		return out, fault.Unsent(err)
	}
	now := c.now()
	asked, skipped := part(a.emails, func(e string) bool {
		return anyInvitation(of(before, e), func(i Invitation) bool { return a.wanted(i, now) })
	})
	out.Skipped = skipped
	if len(asked) == 0 {
		return out, nil
	}
	body := map[string][]string{"emails": asked}
	if _, err := c.call(ctx, request{doing: a.doing, method: a.method, org: a.org, path: authPath(a.org) + "/invitations", body: body}); err != nil {
		return out, err
	}
	after, err := c.Invitations(ctx, a.org)
	if err != nil {
		return out, readBack(err, a.doing)
	}
	out.Done, out.Left = part(asked, func(e string) bool { return a.done(of(before, e), of(after, e), now) })
	return out, nil
}

// part splits emails, each once, by a question.
func part(emails []string, yes func(string) bool) (in, out []string) {
	seen := map[string]bool{}
	for _, e := range emails {
		key := strings.ToLower(e)
		switch {
		case seen[key]:
		case yes(e):
			in = append(in, e)
		default:
			out = append(out, e)
		}
		seen[key] = true
	}
	return in, out
}

// of returns the invitations of one address.
func of(all []Invitation, email string) (own []Invitation) {
	for _, i := range all {
		if alike(i.Username, email) {
			own = append(own, i)
		}
	}
	return own
}

func anyInvitation(all []Invitation, yes func(Invitation) bool) bool {
	for _, i := range all {
		if yes(i) {
			return true
		}
	}
	return false
}

// latest returns the latest times among invitations.
func latest(all []Invitation) (generated, expires time.Time) {
	for _, i := range all {
		if i.Generated.After(generated) {
			generated = i.Generated
		}
		if i.Expires.After(expires) {
			expires = i.Expires
		}
	}
	return generated, expires
}

func invitationOf(raw json.RawMessage) (Invitation, bool) {
	o, _ := objectOf(raw)
	i := Invitation{
		Username: o.text("username"), InvitedBy: o.text("generatedBy"), RevokedBy: o.text("revokedBy"), Generated: o.time("generatedAt"),
		Expires: o.time("expirationTime"), RevokedAt: o.time("revokedAt"), Stored: o.text("status"),
		Roles: o.texts("orgRoles", "id", "name"), Bindings: o.texts("orgRoleBindingOrgs", "id", "orgId"), Ref: o.text("refLink"), Raw: raw,
	}
	return i, i.Username != ""
}
