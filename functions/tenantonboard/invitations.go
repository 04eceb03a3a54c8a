package tenantonboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store"
)

// kindResend sends an invitation again.
const kindResend = "tenant.resend"

// maxNudged is how many people of a tenant one commit is about: two effects each, and they are called one after the other.
const maxNudged = 50

// invitee is somebody who has been invited and has not accepted yet.
type invitee struct {
	Email    string    `json:"email"`
	Since    time.Time `json:"since"`   // of the latest invitation
	Expires  time.Time `json:"expires"` // seven days later
	Reminded int       `json:"reminded,omitempty"`
	Resent   int       `json:"resent,omitempty"`
	GivenUp  bool      `json:"givenUp,omitempty"`
	Gone     bool      `json:"gone,omitempty"`   // revoked: who was invited has neither come in nor can
	Resend   string    `json:"resend,omitempty"` // id of the effect that sends it again, until that shows
}

// follow returns who has still to accept, with what is known of them from before. Somebody whose invitation was revoked is one of them: only a
// person knows what is to become of it.
func follow(before []invitee, w wantedPeople, have people) []invitee {
	var all []invitee
	for _, u := range w.Users {
		if have.where(u.Email) == hub.Joined {
			continue
		}
		i, known := invitee{Email: u.Email}, false
		if at := slices.IndexFunc(before, func(b invitee) bool { return strings.EqualFold(b.Email, u.Email) }); at >= 0 {
			i, known = before[at], true
		}
		latest, ok := latestInvitation(u.Email, have)
		if i.Gone = !ok; ok {
			i = i.since(latest)
		}
		if ok || known {
			all = append(all, i)
		}
	}
	return all
}

// since begins a new wait if an invitation was sent since the last one. Once we have given up it was a person who sent it, and all begins anew.
func (i invitee) since(latest hub.Invitation) invitee {
	if !latest.Generated.After(i.Since) {
		return i
	}
	if i.GivenUp {
		i = invitee{Email: i.Email}
	}
	i.Since, i.Expires, i.Reminded, i.Resend = latest.Generated.UTC(), latest.Expires.UTC(), 0, ""
	return i
}

// latestInvitation is the latest one of an address that is open or has expired.
func latestInvitation(email string, have people) (latest hub.Invitation, ok bool) {
	for _, i := range have.invitations {
		st := i.Status(have.at)
		if strings.EqualFold(i.Username, email) && (st == hub.Pending || st == hub.Expired) && (!ok || i.Generated.After(latest.Generated)) {
			latest, ok = i, true
		}
	}
	return latest, ok
}

// nudge is what is done about an invitation.
type nudge string

const (
	remind nudge = "invitation.reminder" // the requester is told that somebody has not accepted yet
	resend nudge = "invitation.resent"   // it is sent again
	giveUp nudge = "invitation.given-up" // the requester is told that a person must look after it
)

// decideInvitation is pure: what is due for an invitee at now, nothing if "". Of several reminders that are due the last is sent.
func decideInvitation(i invitee, now time.Time, reminders []time.Duration, resends int) (nudge, invitee) {
	over := !now.Before(i.Expires)
	switch {
	case i.GivenUp:
		return "", i
	case over && !i.Gone && i.Resent < resends:
		i.Resent++
		return resend, i
	case over || i.Gone:
		i.GivenUp = true
		return giveUp, i
	}
	due := 0
	for _, after := range reminders {
		if now.Sub(i.Since) >= after {
			due++
		}
	}
	if due <= i.Reminded {
		return "", i
	}
	i.Reminded = due
	return remind, i
}

// InvitationSweep follows the invitations of all tenants that wait for somebody. The scheduler calls it every hour.
func (f *Function) InvitationSweep(ctx context.Context, r *http.Request) (run.Response, error) {
	if err := run.RequireMethod(r, http.MethodPost); err != nil {
		return run.Response{}, err
	}
	nudged, err := f.sweepInvitations(ctx)
	if err != nil {
		return run.Response{}, fault.Wrap(fault.Transient, err, "sweep invitations")
	}
	return run.Response{Status: http.StatusOK, Body: map[string]int{"nudged": nudged}}, nil
}

func (f *Function) sweepInvitations(ctx context.Context) (nudged int, err error) {
	var errs []error
	for after := ""; ; {
		docs, err := f.DB.Query(ctx, store.Query{Collection: tenantsIn, State: string(Invited), AfterID: after, Limit: sweepTenants})
		errs = append(errs, err)
		for _, d := range docs {
			n, err := f.nudgeAll(ctx, d)
			nudged, errs, after = nudged+n, append(errs, unlessConflict(err)), d.ID
		}
		if len(docs) < sweepTenants || ctx.Err() != nil {
			return nudged, errors.Join(errs...)
		}
	}
}

