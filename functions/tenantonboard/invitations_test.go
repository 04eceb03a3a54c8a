package tenantonboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// vigil is a tenant whose people are waited for, from the time of their invitations on.
type vigil struct {
	*world
	org   string
	began time.Time
	die   ledger.Point // the process dies at the next one of these
}

// invite takes a tenant in whose people have no account.
func invite(t *testing.T, emails ...string) *vigil {
	v := &vigil{}
	v.world = newWorld(t, setup{crash: v.pass})
	tenant := acme()
	tenant.Google, tenant.Users = nil, nil
	for _, e := range emails {
		tenant.Users = append(tenant.Users, User{Email: e, Roles: []string{"tenant_user"}})
	}
	s := v.onboard(tenant)
	if s.Status != Invited || len(s.Following) != len(emails) {
		t.Fatalf("%s: %s, %d followed", s.Status, s.Waiting, len(s.Following))
	}
	v.org, v.began = s.Org, v.hub.Invitations(s.Org)[0].Sent
	v.bus.Take(TopicLifecycle)
	return v
}

func (v *vigil) pass(p ledger.Point) {
	if p == v.die {
		v.die = ""
		panic(errDied)
	}
}

// at goes to a time after the invitations and sweeps there, as the scheduler does. It returns what was told.
func (v *vigil) at(after time.Duration) []Lifecycle {
	v.Helper()
	time.Sleep(time.Until(v.began.Add(after))) // virtual
	if err := v.hourly(); !errors.Is(err, errDied) {
		v.must(err)
	}
	return v.told()
}

// hourly calls InvitationSweep. The process may die of it.
func (v *vigil) hourly() (err error) {
	defer func() {
		if p := recover(); p == any(errDied) {
			err = errDied
		} else if p != nil {
			panic(p)
		}
	}()
	_, err = v.InvitationSweep(v.Context(), &http.Request{Method: http.MethodPost})
	return err
}

// told returns the events since the last time.
func (v *vigil) told() (all []Lifecycle) {
	v.Helper()
	for _, e := range v.bus.Take(TopicLifecycle) {
		var l Lifecycle
		v.must(json.Unmarshal(e.Data, &l))
		all = append(all, l)
	}
	return all
}

// hours sweeps every hour of a time, and the tenants every minute, and returns what was told, with its hour.
func (v *vigil) hours(from, to int) (lines []string) {
	v.Helper()
	for h := from; h <= to; h++ {
		for _, e := range v.at(time.Duration(h) * time.Hour) {
			lines = append(lines, line(h, e))
		}
		for range 59 {
			time.Sleep(time.Minute) // virtual
			_, _ = v.sweep(v.Context())
			for _, e := range v.told() {
				lines = append(lines, line(h, e))
			}
		}
	}
	return lines
}

func line(hour int, e Lifecycle) string {
	name, _, _ := strings.Cut(e.Email, "@")
	what := string(e.Notice)
	if what == "" {
		what = string(e.Status)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", hour, what, name))
}

// mails counts the resends that were executed, whatever their callers were told.
func (v *vigil) mails() (n int) {
	calls, _ := v.hub.Calls()
	for _, c := range calls {
		if c.Op == "invitations.resend" && (c.Status == http.StatusAccepted || strings.HasPrefix(c.Fault, "commit_then") || strings.HasPrefix(c.Fault, "late")) {
			n++
		}
	}
	return n
}

func (v *vigil) same(what string, got, want []string) {
	v.Helper()
	if !slices.Equal(got, want) {
		v.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestInvitations is a month of waiting for somebody who never comes, while another one does: reminders on days 3 and 6, a resend when seven
// days are over and not a minute before, at most two of them, and one notice that a person must look after it.
func TestInvitations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := invite(t, "anna@acme.example", "bill@acme.example")
		v.same("to day 3", v.hours(1, 71), nil)
		if told := v.at(72*time.Hour - time.Millisecond); len(told) > 0 {
			t.Errorf("told before day 3: %v", told)
		}
		timeline := v.hours(72, 100)
		v.same("day 3", timeline, []string{"72 invitation.reminder anna", "72 invitation.reminder bill"})

		v.must(v.hub.Accept(v.org, "bill@acme.example"))
		rest := v.hours(101, 167)
		v.same("day 6", rest, []string{"144 invitation.reminder anna"})
		timeline = append(timeline, rest...)
		sent := v.hub.Invitations(v.org)[0].Sent
		if told := v.at(167*time.Hour + 59*time.Minute); len(told) > 0 || v.mails() > 0 {
			t.Errorf("a minute before the end %v was told, %d mails", told, v.mails())
		}

		first := v.hours(168, 335)
		v.same("the second week", first, []string{"168 invitation.resent anna", "240 invitation.reminder anna", "312 invitation.reminder anna"})
		again := v.hub.Invitations(v.org)[0].Sent
		if !again.After(sent) || again.Sub(sent) != 168*time.Hour || v.mails() != 1 {
			t.Errorf("sent at %s, again at %s, %d mails", sent, again, v.mails())
		}
		second := v.hours(336, 503)
		v.same("the third week", second, []string{"336 invitation.resent anna", "408 invitation.reminder anna", "480 invitation.reminder anna"})
		last := v.hours(504, 24*35)
		v.same("ever after", last, []string{"504 invitation.given-up anna"})
		if v.mails() != 2 {
			t.Errorf("%d mails beside the first", v.mails())
		}
		timeline = append(append(append(timeline, first...), second...), last...)
		t.Logf("hours after the invitation, of 840 hourly sweeps:\n%s", strings.Join(timeline, "\n"))
	})
}

