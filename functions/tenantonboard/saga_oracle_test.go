package tenantonboard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
)

// sort is a sort of wrong.
type sort string

const (
	twin   sort = "twin tenants"
	double sort = "double"
	orphan sort = "orphan"
	early  sort = "compensated early"
	other  sort = "other"
)

// sight is what the remotes have, read from them and not from our records.
type sight struct {
	orgs     int      // with the tenant's tag
	people   []string // members with their roles, and open invitations
	policy   []string // pairs, with the condition
	contacts []string
	topics   []string // that support events go to
	open     int      // cases of the tenant
	closed   int
}

func (p *player) look() (all sight) {
	p.Helper()
	now, parent := time.Now(), p.wanted.Google.Parent
	for _, o := range p.hub.Organizations() {
		if o.Tag != tagOf(p.master(), p.wanted.Key) {
			continue
		}
		all.orgs++
		for _, m := range p.hub.Members(o.ID) {
			slices.Sort(m.Roles)
			all.people = append(all.people, strings.ToLower(m.Username)+" "+fmt.Sprint(m.Roles))
		}
		for _, i := range p.hub.Invitations(o.ID) {
			if !i.Revoked && !i.Redeemed && now.Before(i.Expires) {
				all.people = append(all.people, strings.ToLower(i.Username)+" invited")
			}
		}
	}
	for _, b := range p.google.Policy(parent) {
		for _, m := range b.Members {
			one := b.Role + " " + m
			if b.Condition != nil {
				one += " when " + b.Condition.Expression
			}
			all.policy = append(all.policy, one)
		}
	}
	for _, c := range p.google.Contacts(parent) {
		slices.Sort(c.Categories)
		all.contacts = append(all.contacts, fmt.Sprint(strings.ToLower(c.Email), " ", c.Language, " ", c.Categories))
	}
	for _, c := range p.desk.Cases() {
		switch {
		case !strings.Contains(c.Description, p.testWord(p.wanted.Key)):
		case c.State == "CLOSED":
			all.closed++
		default:
			all.open++
		}
	}
	if isOrganization(parent) {
		subs, err := p.Cloud.Subscriptions(p.Context(), parent)
		p.must(err)
		for _, s := range subs {
			all.topics = append(all.topics, s.Topic)
		}
	}
	for _, list := range [][]string{all.people, all.policy, all.contacts, all.topics} {
		slices.Sort(list)
	}
	return all
}

// judge says what is wrong at the end of a trial.
func (p *player) judge() {
	p.Helper()
	p.heal()
	now := p.look()
	p.once(now)
	switch p.s.Status {
	case Undone:
		p.takenBack(now)
	case Offboarded:
		p.gone(now)
	default:
		p.thereIs(now)
	}
	p.inOrder()
	p.told()
	forgotten := p.history != nil && p.deaths > 0 // the refusal, with the process that was told
	if p.trial.undo && p.retried == 0 && p.s.Status != Undone && !forgotten {
		p.bad(other, fmt.Sprintf("is %s: %s", p.s.Status, p.s.Waiting))
	}
}

func (p *player) bad(kind sort, why string) {
	if p.wrong[kind] == "" {
		p.wrong[kind] = why
	}
}

// once says what is there twice.
func (p *player) once(now sight) {
	if now.orgs > 1 {
		p.bad(twin, fmt.Sprintf("%d organizations", now.orgs))
	}
	for _, list := range [][]string{now.people, now.contacts} {
		for i := range list[:max(len(list)-1, 0)] {
			if a, _, _ := strings.Cut(list[i], " "); strings.HasPrefix(list[i+1], a+" ") {
				p.bad(double, fmt.Sprint(list))
			}
		}
	}
	for _, list := range [][]string{now.policy, now.topics} {
		if len(slices.Compact(slices.Clone(list))) != len(list) {
			p.bad(double, fmt.Sprint(list))
		}
	}
	if n := now.open + now.closed; n > 1 {
		p.bad(double, fmt.Sprintf("%d cases", n))
	}
}

