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
		"evidence":   func(v value) { r.evidence(v, &c.Evidence) },
		"billing":    func(v value) { r.billing(v, c) },
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
		"priority_caps":  func(v value) { d.PriorityCaps = r.priorityCaps(v) },
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
		"source":       strict.OneOf(&s.Source, append(alert.Sources(), SourceCommands)...),
		"tenant":       strict.Text(&s.Tenant),
		"heartbeat":    strict.Duration(&s.Heartbeat, time.Minute, strict.Forever),
		"subscription": strict.Text(&s.Subscription, subscription),
		"auth":         func(v value) { r.authOf(v, &s.Auth, r.incidentHMAC) },
	}, "name", "source", "tenant")
	_, auth := there["auth"]
	if _, subscribed := there["subscription"]; !auth && !subscribed && there != nil {
		v.Add(v.Line(), v.At("auth"), "is missing; a sender without a subscription must prove who it is")
	}
	return there
}

// auth reads how a caller proves who it is.
func (r *reader) auth(v value, a *Auth) { r.authOf(v, a, r.hmac) }

func (r *reader) authOf(v value, a *Auth, hmac func(value) *HMAC) {
	there := v.Mapping(fields{
		"bearer":           r.secret(&a.Bearer),
		"basic":            func(v value) { a.Basic = r.basic(v) },
		"hmac":             func(v value) { a.HMAC = hmac(v) },
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

// hmac reads a signature with a time in it: without one a captured request could be replayed for ever.
func (r *reader) hmac(v value) *HMAC {
	h := &HMAC{Header: grafanaHeader}
	v.Mapping(r.hmacFields(h), "secret", "timestamp_header")
	twoHeaders(v, h)
	return h
}

// incidentHMAC reads the signature of a sender of alerts. Its repeats are known by the identity of the incident, so it may be said that
// there is no time.
func (r *reader) incidentHMAC(v value) *HMAC {
	h := &HMAC{Header: grafanaHeader}
	known := r.hmacFields(h)
	known["replay"] = strict.OneOf(&h.Replay, ReplayIdentity)
	there := v.Mapping(known, "secret")
	_, timed := there["timestamp_header"]
	replay, allowed := there["replay"]
	switch {
	case timed && allowed:
		replay.Problem("is for a signature without a time; remove it, or timestamp_header")
	case !timed && !allowed && there != nil:
		v.Add(v.Line(), v.At("timestamp_header"), "is missing; name the header of the time, or write replay: identity if there is none: "+
			"then whoever has captured a request can send it again, and only the incident's identity tells that it is a repeat")
	}
	twoHeaders(v, h)
	return h
}

// grafanaHeader is where Grafana puts its signature unless it is told otherwise.
const grafanaHeader = "X-Grafana-Alerting-Signature"

func (r *reader) hmacFields(h *HMAC) fields {
	return fields{
		"secret":           r.secret(&h.Secret),
		"header":           strict.Text(&h.Header, header),
		"timestamp_header": strict.Text(&h.TimestampHeader, header),
	}
}

func twoHeaders(v value, h *HMAC) {
	if sameHeader(h.Header, h.TimestampHeader) {
		v.Problem("header and timestamp_header must be two headers")
	}
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
		"logging":           endpoint(&e.Logging),
		"monitoring":        endpoint(&e.Monitoring),
		"storage":           endpoint(&e.Storage),
		"bigquery":          endpoint(&e.BigQuery),
	})
}
