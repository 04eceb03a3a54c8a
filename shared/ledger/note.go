package ledger

import (
	"context"
	"log/slog"

	"github.com/providerdesk/providerdesk/shared/logs"
)

// note logs what has become of an effect, for an operator's metrics. Call it when that is recorded.
func (l *Ledger) note(ctx context.Context, level slog.Level, event logs.Event, text string, r Record, more ...slog.Attr) {
	attrs := append([]slog.Attr{event.Attr(), slog.String("kind", r.Kind), slog.String("effect", r.ID), slog.String("tenant", r.Tenant)}, more...)
	if r.Source.Traceparent != "" {
		attrs = append(attrs, slog.String(logs.Traceparent, r.Source.Traceparent))
	}
	l.o.Log.LogAttrs(ctx, level, text, attrs...)
}

// moved notes a move that somebody counts. Successes are not here: what made them known is part of what is told.
func (l *Ledger) moved(ctx context.Context, r Record, from State, by trigger) {
	why := slog.String("reason", r.LastError)
	switch {
	case by == byRejection:
		l.note(ctx, slog.LevelError, logs.EffectFailed, "an effect is definitely refused; a person must change something and approve it", r, why)
	case by == byExhaustion:
		l.note(ctx, slog.LevelError, logs.EffectParked, "an effect is parked and waits for a person", r, why)
	case by == byDoubt, by == bySearch && from == Calling:
		l.note(ctx, slog.LevelWarn, logs.EffectUnknown, "nobody knows whether a call was executed; the remote will be searched", r, why)
	}
}

// found notes a success that a search made known: of a call whose caller is gone, or whose answer was lost.
func (l *Ledger) found(ctx context.Context, r Record, from State, by Done) {
	if r.State != Succeeded || r.Result == nil || r.Result.ID != by.ID {
		return
	}
	if from == Calling {
		l.note(ctx, slog.LevelInfo, logs.EffectAdopted, "an effect whose caller is gone was found done", r)
		return
	}
	l.note(ctx, slog.LevelInfo, logs.EffectLostAck, "an effect whose answer was lost was found done", r)
}

// done notes a success that a call made known.
func (l *Ledger) done(ctx context.Context, r Record, by Done) {
	if r.State == Succeeded && r.Result != nil && r.Result.ID == by.ID {
		l.note(ctx, slog.LevelInfo, logs.EffectSucceeded, "done", r)
	}
}

// twice notes duplicates that have come to light.
func (l *Ledger) twice(ctx context.Context, r Record, extra []Done) {
	for _, d := range extra {
		l.note(ctx, slog.LevelError, logs.EffectDuplicate, "an effect was executed twice and is being undone", r, slog.String("kept", r.Result.ID),
			slog.String("extra", d.ID))
	}
}
