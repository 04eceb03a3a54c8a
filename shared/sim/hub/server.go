// Package hub is a server of the VMware Cloud Provider Hub API: it speaks the wire protocol of the guide, checks every request against the
// guide's tables of parameters, and enforces its roles. Tests drive our client against it, and `providerdesk up` mounts it at /sim/hub/,
// where it keeps its state in a folder.
//
// The guide contradicts itself and leaves much open. Each such place is a switch with its readings (Switches, Ambiguities): a client that is
// right under every reading is right. Errors have the shape {message, majorErrorCode, minorErrorCode, parameterList}; the message and the
// list name the fields that are wrong, and never what was in them.
//
// It is seeded with one provider organization, two tenants of it and an API token for every role. A tenant that is created has no token and
// no service until somebody makes them, as in the product's own console. Mount it with http.StripPrefix; the API is at /api/. Beside it are
// the controls:
//
//	POST   /faults        {"op":"tenants.create","fault":"commit_then_drop","times":1}; see faults.go
//	GET    /faults        what is armed; DELETE disarms
//	GET    /calls         the last calls and exact counts by op
//	GET    /tokens        the API tokens; POST {"orgId","username","roles"} makes one
//	GET    /switches      all readings; POST {"unit":"strict"} changes some, DELETE all back to Options.Switches
//	GET    /clock         POST {"now":"2026-10-06T00:00:00Z"} or {"advance":"168h"} sets it, for the next start, too; DELETE lets it go right again
//	POST   /services      {"orgId"}: gives an organization its services, and with them usage
//	POST   /invitations/accept         {"orgId","username"}: the invited user comes in
//	POST   /restate       {"orgId","month":"2026-09"}: late usage changes a month that was closed
//	POST   /support-requests/{id}/reply   {"status","subStatus"}: the desk's people move a support request
//	GET    /files/{id}    the bytes of an uploaded file
//
// Guaranteed: a change is in the journal, synced, before its answer; a request is executed entirely or not at all; ids are unpredictable but
// the same for the same seed and the same requests; usage is a pure function of seed, organization and month, so that the file and the report
// agree to the last digit at any size, and memory does not grow with it. There is no goroutine of its own and no clock but Options.Now and the
// timer of a delay, so it runs inside a synctest bubble. Not promised: that faults, switches and the counts of calls outlive the process.
package hub

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// What the server is seeded with.
const (
	Provider     = "9d9648a7-115a-4a06-a613-a0c4077469f7" // the provider organization
	TenantCoke   = "73338bcc-17e0-4480-9d25-f654532a1ee0"
	TenantLorem  = "9fb942e0-3e93-49ce-8617-0eed023d9d25"
	maxTenants   = 10_000
	maxUsageRows = 100_000_000
)

// Options of a server; the zero value is a server in memory with the seeded organizations and a little usage.
type Options struct {
	Now       func() time.Time // default time.Now; POST /clock moves it
	Seed      uint64           // of all ids, tokens and usage
	Dir       string           // keeps the state; empty: memory
	Latency   time.Duration    // of every call of the API
	TokenLife time.Duration    // of an access token; default 30 minutes

	Rows    int // of usage of one organization and month, in detail; default 96
	Skus    int // of one subscription; default 3
	Tenants int // more tenants than the two, each with services

	AccountDomains []string // who has a mail address here has a VMware ID and is added at once; default lorem.com
	RefusedDomains []string // who has a mail address here cannot be added; default refused.example

	Switches Switches
	Marker   *regexp.Regexp // found in requests and shown by /calls; default "REF" and at least 20 letters or digits
}

// Server is the simulator; see the package comment.
type Server struct {
	opts Options

	mu       sync.Mutex
	state    *state
	journal  *journal
	switches Switches
	faults   faults
	calls    calls
	pending  []pending
	rate     rate
}

