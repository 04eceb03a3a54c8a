package commands

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/functions/casewebhook/follow"
	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// facts is what decide knows beside the act.
type facts struct {
	targets []target // the cases that could be meant
	asks    []ask    // the questions that could be meant
	lists   []listed // of the desks that were asked
	shown   *shown
	said    string // what releasing came to
}

// target is a case that is there.
type target struct {
	Desk     string        `json:"desk"`
	Name     string        `json:"name"`
	Title    string        `json:"title,omitempty"`
	URL      string        `json:"url,omitempty"`
	Tenant   string        `json:"tenant,omitempty"`
	Priority desk.Priority `json:"priority,omitempty"`
}

// number is what people call a case.
func (t target) number() string { return path.Base(t.Name) }

func followed(k follow.Case) target {
	return target{Desk: k.Desk, Name: k.Name, Title: k.Title, URL: k.URL, Tenant: k.Tenant, Priority: k.Priority}
}

// listed are the cases of a desk.
type listed struct {
	desk   string
	cases  []desk.Case
	failed bool
}

// shown is a case with what is on it.
type shown struct {
	desk.Case
	desk     string
	comments []desk.Comment
	files    int
}

// look reads what the decision hangs on.
func (c *Commands) look(ctx context.Context, in input) (f facts, err error) {
	switch verb := in.cmd.Verb; {
	case verb == Confirm || verb == Cancel || verb == Approve:
		f.asks, err = c.asksOf(ctx, in)
	case verb == List || verb == Report:
		f.lists = c.lists(ctx, in)
	case verb == Release:
		f.said, err = c.release(ctx, in)
	case needsCase(verb):
		if f.targets, err = c.targets(ctx, in); err == nil && verb == Show && len(f.targets) == 1 && in.who.Can(Show, f.targets[0].Desk) {
			f.shown, err = c.show(ctx, f.targets[0])
		}
	}
	return f, err
}

// targets returns the cases that a command may mean: that of the thread, or those of the name.
func (c *Commands) targets(ctx context.Context, in input) ([]target, error) {
	if t := in.thread; t != nil && (in.cmd.Case == "" || in.cmd.Case == t.Name) {
		return []target{followed(*t)}, nil
	}
	names := visible(c.Config, in.who)
	if in.system {
		names = slices.DeleteFunc(names, func(name string) bool { return name != in.desk })
	}
	var found []target
	for _, name := range names {
		t, err := c.find(ctx, name, in.cmd.Case)
		if err != nil {
			return nil, err
		}
		twice := t != nil && slices.ContainsFunc(found, func(o target) bool { return o.Name == t.Name }) // two desks on one parent
		if t != nil && !twice {
			found = append(found, *t)
		}
	}
	return found, nil
}

// find returns the case of a desk that has a number or a full name, nil if there is none. A desk does not tell a case that is not there from
// one that is not for us. Our account may see cases of other parents, too: those are not the desk's, whoever names them.
func (c *Commands) find(ctx context.Context, deskName, ref string) (*target, error) {
	d, err := c.Desks.Desk(deskName)
	if err != nil {
		return nil, err
	}
	name, ok := c.fullName(deskName, ref)
	if !ok {
		return nil, nil
	}
	got, err := d.Case(ctx, name)
	switch fault.Of(err) {
	case fault.Missing, fault.Denied, fault.Invalid:
		return nil, nil
	}
	if err != nil {
		return nil, act.Healing(err)
	}
	if strings.Contains(ref, "/") && ref != name && ref != got.Name {
		return nil, nil
	}
	t := target{Desk: deskName, Name: got.Name, Title: got.Title, URL: got.URL, Priority: got.Priority}
	k, err := c.Cases.ByName(ctx, deskName, got.Name)
	if err == nil {
		t.Tenant = k.Tenant
	} else if !fault.Is(err, fault.Missing) {
		return nil, err
	}
	return &t, nil
}

// fullName returns the name of the case with a number, or with the number that a full name ends in, directly under a desk's parent; false when
// it cannot be one of that desk.
func (c *Commands) fullName(deskName, ref string) (string, bool) {
	d := c.Config.Desks[deskName]
	parent, kind := d.Parent, "/cases/"
	if d.Kind == "hub" {
		parent, kind = "orgs/"+d.Organization, "/support-requests/"
	}
	if !strings.Contains(ref, "/") {
		return parent + kind + ref, true
	}
	_, number, ok := strings.Cut(ref, kind)
	return parent + kind + number, ok && number != "" && !strings.Contains(number, "/")
}

