package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/strict"
)

// Chat is where people are. A platform that is not configured is nil.
type Chat struct {
	Slack  *Slack
	Google *GoogleChat
	Alarms []Room   // where the operator is told of storms, failing subscriptions and silent senders
	Second []string // actions, see Actions, that want a second person's approval
}

// Slack is an app in one workspace.
type Slack struct {
	SigningSecret Secret
	Token         Secret // of the bot, xoxb-
	Team          string // requests of any other workspace are refused
	BotUser       string // our own user there
}

// GoogleChat is a Chat app. Exactly one of Audience and ProjectNumber is set: what the app's console says of its authentication audience.
type GoogleChat struct {
	Audience      string         // URL of our endpoint: a Google identity token
	ProjectNumber string         // a token that Chat signs itself
	Certificates  string         // URL of the keys; default Google's
	App           string         // our own user, "users/N"
	AddOn         bool           // the app is an add-on: Chat sends clicks to Audience
	Quick         map[int]string // text of a quick command, by its id in the console
}

// Room is a place where something is told: exactly one field is set.
type Room struct {
	Slack  string // id of a channel
	Google string // "spaces/S"
}

// Actions are what people may do, as a person's "may" names them; "all" is every one.
var Actions = []string{"create", "comment", "attach", "list", "show", "priority", "subscribe", "escalate", "close", "approve", "release"}

// Named is somebody in a chat and what they may do there.
type Named struct {
	Name   string
	Email  string
	Slack  string // id of the user
	Google string // "users/N"
	May    []string
	Desks  []string // empty: every desk
	Line   int
}

// Webhook is somebody who is told of what happens on cases, by requests that are signed as Standard Webhooks says.
type Webhook struct {
	Name   string
	URL    string
	Secret Secret   // whsec_...
	Desks  []string // empty: every desk
}

// Watch says when somebody is reminded of a case. Zero: never.
type Watch struct {
	Answer  time.Duration // the desk has not answered for so long
	OurTurn time.Duration // the desk waits for us for so long
	Propose time.Duration // after a reminder that nobody heeded an escalation is proposed
	Close   time.Duration // a case that the desk calls solved, and that nobody talks on for so long, is closed
}

// Updates is how we learn what changes at a desk.
type Updates struct {
	Organization string        // "organizations/N": where the desk's event subscription is; empty: its state is not watched
	Every        time.Duration // how often every open case is looked at, whatever events say; default 10m
	All          bool          // follow cases that others opened too
}

func (r *reader) chat(v value, c *Chat) {
	v.Mapping(fields{
		"slack":           func(v value) { c.Slack = r.slack(v) },
		"google":          func(v value) { c.Google = r.googleChat(v) },
		"alarms":          rooms(&c.Alarms),
		"second_approver": strict.Texts(&c.Second, strict.Words(Actions...)),
	})
}

func (r *reader) slack(v value) *Slack {
	s := &Slack{}
	v.Mapping(fields{
		"signing_secret": r.secret(&s.SigningSecret),
		"token":          r.secret(&s.Token),
		"team":           strict.Text(&s.Team, slackTeam),
		"bot_user":       strict.Text(&s.BotUser, slackUser),
	}, "signing_secret", "token", "team", "bot_user")
	return s
}

func (r *reader) googleChat(v value) *GoogleChat {
	g := &GoogleChat{Quick: map[int]string{}}
	there := v.Mapping(fields{
		"audience":       strict.Text(&g.Audience, baseURL),
		"project_number": strict.Text(&g.ProjectNumber, digits),
		"certificates":   strict.Text(&g.Certificates, secureURL),
		"app":            strict.Text(&g.App, googleUser),
		"add_on":         strict.Yes(&g.AddOn),
		"quick":          func(v value) { quick(v, g.Quick) },
	}, "app")
	v.ExactlyOne(there, "audience", "project_number")
	if g.AddOn && g.Audience == "" {
		v.Problem("an add-on wants audience: Chat sends clicks to that address")
	}
	return g
}

// quick reads the texts that quick commands stand for.
func quick(v value, all map[int]string) {
	v.Pairs(func(name string, line int, child value) {
		id, err := strconv.Atoi(name)
		if err != nil || id < 1 || id > 1000 {
			v.Add(line, child.Key(), "the key must be the command's id in the console, 1 to 1000")
		}
		var s string
		strict.Text(&s)(child)
		all[id] = s
	})
}

