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
//	/faults, /calls       those of every simulator: {"op":"tenants.create","fault":"commit_then_drop","times":1}; see package server
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
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
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
	*server.Server
	opts Options
	ids  server.IDs

	mu       sync.Mutex
	state    *state
	journal  *server.Journal[change]
	blobs    *server.Blobs
	switches Switches
	rate     rate
}

// Call is one call that the server received.
type Call = server.Call

// New opens a server, with the state that Options.Dir holds.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open the hub: %w", err)
	}
	s := &Server{opts: o, ids: server.IDs(o.Seed), state: newState(), switches: o.Switches}
	s.Server = server.New(s.behaviour())
	if s.journal, err = server.OpenJournal(o.Dir, journalFile, s.state, nil); err != nil {
		return nil, fmt.Errorf("open the hub: %w", err)
	}
	if s.blobs, err = server.OpenBlobs(o.Dir, blobFolder, s.state.uploaded()); err != nil {
		return nil, errors.Join(fmt.Errorf("open the hub: %w", err), s.journal.Close())
	}
	if err := s.seed(); err != nil {
		return nil, errors.Join(fmt.Errorf("seed the hub: %w", err), s.journal.Close())
	}
	return s, nil
}

// behaviour is what makes the server the hub.
func (s *Server) behaviour() server.Behaviour {
	return server.Behaviour{
		Now: s.now, API: inAPI, Find: s.find, Control: s.control, Render: renderControl,
		Fail:    func(code int) server.Reply { return failCode(code).reply() },
		Garbage: server.Typed(http.StatusOK, jsonType, []byte(`{"id": "9d96`)),
		Known:   func(op string) bool { return slices.ContainsFunc(routes, func(r route) bool { return r.Op == op }) },
		Lagging: []string{"tenants.list", "users.list", "invitations.list", "support.list"},
		Latency: s.opts.Latency, Marker: s.opts.Marker,
	}
}

func inAPI(path string) bool { return strings.HasPrefix(path, apiBase+"/") }

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
	return s.journal.Close()
}

// execute runs a request as of a time: checks it, changes the state, makes the change durable.
func (s *Server) execute(rq *request) reply {
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
	if err := tx.journal.Append(tx.change); err != nil {
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