// TestInvitationsAccepted: who has come drops out, and when all have the tenant is ready, and that is told once.
func TestInvitationsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := invite(t, "anna@acme.example", "bill@acme.example")
		v.must(v.hub.Accept(v.org, "anna@acme.example"))
		v.same("one has come", v.hours(1, 1), nil)
		s, err := v.read(v.Context(), "acme")
		v.must(err)
		if got := s.persons(); got[0].Standing != joined || got[1].Standing != invited || s.Status != Invited {
			t.Errorf("%s, people %+v", s.Status, got)
		}
		v.must(v.hub.Accept(v.org, "bill@acme.example"))
		v.same("all have come", v.hours(2, 200), []string{"2 READY"})
		if s, err = v.read(v.Context(), "acme"); err != nil || s.Status != Ready || len(s.Following) > 0 {
			t.Errorf("%s, %v, %v", s.Status, s.Following, err)
		}
		if _, err := v.Audit(v.Context(), "acme"); err != nil {
			t.Error(err)
		}
	})
}

// TestInvitationsUnderFaults: whatever happens to the request that sends an invitation again, its person gets one mail for it, and what is
// told comes at least once, with one id.
func TestInvitationsUnderFaults(t *testing.T) {
	for _, fault := range []string{"", "commit_then_drop", "commit_then_status:500", "commit_then_status:504", "garbage", "status:500", "status:503",
		"status:429", "drop", "late:2m", "late_drop:2m", "delay:45s",
		"crash:decided", "crash:recorded", "crash:called", "crash:settled"} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := invite(t, "anna@acme.example")
				v.hours(1, 167)
				if at, ok := strings.CutPrefix(fault, "crash:"); ok {
					v.die = ledger.Point(at)
				} else if fault != "" {
					v.arm("invitations.resend", fault, 1)
				}
				ids := map[string]int{}
				sent := map[time.Time]bool{}
				for h := 168; h < 168+72; h++ {
					for _, e := range v.at(time.Duration(h) * time.Hour) {
						ids[e.ID]++
					}
					for range 59 {
						time.Sleep(time.Minute) // virtual
						_, _ = v.sweep(v.Context())
						for _, e := range v.told() {
							ids[e.ID]++
						}
						sent[v.hub.Invitations(v.org)[0].Sent] = true
					}
				}
				delete(sent, v.began)
				if len(ids) != 1 || v.die != "" {
					t.Errorf("told: %v; the process was to die at %q", ids, v.die)
				}
				if len(sent) != 1 || fault != "garbage" && !strings.HasPrefix(fault, "delay") && v.mails() != 1 {
					t.Errorf("%d invitations, %d mails", len(sent), v.mails())
				}
				if s, err := v.read(v.Context(), "acme"); err != nil || s.Following[0].Resent != 1 || s.Following[0].GivenUp {
					t.Errorf("%+v, %v", s.Following, err)
				}
				_, counts := v.hub.Calls()
				t.Logf("%d mail, %d calls of invitations.resend, told: %v", len(sent), counts["invitations.resend"], slices.Collect(maps.Values(ids)))
			})
		})
	}
}

