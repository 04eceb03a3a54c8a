//go:build unix

package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/platform"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store/bolt"
	"github.com/providerdesk/providerdesk/shared/store/firestore"
)

// ordersEnv makes this test binary the worker; its value is the orders.
const ordersEnv = "CRASH_ORDERS"

// The worker's times.
const (
	callTimeout = time.Second
	settle      = 2 * time.Second
	sweepEvery  = 200 * time.Millisecond
)

// orders is what a worker is told.
type orders struct {
	Config  string       // file
	Folder  string       // of the bolt files; empty: Firestore
	Project string       // of the Firestore emulator
	Host    string       // of the Firestore emulator
	Die     ledger.Point // where to be killed; empty: nowhere
	Nth     int32        // at the n-th time there
}

// Points beside those of the ledger.
const (
	received  ledger.Point = "received"  // a message has come, the handler was not called
	exchanged ledger.Point = "exchanged" // the request has left whole, its answer was not read: the desk kills
	returned  ledger.Point = "returned"  // the handler has returned, the message is not acknowledged
)

// subscription brings topic alerts to FileCase.
const subscription = "alerts-filecase"

// worker is casewebhook in a process of its own.
type worker struct {
	orders
	log   *slog.Logger
	f     *casewebhook.Function
	bus   *localbus.Bus // nil: elsewhere
	times atomic.Int32  // at the point
	close []func(context.Context) error
}

// work is the worker's main. It returns the exit status.
func work(text string) int {
	go endWith(os.Stdin)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	w := &worker{log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	err := json.Unmarshal([]byte(text), &w.orders)
	if err == nil {
		err = w.run(ctx)
	}
	for _, c := range w.close {
		err = errors.Join(err, c(context.Background()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// endWith ends the process with the one that holds the other end of the pipe, so that none is left when a test is.
func endWith(pipe io.Reader) {
	_, _ = io.Copy(io.Discard, pipe)
	os.Exit(3)
}

// pass is where the process is killed, by a real signal that nothing can catch.
func (w *worker) pass(p ledger.Point) {
	if p != w.Die || w.times.Add(1) != w.Nth {
		return
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	select {} // nothing runs on while the signal is on its way
}

func (w *worker) run(ctx context.Context) error {
	c, err := config.Load(w.Config, os.LookupEnv)
	if err != nil {
		return err
	}
	mux, drain := http.NewServeMux(), run.NewDrain()
	if err := w.open(ctx, c, mux, drain); err != nil {
		return err
	}
	l, err := net.FileListener(os.NewFile(3, "listener")) // the supervisor's: it is open while nobody serves
	if err != nil {
		return err
	}
	var sweeping sync.WaitGroup
	sweeping.Go(func() { w.sweep(ctx) })
	defer sweeping.Wait()
	return run.ServeListener(ctx, l, mux, drain, w.log)
}

// open assembles the function, with a store and a bus in the folder or with Firestore and a bus elsewhere.
func (w *worker) open(ctx context.Context, c *config.Config, mux *http.ServeMux, drain *run.Drain) (err error) {
	d := casewebhook.Deps{Config: c, Log: w.log, Ledger: ledger.Options{Settle: settle, CallTimeout: callTimeout, Crash: w.pass}}
	client, err := gapi.Client(gapi.Options{Endpoint: c.Endpoints.CloudSupport, Token: gapi.StaticToken("anybody"), CallTimeout: callTimeout})
	if err != nil {
		return err
	}
	if d.Desks, err = casewebhook.Desks(c, client, time.Now); err != nil {
		return err
	}
	verify, err := platform.PushVerifier(ctx, c.Push, time.Now)
	if err != nil {
		return err
	}
	options := run.Options{Log: w.log, Drain: drain}
	pushed := options
	pushed.Verify = verify
	mux.Handle("POST /FileCase", run.Event("FileCase", is(run.EventHandler(w.fileCase)), pushed))
	mux.Handle("GET /report", run.HTTP("report", is(run.HTTPHandler(w.report)), options))
	if w.Folder == "" {
		return w.onFirestore(ctx, d)
	}
	return w.onBolt(ctx, d, mux, options)
}

// onFirestore has no publisher: nothing that comes in is taken apart, and AlertWebhook is not served.
func (w *worker) onFirestore(ctx context.Context, d casewebhook.Deps) error {
	db, err := firestore.Open(ctx, firestore.Options{Project: w.Project, Emulator: w.Host})
	if err != nil {
		return err
	}
	w.close = append(w.close, func(context.Context) error { return db.Close() })
	d.DB = db
	w.f, err = casewebhook.New(ctx, d)
	return err
}

func (w *worker) onBolt(ctx context.Context, d casewebhook.Deps, mux *http.ServeMux, options run.Options) error {
	db, err := bolt.Open(filepath.Join(w.Folder, "store.db"))
	if err != nil {
		return err
	}
	bus, err := localbus.Open(filepath.Join(w.Folder, "bus.db"), localbus.Options{
		Topics: []string{casewebhook.TopicAlerts}, Token: func() string { return os.Getenv(tokenEnv) }, Log: w.log,
	})
	if err != nil {
		return err
	}
	w.close = append(w.close, bus.Close, func(context.Context) error { return db.Close() })
	w.bus, d.DB, d.Publisher = bus, db, bus
	if w.f, err = casewebhook.New(ctx, d); err != nil {
		return err
	}
	mux.Handle("/AlertWebhook/", http.StripPrefix("/AlertWebhook", run.HTTP("AlertWebhook", is(run.HTTPHandler(w.f.AlertWebhook)), options)))
	return bus.Subscribe(localbus.Subscription{
		Name: subscription, Topic: casewebhook.TopicAlerts, To: localbus.Receiver{Handler: mux, URL: "http://localbus/FileCase"},
		AckDeadline: 20 * time.Second, MinBackoff: 200 * time.Millisecond, MaxBackoff: time.Second,
	})
}

// is opens what is open already.
func is[T any](v T) func(context.Context) (T, error) {
	return func(context.Context) (T, error) { return v, nil }
}

func (w *worker) fileCase(ctx context.Context, e event.Envelope) error {
	w.pass(received)
	err := w.f.FileCase(ctx, e)
	w.pass(returned)
	return err
}

// report is what a worker says about itself: the whole ledger, and the messages that its bus has still to deliver.
type report struct {
	Records []ledger.Record
	Waiting int
}

// done reports whether there are n effects, all of them done with nothing left to do, and nothing is on the way that could bring more.
func (r report) done(n int) bool {
	for _, one := range r.Records {
		if one.State != ledger.Succeeded || !one.NextAt.IsZero() {
			return false
		}
	}
	return len(r.Records) == n && r.Waiting == 0
}

func (w *worker) report(ctx context.Context, _ *http.Request) (run.Response, error) {
	var r report
	if w.bus != nil {
		depth, err := w.bus.Depth(subscription) // before the ledger: what is delivered meanwhile is in it
		if err != nil {
			return run.Response{}, err
		}
		r.Waiting = depth.Waiting + depth.Outstanding
	}
	var err error
	r.Records, err = w.f.Ledger().List(ctx, "", "", 100)
	return run.Response{Body: r}, err
}

// sweep is the scheduler.
func (w *worker) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := w.f.SweepCases(ctx, &http.Request{Method: http.MethodPost}); err != nil {
			w.log.WarnContext(ctx, "sweep", "error", err)
		}
	}
}
