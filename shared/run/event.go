package run

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/logs"
)

// Event wraps a handler of events. A delivery is answered 200 when the handler returned nil, 503 when a redelivery may heal what it
// returned, 500 for anything else, and 4xx when there is no event to hand over or nobody who may deliver it.
func Event(name string, open func(context.Context) (EventHandler, error), opts Options) http.HandlerFunc {
	o := opts.filled(name)
	handler := newLazy(o, open)
	gate := newGate(o)
	return func(w http.ResponseWriter, r *http.Request) {
		o.serve(w, r, func(r *http.Request) (answer, []slog.Attr) {
			e, err := receive(gate, w, r)
			attrs := append(deliveryAttrs(e), traced(event.Traceparent(r.Header, e.Traceparent))...)
			if err != nil {
				return o.problem(err), attrs
			}
			h, err := handler.get(r.Context())
			if err != nil {
				return o.problem(err), attrs
			}
			return o.delivered(guard(func() error { return h(r.Context(), e) })), attrs
		})
	}
}

// receive reads a delivery. Nothing of it is parsed before the sender is known.
func receive(g *gate, w http.ResponseWriter, r *http.Request) (event.Envelope, error) {
	if err := RequireMethod(r, http.MethodPost); err != nil {
		return event.Envelope{}, err
	}
	if !g.decided() {
		return event.Envelope{}, errNoVerifier
	}
	r.Body = http.MaxBytesReader(w, r.Body, event.MaxBody)
	body, err := Body(r, event.MaxBody)
	if err != nil {
		return event.Envelope{}, err
	}
	if err := g.check(r, body); err != nil {
		return event.Envelope{}, err
	}
	return event.Parse(r.Header, body)
}

// delivered decides what the bus is told about the end of a handler.
func (o Options) delivered(err error) answer {
	switch {
	case err == nil:
		return answer{Response: Response{Status: http.StatusOK}, outcome: done}
	case isPanic(err):
		return o.problem(err)
	case !fault.Healing(err):
		return o.problem(&permanentError{err})
	}
	a := answer{Response: problemResponse(http.StatusServiceUnavailable, err), outcome: retry, err: err}
	if d := fault.RetryAfter(err); d > 0 {
		a.Header.Set("Retry-After", seconds(d))
	}
	return a
}

func deliveryAttrs(e event.Envelope) []slog.Attr {
	return []slog.Attr{logs.Delivery.Attr(), slog.String("event_id", e.ID), slog.Int("attempt", e.Attempt),
		slog.String("subscription", e.Subscription)}
}

// restore lets a body that was read be read again.
func restore(r *http.Request, body []byte) { r.Body = io.NopCloser(bytes.NewReader(body)) }
