package casewebhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// openIntent is the case of this occurrence of an incident.
func (f *Function) openIntent(ctx context.Context, s incident, p *plan, in alert.Incident, r route, loc *time.Location) ([]ledger.Intent, error) {
	title, description := f.texts(ctx, r, in, p.Grade, f.previous(ctx, s), loc)
	opening := act.Opening{Desk: r.Desk, Draft: f.draft(r.Route, title, description, p.Grade.Priority)}
	open, err := f.kinds.Open.Intent(in.Tenant, fmt.Sprintf("%s/%d", s.id, p.Next.Episode), opening)
	p.Next.Case, p.Next.Desk = open.ID(), r.Desk
	return []ledger.Intent{open}, err
}

// texts renders a case's texts. A template that fails on this one incident must not cost the case: the default text takes its place.
func (f *Function) texts(ctx context.Context, r route, in alert.Incident, g grade, previous string, loc *time.Location) (title, description string) {
	title, description, err := textsOf(r, in, g, previous, loc)
	if err != nil {
		f.Log.ErrorContext(ctx, "a route's template fails; the default text is used", "line", r.Line, "error", err)
	}
	return title, description
}

// textsOf is texts without the log.
func textsOf(r route, in alert.Incident, g grade, previous string, loc *time.Location) (title, description string, err error) {
	title, terr := titleOf(r, in)
	description, derr := descriptionOf(r, in, g, previous, loc)
	if err = errors.Join(terr, derr); err != nil {
		r.title, r.description = nil, nil
		title, _ = titleOf(r, in) // the defaults cannot fail
		description, _ = descriptionOf(r, in, g, previous, loc)
	}
	return title, description, err
}

// draft fills in what the configuration says of a desk's cases.
func (f *Function) draft(r config.Route, title, description, priority string) desk.Draft {
	return draftOf(f.Config.Desks[r.Desk], r, title, description, priority)
}

// draftOf fills in what a desk and a route say of cases. The route comes first.
func draftOf(c config.Desk, r config.Route, title, description, priority string) desk.Draft {
	d := desk.Draft{Title: title, Description: description, Priority: desk.Priority(priority), Subscribers: c.Subscribers, Test: c.TestCases || r.Test,
		Classification: cmp.Or(r.Classification, c.Classification), TimeZone: cmp.Or(r.TimeZone, c.TimeZone), Language: cmp.Or(r.Language, c.Language)}
	if len(r.Subscribers) > 0 {
		d.Subscribers = r.Subscribers
	}
	return d
}

// previous names the case of the last occurrence, "" if there was none. It is a courtesy: an error leaves it out.
func (f *Function) previous(ctx context.Context, s incident) string {
	if s.Case == "" {
		return ""
	}
	rec, err := f.ledger.Get(ctx, s.Case)
	if err != nil || rec.Result == nil {
		return ""
	}
	return rec.Result.ID
}

// umbrellaIntent is the one case for everything beyond a desk's budget in a window, and the notice of it.
func (f *Function) umbrellaIntent(ctx context.Context, p *plan, r route, loc *time.Location) ([]ledger.Intent, error) {
	title, description := umbrellaText(r.Desk, *p.Budget, p.Grade, loc)
	name := "umbrella/" + r.Desk + "/" + p.Budget.window
	in, err := f.kinds.Open.Intent("", name, act.Opening{Desk: r.Desk, Draft: f.draft(r.Route, title, description, p.Grade.Priority)})
	p.Next.Case, p.Budget.Umbrella = in.ID(), in.ID()
	all := []ledger.Intent{in}
	if f.Notices != nil {
		all = append(all, f.Notices(ctx, stormNotice(r.Desk, *p.Budget, loc), name)...)
	}
	return all, err
}

// commentIntents are a text on an incident's case: one comment for each part that the desk takes.
func (f *Function) commentIntents(ctx context.Context, i incident, name, text string) ([]ledger.Intent, error) {
	opened, err := f.ledger.Get(ctx, i.Case)
	if err != nil {
		return nil, err
	}
	var all []ledger.Intent
	for n, part := range desk.Split(text, commentLimit) {
		in, err := f.kinds.Comment.Intent(i.Tenant, fmt.Sprintf("%s/%d/%s/%d", i.id, i.Episode, name, n), act.Comment{Body: part})
		if err != nil {
			return nil, err
		}
		all = append(all, in.Following(opened))
	}
	return all, nil
}

// closeIntent closes an incident's case after the route's quiet period.
func (f *Function) closeIntent(p *plan, r route) ([]ledger.Intent, error) {
	n := p.Next
	in, err := f.kinds.close.Intent(n.Tenant, fmt.Sprintf("%s/%d/close/%d", n.id, n.Episode, n.News), closing{Incident: n.id, Episode: n.Episode, News: n.News})
	return []ledger.Intent{in.After(n.Case).At(f.Now().Add(r.Resolve.After))}, err
}
