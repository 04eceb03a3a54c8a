// Package google is a server of the Google APIs that tenant onboarding uses: Service Usage v1, Resource Manager v3 (IAM policies), Essential
// Contacts v1, Recommender v1 and Service Health v1; and of those that the evidence of cases comes from: Logging v2 (entries) and Monitoring
// v3 (time series). It speaks the real wire protocol and checks every request against the published contract. Tests drive our clients against it, and `providerdesk up` mounts it at /sim/google/, where it keeps its state in a folder.
//
// The paths of the APIs do not collide, so one root serves them all: every endpoint of the configuration is the same URL. The
// contracts (*_gen.go) are generated from the discovery documents in google.golang.org/api; that of Service Health, which the module does
// not have, is written by hand. A request that breaks its contract is answered 400 in Google's error shape with the field and the reason.
// An op, as faults and calls name it, is the published id of a method: "serviceusage.services.batchEnable".
//
// What it does where a client could go wrong:
//   - batchEnable takes at most 20 services, all or none; batchGet at most 30. Enabling is an operation that is done after some polls, or
//     some time. A service may refuse: unknown, without billing, or in the middle of the operation.
//   - A policy has an etag. A stale one is 409 ABORTED; none at all overwrites, and a conditional policy written that way as version 1
//     loses its conditions. Asked for without version 3, conditional bindings come with names like roles/x_withcond_0123.
//   - IAM takes down e-mails in lower case. Owners, allUsers, deleted and unknown principals, organization roles and sizes are checked.
//   - A contact's name has the project's number and ids begin with 0. A second contact of an address is 409; the address cannot be patched.
//   - Filters of log entries and time series are read entirely: a value that is not quoted, or an escape that is none, is refused.
//   - With Options.RequireEnabled a call about a project whose API is off is 403 SERVICE_DISABLED; see enabled.go.
//
// Beside the APIs it has controls:
//
//	/faults, /calls      those of every simulator: {"op":"serviceusage.services.batchEnable","fault":"drop","times":1}; see package server
//	POST   /services     {"project":"acme-prod","service":"compute.googleapis.com","do":"use"}; see Refuse and Use
//	POST   /permissions  {"permission":"essentialcontacts.contacts.create","do":"deny"} or "allow"
//
// Guaranteed: a change is in the journal, synced, before its answer; a request is executed entirely or not at all; ids are the same for the
// same seed and the same requests. There is no goroutine of its own and no clock but Options.Now and the timer of a delay, so it runs
// inside a synctest bubble. Not promised: that permissions follow from the policies it holds, that refusals and denials set by a control
// outlive the process, partial responses (fields), the size of a policy in bytes, any other method of these APIs.
package google

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Options of a server; the zero value is a server in memory with the default organization and project, open to everybody.
type Options struct {
	Now  func() time.Time // default time.Now
	Seed uint64           // of all ids
	Dir  string           // keeps the state; empty: memory

	Organization string            // number; default 123456789012
	Folders      []string          // numbers, all of the organization
	Projects     map[string]string // id to number, all of the organization; default acme-prod
	AnyParent    bool              // projects, folders and organizations exist when they are first named
	QuotaProject string            // id of the project that pays for the caller's requests; default acme-prod

	RequireToken bool              // a call without a bearer token is 401
	Tokens       map[string]string // with RequireToken: bearer token to the caller's e-mail; none: every token is somebody's
	Denied       []string          // permissions that the caller lacks

	RequireEnabled bool                // an API must be enabled in the project that a call is about
	Enabled        map[string][]string // project id to services enabled at the start, beside serviceusage and cloudresourcemanager
	Refused        map[string]Refusal  // services that cannot be enabled
	OperationPolls int                 // gets of an operation that find it unfinished; default 1, negative: done in the first answer
	OperationTime  time.Duration       // after which an operation is done without polls; default 10s

	Policies        map[string][]Binding // resource as answers name it, to its bindings at the start, kept as they are written here
	Strangers       []string             // e-mails that IAM does not know
	ContactDomains  []string             // the organization policy's; empty: all
	Recommendations []Recommendation
	Events          []Event
	LogEntries      []LogEntry // beside those that every resource writes
	QuietLogs       bool       // no resource writes any
}

// Server is the simulator; see the package comment.
type Server struct {
	*server.Server
	opts       Options
	ids        server.IDs
	operations map[string]operation

	mu       sync.Mutex
	state    *state
	journal  *server.Journal[change]
	refused  map[string]Refusal
	denied   map[string]bool
	numbered map[string]string // project number to id, of Options.Projects
}

// operation executes one method. It reads the state and stages its change in tx. The caller needs the permission.
type operation struct {
	permission string
	run        func(tx *tx, rq *request) (any, error)
}

