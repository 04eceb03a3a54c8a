package config

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"time"

	"github.com/providerdesk/providerdesk/shared/strict"
)

// Redacted stands where something was taken out of evidence. It is what is kept of a secret.
const Redacted = "[redacted]"

// Evidence is what is attached to the case of an incident when it is opened. The zero value: nothing.
type Evidence struct {
	Alert    bool             // the notification as it was received
	Logs     *LogEvidence     // nil: none
	Metrics  *MetricsEvidence // nil: none
	MaxBytes int              // of one file; default 1 MiB
	Personal bool             // e-mail addresses are taken out too
	Redact   []string         // regular expressions (RE2) of what is taken out, beside what always is
}

// LogEvidence is the log of a Google Cloud resource around the beginning of its incident.
type LogEvidence struct {
	Entries int // at most; default 100
	Around
}

// MetricsEvidence is the time series behind a Google Cloud incident, as a table and as a chart.
type MetricsEvidence struct{ Around }

// Around is a window. What comes after the beginning is waited for.
type Around struct{ Before, After time.Duration }

// Limits of what takes things out.
const (
	maxRedactions = 32
	maxRedaction  = 500 // bytes of one expression
)

func (r *reader) evidence(v value, e *Evidence) {
	e.MaxBytes = 1 << 20
	there := v.Mapping(fields{
		"alert":     strict.Yes(&e.Alert),
		"logs":      func(v value) { e.Logs = logEvidence(v) },
		"metrics":   func(v value) { e.Metrics = metricsEvidence(v) },
		"max_bytes": strict.Number(&e.MaxBytes, 64<<10, 16<<20),
		"personal":  strict.Yes(&e.Personal),
		"redact":    strict.Texts(&e.Redact, redaction),
	})
	if len(e.Redact) > maxRedactions {
		there["redact"].Problem("must hold at most %d expressions", maxRedactions)
	}
}

func logEvidence(v value) *LogEvidence {
	l := &LogEvidence{Entries: 100, Around: Around{10 * time.Minute, 5 * time.Minute}}
	v.Mapping(fields{
		"entries": strict.Number(&l.Entries, 1, 1000),
		"before":  strict.Duration(&l.Before, time.Minute, 24*time.Hour),
		"after":   strict.Duration(&l.After, 0, time.Hour),
	})
	return l
}

func metricsEvidence(v value) *MetricsEvidence {
	m := &MetricsEvidence{Around{time.Hour, 10 * time.Minute}}
	v.Mapping(fields{
		"before": strict.Duration(&m.Before, time.Minute, 24*time.Hour),
		"after":  strict.Duration(&m.After, 0, time.Hour),
	})
	return m
}

// redaction is a regular expression that takes something out, and leaves alone what stands where something was.
func redaction(s string) string {
	re, err := regexp.Compile(s)
	var wrong *syntax.Error
	switch {
	case len(s) > maxRedaction:
		return "must be of at most 500 bytes"
	case errors.As(err, &wrong):
		return "is no regular expression as RE2 has it: " + string(wrong.Code)
	case err != nil:
		return "is no regular expression as RE2 has it"
	case re.MatchString(""):
		return "matches nothing at all, which is everywhere; let it match at least one character"
	case re.MatchString(Redacted):
		return "matches " + Redacted + ", which stands where something was taken out; make it narrower"
	}
	return ""
}
