package logs

import (
	"context"
	"log/slog"
	"strings"
)

// reportedType makes Error Reporting take a log entry that has no stack.
const reportedType = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"

// handler sends records of level Error and above to a second JSON handler, which adds what Error Reporting needs. Both write to one
// writer, each a whole line at a time.
type handler struct{ plain, located slog.Handler }

func (h handler) Enabled(ctx context.Context, l slog.Level) bool { return h.plain.Enabled(ctx, l) }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		return h.located.Handle(ctx, r)
	}
	return h.plain.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.plain.WithAttrs(attrs), h.located.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.plain.WithGroup(name), h.located.WithGroup(name)}
}

func (o Options) reported() []slog.Attr {
	return []slog.Attr{
		slog.String("@type", reportedType),
		slog.Group("serviceContext", slog.String("service", o.Service), slog.String("version", o.Version)),
	}
}

// replace gives slog's own attributes the names that Cloud Logging has for them.
func (o Options) replace(groups []string, a slog.Attr) slog.Attr {
	if isSecret(groups, a.Key) {
		return slog.String(a.Key, hidden)
	}
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.LevelKey:
		if v, ok := a.Value.Any().(slog.Level); ok {
			return slog.String("severity", severity(v))
		}
	case slog.SourceKey:
		if v, ok := a.Value.Any().(*slog.Source); ok {
			return slog.Any("logging.googleapis.com/sourceLocation", v)
		}
	case slog.MessageKey:
		if a.Value.Kind() == slog.KindString {
			return slog.String("message", a.Value.String())
		}
	case Traceparent:
		if a.Value.Kind() == slog.KindString {
			return o.trace(a.Value.String())
		}
	}
	return a
}

// trace resolves a trace context into the fields of a log entry; one that cannot be read leaves nothing.
func (o Options) trace(traceparent string) slog.Attr {
	parts := strings.Split(traceparent, "-")
	if len(parts) != 4 || len(parts[1]) != 32 || len(parts[2]) != 16 || len(parts[3]) != 2 {
		return slog.Attr{}
	}
	id := parts[1]
	if o.Project != "" {
		id = "projects/" + o.Project + "/traces/" + id
	}
	return slog.Group("",
		slog.String("logging.googleapis.com/trace", id),
		slog.String("logging.googleapis.com/spanId", parts[2]),
		slog.Bool("logging.googleapis.com/trace_sampled", strings.ContainsAny(parts[3][1:], "13579bdf")),
	)
}

func severity(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "DEBUG"
	case l < slog.LevelWarn:
		return "INFO"
	case l < slog.LevelError:
		return "WARNING"
	case l < slog.LevelError+4:
		return "ERROR"
	}
	return "CRITICAL"
}
