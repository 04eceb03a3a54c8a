package run

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/providerdesk/providerdesk/shared/logs"
)

// outcome is what became of a call, for the log.
type outcome string

const (
	done    outcome = "done"
	retry   outcome = "retry"   // refused for now, or failed in a way that may heal
	refused outcome = "refused" // the caller must change something
	defect  outcome = "defect"  // ours
)

// usualAttrs is how many attributes the line of a call has that went well.
const usualAttrs = 5

// report writes the one line of a call.
func (o Options) report(ctx context.Context, a answer, took time.Duration, attrs []slog.Attr) {
	level := slog.LevelInfo
	switch a.outcome {
	case retry, refused:
		level = slog.LevelWarn
	case defect:
		level = slog.LevelError
	}
	attrs = append(attrs, slog.Int("status", a.Status), slog.String("outcome", string(a.outcome)), slog.Float64("duration", took.Seconds()))
	if a.err != nil {
		attrs = append(attrs, failure(a.err)...)
	}
	o.log(ctx, level, message(a), attrs)
}

// log writes a line. Where it is written is of use for a defect only, and costs more to find out than the line.
func (o Options) log(ctx context.Context, level slog.Level, message string, attrs []slog.Attr) {
	if level >= slog.LevelError {
		o.Log.LogAttrs(ctx, level, message, attrs...)
		return
	}
	if h := o.Log.Handler(); h.Enabled(ctx, level) {
		r := slog.NewRecord(time.Now(), level, message, 0)
		r.AddAttrs(attrs...)
		_ = h.Handle(ctx, r) // there is nobody to tell, as in slog
	}
}

func message(a answer) string {
	switch {
	case a.err == nil:
		return "handled"
	case a.outcome == defect:
		return defectMessage(a.err)
	}
	return "not handled"
}

// traced names the trace of a log line.
func traced(traceparent string) []slog.Attr {
	if traceparent == "" {
		return nil
	}
	return []slog.Attr{slog.String(logs.Traceparent, traceparent)}
}

// permanentError is what an event handler should not have returned.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

func defectMessage(err error) string {
	var permanent *permanentError
	switch {
	case errors.As(err, &permanent):
		return "handler returned a permanent fault; must be parked"
	case isPanic(err):
		return "handler panicked"
	}
	return "not handled: a defect"
}
