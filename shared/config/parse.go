package config

import (
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/strict"
)

// config reads the whole file. The order of the keys in the file does not matter: what needs two of them is checked at the end.
func (r *reader) config(root value, c *Config) {
	c.Ledger = Ledger{Settle: 15 * time.Minute, CallTimeout: 30 * time.Second}
	c.Desks = map[string]Desk{}
	root.Mapping(fields{
		"ledger":     func(v value) { r.ledger(v, &c.Ledger) },
		"push":       func(v value) { r.push(v, &c.Push) },
		"desks":      func(v value) { r.desks(v, c) },
		"senders":    func(v value) { r.senders(v, &c.Senders) },
		"routes":     func(v value) { r.routes(v, c) },
		"endpoints":  func(v value) { r.endpoints(v, &c.Endpoints) },
		"onboarding": func(v value) { r.onboarding(v, c) },
		"chat":       func(v value) { r.chat(v, &c.Chat); r.Later(func() { roomsNeedChat(c, c.Chat.Alarms, v) }) },
		"people":     func(v value) { r.people(v, c) },
		"webhooks":   func(v value) { r.webhooks(v, c) },
	}, "push", "desks", "routes")
}

func (r *reader) ledger(v value, l *Ledger) {
	v.Mapping(fields{
		"settle":       strict.Duration(&l.Settle, time.Minute, strict.Forever),
		"call_timeout": strict.Duration(&l.CallTimeout, time.Second, time.Minute),
	})
	if l.CallTimeout >= l.Settle {
		v.Problem("settle must be longer than call_timeout; an answer may come as late as that")
	}
}

func (r *reader) push(v value, p *Push) {
	there := v.Mapping(fields{
		"oidc":     func(v value) { p.OIDC = r.oidc(v) },
		"bearer":   r.secret(&p.Bearer),
		"platform": strict.Text(new(string), trusting),
	})
	v.ExactlyOne(there, "oidc", "bearer", "platform")
	_, p.Platform = there["platform"]
}

// trusting is true or not there at all: there is no default that lets anybody in.
func trusting(s string) string {
	if s == "true" {
		return ""
	}
	return "must be true or not there; write oidc, bearer or platform: true"
}

func (r *reader) oidc(v value) *OIDC {
	o := &OIDC{JWKS: "https://www.googleapis.com/oauth2/v3/certs", Issuer: "https://accounts.google.com"}
	v.Mapping(fields{
		"audience": strict.Text(&o.Audience),
		"email":    strict.Text(&o.Email, email),
		"jwks":     strict.Text(&o.JWKS, secureURL),
		"issuer":   strict.Text(&o.Issuer, secureURL),
	}, "audience", "email")
	return o
}

func (r *reader) desks(v value, c *Config) {
	found := 0
	ok := v.Pairs(func(name string, line int, child value) {
		found++
		if message := slug(name); message != "" {
			v.Add(line, child.Key(), "the name of a desk %s", message)
		}
		c.Desks[name] = r.desk(child, c)
	})
	if ok && found == 0 {
		v.Problem("is empty; write at least one desk")
	}
}

func (r *reader) desk(v value, c *Config) Desk {
	d := Desk{TimeZone: "UTC", Updates: Updates{Every: 10 * time.Minute}}
	there := v.Mapping(fields{
		"kind":           strict.OneOf(&d.Kind, "google", "hub"),
		"parent":         strict.Text(&d.Parent, parent),
		"classification": strict.Text(&d.Classification),
		"subscribers":    strict.Texts(&d.Subscribers, email),
		"time_zone":      strict.Text(&d.TimeZone, timeZone),
		"language":       strict.Text(&d.Language, language),
		"test_cases":     strict.Yes(&d.TestCases),
		"budget":         func(v value) { r.budget(v, &d.Budget) },
		"organization":   strict.Text(&d.Organization, organization),
		"token":          r.secret(&d.Token),
		"rooms":          rooms(&d.Rooms),
		"watch":          func(v value) { watch(v, &d.Watch) },
		"updates":        func(v value) { updates(v, &d.Updates) },
	}, "kind")
	r.Later(func() { roomsNeedChat(c, d.Rooms, there["rooms"]) })
	switch d.Kind {
	case "google":
		r.kind(v, there, "google", []string{"parent", "classification"}, []string{"organization", "token"})
	case "hub":
		r.kind(v, there, "hub", []string{"organization", "token"}, []string{"parent", "test_cases"})
	}
	return d
}

// kind checks the keys that depend on the kind of a desk.
func (r *reader) kind(v value, there map[string]value, kind string, required, foreign []string) {
	for _, name := range required {
		if _, ok := there[name]; !ok {
			v.Add(v.Line(), v.At(name), "is missing; a desk of kind %s requires it", kind)
		}
	}
	for _, name := range foreign {
		if f, ok := there[name]; ok {
			f.Problem("is not for a desk of kind %s; remove it", kind)
		}
	}
}

func (r *reader) budget(v value, b *Budget) {
	v.Mapping(fields{
		"cases": strict.Number(&b.Cases, 1, 100000),
		"per":   strict.Duration(&b.Per, time.Minute, strict.Forever),
	}, "cases", "per")
}

func (r *reader) senders(v value, senders *[]Sender) {
	names, subscriptions := map[string]int{}, map[string]int{}
	v.List(func(e value) {
		var s Sender
		there := r.sender(e, &s)
		there["name"].Unique(s.Name, "the name of another sender", names)
		there["subscription"].Unique(s.Subscription, "the subscription of another sender", subscriptions)
		*senders = append(*senders, s)
	})
}