// TestInvitationsWhileTheHubIsDown: a resend that takes hours counts once, and nothing else is done about its person meanwhile.
func TestInvitationsWhileTheHubIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := invite(t, "anna@acme.example")
		v.hours(1, 167)
		v.arm("invitations.resend", "status:429", 1000)
		v.same("refused for five hours", v.hours(168, 172), []string{"168 invitation.resent anna"})
		v.hub.ClearFaults()
		v.same("after that", v.hours(173, 173+71), nil)
		if s, err := v.read(v.Context(), "acme"); err != nil || s.Following[0].Resent != 1 || v.mails() != 1 {
			t.Errorf("%+v, %d mails, %v", s.Following, v.mails(), err)
		}
	})
}

// TestInvitationsParked: a resend that the hub does not take for longer than the ledger's patience waits for a person, who is told.
func TestInvitationsParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := invite(t, "anna@acme.example")
		v.hours(1, 167)
		v.arm("invitations.resend", "status:429", 1_000_000)
		told := v.hours(168, 240)
		if len(told) != 2 || told[0] != "168 invitation.resent anna" || !strings.HasSuffix(told[1], "invitation.given-up anna") || v.mails() > 0 {
			t.Errorf("told %v, %d mails", told, v.mails())
		}
	})
}

// TestInvitationsRefused: a resend that the hub refuses for good is tried once more, then a person is told.
func TestInvitationsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := invite(t, "anna@acme.example")
		v.hours(1, 167)
		v.arm("invitations.resend", "status:400", 1000)
		v.same("refused", v.hours(168, 400), []string{"168 invitation.resent anna", "169 invitation.resent anna", "170 invitation.given-up anna"})
		if v.mails() > 0 {
			t.Errorf("%d mails", v.mails())
		}
	})
}

// TestInvitationsRevoked: somebody at the hub has revoked an invitation. Nobody is sent a mail, the tenant is not taken for complete, and a
// person is told once. Who is invited again by hand is waited for again.
func TestInvitationsRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := invite(t, "anna@acme.example", "bill@acme.example")
		v.same("day 3", v.hours(1, 79), []string{"72 invitation.reminder anna", "72 invitation.reminder bill"})
		_, err := v.Hub.Revoke(v.Context(), v.org, []string{"anna@acme.example"})
		v.must(err)
		v.must(v.hub.Accept(v.org, "bill@acme.example"))
		v.same("revoked", v.hours(80, 300), []string{"80 invitation.given-up anna"})
		s, err := v.read(v.Context(), "acme")
		v.must(err)
		if s.Status != Invited || v.mails() > 0 {
			t.Errorf("%s, %d mails", s.Status, v.mails())
		}
		p, err := v.Plan(v.Context(), s.Wanted, Onboarding)
		v.must(err)
		if len(p.Steps) != 1 || p.Steps[0].Kind != kindAdd {
			t.Errorf("the plan does not invite again: %+v", p.Steps)
		}
		_, err = v.Hub.AddUsers(v.Context(), v.org, hub.AddUsers{Users: []hub.User{{Username: "anna@acme.example"}}, Roles: []string{hub.TenantUser}})
		v.must(err)
		v.same("invited by hand", v.hours(301, 301+100), []string{"373 invitation.reminder anna"})
		v.must(v.hub.Accept(v.org, "anna@acme.example"))
		v.same("accepted", v.hours(402, 410), []string{"402 READY"})
	})
}

// TestInvitationByHand: somebody was invited at the hub before the request came, with other roles than it wants. There is no second mail; who
// accepts gets what the invitation did not give.
func TestInvitationByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		v := &vigil{world: w}
		tenant := acme()
		tenant.Google, tenant.Users = nil, nil
		s := w.onboard(tenant)
		v.org = s.Org
		_, err := w.Hub.AddUsers(w.Context(), s.Org, hub.AddUsers{Users: []hub.User{{Username: "Anna@acme.example"}}, Roles: []string{hub.TenantUser}})
		w.must(err)
		v.began = w.hub.Invitations(s.Org)[0].Sent
		tenant.Users = []User{{Email: "anna@acme.example", Roles: []string{"tenant_admin", "tenant_user"}}}
		if s = w.onboard(tenant); s.Status != Invited || len(w.hub.Invitations(s.Org)) != 1 {
			t.Fatalf("%s: %s; %d invitations", s.Status, s.Waiting, len(w.hub.Invitations(s.Org)))
		}
		v.told()
		v.same("waiting", v.hours(1, 73), []string{"72 invitation.reminder anna"})
		w.must(w.hub.Accept(s.Org, "anna@acme.example"))
		v.same("accepted", v.hours(74, 80), []string{"74 READY"})
		if m := w.hub.Members(s.Org); len(m) != 1 || !slices.Contains(m[0].Roles, simhub.TenantAdmin) {
			t.Errorf("members %+v", m)
		}
	})
}

