// Package site is everything on one machine, assembled: the functions behind their addresses, a store and a durable bus in a folder, and
// simulators of everything remote, on one port.
//
//	/AlertWebhook/{sender}, /FileCase, /SweepCases                     the functions of package casewebhook, as the platform serves them
//	/ChatWebhook/, /CommentWebhook/{sender}, /CaseCommand, /CaseUpdate likewise
//	/TenantWebhook/, /OnboardTenant, /SweepTenants, /InvitationSweep   those of package tenantonboard, if the configuration has onboarding
//	/ExportUsage, /ExportTenantUsage, /SweepExports                    those of package billingexport, if the configuration has billing
//	/sim/cloudsupport/, /sim/hub/, /sim/google/                        the simulators and their controls; the hub's API is at /sim/hub/api
//	/sim/storage/, /sim/bigquery/                                      likewise
//	/sim/chat/                                                         a page to talk on as people do; see package sim/chat
//	/api/                                                              for the operator: the ledger and the bus; needs the token in DIR/secrets/admin
//	/healthz                                                           answers when everything else does
//
// In the folder are store.db, bus.db, sim/, secrets/, address while something serves, and config.yaml unless another one is named. The
// process that has store.db open holds the folder. Every part keeps its own promise to be durable before it answers, so kill -9 and a new
// start on the same folder lose nothing; what was under way is finished by the bus, which delivers again, and by the ticks for the sweeps.
//
// With FIRESTORE_EMULATOR_HOST the store is Firestore, with PUBSUB_EMULATOR_HOST the bus is Pub/Sub. The emulator of Pub/Sub signs
// nothing, so it pushes to an address that holds the bus's secret.
//
// Not promised: protection from other users of the machine for the simulators, which take any token and show those that they have.
package site

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/run"
	"github.com/providerdesk/providerdesk/shared/store"
)

// Options of a site.
type Options struct {
	Folder     Folder
	Config     string // file; empty: see Find
	Addr       string // to listen on; port 0 is any
	SweepEvery time.Duration
	Env        Env
	Log        *slog.Logger
	Now        func() time.Time
	Advice     func(text string) // told once, what a person who starts for the first time should do
}

// Site is an assembled installation. It serves between Open and Close.
type Site struct {
	o        Options
	config   *config.Config
	db       store.DB
	forget   http.Handler // deletes what has expired
	listener net.Listener
	base     string
	tokens   tokens
	sims     simulators
	wires    wires
	bus      bus
	fn       Functions
	drain    *run.Drain
	handler  http.Handler
	ended    chan error // what the server ended with
	close    []func(context.Context) error
}

// tokens are what callers must show.
type tokens struct{ bus, admin string }

// Open assembles a site and serves it. Whatever is wrong with the configuration is said before anything listens, as a ConfigError.
func Open(ctx context.Context, o Options) (*Site, error) {
	s := &Site{o: o, drain: run.NewDrain(), ended: make(chan error, 1)}
	for _, step := range []func(context.Context) error{
		s.readConfig, s.openStore, s.listen, s.openSimulators, s.settle, s.makeTokens, s.openBus, s.openFunctions, s.route, s.serve, s.attach, s.announce,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Close(ctx))
		}
	}
	return s, nil
}

// URL is where the site serves.
func (s *Site) URL() string { return s.base }

// Config is the configuration it serves.
func (s *Site) Config() *config.Config { return s.config }

// Ledger is the ledger of the cases.
func (s *Site) Ledger() *ledger.Ledger { return s.fn.Cases.Ledger() }

// Bus tells what is on the way.
func (s *Site) Bus() (BusStatus, error) { return s.bus.status() }

// Simulator is where the simulated desk has its controls.
func (s *Site) Simulator() string { return s.base + simPath }