// Call is one call that the server received.
type Call = server.Call

// New opens a server, with the state that Options.Dir holds.
func New(o Options) (*Server, error) {
	s := &Server{
		opts: o.withDefaults(), ids: server.IDs(o.Seed), state: newState(),
		refused: map[string]Refusal{}, denied: map[string]bool{}, numbered: map[string]string{},
	}
	s.Server = server.New(s.behaviour())
	for id, number := range s.opts.Projects {
		s.numbered[number] = id
	}
	for name, why := range o.Refused {
		if err := s.Refuse(name, why); err != nil {
			return nil, fmt.Errorf("open the Google APIs: %w", err)
		}
	}
	for _, p := range o.Denied {
		s.denied[p] = true
	}
	s.operations = s.allOperations()
	var err error
	if s.journal, err = server.OpenJournal(s.opts.Dir, journalFile, s.state, s.seed); err != nil {
		return nil, fmt.Errorf("open the Google APIs: %w", err)
	}
	return s, nil
}

// behaviour is what makes the server one of these APIs.
func (s *Server) behaviour() server.Behaviour {
	return server.Behaviour{
		Now: s.opts.Now, API: inAPI, Find: s.find, Control: s.control, Render: rest.Control,
		Fail:    func(code int) server.Reply { return rest.FailCode(code).Reply() },
		Garbage: server.Typed(http.StatusOK, rest.JSON, []byte(`{"name": "proj`)),
		Known: func(op string) bool {
			return slices.ContainsFunc(routes, func(r route) bool { return r.method.Op == op })
		},
	}
}

func inAPI(path string) bool {
	return strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/v2/") || strings.HasPrefix(path, "/v3/")
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Organization = cmp.Or(o.Organization, "123456789012")
	if o.Projects == nil {
		o.Projects = map[string]string{"acme-prod": "415104041262"}
	}
	o.QuotaProject = cmp.Or(o.QuotaProject, "acme-prod")
	o.OperationPolls = cmp.Or(o.OperationPolls, 1)
	o.OperationTime = cmp.Or(o.OperationTime, 10*time.Second)
	return o
}

// seed puts the options' services and policies into a new state.
func (s *Server) seed() error {
	tx := s.begin(s.opts.Now())
	for id, services := range s.opts.Enabled {
		number := s.projectNumber(id)
		for _, name := range services {
			if number == "" || !known(name) {
				return fmt.Errorf("enable %s in %s: no such service or project", name, id)
			}
			tx.putService(serviceRecord{Project: number, Name: name, Enabled: true})
		}
	}
	for resource, bindings := range s.opts.Policies {
		full, f := s.resource(resource)
		if f != nil || full != resource {
			return fmt.Errorf("policy of %s: no such resource, or not by its number", resource)
		}
		tx.putPolicy(policyRecord{Resource: resource, Bindings: bindings})
	}
	s.state.apply(tx.change)
	return nil
}

// Close releases the journal.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// execute runs a request as of a time: checks it, changes the state, makes the change durable.
func (s *Server) execute(rq *request, at time.Time) server.Reply {
	if f := s.admit(rq); f != nil {
		return f.Reply()
	}
	out, err := s.commit(rq, at)
	if err != nil {
		return rest.FailureOf(err).Reply()
	}
	return render(rq, out)
}

// admit checks who calls and what, before anything is looked up.
func (s *Server) admit(rq *request) *rest.Failure {
	if f := cmp.Or(s.authenticate(rq), rest.Unreadable(rq.Request), checkQuery(rq.route, rq.Query).Failure()); f != nil {
		return f
	}
	return rq.parse()
}

// commit executes under the lock. The state changes only once the journal has the change.
func (s *Server) commit(rq *request, at time.Time) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.finishDue(at); err != nil {
		return nil, err
	}
	op := s.operations[rq.method.Op]
	if f := s.enabled(rq); f != nil {
		return nil, f
	}
	if f := s.permitted(rq, op.permission); f != nil {
		return nil, f
	}
	tx := s.begin(at)
	out, err := op.run(tx, rq)
	if err != nil {
		return nil, err
	}
	return out, tx.commit()
}

// tx stages what one request changes.
type tx struct {
	*Server
	at     time.Time
	change change
}

// begin opens a transaction; the caller holds the lock, or the server is not yet shared.
func (s *Server) begin(at time.Time) *tx {
	return &tx{Server: s, at: at.UTC().Truncate(time.Microsecond), change: change{Serial: s.state.serial}}
}

// next draws with the next value of the counter.
func (tx *tx) next(purpose string) [32]byte {
	tx.change.Serial++
	return tx.ids.Draw(purpose, tx.change.Serial)
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