// TestInvitationsOfMany: more people at once than one commit is about.
func TestInvitationsOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var emails []string
		for n := range 2*maxNudged + 20 {
			emails = append(emails, fmt.Sprintf("u%03d@acme.example", n))
		}
		v := invite(t, emails...)
		before, err := v.read(v.Context(), "acme")
		v.must(err)
		if told := v.at(72 * time.Hour); len(told) != len(emails) {
			t.Errorf("of %d invitations %d were told", len(emails), len(told))
		}
		if after, err := v.read(v.Context(), "acme"); err != nil || after.Links != before.Links+3 {
			t.Errorf("%d commits instead of 3, %v", after.Links-before.Links, err)
		}
		if told := v.at(168 * time.Hour); len(told) != len(emails) || v.mails() != len(emails) {
			t.Errorf("%d told, %d mails for %d", len(told), v.mails(), len(emails))
		}
	})
}

// TestInvitationSweepOverlaps: two schedulers at the same time tell everything once.
func TestInvitationSweepOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := invite(t, "anna@acme.example")
		time.Sleep(time.Until(v.began.Add(168 * time.Hour)))
		done := make(chan error, 8)
		for range cap(done) {
			go func() { done <- v.hourly() }()
		}
		for range cap(done) {
			if err := <-done; err != nil && !errors.Is(err, errDied) {
				t.Error(err)
			}
		}
		ids := map[string]bool{}
		for _, e := range v.told() {
			ids[e.ID] = true
		}
		if len(ids) != 1 || v.mails() != 1 {
			t.Errorf("%d notices, %d mails", len(ids), v.mails())
		}
	})
}

// TestInvitationSweepIsForTheScheduler: it is a POST.
func TestInvitationSweepIsForTheScheduler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		if _, err := w.InvitationSweep(w.Context(), &http.Request{Method: http.MethodGet}); err == nil {
			t.Error("a GET is taken")
		}
	})
}

func TestDecideInvitation(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	reminders := []time.Duration{72 * time.Hour, 144 * time.Hour}
	week := 7 * 24 * time.Hour
	for name, c := range map[string]struct {
		i       invitee
		after   time.Duration
		resends int
		want    nudge
		then    invitee
	}{
		"just invited":                {after: 0, resends: 2},
		"a moment before day 3":       {after: 72*time.Hour - 1, resends: 2},
		"day 3":                       {after: 72 * time.Hour, resends: 2, want: remind, then: invitee{Reminded: 1}},
		"day 3, reminded":             {i: invitee{Reminded: 1}, after: 100 * time.Hour, resends: 2, then: invitee{Reminded: 1}},
		"day 6":                       {i: invitee{Reminded: 1}, after: 144 * time.Hour, resends: 2, want: remind, then: invitee{Reminded: 2}},
		"day 6, nobody swept":         {after: 150 * time.Hour, resends: 2, want: remind, then: invitee{Reminded: 2}},
		"day 6, reminded":             {i: invitee{Reminded: 2}, after: week - 1, resends: 2, then: invitee{Reminded: 2}},
		"over":                        {i: invitee{Reminded: 2}, after: week, resends: 2, want: resend, then: invitee{Reminded: 2, Resent: 1}},
		"over, nobody swept":          {after: 10 * week, resends: 2, want: resend, then: invitee{Resent: 1}},
		"over, sent again":            {i: invitee{Resent: 1}, after: week, resends: 2, want: resend, then: invitee{Resent: 2}},
		"over, sent again twice":      {i: invitee{Resent: 2}, after: week, resends: 2, want: giveUp, then: invitee{Resent: 2, GivenUp: true}},
		"over, given up":              {i: invitee{Resent: 2, GivenUp: true}, after: 2 * week, resends: 2, then: invitee{Resent: 2, GivenUp: true}},
		"over, no resends":            {after: week, want: giveUp, then: invitee{GivenUp: true}},
		"given up, sent meanwhile":    {i: invitee{GivenUp: true}, after: 72 * time.Hour, resends: 2, then: invitee{GivenUp: true}},
		"revoked":                     {i: invitee{Gone: true}, after: time.Hour, resends: 2, want: giveUp, then: invitee{Gone: true, GivenUp: true}},
		"revoked, over":               {i: invitee{Gone: true}, after: week, resends: 2, want: giveUp, then: invitee{Gone: true, GivenUp: true}},
		"revoked, told":               {i: invitee{Gone: true, GivenUp: true}, after: week, resends: 2, then: invitee{Gone: true, GivenUp: true}},
		"the clock went back":         {after: -time.Hour, resends: 2},
		"more reminders than allowed": {i: invitee{Reminded: 5}, after: 150 * time.Hour, resends: 2, then: invitee{Reminded: 5}},
	} {
		c.i.Since, c.i.Expires = since, since.Add(week)
		c.then.Since, c.then.Expires = since, since.Add(week)
		if act, then := decideInvitation(c.i, since.Add(c.after), reminders, c.resends); act != c.want || then != c.then {
			t.Errorf("%s: %q, %+v; want %q, %+v", name, act, then, c.want, c.then)
		}
	}
}

