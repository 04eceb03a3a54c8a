package config

import (
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
)

// config reads the whole file. The order of the keys in the file does not matter: what needs two of them is checked at the end.
func (r *reader) config(root value, c *Config) {
	c.Ledger = Ledger{Settle: 15 * time.Minute, CallTimeout: 30 * time.Second}
	c.Desks = map[string]Desk{}
	root.mapping(fields{
		"ledger":    func(v value) { v.ledger(&c.Ledger) },
		"push":      func(v value) { v.push(&c.Push) },
		"desks":     func(v value) { v.desks(c.Desks) },
		"senders":   func(v value) { v.senders(&c.Senders) },
		"routes":    func(v value) { v.routes(c) },
		"endpoints": func(v value) { v.endpoints(&c.Endpoints) },
	}, "push", "desks", "routes")
}

func (v value) ledger(l *Ledger) {
	v.mapping(fields{
		"settle":       duration(&l.Settle, time.Minute, forever),
		"call_timeout": duration(&l.CallTimeout, time.Second, time.Minute),
	})
	if l.CallTimeout >= l.Settle {
		v.problem("settle must be longer than call_timeout; an answer may come as late as that")
	}
}

func (v value) push(p *Push) {
	there := v.mapping(fields{
		"oidc":     func(v value) { p.OIDC = v.oidc() },
		"bearer":   secret(&p.Bearer),
		"platform": yes(&p.Platform),
	})
	v.exactlyOne(there, "oidc", "bearer", "platform")
	if f, ok := there["platform"]; ok && !p.Platform && f.node.Value == "false" {
		f.problem("must be true or not there; write oidc, bearer or platform: true")
	}
}

// exactlyOne says so unless one of the keys is there, and only one.
func (v value) exactlyOne(there map[string]value, names ...string) {
	n := 0
	for _, name := range names {
		if _, ok := there[name]; ok {
			n++
		}
	}
	if n != 1 && there != nil {
		v.problem("must have exactly one of %s; it has %d", alternatives(names), n)
	}
}

func (v value) oidc() *OIDC {
	o := &OIDC{JWKS: "https://www.googleapis.com/oauth2/v3/certs", Issuer: "https://accounts.google.com"}
	v.mapping(fields{
		"audience": text(&o.Audience),
		"email":    text(&o.Email, email),
		"jwks":     text(&o.JWKS, secureURL),
		"issuer":   text(&o.Issuer, secureURL),
	}, "audience", "email")
	return o
}

func (v value) desks(desks map[string]Desk) {
	found := 0
	ok := v.pairs(func(name string, line int, child value) {
		found++
		if message := slug(name); message != "" {
			v.add(line, child.key, "the name of a desk %s", message)
		}
		desks[name] = child.desk()
	})
	if ok && found == 0 {
		v.problem("is empty; write at least one desk")
	}
}

func (v value) desk() Desk {
	d := Desk{TimeZone: "UTC"}
	there := v.mapping(fields{
		"kind":           oneOf(&d.Kind, "google", "hub"),
		"parent":         text(&d.Parent, parent),
		"classification": text(&d.Classification),
		"subscribers":    texts(&d.Subscribers, email),
		"time_zone":      text(&d.TimeZone, timeZone),
		"language":       text(&d.Language, language),
		"test_cases":     yes(&d.TestCases),
		"budget":         func(v value) { v.budget(&d.Budget) },
		"organization":   text(&d.Organization, organization),
		"token":          secret(&d.Token),
	}, "kind")
	switch d.Kind {
	case "google":
		v.kind(there, "google", []string{"parent", "classification"}, []string{"organization", "token"})
	case "hub":
		v.kind(there, "hub", []string{"organization", "token"}, []string{"parent", "classification", "test_cases"})
	}
	return d
}

// kind checks the keys that depend on the kind of a desk.
func (v value) kind(there map[string]value, kind string, required, foreign []string) {
	for _, name := range required {
		if _, ok := there[name]; !ok {
			v.add(v.node.Line, v.at(name), "is missing; a desk of kind %s requires it", kind)
		}
	}
	for _, name := range foreign {
		if f, ok := there[name]; ok {
			f.problem("is not for a desk of kind %s; remove it", kind)
		}
	}
}

func (v value) budget(b *Budget) {
	v.mapping(fields{
		"cases": number(&b.Cases, 1, 100000),
		"per":   duration(&b.Per, time.Minute, forever),
	}, "cases", "per")
}

func (v value) senders(senders *[]Sender) {
	names, subscriptions := map[string]int{}, map[string]int{}
	v.list(func(e value) {
		var s Sender
		there := e.sender(&s)
		there["name"].unique(s.Name, "the name of another sender", names)
		there["subscription"].unique(s.Subscription, "the subscription of another sender", subscriptions)
		*senders = append(*senders, s)
	})
}

