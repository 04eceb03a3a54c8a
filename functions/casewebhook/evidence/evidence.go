// Package evidence attaches to a new case what a person at the desk would ask for first: the notification as it was received, the log of the
// resource around the beginning of the incident, and the time series of its metric as a table and as a chart.
//
// # How
//
// Each file is an effect of its own, "case.evidence", recorded in the commit that records the opening of the case and waiting for it. It waits
// also until the window that the configuration asks for is over. What it says is fetched when it is called and is in no record, but for the
// notification, which nobody can be asked for later.
//
//	alert    the notification, JSON                          from the document that was kept with the opening
//	logs     log entries, JSON lines, severe ones first      Cloud Logging, entries.list
//	metrics  all points as they were written, CSV            Cloud Monitoring, timeSeries.list, no aggregation
//	chart    the same as a picture, SVG; counts per second   likewise
//
// The class is marked: the name of the file carries the marker, so a file whose upload was doubtful is found in the list of attachments.
//
// # Keys owned
//
//	evidence/<id of the opening's effect>   the notification, redacted, for 45 days
//	effects/...                             the ledger's, kind case.evidence
//
// # Guaranteed
//
//   - Secrets in the forms of redact.go, and what the configuration names, are taken out of every file before it leaves, and of the
//     notification before it is kept.
//   - A file that cannot be had, or that the desk refuses, costs the case nothing: the effect succeeds, its result says why, a warning is logged.
//   - A file has at most evidence.max_bytes; beyond them the end is left out and its last line says how much.
//   - Without the configuration's key nothing is read, written or asked for.
//
// # Not promised
//
// That points and entries which Google takes in later than the window ends are there; that a resource whose type is not listed in watched.go
// is told from others of its type in its project; that a key which is spread over several log entries is recognised.
package evidence

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Collection holds the notifications that wait to be attached.
const Collection = "evidence"

// kept is how long, as long as any effect is remembered.
const kept = 45 * 24 * time.Hour

// What a file shows.
type What string

const (
	whatAlert   What = "alert"
	whatLogs    What = "logs"
	whatMetrics What = "metrics"
	whatChart   What = "chart"
)

// Piece is one file to be attached, as it is recorded.
type Piece struct {
	What      What      `json:"what"`
	Kept      string    `json:"kept,omitempty"` // id of the document with the notification
	Of        *Watched  `json:"of,omitempty"`
	Title     string    `json:"title,omitempty"`
	Threshold string    `json:"threshold,omitempty"`
	Start     time.Time `json:"start,omitzero"` // of the incident
	From      time.Time `json:"from,omitzero"`
	To        time.Time `json:"to,omitzero"`
	Zone      string    `json:"zone,omitempty"` // of the people at the desk
}

// notification is what is kept of one. It is base64 in its document: escaped it could outgrow it.
type notification struct {
	Raw []byte `json:"raw"`
}

// Options of the evidence of a function.
type Options struct {
	Config *config.Config
	DB     store.DB
	Desks  act.Desks
	Google *Google // nil: made of the configuration, if it asks for logs or metrics
	Log    *slog.Logger
}

// Kinds is the effect of this package, registered on a ledger.
type Kinds struct {
	Attach   ledger.Kind[Piece, Attached]
	config   config.Evidence
	redactor *redactor
	google   *Google // nil: nothing is looked for there
}

// Register makes the effect known to a ledger, whether the configuration asks for evidence or not: an older one may have.
func Register(ctx context.Context, l *ledger.Ledger, o Options) (k Kinds, err error) {
	if k.redactor, err = newRedactor(o.Config.Evidence); err != nil {
		return k, err
	}
	k.config = o.Config.Evidence
	if k.google = o.Google; k.google == nil && (k.config.Logs != nil || k.config.Metrics != nil) {
		if k.google, err = connect(ctx, o.Config); err != nil {
			return k, err
		}
	}
	e := effect{o, k.google, k.redactor}
	k.Attach, err = ledger.Register(l, ledger.Spec{Kind: "case.evidence", Class: ledger.Marked}, ledger.Effect[Piece, Attached](e))
	return k, err
}

// connect makes the clients that a configuration asks for.
func connect(ctx context.Context, c *config.Config) (*Google, error) {
	return NewGoogle(ctx, platform.Transport(c, c.Endpoints.Logging), platform.Transport(c, c.Endpoints.Monitoring))
}

// CloseIdleConnections lets go of the connections to where evidence is looked for.
func (k Kinds) CloseIdleConnections() {
	if k.google != nil {
		k.google.CloseIdleConnections()
	}
}

// Of returns what is attached to the case of an incident that an effect opens, and what is written with that. name is that of the occurrence,
// zone that of the people at the desk.
func (k Kinds) Of(opening ledger.Intent, name string, in alert.Incident, zone string, now time.Time) (all []ledger.Intent, writes []store.Write, err error) {
	pieces := k.pieces(in, zone, now)
	if k.config.Alert && in.Raw != "" {
		w, err := k.keep(opening.ID(), in.Raw, now)
		if err != nil {
			return nil, nil, err
		}
		writes = append(writes, w)
		pieces = append(pieces, Piece{What: whatAlert, Kept: opening.ID()})
	}
	for _, p := range pieces {
		one, err := k.Attach.Intent(in.Tenant, name+"/evidence/"+string(p.What), p)
		if err != nil {
			return nil, nil, err
		}
		if one = one.After(opening.ID()); p.To.After(now) {
			one = one.At(p.To)
		}
		all = append(all, one)
	}
	return all, writes, nil
}

// pieces are the files about what is watched.
func (k Kinds) pieces(in alert.Incident, zone string, now time.Time) (all []Piece) {
	if k.config.Logs == nil && k.config.Metrics == nil {
		return nil
	}
	a, w := alertOf(in), watchedBy(in)
	if w == nil {
		return nil
	}
	p := Piece{Of: w, Title: clip(cmp.Or(a.Name, in.Title), 200), Threshold: clip(a.Threshold, 100), Start: began(a, in, now), Zone: zone}
	if l := k.config.Logs; l != nil {
		all = append(all, p.window(whatLogs, l.Around))
	}
	if m := k.config.Metrics; m != nil && w.Metric != "" {
		all = append(all, p.window(whatMetrics, m.Around), p.window(whatChart, m.Around))
	}
	return all
}

// began is when an incident began. Nobody's clock may make us wait.
func began(a alert.Alert, in alert.Incident, now time.Time) time.Time {
	start := a.Starts
	if start.IsZero() {
		start = in.Received
	}
	if start.After(now) {
		start = now
	}
	return start.UTC().Truncate(time.Second)
}

func (p Piece) window(what What, a config.Around) Piece {
	p.What, p.From, p.To = what, p.Start.Add(-a.Before), p.Start.Add(a.After)
	return p
}

// keep writes the notification down, without its secrets.
func (k Kinds) keep(id, raw string, now time.Time) (store.Write, error) {
	data, err := json.Marshal(notification{[]byte(alert.Excerpt(k.redactor.text(raw), alert.MaxRaw))})
	if err != nil {
		return store.Write{}, fault.Wrap(fault.Bug, err, "encode a notification")
	}
	return store.Create(store.Doc{Key: store.Key{Collection: Collection, ID: id}, Data: data, Expire: now.Add(kept)}), nil
}