// Sweep does what the ticks do: it finishes what is due.
func (s *Site) Sweep(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+sweepCases, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	_, err = s.fn.Cases.SweepCases(ctx, req)
	if s.fn.Tenants != nil {
		_, alsoErr := s.fn.Tenants.SweepTenants(ctx, req)
		err = errors.Join(err, alsoErr)
	}
	if s.fn.Exports != nil {
		_, alsoErr := s.fn.Exports.SweepExports(ctx, req)
		err = errors.Join(err, alsoErr)
	}
	return err
}

// Wait returns when ctx ends, or with the error that ended the server.
func (s *Site) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.ended:
		s.ended <- nil
		return fault.Wrap(fault.Transient, err, "serve")
	}
}

func (s *Site) onClose(f func(context.Context) error) { s.close = append(s.close, f) }

// drainTime is how long what is under way may take when the site closes: once for the bus, once for requests.
const drainTime = 4 * time.Second

// Close ends the site, the last opened first, within ten seconds: no more deliveries, then no more requests, then the files.
func (s *Site) Close(ctx context.Context) (err error) {
	for i := len(s.close) - 1; i >= 0; i-- {
		err = errors.Join(err, within(context.WithoutCancel(ctx), s.close[i]))
	}
	s.close = nil
	return err
}

func within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	return f(ctx)
}

// readConfig reads the configuration, unless it is the one that a first start writes later.
func (s *Site) readConfig(context.Context) (err error) {
	path := Find(s.o.Config, s.o.Folder, s.o.Env)
	if path == s.o.Folder.Config() {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	s.config, err = Load(path, s.o.Env)
	return err
}

// settle writes the first configuration, now that the address is known, and points the one there is to it.
func (s *Site) settle(context.Context) error {
	if s.config == nil {
		token, err := s.sims.providerToken()
		if err != nil {
			return err
		}
		if _, err := s.o.Folder.writeConfig(s.base, token); err != nil {
			return fault.Wrap(fault.Denied, err, "write the first configuration")
		}
		text, err := s.o.Folder.advice(s.base)
		if err != nil {
			return err
		}
		s.o.Advice(text)
		if s.config, err = Load(s.o.Folder.Config(), s.o.Env); err != nil {
			return err
		}
	}
	Redirect(s.config, s.base)
	ownSubscriptions(s.config, Project(s.o.Env))
	return nil
}

func (s *Site) listen(ctx context.Context) (err error) {
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.o.Addr); err != nil {
		return fault.Wrap(fault.Denied, err, "listen")
	}
	s.onClose(func(context.Context) error { return closed(s.listener.Close()) })
	s.base = "http://" + reachable(s.listener.Addr().String())
	return nil
}

// closed forgives what the server has closed already.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// reachable is the address for a caller on this machine: one that listens everywhere listens on loopback too.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

func (s *Site) makeTokens(context.Context) (err error) {
	if s.tokens.bus, err = s.o.Folder.ensureSecret(secretBus); err != nil {
		return fault.Wrap(fault.Denied, err, "make the secret of the bus")
	}
	s.tokens.admin, err = s.o.Folder.ensureSecret(secretAdmin)
	return fault.Wrap(fault.Denied, err, "make the secret of the operator")
}

// serve starts the server, and arranges for its end: the bus first, because what is being delivered needs the simulated desk.
func (s *Site) serve(context.Context) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug), // connections that break, which faults of the simulator do
	}
	go func() { s.ended <- server.Serve(s.listener) }()
	s.onClose(func(ctx context.Context) error {
		s.drain.Close()
		if server.Shutdown(ctx) != nil {
			s.drain.Cancel()
			server.Close()
		}
		<-s.ended
		return nil
	})
	s.onClose(s.bus.stop)
	return nil
}

func (s *Site) attach(ctx context.Context) error { return s.bus.attach(ctx, s.handler) }

// announce leaves the address where commands find it.
func (s *Site) announce(context.Context) error {
	s.onClose(func(context.Context) error { return os.Remove(s.o.Folder.address()) })
	return replaceFile(s.o.Folder.address(), s.base+"\n")
}