// lists asks desks for their cases. One that does not answer is said to, for its cases may be had elsewhere.
func (c *Commands) lists(ctx context.Context, in input) (all []listed) {
	filter := desk.Filter{Open: !in.cmd.All, Priority: in.cmd.Priority}
	for _, name := range desksOf(c.Config, in.who, List) {
		if in.cmd.Desk != "" && in.cmd.Desk != name {
			continue
		}
		l := listed{desk: name}
		d, err := c.Desks.Desk(name)
		if err == nil {
			l.cases, err = d.List(ctx, filter)
		}
		if l.failed = err != nil; l.failed {
			c.Log.WarnContext(ctx, "a desk does not list its cases", "desk", name, "error", err)
		}
		all = append(all, l)
	}
	return all
}

func (c *Commands) show(ctx context.Context, t target) (*shown, error) {
	d, err := c.Desks.Desk(t.Desk)
	if err != nil {
		return nil, err
	}
	s := shown{desk: t.Desk}
	var ferr, cerr error
	s.Case, err = d.Case(ctx, t.Name)
	s.comments, cerr = d.Comments(ctx, t.Name)
	files, ferr := d.Attachments(ctx, t.Name)
	s.files = len(files)
	return &s, act.Healing(errors.Join(err, cerr, ferr))
}

// release files what is held. It is done before it is recorded, because it may be repeated.
func (c *Commands) release(ctx context.Context, in input) (string, error) {
	if c.Release == nil {
		return "Nothing is held back here.", nil
	}
	word, rest, _ := strings.Cut(in.cmd.What, " ")
	switch {
	case strings.EqualFold(word, "at"):
		if !in.who.Can(Release, rest) || !slices.Contains(visible(c.Config, in.who), rest) {
			return refusal(in.who, c.Config, Release, rest), nil
		}
		return c.released(ctx, in, rest, "")
	case strings.EqualFold(in.cmd.What, "all"):
		var said []string
		for _, name := range desksOf(c.Config, in.who, Release) {
			s, err := c.released(ctx, in, name, "")
			if err != nil {
				return "", err
			}
			said = append(said, s)
		}
		return strings.Join(said, "\n"), nil
	case len(desksOf(c.Config, in.who, Release)) < len(c.Config.Desks):
		return "A single incident may be released by who may release at every desk. You can: release at " + strings.Join(desksOf(c.Config, in.who, Release), ", release at "), nil
	}
	return c.released(ctx, in, "", in.cmd.What)
}

func (c *Commands) released(ctx context.Context, in input, deskName, incident string) (string, error) {
	said, err := c.Release(ctx, in.who.Name, deskName, incident)
	if sentence := fault.Public(err); err != nil && !fault.Healing(err) && sentence != "" {
		return "Nothing was released: " + sentence + ".", nil
	}
	return said, err
}

// asksOf returns the open questions that an answer may mean.
func (c *Commands) asksOf(ctx context.Context, in input) ([]ask, error) {
	if in.ask != "" {
		a, err := c.askOf(ctx, in.ask)
		if fault.Is(err, fault.Missing) || fault.Is(err, fault.Invalid) {
			return nil, nil
		}
		return []ask{a}, err
	}
	all, err := c.openAsks(ctx, in.at)
	if err != nil {
		return nil, err
	}
	var here, mine []ask
	for _, a := range all {
		if !a.concerns(in.cmd.Verb, in.who.Name) {
			continue
		}
		mine = append(mine, a)
		thread, err := c.threadOf(ctx, a)
		if err != nil {
			return nil, err
		}
		if in.at.Thread != "" && thread == in.at.Thread {
			here = append(here, a)
		}
	}
	if len(here) > 0 || in.loose {
		return here, nil
	}
	return mine, nil
}

// threadOf returns the thread that a question is in: where it was asked for, or the one that it began.
func (c *Commands) threadOf(ctx context.Context, a ask) (string, error) {
	if a.Job.At.Thread != "" {
		return a.Job.At.Thread, nil
	}
	rec, err := c.Ledger.Get(ctx, a.Said)
	if err != nil || rec.Result == nil {
		return "", unlessMissing(err)
	}
	sent, err := c.Say.Result(rec)
	return sent.Result.Place.Thread, err
}

func unlessMissing(err error) error {
	if fault.Is(err, fault.Missing) {
		return nil
	}
	return err
}

// sameSpace is where an answer may be given.
func sameSpace(p chat.Place) string { return hashed(string(p.Platform), p.Space) }