// thereIs says what a tenant that is set up lacks, and what is not as it was.
func (p *player) thereIs(now sight) {
	if now.orgs != 1 {
		p.bad(other, fmt.Sprintf("%d organizations", now.orgs))
	}
	people := slices.Clone(p.before.people)
	for _, u := range p.wanted.Users {
		people = slices.DeleteFunc(people, func(s string) bool { return strings.HasPrefix(s, u.Email+" ") })
		held := fmt.Sprint(hubRoles(u.Roles))
		if !strings.HasSuffix(u.Email, "@lorem.com") {
			held = "invited"
		}
		people = append(people, u.Email+" "+held)
	}
	p.same("people", now.people, people)
	contacts := slices.Clone(p.before.contacts)
	for _, c := range p.wanted.Google.Contacts {
		contacts = slices.DeleteFunc(contacts, func(s string) bool { return strings.HasPrefix(s, c.Email+" ") })
		contacts = append(contacts, fmt.Sprint(c.Email, " ", c.Language, " ", c.Categories))
	}
	p.same("contacts", now.contacts, contacts)
	p.same("policy", now.policy, append(slices.Clone(p.before.policy), editor+" "+opsGroup))
	var topics []string
	if topic := p.wanted.Google.SupportEvents; topic != "" {
		topics = []string{topic}
	}
	p.same("event subscriptions", now.topics, topics)
	if now.open > 0 {
		p.bad(orphan, "an open case")
	}
	if now.closed == 0 {
		p.bad(other, "no test case")
	}
}

// takenBack says what an undone run left, and what it took that was there before.
func (p *player) takenBack(now sight) {
	p.same("people", now.people, p.before.people)
	p.same("policy", now.policy, p.before.policy)
	p.same("contacts", now.contacts, p.before.contacts)
	p.same("event subscriptions", now.topics, p.before.topics)
	if now.open > 0 {
		p.bad(orphan, "an open case")
	}
}

// gone says what is left of a tenant that was taken off, beside its last administrator and what nobody ever asked for.
func (p *player) gone(now sight) {
	left := p.before
	p.same("people", now.people, []string{"admin@lorem.com [msp:tenant_admin]"})
	for _, m := range pairs(p.wanted.Google.Members) {
		left.policy = slices.DeleteFunc(slices.Clone(left.policy), func(s string) bool { return s == m.String() })
	}
	for _, c := range p.wanted.Google.Contacts {
		left.contacts = slices.DeleteFunc(slices.Clone(left.contacts), func(s string) bool { return strings.HasPrefix(s, c.Email+" ") })
	}
	p.same("policy", now.policy, left.policy)
	p.same("contacts", now.contacts, left.contacts)
	if now.open > 0 || now.orgs != 1 {
		p.bad(orphan, "an open case, or no organization")
	}
}

func (p *player) same(what string, have, want []string) {
	slices.Sort(want)
	if slices.Equal(have, want) {
		return
	}
	kind := other
	if slices.ContainsFunc(have, func(s string) bool { return !slices.Contains(want, s) }) {
		kind = orphan
	}
	p.bad(kind, fmt.Sprintf("%s %q, want %q", what, have, want))
}

// inOrder says whether something was taken back before all that the run had begun was known.
func (p *player) inOrder() {
	p.Helper()
	var ended = map[string]time.Time{} // by tenant and run
	recs, err := p.Ledger().List(p.Context(), "", "", 500)
	p.must(err)
	for _, r := range recs {
		run, undoing := runOf(r)
		if run == "" || undoing {
			continue
		}
		switch {
		case r.State == ledger.Pending || r.State == ledger.Calling || r.State == ledger.Unknown:
			p.bad(other, r.Business+" is "+string(r.State))
		case r.Completed.After(ended[run]):
			ended[run] = r.Completed
		}
	}
	for _, r := range recs {
		if run, undoing := runOf(r); undoing && r.Created.Before(ended[run]) {
			p.bad(early, fmt.Sprintf("%s at %v, and the run was known at %v", r.Business, r.Created, ended[run]))
		}
	}
}

// runOf returns the run of an effect and whether it takes something back.
func runOf(r ledger.Record) (run string, undoing bool) {
	part := strings.SplitN(r.Business, "/", 4)
	if len(part) < 4 || r.Kind == kindLifecycle || r.Kind == ledger.KindEvent {
		return "", false
	}
	return part[0] + "/" + part[1], part[2] == "undo"
}

// told says whether the audit trail holds together, and every end was told under one id.
func (p *player) told() {
	p.Helper()
	trail, err := p.Audit(p.Context(), p.wanted.Key)
	if err != nil {
		p.bad(other, err.Error())
	}
	ends := 0
	for _, l := range trail {
		for _, line := range l.Lines {
			if strings.HasPrefix(line, "ended: ") {
				ends++
			}
		}
	}
	ids := map[string]string{}
	for _, m := range p.bus.Take(TopicLifecycle) {
		id := m.Attributes["id"]
		if was, ok := ids[id]; ok && was != string(m.Data) {
			p.bad(other, "one id for two events")
		}
		ids[id] = string(m.Data)
	}
	if len(ids) != ends || ends == 0 {
		p.bad(other, fmt.Sprintf("%d events of %d ends", len(ids), ends))
	}
}