// unlessConflict takes a record that somebody else changed for the next sweep's.
func unlessConflict(err error) error {
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// nudgeAll looks after the people of a tenant, some in each commit.
func (f *Function) nudgeAll(ctx context.Context, d store.Doc) (nudged int, err error) {
	s, err := decodeOnboarding(d)
	for err == nil && s.Status == Invited {
		n, err := f.nudgeSome(ctx, s)
		if nudged += n; err != nil || n < maxNudged || ctx.Err() != nil {
			return nudged, err
		}
		if s, err = f.read(ctx, s.Wanted.Key); err != nil {
			return nudged, err
		}
	}
	return nudged, err
}

// nudgeSome looks at a tenant's people, and records in one commit what is done about those who have not accepted.
func (f *Function) nudgeSome(ctx context.Context, s *onboarding) (nudged int, err error) {
	have, err := f.lookPeople(ctx, s.Org)
	if err != nil {
		return 0, err
	}
	before := s.Following
	s.Following = follow(before, wantedPeople{Users: s.Wanted.Users}, have)
	if len(s.Following) == 0 {
		return 0, f.complete(ctx, s, before, have)
	}
	var intents []ledger.Intent
	for n := range s.Following {
		some, err := f.nudgeOne(ctx, s, &s.Following[n])
		if err != nil {
			return 0, err
		}
		if intents = append(intents, some...); len(some) > 0 {
			nudged++
		}
		if nudged == maxNudged {
			break
		}
	}
	if slices.Equal(before, s.Following) {
		return 0, nil
	}
	writes, err := s.writes(f.Now().UTC())
	if err != nil {
		return 0, err
	}
	_, err = f.ledger.Do(ctx, writes, intents...)
	return nudged, err
}

// nudgeOne decides what is done about one invitee. While the last resend is under way nothing is; if it waits for a person, so does the invitee.
func (f *Function) nudgeOne(ctx context.Context, s *onboarding, i *invitee) ([]ledger.Intent, error) {
	state, err := f.resent(ctx, *i)
	if err != nil {
		return nil, err
	}
	resends := f.Config.Onboarding.Resends
	if state == ledger.Parked {
		resends = 0
	}
	act, after := decideInvitation(*i, f.Now(), f.Config.Onboarding.Reminders, resends)
	underway := state != "" && state != ledger.Parked && !state.Terminal()
	if act == "" || underway && act != remind {
		return nil, nil
	}
	*i = after
	s.note(string(act))
	return f.nudgeIntents(s, act, i)
}

// resent returns the state of the latest resend, "" if there is none.
func (f *Function) resent(ctx context.Context, i invitee) (ledger.State, error) {
	if i.Resend == "" {
		return "", nil
	}
	rec, err := f.ledger.Get(ctx, i.Resend)
	if fault.Is(err, fault.Missing) { // forgotten, long after its end
		return "", nil
	}
	return rec.State, err
}

// complete ends the wait of a tenant to which everybody has come who was waited for. Who came in by another invitation than ours is given the
// roles that it did not give.
func (f *Function) complete(ctx context.Context, s *onboarding, awaited []invitee, have people) error {
	s.note("everybody has accepted")
	from := ledger.Source{Event: "invitation-sweep"}
	came := slices.DeleteFunc(slices.Clone(s.Wanted.Users), func(u User) bool {
		return !slices.ContainsFunc(awaited, func(i invitee) bool { return strings.EqualFold(i.Email, u.Email) })
	})
	lacking := decideUsers(wantedPeople{Org: s.Org, Users: came}, have).Steps
	if len(lacking) == 0 {
		_, err := f.end(ctx, s, Ready, "", from)
		return err
	}
	s.Status, s.At = TenantCreated, StageUsers
	if _, err := f.begin(ctx, s, lacking, from); err != nil {
		return err
	}
	return f.advance(ctx, s.Wanted.Key, from)
}

// nudgeIntents are the notice of a nudge, and the resend if it is one.
func (f *Function) nudgeIntents(s *onboarding, act nudge, i *invitee) ([]ledger.Intent, error) {
	key := s.Wanted.Key
	name := fmt.Sprintf("%s/%d/%s/%s/%d/%d/%d", key, s.Run, act, short(i.Email), i.Since.UnixMilli(), i.Resent, i.Reminded)
	notice, err := f.notice(s, name, act, *i)
	if err != nil || act != resend {
		return []ledger.Intent{notice}, err
	}
	args := step(StageUsers, kindResend, "", "", resendArgs{Org: s.Org, Email: i.Email, Since: i.Since}).Args
	again, err := f.kinds[kindResend].intent(key, name, args)
	i.Resend = again.ID()
	return []ledger.Intent{again, notice}, err
}

// resendArgs is an invitation to be sent again.
type resendArgs struct {
	Org   string    `json:"org"`
	Email string    `json:"email"`
	Since time.Time `json:"since"` // when the one to be sent again was made
}

func (f *Function) registerInvitations() error {
	return registerKind(f, ledger.Spec{Kind: kindResend, Class: ledger.Marked}, ledger.Effect[resendArgs, Result](resendEffect{f}), nil)
}

// resendEffect sends an invitation again: a mail to a person, so it must not happen twice. The time of the invitation is its marker.
type resendEffect struct{ f *Function }

func (e resendEffect) Call(ctx context.Context, p resendArgs, _ ledger.Token) (ledger.Act[Result], error) {
	o, err := e.f.Hub.Resend(ctx, p.Org, []string{p.Email})
	switch {
	case err != nil:
		return ledger.Act[Result]{}, err
	case len(o.Left) > 0:
		return ledger.Act[Result]{}, fault.New(fault.Transient, "the hub confirmed a resend and shows the old invitation")
	}
	return ledger.Act[Result]{ID: p.Org, Result: Result{Invited: o.Done}}, nil
}

func (e resendEffect) Find(ctx context.Context, p resendArgs, _ ledger.Token, _ bool) ([]ledger.Act[Result], error) {
	have, err := e.f.lookPeople(ctx, p.Org)
	if err != nil {
		return nil, fault.Wrap(fault.Transient, err, "look for an invitation")
	}
	latest, ok := latestInvitation(p.Email, have)
	if have.where(p.Email) == hub.Joined || ok && latest.Generated.After(p.Since) {
		return []ledger.Act[Result]{{ID: p.Org, Result: Result{Invited: []string{p.Email}}}}, nil
	}
	return nil, nil
}
