// Package logs writes slog records: as the JSON that Cloud Logging and Error Reporting understand, or as short lines for a terminal.
//
// A top-level attribute named [Traceparent] becomes the fields that tie a line to its trace. A record of level Error carries where it was
// written and is an event of Error Reporting; give it an attribute "stack_trace" where there is a stack.
//
// What must not be logged must not be passed here. As a second fence, attributes whose key is authorization, token, secret, password,
// body or payload, in any case and any group, are written as "***". Values that are structs are not searched: make them a slog.LogValuer.
package logs

import (
	"io"
	"log/slog"
	"strings"
	"sync"
)

// Options say who logs.
type Options struct {
	Service string // name in Error Reporting
	Version string
	Project string // Google Cloud project of the traces
	Level   slog.Leveler
}

// Traceparent is the key of an attribute that holds a W3C trace context.
const Traceparent = "traceparent"

const hidden = "***"

// New returns a logger that writes one JSON object a line.
func New(w io.Writer, o Options) *slog.Logger {
	replace := func(groups []string, a slog.Attr) slog.Attr { return o.replace(groups, a) }
	w = &locked{w: w}
	plain := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: o.Level, ReplaceAttr: replace})
	located := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: o.Level, ReplaceAttr: replace, AddSource: true})
	return slog.New(handler{quick{Handler: plain, out: w, options: o}, located.WithAttrs(o.reported())})
}

// isSecret reports whether an attribute must not be shown, by its key or by a group that it is in.
func isSecret(groups []string, key string) bool {
	for _, g := range groups {
		if isSecretKey(g) {
			return true
		}
	}
	return isSecretKey(key)
}

func isSecretKey(key string) bool {
	switch strings.ToLower(key) {
	case "authorization", "token", "secret", "password", "body", "payload":
		return true
	}
	return false
}

// locked lets several handlers share a writer; each writes a record with one call.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
