package logs

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"
)

// attributes are put on a line one by one and two by two.
var attributes = []slog.Attr{
	slog.String("event", "request"), slog.String("a", ""), slog.String("b", "ü"), slog.String("c", "\x7f"), slog.String("d", "<&>"), slog.String("e", "\u2028"),
	slog.String("f", "\xff"), slog.String("g", `"`), slog.String("h", `\`), slog.String("i", "~ !"), slog.String("ü", "x"), slog.String(`"`, "x"), slog.String("", "x"),
	slog.String("time", "x"), slog.String("level", "x"), slog.String("msg", "x"), slog.String("source", "x"), slog.String("Time", "x"), slog.String("Token", "x"),
	slog.String("secret", "x"), slog.Int("n", 0), slog.Int64("n", math.MinInt64), slog.Uint64("n", math.MaxUint64), slog.Bool("y", true),
	slog.Float64("duration", 0.001234), slog.Float64("f", 0), slog.Float64("f", math.Copysign(0, -1)), slog.Float64("f", -1.5), slog.Float64("f", 1e-6),
	slog.Float64("f", 9.99e-7), slog.Float64("f", 1e20), slog.Float64("f", 1e21), slog.Float64("f", math.NaN()), slog.Float64("f", math.Inf(1)), slog.Float64("f", 123456789.125),
	slog.Duration("took", time.Second), slog.Time("at", time.Unix(0, 0).UTC()), slog.Any("any", []int{1}), slog.Any("nil", nil), {},
	slog.Group("g", slog.Int("n", 1)), slog.Group("", slog.Int("n", 1)), slog.Any("v", hiding{}),
	slog.String(Traceparent, trace), slog.String(Traceparent, "00-x"), slog.String(Traceparent, ""), slog.Int(Traceparent, 7), slog.Any(Traceparent, hiding{}),
}

// TestQuickIsSlog holds every line against slog's own handler.
func TestQuickIsSlog(t *testing.T) {
	at := time.Date(2026, 1, 31, 15, 4, 5, 120, time.FixedZone("", 3600))
	for _, when := range []time.Time{at, at.UTC(), {}, at.AddDate(9000, 0, 0)} {
		checkQuick(t, slog.NewRecord(when, slog.LevelInfo, "handled", 0))
	}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo + 1, slog.LevelWarn, slog.LevelWarn + 3} {
		checkQuick(t, slog.NewRecord(at, level, "handled", 0))
	}
	for _, message := range []string{"", "not handled", "ü", `"`, "a\nb", `\`} {
		checkQuick(t, slog.NewRecord(at, slog.LevelInfo, message, 0))
	}
	for _, a := range attributes {
		for _, b := range attributes {
			r := slog.NewRecord(at, slog.LevelInfo, "handled", 0)
			r.AddAttrs(a, b)
			checkQuick(t, r)
		}
	}
}

// checkQuick writes a record with each way a logger can be derived.
func checkQuick(t *testing.T, r slog.Record) {
	t.Helper()
	for name, derive := range map[string]func(slog.Handler) slog.Handler{
		"itself":   func(h slog.Handler) slog.Handler { return h },
		"function": func(h slog.Handler) slog.Handler { return h.WithAttrs([]slog.Attr{slog.String("function", "f")}) },
		"twice": func(h slog.Handler) slog.Handler {
			h = h.WithAttrs([]slog.Attr{slog.String("function", "f")})
			h.WithAttrs([]slog.Attr{slog.String("other", "o")}) // leaves no trace in the first
			return h.WithAttrs([]slog.Attr{slog.String(Traceparent, trace), slog.Int("n", 1)})
		},
		"odd":        func(h slog.Handler) slog.Handler { return h.WithAttrs([]slog.Attr{slog.String("function", "ü")}) },
		"group":      func(h slog.Handler) slog.Handler { return h.WithGroup("g") },
		"no group":   func(h slog.Handler) slog.Handler { return h.WithGroup("") },
		"body group": func(h slog.Handler) slog.Handler { return h.WithGroup("body").WithAttrs([]slog.Attr{slog.Int("n", 1)}) },
	} {
		var got, want bytes.Buffer
		q := New(&got, Options{Project: "acme"}).Handler().(handler).plain.(quick)
		slow := quick{Handler: q.Handler, out: &got, unusual: true}
		if err := derive(q).Handle(context.Background(), r); err != nil {
			t.Error(err)
		}
		want, got = got, bytes.Buffer{}
		if err := derive(slow).Handle(context.Background(), r); err != nil {
			t.Error(err)
		}
		if got.String() != want.String() {
			t.Errorf("%s: quick writes %sslog %s", name, &want, &got)
		}
	}
}

// TestQuickIsTaken: the line of a request does not go to slog, or all this would be for nothing.
func TestQuickIsTaken(t *testing.T) {
	q := New(io.Discard, Options{Project: "acme"}).Handler().(handler).plain.(quick)
	q.Handler = forbidden{t}
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "handled", 0)
	r.AddAttrs(slog.String("event", "request"), slog.String(Traceparent, trace), slog.Int("status", 202), slog.String("outcome", "done"), slog.Float64("duration", 0.00042))
	if err := q.WithAttrs([]slog.Attr{slog.String("function", "AlertWebhook")}).Handle(context.Background(), r); err != nil {
		t.Fatal(err)
	}
}

type forbidden struct{ t *testing.T }

func (forbidden) Enabled(context.Context, slog.Level) bool    { return true }
func (f forbidden) WithAttrs([]slog.Attr) slog.Handler        { return f }
func (f forbidden) WithGroup(string) slog.Handler             { return f }
func (f forbidden) Handle(context.Context, slog.Record) error { f.t.Error("slog is asked"); return nil }

func BenchmarkLine(b *testing.B) {
	log := New(io.Discard, Options{Project: "acme"}).With("function", "AlertWebhook")
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(b.Context(), slog.LevelInfo, "handled", slog.String("event", "request"), slog.Int("status", 202),
			slog.String("outcome", "done"), slog.Float64("duration", 0.00042))
	}
}
