package billingexport

import (
	"context"
	"log/slog"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/logs"
)

// ended logs that a run has ended. A new revision that is published, or kept back, is counted.
func (f *Function) ended(ctx context.Context, m *month) {
	e := m.Ended
	level, attrs := slog.LevelInfo, []slog.Attr{slog.String("month", m.Month), slog.String("run", e.Run), slog.Bool("new", e.New),
		slog.Int("revision", e.Revision), slog.String("state", string(e.State)), slog.String("reason", e.Reason)}
	switch {
	case e.New && e.State == revision.Published:
		attrs = append(attrs, logs.ExportPublished.Attr())
	case e.New && e.State == revision.Unreconciled:
		level, attrs = slog.LevelWarn, append(attrs, logs.ExportUnreconciled.Attr())
	}
	f.Log.LogAttrs(ctx, level, "a run has ended", attrs...)
}

// late is for how long after its close a month may be unpublished.
const late = 24 * time.Hour

// overdue logs that the last month that was closed a day ago is not published. It looks in the first minute of an hour only: the sweep is the clock.
func (f *Function) overdue(ctx context.Context) error {
	now := f.Now().UTC()
	if now.Minute() != 0 {
		return nil
	}
	p := hub.PeriodOf(now).Add(-1)
	for now.Before(f.Config.Billing.ClosedAt(p.Start()).Add(late)) {
		p = p.Add(-1)
	}
	m, err := f.readMonth(ctx, p)
	if err == nil && m.Published == 0 {
		f.Log.ErrorContext(ctx, "a month is closed and not published", logs.ExportOverdue.Attr(), "month", m.Month, "phase", string(m.Phase), "error", m.Error)
	}
	return err
}
