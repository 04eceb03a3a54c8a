package run

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
)

// patience is how long the end of a process may take. Cloud Run kills ten seconds after SIGTERM.
type patience struct {
	grace  time.Duration // for requests in flight to end by themselves
	cancel time.Duration // for them to end after their contexts were cancelled
}

var usual = patience{grace: 8 * time.Second, cancel: time.Second}

// Main serves the functions that are registered with the framework, as FUNCTION_TARGET and PORT say, until ctx ends (see
// signal.NotifyContext). Then it lets the requests in flight end and returns nil, within ten seconds.
//
// The framework listens by itself and cannot be stopped, so until the process ends it goes on accepting connections; requests on them get
// 503 from drain, which every function must have in its Options. Main returns so that the process ends: nothing else stops the framework.
func Main(ctx context.Context, drain *Drain, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() { failed <- funcframework.StartHostPort(host(), cmp.Or(os.Getenv("PORT"), "8080")) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	return usual.stop(ctx, drain, log)
}

// host is every interface, as the platform needs it, unless the framework's own variable says that only this machine may call.
func host() string {
	if os.Getenv("LOCAL_ONLY") == "true" {
		return "127.0.0.1"
	}
	return ""
}

// stop closes the drain and waits for it.
func (p patience) stop(ctx context.Context, drain *Drain, log *slog.Logger) error {
	ctx = context.WithoutCancel(ctx)
	drain.Close()
	log.InfoContext(ctx, "stopping", "in_flight", drain.InFlight())
	if within(ctx, p.grace, drain.Wait) == nil {
		return nil
	}
	log.WarnContext(ctx, "cancelling requests that did not end in time", "in_flight", drain.InFlight())
	drain.Cancel()
	if within(ctx, p.cancel, drain.Wait) != nil {
		log.ErrorContext(ctx, "requests are cut off", "in_flight", drain.InFlight())
	}
	return nil
}

func within(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}

// Serve serves handler at addr until ctx ends. Then it accepts no more, lets the requests in flight end, cancels those that take longer
// than eight seconds, and returns nil, within ten seconds. drain, which may be nil, is closed first.
func Serve(ctx context.Context, addr string, handler http.Handler, drain *Drain, log *slog.Logger) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return usual.serve(ctx, l, handler, drain, log)
}

// ServeListener is Serve on a listener that is open already: who must know the address, or say that it answers, opens it first.
func ServeListener(ctx context.Context, l net.Listener, handler http.Handler, drain *Drain, log *slog.Logger) error {
	return usual.serve(ctx, l, handler, drain, log)
}

func (p patience) serve(ctx context.Context, l net.Listener, handler http.Handler, drain *Drain, log *slog.Logger) error {
	requests, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	if drain != nil {
		drain.Close()
	}
	err := p.shutdown(context.WithoutCancel(ctx), server, cancel, log)
	<-failed // http.ErrServerClosed
	return err
}

// shutdown ends a server: in good order, then with cancelled contexts, then by closing its connections.
func (p patience) shutdown(ctx context.Context, server *http.Server, cancel context.CancelCauseFunc, log *slog.Logger) error {
	log.InfoContext(ctx, "stopping")
	if within(ctx, p.grace, server.Shutdown) == nil {
		return nil
	}
	log.WarnContext(ctx, "cancelling requests that did not end in time")
	cancel(errStopping)
	if err := within(ctx, p.cancel, server.Shutdown); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	log.ErrorContext(ctx, "requests are cut off")
	return server.Close()
}