// unique says so if the text was seen before.
func (v value) unique(s, what string, seen map[string]int) {
	if s == "" {
		return
	}
	if line, twice := seen[s]; twice {
		v.problem("is %s, in line %d; write another", what, line)
		return
	}
	seen[s] = v.node.Line
}

func (v value) sender(s *Sender) map[string]value {
	there := v.mapping(fields{
		"name":         text(&s.Name, slug),
		"source":       oneOf(&s.Source, alert.SourceAlertmanager, alert.SourceMonitoring),
		"tenant":       text(&s.Tenant),
		"subscription": text(&s.Subscription, subscription),
		"auth":         func(v value) { v.auth(&s.Auth) },
	}, "name", "source", "tenant")
	_, auth := there["auth"]
	if _, subscribed := there["subscription"]; !auth && !subscribed && there != nil {
		v.add(v.node.Line, v.at("auth"), "is missing; a sender without a subscription must prove who it is")
	}
	return there
}

func (v value) auth(a *Auth) {
	there := v.mapping(fields{
		"bearer":           secret(&a.Bearer),
		"basic":            func(v value) { a.Basic = v.basic() },
		"hmac":             func(v value) { a.HMAC = v.hmac() },
		"standard_webhook": secret(&a.StandardWebhook),
		"oidc":             func(v value) { a.OIDC = v.oidc() },
	})
	v.exactlyOne(there, "bearer", "basic", "hmac", "standard_webhook", "oidc")
}

func (v value) basic() *Basic {
	b := &Basic{}
	v.mapping(fields{
		"username": text(&b.Username, username),
		"password": secret(&b.Password),
	}, "username", "password")
	return b
}

func (v value) hmac() *HMAC {
	h := &HMAC{Header: "X-Grafana-Alerting-Signature"}
	v.mapping(fields{
		"secret":           secret(&h.Secret),
		"header":           text(&h.Header, header),
		"timestamp_header": text(&h.TimestampHeader, header),
	}, "secret", "timestamp_header")
	if sameHeader(h.Header, h.TimestampHeader) {
		v.problem("header and timestamp_header must be two headers")
	}
	return h
}

func (v value) routes(c *Config) {
	var last value
	ok := v.list(func(e value) {
		if n := len(c.Routes); n > 0 && c.Routes[n-1].When == "true" {
			e.problem("is never reached: the route before it takes everything; move it up")
		}
		last = e
		c.Routes = append(c.Routes, e.route(c))
	})
	switch n := len(c.Routes); {
	case ok && n == 0:
		v.problem("is empty; write at least one route")
	case n > 0 && c.Routes[n-1].When != "true":
		last.problem(`is the last route and must take what no other took; write when: "true", or add such a route`)
	}
}

func (v value) route(c *Config) Route {
	r := Route{OneCasePer: "group", Refire: Refire{24 * time.Hour, "comment"}, Resolve: Resolve{"comment", 10 * time.Minute}, Line: v.node.Line}
	there := v.mapping(fields{
		"when":           text(&r.When),
		"desk":           text(&r.Desk),
		"priority":       oneOf(&r.Priority, "P0", "P1", "P2", "P3", "P4"),
		"one_case_per":   oneOf(&r.OneCasePer, "group", "alert"),
		"classification": text(&r.Classification),
		"subscribers":    texts(&r.Subscribers, email),
		"title":          text(&r.Title, rendersTitle),
		"description":    text(&r.Description, renders),
		"refire":         func(v value) { v.refire(&r.Refire) },
		"resolve":        func(v value) { v.resolution(&r.Resolve) },
	}, "when", "desk", "priority")
	v.later = append(v.later, func() { checkDesk(c, r, there) })
	return r
}

// checkDesk sees that the desk of a route is there and knows what the route says.
func checkDesk(c *Config, r Route, there map[string]value) {
	desk, ok := c.Desks[r.Desk]
	if r.Desk != "" && !ok {
		var names []string
		for name := range c.Desks {
			names = append(names, name)
		}
		there["desk"].problem("is not the name of a desk%s; write one of those under desks", suggest(r.Desk, names))
	}
	if f, ok := there["classification"]; ok && desk.Kind == "hub" {
		f.problem("is not for a desk of kind hub; remove it")
	}
}

func (v value) refire(f *Refire) {
	v.mapping(fields{
		"within": duration(&f.Within, 0, forever),
		"do":     oneOf(&f.Do, "comment", "new"),
	})
}

func (v value) resolution(f *Resolve) {
	v.mapping(fields{
		"do":    oneOf(&f.Do, "comment", "close", "nothing"),
		"after": duration(&f.After, 0, forever),
	})
}

func (v value) endpoints(e *Endpoints) {
	v.mapping(fields{
		"cloudsupport": endpoint(&e.CloudSupport),
		"hub":          endpoint(&e.Hub),
	})
}
