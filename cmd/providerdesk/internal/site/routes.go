package site

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/exports"
	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/signature"
)

// route makes the handler of everything the site serves.
func (s *Site) route(context.Context) error {
	bus, err := signature.Bearer(s.tokens.bus)
	if err != nil {
		return err
	}
	admin, err := signature.Bearer(s.tokens.admin)
	if err != nil {
		return err
	}
	open := run.Options{Log: s.o.Log, Drain: s.drain, Now: s.o.Now, MaxBody: maxAlert}
	byBus, byAdmin := open, open
	byBus.Verify, byAdmin.Verify = bus, admin

	mux := http.NewServeMux()
	s.fn.mount(mux, open, byBus)
	mux.Handle(deadLetter, run.Event("DeadLetter", is(run.EventHandler(s.keepLetter)), byBus))
	s.sims.mount(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	for _, target := range []string{fileCase, caseCommand, caseUpdate, onboardTenant, exportUsage, exportTenant, deadLetter} {
		mux.Handle("POST /push/{token}"+target, unsigned(s.tokens.bus, target, mux))
	}
	records.Serve(mux, s.fn.Book(), byAdmin)
	records.ServeRelease(mux, s.fn.Cases, byAdmin)
	if s.fn.Exports != nil {
		exports.Serve(mux, s.fn.Exports, byAdmin)
	}
	mux.Handle("GET /api/bus", run.HTTP("bus", is(run.HTTPHandler(s.serveBus)), byAdmin))
	mux.Handle("POST /api/topics/{topic}", run.HTTP("topic", is(run.HTTPHandler(s.servePublish)), byAdmin))
	s.handler = mux
	return nil
}

// maxAlert is the most bytes of a request: an alert's. Other functions take less of their own accord.
const maxAlert = 4 << 20

// is opens what is open already.
func is[T any](v T) func(context.Context) (T, error) {
	return func(context.Context) (T, error) { return v, nil }
}

// unsigned lets in who knows the secret in the path: the emulator of Pub/Sub, which cannot send it any other way.
func unsigned(secret, target string, to http.Handler) http.Handler {
	want := sha256.Sum256([]byte(secret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.PathValue("token")))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			http.NotFound(w, r)
			return
		}
		in := r.Clone(r.Context())
		in.URL.Path, in.URL.RawPath = target, ""
		in.Header.Set("Authorization", "Bearer "+secret)
		to.ServeHTTP(w, in)
	})
}

// serveBus is GET /api/bus.
func (s *Site) serveBus(context.Context, *http.Request) (run.Response, error) {
	st, err := s.bus.status()
	return run.Response{Body: st}, err
}