func (r *reader) sender(v value, s *Sender) map[string]value {
	there := v.Mapping(fields{
		"name":         strict.Text(&s.Name, slug),
		"source":       strict.OneOf(&s.Source, alert.SourceAlertmanager, alert.SourceMonitoring),
		"tenant":       strict.Text(&s.Tenant),
		"heartbeat":    strict.Duration(&s.Heartbeat, time.Minute, strict.Forever),
		"subscription": strict.Text(&s.Subscription, subscription),
		"auth":         func(v value) { r.auth(v, &s.Auth) },
	}, "name", "source", "tenant")
	_, auth := there["auth"]
	if _, subscribed := there["subscription"]; !auth && !subscribed && there != nil {
		v.Add(v.Line(), v.At("auth"), "is missing; a sender without a subscription must prove who it is")
	}
	return there
}

func (r *reader) auth(v value, a *Auth) {
	there := v.Mapping(fields{
		"bearer":           r.secret(&a.Bearer),
		"basic":            func(v value) { a.Basic = r.basic(v) },
		"hmac":             func(v value) { a.HMAC = r.hmac(v) },
		"standard_webhook": r.secret(&a.StandardWebhook),
		"oidc":             func(v value) { a.OIDC = r.oidc(v) },
	})
	v.ExactlyOne(there, "bearer", "basic", "hmac", "standard_webhook", "oidc")
}

func (r *reader) basic(v value) *Basic {
	b := &Basic{}
	v.Mapping(fields{
		"username": strict.Text(&b.Username, username),
		"password": r.secret(&b.Password),
	}, "username", "password")
	return b
}

func (r *reader) hmac(v value) *HMAC {
	h := &HMAC{Header: "X-Grafana-Alerting-Signature"}
	v.Mapping(fields{
		"secret":           r.secret(&h.Secret),
		"header":           strict.Text(&h.Header, header),
		"timestamp_header": strict.Text(&h.TimestampHeader, header),
	}, "secret", "timestamp_header")
	if sameHeader(h.Header, h.TimestampHeader) {
		v.Problem("header and timestamp_header must be two headers")
	}
	return h
}

func (r *reader) routes(v value, c *Config) {
	var last value
	ok := v.List(func(e value) {
		if n := len(c.Routes); n > 0 && c.Routes[n-1].When == "true" {
			e.Problem("is never reached: the route before it takes everything; move it up")
		}
		last = e
		c.Routes = append(c.Routes, r.route(e, c))
	})
	switch n := len(c.Routes); {
	case ok && n == 0:
		v.Problem("is empty; write at least one route")
	case n > 0 && c.Routes[n-1].When != "true":
		last.Problem(`is the last route and must take what no other took; write when: "true", or add such a route`)
	}
}

func (r *reader) route(v value, c *Config) Route {
	to := Route{OneCasePer: "group", Refire: Refire{24 * time.Hour, "comment"}, Resolve: Resolve{"comment", 10 * time.Minute}, Line: v.Line()}
	there := v.Mapping(fields{
		"when":           strict.Text(&to.When),
		"desk":           strict.Text(&to.Desk),
		"priority":       strict.OneOf(&to.Priority, "P0", "P1", "P2", "P3", "P4"),
		"one_case_per":   strict.OneOf(&to.OneCasePer, "group", "alert"),
		"classification": strict.Text(&to.Classification),
		"subscribers":    strict.Texts(&to.Subscribers, email),
		"title":          strict.Text(&to.Title, rendersTitle),
		"description":    strict.Text(&to.Description, renders),
		"refire":         func(v value) { r.refire(v, &to.Refire) },
		"resolve":        func(v value) { r.resolution(v, &to.Resolve) },
		"rooms":          rooms(&to.Rooms),
	}, "when", "desk", "priority")
	r.Later(func() { checkDesk(c, to, there); roomsNeedChat(c, to.Rooms, there["rooms"]) })
	return to
}

// checkDesk sees that the desk of a route is there.
func checkDesk(c *Config, r Route, there map[string]value) {
	if _, ok := c.Desks[r.Desk]; r.Desk != "" && !ok {
		var names []string
		for name := range c.Desks {
			names = append(names, name)
		}
		there["desk"].Problem("is not the name of a desk%s; write one of those under desks", strict.Suggest(r.Desk, names))
	}
}

func (r *reader) refire(v value, f *Refire) {
	v.Mapping(fields{
		"within": strict.Duration(&f.Within, 0, strict.Forever),
		"do":     strict.OneOf(&f.Do, "comment", "new"),
	})
}

func (r *reader) resolution(v value, f *Resolve) {
	v.Mapping(fields{
		"do":    strict.OneOf(&f.Do, "comment", "close", "nothing"),
		"after": strict.Duration(&f.After, 0, strict.Forever),
	})
}

func (r *reader) endpoints(v value, e *Endpoints) {
	v.Mapping(fields{
		"cloudsupport":      endpoint(&e.CloudSupport),
		"hub":               endpoint(&e.Hub),
		"serviceusage":      endpoint(&e.ServiceUsage),
		"resourcemanager":   endpoint(&e.ResourceManager),
		"essentialcontacts": endpoint(&e.EssentialContacts),
		"recommender":       endpoint(&e.Recommender),
		"servicehealth":     endpoint(&e.ServiceHealth),
		"slack":             endpoint(&e.Slack),
		"chat":              endpoint(&e.Chat),
	})
}
