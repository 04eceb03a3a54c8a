// Package cloudsupport is a server of the Google Cloud Support API v2: it speaks the real wire protocol, checks every request against
// the published contract, and behaves as the support desk does, its people included. Tests drive our client against it, and
// `providerdesk up` mounts it at /sim/cloudsupport/, where it keeps its state in a folder.
//
// The contract (contract_gen.go) is generated from the discovery document in google.golang.org/api. A request that breaks it is answered
// 400 in Google's error shape with the field and the reason. Of what a client may set, output-only fields are checked and then ignored.
// Where the document is silent the stricter or the more awkward reading is taken: newest first in every list, an empty update mask that
// wipes, an index for search that lags, a closed case that takes neither comments, attachments nor changes, a customer's comment that
// hands an answered case back to Google.
//
// Mount it with http.StripPrefix, and also at /upload/v2/ of the same host: Google's client sends files there whatever the path of its
// endpoint. Beside the API it has controls:
//
//	/faults, /calls            those of every simulator: {"op":"cases.create","fault":"commit_then_drop","times":1}; see package server
//	POST   /cases/NAME/reply   {"body":"…","state":"ACTION_REQUIRED"}: the desk's people answer and move the case
//	POST   /classifications    {"displayName":"…","do":"rotate"}: hide, expire or rotate a classification
//
// Guaranteed: a change is in the journal, synced, before its answer; a request is executed entirely or not at all; ids are unpredictable
// but the same for the same seed and the same requests. There is no goroutine of its own and no clock but Options.Now and the timer of a
// delay, so it runs inside a synctest bubble. Not promised: that an upload session outlives the process, permissions by caller.
package cloudsupport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// Options of a server; the zero value is a server in memory with the default organization, project and caller.
type Options struct {
	Now  func() time.Time // default time.Now
	Seed uint64           // of all ids
	Dir  string           // keeps the state; empty: memory

	Organization string            // number; default 123456789012
	Projects     map[string]string // id to number, all of the organization; default acme-prod
	AnyParent    bool              // projects and organizations exist when they are first named; a project's number follows from its id

	Tokens map[string]string // bearer token to the caller's email; default: every token is DefaultCaller's

	SearchLag        time.Duration // how long the search index stays behind
	CommentsOnClosed bool          // closed cases take comments and attachments

	// Publish delivers a case event to the topic of each event subscription, in the request's goroutine. An error that wraps
	// ErrTopicNotFound or ErrPermissionDenied says so in the subscription's failureReason.
	Publish func(ctx context.Context, topic string, attributes map[string]string, data []byte) error

	Marker *regexp.Regexp // found in requests and shown by /calls; default "REF" and at least 20 letters or digits
}

// DefaultCaller is who calls when Options.Tokens is empty.
const DefaultCaller = "providerdesk@acme-prod.iam.gserviceaccount.com"

// What Options.Publish may wrap.
var (
	ErrTopicNotFound    = errors.New("topic not found")
	ErrPermissionDenied = errors.New("permission to publish denied")
)

// Server is the simulator; see the package comment.
type Server struct {
	*server.Server
	opts       Options
	ids        server.IDs
	operations map[string]operation

	mu       sync.Mutex
	state    *state
	journal  *server.Journal[change]
	blobs    *server.Blobs
	uploads  uploads
	numbered map[string]string // project number to id, of Options.Projects
}

// operation executes one method. It reads the state and stages its change in tx.
type operation func(tx *tx, rq *request) (any, error)

// Call is one call that the server received.
type Call = server.Call

// New opens a server, with the state that Options.Dir holds.
func New(o Options) (*Server, error) {
	s := &Server{opts: o.withDefaults(), ids: server.IDs(o.Seed), state: newState(), numbered: map[string]string{}}
	s.Server = server.New(s.behaviour())
	for id, number := range s.opts.Projects {
		s.numbered[number] = id
	}
	s.operations = s.allOperations()
	var err error
	if s.journal, err = server.OpenJournal(s.opts.Dir, journalFile, s.state, nil); err != nil {
		return nil, fmt.Errorf("open the support desk: %w", err)
	}
	if s.blobs, err = server.OpenBlobs(s.opts.Dir, blobFolder, s.state.attached()); err != nil {
		return nil, errors.Join(fmt.Errorf("open the support desk: %w", err), s.journal.Close())
	}
	return s, s.seedCatalogue()
}

// behaviour is what makes the server a support desk.
func (s *Server) behaviour() server.Behaviour {
	return server.Behaviour{
		Now: s.opts.Now, API: inAPI, Find: s.find, Control: s.control, Render: rest.Control,
		Fail:    func(code int) server.Reply { return failCode(code).Reply() },
		Garbage: server.Typed(http.StatusOK, rest.JSON, []byte(`{"name": "proj`)),
		Known:   func(op string) bool { return slices.ContainsFunc(methods, func(m method) bool { return m.Op == op }) },
		Lagging: []string{"cases.search"}, Lag: s.opts.SearchLag, Marker: s.opts.Marker,
	}
}

// failCode is what a front end makes of a bare HTTP code. Nothing here is ABORTED.
func failCode(code int) *rest.Failure {
	f := rest.FailCode(code)
	if f.Status == "ABORTED" {
		f.Status = "ALREADY_EXISTS"
	}
	return f
}

func inAPI(path string) bool {
	return strings.HasPrefix(path, "/v2/") || strings.HasPrefix(path, "/upload/")
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Organization = cmp.Or(o.Organization, "123456789012")
	if o.Projects == nil {
		o.Projects = map[string]string{"acme-prod": "415104041262"}
	}
	if o.Marker == nil {
		o.Marker = regexp.MustCompile(`\bREF[0-9A-Za-z]{20,}\b`)
	}
	return o
}

// Close releases the journal.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// execute runs a request as of a time: checks it, changes the state, makes the change durable, tells the subscriptions.
func (s *Server) execute(ctx context.Context, rq *request) server.Reply {
	if f := s.admit(rq); f != nil {
		return f.Reply()
	}
	out, events, err := s.commit(rq)
	if err != nil {
		return rest.FailureOf(err).Reply()
	}
	s.publish(ctx, events, rq.at)
	return render(rq, out)
}

// commit executes under the lock. The state changes only once the journal has the change.
func (s *Server) commit(rq *request) (any, []caseEvent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(rq.at)
	out, err := s.operations[rq.method.Op](tx, rq)
	if err == nil {
		err = tx.commit()
	}
	return out, tx.events, err
}

// tx stages what one request changes.
type tx struct {
	*Server
	at     time.Time
	change change
	events []caseEvent
}

// begin opens a transaction; the caller holds the lock.
func (s *Server) begin(at time.Time) *tx {
	at = at.UTC().Truncate(time.Microsecond)
	return &tx{Server: s, at: at, change: change{Serial: s.state.serial}}
}

func (tx *tx) commit() error {
	if tx.change.empty() {
		return nil
	}
	if err := tx.journal.Append(tx.change); err != nil {
		return err
	}
	tx.state.apply(tx.change, tx.at.Add(-tx.LongestLag()))
	return nil
}

// admit checks who calls and what, before anything is looked up.
func (s *Server) admit(rq *request) *rest.Failure {
	if f := cmp.Or(s.authenticate(rq), rest.Unreadable(rq.Request), checkQuery(rq.route, rq.Query).Failure()); f != nil {
		return f
	}
	return rq.parse()
}
