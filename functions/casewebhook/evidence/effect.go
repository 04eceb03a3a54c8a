package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook/act"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Attached is what became of a file.
type Attached struct {
	Case  string `json:"case"`
	File  string `json:"file,omitempty"`
	Bytes int    `json:"bytes,omitempty"`
	Left  string `json:"left,omitempty"` // why it was left out; empty: it is attached
}

// maxTries is how often a file is tried to be had, about 20 minutes with the ledger's pauses. After that the case does without.
const maxTries = 8

// file is content to be attached.
type file struct{ ext, contentType, text string }

// errOff is why a file is left out that the configuration has switched off since.
var errOff = fault.New(fault.Missing, "the configuration has switched it off")

type effect struct {
	o        Options
	google   *Google
	redactor *redactor
}

func (e effect) Call(ctx context.Context, p Piece, t ledger.Token) (ledger.Act[Attached], error) {
	d, at, err := act.Target{}.Of(e.o.Desks, t)
	if err != nil {
		return ledger.Act[Attached]{}, fault.Unsent(err)
	}
	f, err := e.fetch(ctx, p)
	if passing(err) && t.Attempt < maxTries {
		return ledger.Act[Attached]{}, fault.Unsent(act.Healing(err)) // only questions were asked
	}
	if err != nil {
		return e.leftOut(ctx, p, t, at, err), nil
	}
	name := fileName(p.What, t.Marker, f.ext)
	a, err := d.Attach(ctx, at.Case, name, f.contentType, strings.NewReader(f.text))
	if refused(err) {
		return e.leftOut(ctx, p, t, at, err), nil
	}
	return ledger.Act[Attached]{ID: a.Name, Result: Attached{Case: at.Case, File: name, Bytes: len(f.text)}}, err
}

// fileName carries the marker, by which the file is found again.
func fileName(what What, marker, ext string) string { return string(what) + "-" + marker + "." + ext }

func (e effect) Find(ctx context.Context, p Piece, t ledger.Token, _ bool) ([]ledger.Act[Attached], error) {
	d, at, err := act.Target{}.Of(e.o.Desks, t)
	if err != nil {
		return nil, err
	}
	all, err := d.Attachments(ctx, at.Case)
	var acts []ledger.Act[Attached]
	for _, a := range all {
		if strings.Contains(a.File, "-"+t.Marker+".") {
			acts = append(acts, ledger.Act[Attached]{ID: a.Name, Result: Attached{Case: at.Case, File: a.File, Bytes: int(a.Bytes)}})
		}
	}
	return acts, err
}

// leftOut ends the effect without a file: a case is worth more than its evidence.
func (e effect) leftOut(ctx context.Context, p Piece, t ledger.Token, at act.Target, why error) ledger.Act[Attached] {
	reason := clip(e.redactor.text(why.Error()), 300)
	e.o.Log.WarnContext(ctx, "evidence is left out", "effect", t.ID, "what", p.What, "case", at.Case, "reason", reason)
	return ledger.Act[Attached]{ID: at.Case, Result: Attached{Case: at.Case, Left: reason}}
}

// refused reports whether a desk has certainly not taken a file, and never will.
func refused(err error) bool {
	switch fault.Of(err) {
	case fault.Invalid, fault.Denied, fault.Missing, fault.Conflict:
		return !fault.IsUnsent(err)
	}
	return false
}

// passing reports whether what stands in the way of a file may pass.
func passing(err error) bool { return err != nil && !refused(err) }

// fetch makes a file. It has half of the time, so that enough is left to send it.
func (e effect) fetch(ctx context.Context, p Piece) (f file, err error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	switch p.What {
	case whatAlert:
		f, err = e.alert(ctx, p)
	case whatLogs:
		f, err = e.logs(ctx, p)
	case whatMetrics, whatChart:
		f, err = e.metrics(ctx, p)
	default:
		err = fault.New(fault.Invalid, "there is no such evidence")
	}
	if err != nil {
		return f, err
	}
	if p.What == whatChart { // small, and worth nothing without its end
		return f, nil
	}
	f.text = alert.Excerpt(f.text, e.most())
	return f, nil
}

func (e effect) most() int { return e.o.Config.Evidence.MaxBytes }

// alert is the notification as it was received, without its secrets.
func (e effect) alert(ctx context.Context, p Piece) (file, error) {
	if !e.o.Config.Evidence.Alert {
		return file{}, errOff
	}
	d, err := e.o.DB.Get(ctx, store.Key{Collection: Collection, ID: p.Kept})
	if err != nil {
		return file{}, err
	}
	var n notification
	if err := json.Unmarshal(d.Data, &n); err != nil {
		return file{}, fault.Wrap(fault.Invalid, errors.New("it is not what was kept"), "read a notification")
	}
	text := e.redactor.text(string(n.Raw))
	if !json.Valid([]byte(text)) || len(text) > e.most() {
		return file{"txt", "text/plain; charset=utf-8", text}, nil
	}
	return file{"json", "application/json", text}, nil
}

// metrics are the time series as a table or a chart.
func (e effect) metrics(ctx context.Context, p Piece) (file, error) {
	if e.o.Config.Evidence.Metrics == nil || p.Of == nil || e.google == nil {
		return file{}, errOff
	}
	got, err := e.google.timeSeries(ctx, p.Of.Project, p.Of.metricFilter(), p.From, p.To)
	if err != nil {
		return file{}, err
	}
	all := readSeries(got)
	if len(all) == 0 {
		return file{}, fault.New(fault.Missing, "the metric has no points in the window")
	}
	if p.What == whatMetrics {
		return file{"csv", "text/csv; charset=utf-8", table(all, e.redactor.text)}, nil
	}
	c := chart{title: p.Of.Metric, start: p.Start, from: p.From, to: p.To, zone: zone(p.Zone), threshold: p.Threshold, series: all, redact: e.redactor.text}
	if p.Title != "" {
		c.title = p.Title + ": " + p.Of.Metric
	}
	return file{"svg", "image/svg+xml", c.svg()}, nil
}

func zone(name string) *time.Location {
	if loc, err := time.LoadLocation(name); err == nil {
		return loc
	}
	return time.UTC
}