// rooms reads a list of rooms.
func rooms(dst *[]Room) func(value) {
	return func(v value) {
		v.List(func(e value) {
			var one Room
			there := e.Mapping(fields{
				"slack":  strict.Text(&one.Slack, slackChannel),
				"google": strict.Text(&one.Google, googleSpace),
			})
			e.ExactlyOne(there, "slack", "google")
			*dst = append(*dst, one)
		})
	}
}

// roomsNeedChat sees that the platform of every room is configured.
func roomsNeedChat(c *Config, all []Room, v value) {
	for i, one := range all {
		if one.Slack != "" && c.Chat.Slack == nil {
			v.Problem("room %d is a Slack channel, and chat.slack is missing", i)
		}
		if one.Google != "" && c.Chat.Google == nil {
			v.Problem("room %d is a Google Chat space, and chat.google is missing", i)
		}
	}
}

func (r *reader) people(v value, c *Config) {
	slack, google, names := map[string]int{}, map[string]int{}, map[string]int{}
	v.List(func(e value) {
		p := Named{Line: e.Line()}
		there := e.Mapping(fields{
			"name":   strict.Text(&p.Name),
			"email":  strict.Text(&p.Email, email),
			"slack":  strict.Text(&p.Slack, slackUser),
			"google": strict.Text(&p.Google, googleUser),
			"may":    strict.Texts(&p.May, strict.Words(append([]string{"all"}, Actions...)...)),
			"desks":  strict.Texts(&p.Desks),
		}, "name", "may")
		there["name"].Unique(p.Name, "the name of another person", names)
		there["slack"].Unique(p.Slack, "the user of another person", slack)
		there["google"].Unique(p.Google, "the user of another person", google)
		if there != nil && p.Slack == "" && p.Google == "" {
			e.Problem("has no user in any chat; write slack or google")
		}
		r.Later(func() { knownDesks(c, p.Desks, there["desks"]) })
		c.People = append(c.People, p)
	})
}

// knownDesks sees that every name is one of a desk.
func knownDesks(c *Config, names []string, v value) {
	for _, name := range names {
		if _, ok := c.Desks[name]; !ok {
			v.Problem("holds a name that no desk has; write those under desks")
			return
		}
	}
}

// Can reports whether a person may do something at a desk. An empty desk is any.
func (p Named) Can(action, desk string) bool {
	does := slices.Contains(p.May, "all") || slices.Contains(p.May, action)
	return does && (desk == "" || len(p.Desks) == 0 || slices.Contains(p.Desks, desk))
}

func (r *reader) webhooks(v value, c *Config) {
	names := map[string]int{}
	v.List(func(e value) {
		var w Webhook
		there := e.Mapping(fields{
			"name":   strict.Text(&w.Name, slug),
			"url":    strict.Text(&w.URL, receiver),
			"secret": r.secret(&w.Secret),
			"desks":  strict.Texts(&w.Desks),
		}, "name", "url", "secret")
		there["name"].Unique(w.Name, "the name of another webhook", names)
		r.Later(func() { knownDesks(c, w.Desks, there["desks"]) })
		c.Webhooks = append(c.Webhooks, w)
	})
}

// receiver is an https URL, with a query if it likes. A machine may trust itself.
func receiver(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Fragment != "" {
		return "must be an https URL with no user or fragment"
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback()) {
		return ""
	}
	if u.Scheme != "https" || u.Hostname() == "" {
		return "must be an https URL with no user or fragment"
	}
	return ""
}

func watch(v value, w *Watch) {
	v.Mapping(fields{
		"answer":   strict.Duration(&w.Answer, time.Minute, strict.Forever),
		"our_turn": strict.Duration(&w.OurTurn, time.Minute, strict.Forever),
		"propose":  strict.Duration(&w.Propose, time.Minute, strict.Forever),
		"close":    strict.Duration(&w.Close, time.Hour, strict.Forever),
	})
}

func updates(v value, u *Updates) {
	v.Mapping(fields{
		"organization": strict.Text(&u.Organization, wholeOrganization),
		"every":        strict.Duration(&u.Every, time.Minute, 24*time.Hour),
		"all":          strict.Yes(&u.All),
	})
}

// String is how a person writes a room.
func (r Room) String() string { return fmt.Sprintf("%s%s", r.Slack, r.Google) }
