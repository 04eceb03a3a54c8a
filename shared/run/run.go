// Package run stands between the platform and a function: it decides who may call, opens the function on first use, gives it a deadline,
// turns what it returns into an HTTP answer, and writes one log line for it.
//
//	Event  a Pub/Sub push or a CloudEvent    drain, method, size, sender, envelope, open, handler
//	HTTP   any other request                 drain, size and sender if Options say so, open, handler
//
// Guaranteed: a panic is logged with its stack, answered and survived; only a successful open is remembered; no answer repeats anything
// of the request or shows the text of an error, but only its fault.Public sentence; no log line holds a body; an event is acknowledged
// only when its handler returned nil, so a handler that wrongly returns what can never succeed loses nothing: the bus's dead-letter
// topic takes it. 429 is never sent: Alertmanager drops an alert on it.
//
// Not promised: that a handler which ignores its context ends. Nothing is abandoned to run on after the answer.
package run

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/signature"
)

// EventHandler handles one delivery. It returns an error only for what a redelivery can heal.
type EventHandler func(ctx context.Context, e event.Envelope) error

// HTTPHandler handles one request.
type HTTPHandler func(ctx context.Context, r *http.Request) (Response, error)

// Response is a successful answer.
type Response struct {
	Status int    // default 200
	Body   any    // sent as JSON; nil: no body
	Raw    []byte // sent as it is, with the Content-Type of Header, in place of Body
	Header http.Header
}

// Options of a function. The zero value lets nobody deliver an event.
type Options struct {
	Log     *slog.Logger  // default: nothing is logged
	Timeout time.Duration // of one call; default: CLOUD_RUN_TIMEOUT_SECONDS less Margin, or 120 s without that variable
	Margin  time.Duration // default 5 s

	// Who may call. An event function needs one of the three. An HTTP function may check its senders itself; if it has one of the first
	// two, it is checked before the handler runs.
	Verify     signature.Verifier
	OpenVerify func(context.Context) (signature.Verifier, error) // for a verifier that needs the configuration; opened like the function
	Trusted    bool                                              // the platform's own check stands in front

	MaxBody int64 // of an HTTP function; default 1 MiB. An event function reads event.MaxBody
	Drain   *Drain
	Now     func() time.Time
}

const (
	defaultTimeout = 120 * time.Second
	defaultMargin  = 5 * time.Second
	defaultBody    = 1 << 20
	defaultRetry   = 5 * time.Second // Retry-After when nobody knows better
)

// filled returns the options with their defaults.
func (o Options) filled(name string) Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("function", name)
	if o.Margin <= 0 {
		o.Margin = defaultMargin
	}
	if o.Timeout <= 0 {
		o.Timeout = platformTimeout(os.Getenv("CLOUD_RUN_TIMEOUT_SECONDS"), o.Margin)
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultBody
	}
	if o.Drain == nil {
		o.Drain = NewDrain()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func platformTimeout(seconds string, margin time.Duration) time.Duration {
	n, err := strconv.Atoi(seconds)
	if d := time.Duration(n)*time.Second - margin; err == nil && d > 0 {
		return d
	}
	return defaultTimeout
}

// serve is the frame that both kinds of function share.
func (o Options) serve(w http.ResponseWriter, r *http.Request, call func(*http.Request) (answer, []slog.Attr)) {
	started := o.Now()
	ctx, cancel := context.WithTimeout(r.Context(), o.Timeout)
	defer cancel()
	n, ok := o.Drain.enter(cancel)
	if !ok {
		w.Header().Set("Connection", "close")
		a := o.problem(errStopping)
		a.write(w)
		return
	}
	defer o.Drain.leave(n)
	a, attrs := call(r.WithContext(ctx))
	a.write(w)
	o.report(ctx, a, o.Now().Sub(started), attrs)
}