func TestFollow(t *testing.T) {
	at := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC)
	mail := func(email string, ago time.Duration, stored string) hub.Invitation {
		g := at.Add(-ago)
		return hub.Invitation{Username: email, Generated: g, Expires: g.Add(7 * 24 * time.Hour), Stored: stored}
	}
	day := 24 * time.Hour
	known := invitee{Email: "a@x.example", Since: at.Add(-3 * day), Expires: at.Add(4 * day), Reminded: 1, Resent: 1, Resend: "effect"}
	givenUp := known
	givenUp.GivenUp = true
	for name, c := range map[string]struct {
		before []invitee
		have   people
		want   []invitee
	}{
		"nobody is known":         {},
		"a new invitation":        {have: people{invitations: []hub.Invitation{mail("A@x.example", day, "AVAILABLE")}}, want: []invitee{{Email: "a@x.example", Since: at.Add(-day), Expires: at.Add(6 * day)}}},
		"the same invitation":     {before: []invitee{known}, have: people{invitations: []hub.Invitation{mail("a@x.example", 3*day, "AVAILABLE")}}, want: []invitee{known}},
		"of two the later":        {have: people{invitations: []hub.Invitation{mail("a@x.example", day, "AVAILABLE"), mail("a@x.example", 2*day, "AVAILABLE")}}, want: []invitee{{Email: "a@x.example", Since: at.Add(-day), Expires: at.Add(6 * day)}}},
		"sent again":              {before: []invitee{known}, have: people{invitations: []hub.Invitation{mail("a@x.example", 0, "AVAILABLE")}}, want: []invitee{{Email: "a@x.example", Since: at, Expires: at.Add(7 * day), Resent: 1}}},
		"sent after we gave up":   {before: []invitee{givenUp}, have: people{invitations: []hub.Invitation{mail("a@x.example", 0, "AVAILABLE")}}, want: []invitee{{Email: "a@x.example", Since: at, Expires: at.Add(7 * day)}}},
		"expired":                 {have: people{invitations: []hub.Invitation{mail("a@x.example", 8*day, "AVAILABLE")}}, want: []invitee{{Email: "a@x.example", Since: at.Add(-8 * day), Expires: at.Add(-day)}}},
		"redeemed, not there yet": {have: people{invitations: []hub.Invitation{mail("a@x.example", day, "REDEEMED")}}},
		"joined":                  {before: []invitee{known}, have: people{members: []hub.Member{{User: hub.User{Username: "A@x.example"}, Roles: []hub.HeldRole{{Name: hub.TenantUser}}}}}},
		"somebody else's":         {have: people{invitations: []hub.Invitation{mail("b@x.example", day, "AVAILABLE")}}},
		"revoked, never followed": {have: people{invitations: []hub.Invitation{mail("a@x.example", day, "REVOKED")}}},
		"revoked": {before: []invitee{known}, have: people{invitations: []hub.Invitation{mail("a@x.example", 3*day, "REVOKED")}},
			want: []invitee{{Email: "a@x.example", Since: known.Since, Expires: known.Expires, Reminded: 1, Resent: 1, Resend: "effect", Gone: true}}},
	} {
		c.have.at = at
		if got := follow(c.before, wantedPeople{Users: []User{{Email: "a@x.example"}}}, c.have); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