// New opens a server, with the state that Options.Dir holds.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open the hub: %w", err)
	}
	s := &Server{opts: o, state: newState(), switches: o.Switches}
	if s.journal, err = openJournal(o.Dir, s.state); err != nil {
		return nil, fmt.Errorf("open the hub: %w", err)
	}
	if err := s.seed(); err != nil {
		return nil, errors.Join(fmt.Errorf("seed the hub: %w", err), s.journal.close())
	}
	return s, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TokenLife == 0 {
		o.TokenLife = 30 * time.Minute
	}
	if o.Rows == 0 {
		o.Rows = 96
	}
	if o.Skus == 0 {
		o.Skus = 3
	}
	if o.AccountDomains == nil {
		o.AccountDomains = []string{"lorem.com"}
	}
	if o.RefusedDomains == nil {
		o.RefusedDomains = []string{"refused.example"}
	}
	if o.Marker == nil {
		o.Marker = regexp.MustCompile(`\bREF[0-9A-Za-z]{20,}\b`)
	}
	return o.checked()
}

func (o Options) checked() (Options, error) {
	switch {
	case o.Rows < 0 || o.Rows > maxUsageRows:
		return o, fmt.Errorf("rows of usage are from 0 to %d", maxUsageRows)
	case o.Skus < 0 || o.Skus > 1000:
		return o, errors.New("skus are from 0 to 1000")
	case o.Tenants < 0 || o.Tenants > maxTenants:
		return o, fmt.Errorf("tenants are from 0 to %d", maxTenants)
	case o.TokenLife < 0 || o.Latency < 0:
		return o, errors.New("the life of a token and the latency are not negative")
	}
	var err error
	o.Switches, err = o.Switches.settled()
	return o, err
}

// Close releases the journal.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.close()
}

// ServeHTTP serves the API and the controls. Where a fault drops the connection it aborts, as net/http documents.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.answer(r)
	if a.drop != nil {
		panic(http.ErrAbortHandler)
	}
	for key, values := range a.header {
		w.Header()[key] = values
	}
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(w, a.content()); errors.Is(err, errCut) {
		_ = http.NewResponseController(w).Flush() // what came before the break arrives
		panic(http.ErrAbortHandler)
	}
}

// answer decides what comes back for a request; ServeHTTP and Transport carry it.
func (s *Server) answer(r *http.Request) reply {
	s.settle()
	if strings.HasPrefix(r.URL.Path, apiBase+"/") {
		return s.api(r)
	}
	return s.control(r)
}

// api plays one call of the API, with the fault that is armed for it, and takes note of it.
func (s *Server) api(r *http.Request) reply {
	rq, a := s.receive(r)
	if rq == nil {
		return a
	}
	fault := s.takeFault(rq)
	if s.opts.Latency > 0 && fault.kind == "" {
		fault.kind, fault.wait = "delay", s.opts.Latency
	}
	a = s.play(r.Context(), fault, rq)
	s.note(rq, fault, a)
	return a
}

// execute runs a request as of a time: checks it, changes the state, makes the change durable.
func (s *Server) execute(rq *request, at time.Time) reply {
	rq.at = at.UTC()
	if f := s.admit(rq); f != nil {
		return f.reply()
	}
	a, err := s.commit(rq)
	if err != nil {
		return failureOf(err).reply()
	}
	return a
}

// commit executes under the lock. The state changes only once the journal has the change.
func (s *Server) commit(rq *request) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(rq.at)
	if err := tx.enter(rq); err != nil {
		return reply{}, err
	}
	a, err := operations[rq.route.Op](tx, rq)
	if err == nil {
		err = tx.commit()
	}
	return a, err
}

// tx stages what one request changes.
type tx struct {
	*Server
	at     time.Time
	change change
}

// begin opens a transaction; the caller holds the lock.
func (s *Server) begin(at time.Time) *tx {
	return &tx{Server: s, at: at.UTC().Truncate(time.Microsecond), change: change{Serial: s.state.serial}}
}

func (tx *tx) commit() error {
	if tx.change.empty() {
		return nil
	}
	if err := tx.journal.append(tx.change); err != nil {
		return err
	}
	tx.state.apply(tx.change)
	return nil
}

// now is the time by the clock that POST /clock moves.
func (s *Server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.Now().Add(s.state.clock)
}

// location is where the server is mounted, for the URLs that it hands out.
func location(r *http.Request) *url.URL {
	u := &url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		u.Scheme = "https"
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	u.Path = strings.TrimSuffix(path, r.URL.EscapedPath())
	return u
}
