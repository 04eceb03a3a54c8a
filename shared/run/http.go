package run

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/logs"
)

// HTTP wraps a handler of requests. What it returns is sent as JSON; an error as application/problem+json with the status of its kind,
// or the one that Status gave it.
func HTTP(name string, open func(context.Context) (HTTPHandler, error), opts Options) http.HandlerFunc {
	o := opts.filled(name)
	handler := newLazy(o, open)
	gate := newGate(o)
	return func(w http.ResponseWriter, r *http.Request) {
		o.serve(w, r, func(r *http.Request) (answer, []slog.Attr) {
			attrs := append(make([]slog.Attr, 0, usualAttrs), logs.Request.Attr())
			attrs = append(attrs, traced(event.Traceparent(r.Header))...)
			r.Body = http.MaxBytesReader(w, r.Body, o.MaxBody)
			if err := gate.admit(r, o.MaxBody); err != nil {
				return o.problem(err), attrs
			}
			h, err := handler.get(r.Context())
			if err != nil {
				return o.problem(err), attrs
			}
			return o.handled(r, h), attrs
		})
	}
}

func (o Options) handled(r *http.Request, h HTTPHandler) answer {
	var resp Response
	err := guard(func() (err error) {
		resp, err = h(r.Context(), r)
		return err
	})
	if err != nil {
		return o.problem(err)
	}
	return answer{Response: resp, outcome: done}
}
