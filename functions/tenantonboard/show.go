package tenantonboard

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store"
)

const pageSize = 100 // tenants

// listed is a tenant in a page of them.
type listed struct {
	Tenant       string    `json:"tenant"`
	Status       Status    `json:"status"`
	Run          int       `json:"run"`
	Waiting      string    `json:"waiting,omitempty"`
	Changed      time.Time `json:"changed"`
	Organization string    `json:"organization,omitempty"`
}

func (s *onboarding) listed() listed {
	return listed{Tenant: s.Wanted.Key, Status: s.Status, Run: s.Run, Waiting: s.Waiting, Changed: s.Changed, Organization: s.Org}
}

// page of tenants, in the order of their keys.
type page struct {
	Tenants []listed `json:"tenants"`
	After   string   `json:"after,omitempty"` // of the next page; "" on the last
}

func (f *Function) serveList(ctx context.Context, c call) (run.Response, error) {
	q := store.Query{Collection: tenantsIn, State: c.URL.Query().Get("status"), AfterID: c.URL.Query().Get("after"), Limit: pageSize}
	switch {
	case q.State != "" && !slices.Contains(statuses(), Status(q.State)):
		return run.Response{}, fault.New(fault.Invalid, "status must be one of those that tenants have, such as %s or %s", Ready, Failed)
	case q.AfterID != "" && tenantKey(q.AfterID) != "":
		return run.Response{}, fault.New(fault.Invalid, "after must be what the page before answered")
	}
	docs, err := f.DB.Query(ctx, q)
	if err != nil {
		return run.Response{}, err
	}
	p := page{Tenants: make([]listed, len(docs))}
	for i, d := range docs {
		s, err := decodeOnboarding(d)
		if err != nil {
			return run.Response{}, err
		}
		p.Tenants[i] = s.listed()
	}
	if len(docs) == pageSize {
		p.After = docs[pageSize-1].ID
	}
	return run.Response{Body: p}, nil
}

func statuses() []Status {
	return []Status{Fresh, TenantCreated, UsersAdded, GoogleAPIs, GoogleIAM, GoogleContacts, SupportEvents, SupportTested, Checked,
		Invited, Ready, AwaitingToken, Failed, Undone, Offboarded}
}

// view is everything about a tenant.
type view struct {
	listed
	Mode   Mode      `json:"mode"`
	By     string    `json:"by"`
	Begun  time.Time `json:"begun"`
	Failed Stage     `json:"failed,omitempty"`
	Wanted Tenant    `json:"wanted"`
	Plan   Plan      `json:"plan"`   // as it was accepted
	Work   []work    `json:"work"`   // of this run
	People []person  `json:"people"` // who are wanted, and how far they are
	Drift  *Plan     `json:"drift,omitempty"`
	Audit  []Link    `json:"audit,omitempty"`
}

func (f *Function) serveTenant(ctx context.Context, c call) (run.Response, error) {
	s, err := f.tenant(ctx, c.tenant)
	if err != nil {
		return run.Response{}, err
	}
	if _, err := f.follow(ctx, s); err != nil { // what the ledger knows is newer than what the last turn wrote
		return run.Response{}, err
	}
	v := view{listed: s.listed(), Mode: s.Mode, By: s.By, Begun: s.Begun, Failed: s.Failed, Wanted: s.Wanted, Plan: s.Plan, Work: s.Work, People: s.persons()}
	if asked(c.Request, "drift") {
		mode := s.Mode
		if mode == Undoing {
			mode = Onboarding
		}
		p, err := f.Plan(ctx, s.Wanted, mode)
		if err != nil {
			return run.Response{}, remote(err)
		}
		v.Drift = &p
	}
	if asked(c.Request, "audit") {
		if v.Audit, err = f.Audit(ctx, c.tenant); err != nil {
			return run.Response{}, err
		}
	}
	return run.Response{Body: v}, nil
}

func asked(r *http.Request, what string) bool { return r.URL.Query().Get(what) == "1" }

// standing is how far a person is.
type standing string

const (
	open    standing = "open"    // the users' stage has not ended
	invited standing = "invited" // has not accepted yet
	joined  standing = "joined"
	refused standing = "refused"
)

// person is somebody who is wanted in an organization.
type person struct {
	Email      string   `json:"email"`
	Standing   standing `json:"standing"`
	Why        string   `json:"why,omitempty"`
	Invitation *invitee `json:"invitation,omitempty"`
}

// persons says how far everybody is, as last looked at.
func (s *onboarding) persons() []person {
	why, ended, all := s.refused(), s.populated(), []person{}
	for _, u := range s.Wanted.Users {
		p := person{Email: u.Email, Standing: open, Why: why[strings.ToLower(u.Email)]}
		at := slices.IndexFunc(s.Following, func(i invitee) bool { return strings.EqualFold(i.Email, u.Email) })
		switch {
		case p.Why != "":
			p.Standing = refused
		case at >= 0:
			p.Standing, p.Invitation = invited, &s.Following[at]
		case ended:
			p.Standing = joined
		}
		all = append(all, p)
	}
	return all
}

// populated reports whether the users' stage has ended in this run.
func (s *onboarding) populated() bool {
	if s.Mode != Onboarding {
		return false
	}
	if s.Status == Failed {
		only := len(s.refused()) > 0 && s.failure() == nil // somebody was refused, and nothing else went wrong
		return s.Failed != StageOrganization && (s.Failed != StageUsers || only)
	}
	at := slices.Index(statuses(), s.Status)
	return at >= slices.Index(statuses(), UsersAdded) && at <= slices.Index(statuses(), Ready)
}
