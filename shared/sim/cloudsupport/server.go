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
//	POST   /faults   {"op":"cases.create","fault":"commit_then_drop","times":1}; see faults.go
//	GET    /faults   what is armed; DELETE disarms
//	GET    /calls    the last calls and exact counts by op
//	POST   /cases/NAME/reply   {"body":"…","state":"ACTION_REQUIRED"}: the desk's people answer and move the case
//	POST   /classifications    {"displayName":"…","do":"rotate"}: hide, expire or rotate a classification
//
// Guaranteed: a change is in the journal, synced, before its answer; a request is executed entirely or not at all; ids are unpredictable
// but the same for the same seed and the same requests. There is no goroutine of its own and no clock but Options.Now and the timer of a
// delay, so it runs inside a synctest bubble. Not promised: that an upload session outlives the process, permissions by caller.
package cloudsupport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
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
	opts       Options
	operations map[string]operation

	mu       sync.Mutex
	state    *state
	journal  *journal
	uploads  uploads
	faults   faults
	calls    calls
	pending  []pending
	numbered map[string]string // project number to id, of Options.Projects
}

// operation executes one method. It reads the state and stages its change in tx.
type operation func(tx *tx, rq *request) (any, error)

// New opens a server, with the state that Options.Dir holds.
func New(o Options) (*Server, error) {
	s := &Server{opts: o.withDefaults(), state: newState(), numbered: map[string]string{}}
	for id, number := range s.opts.Projects {
		s.numbered[number] = id
	}
	s.operations = s.allOperations()
	j, err := openJournal(s.opts.Dir, s.state)
	if err != nil {
		return nil, fmt.Errorf("open the support desk: %w", err)
	}
	s.journal = j
	return s, s.seedCatalogue()
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Organization == "" {
		o.Organization = "123456789012"
	}
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
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // the caller may be gone
	}
}

// answer decides what comes back for a request; ServeHTTP and Transport carry it.
func (s *Server) answer(r *http.Request) reply {
	s.settle(r.Context())
	if strings.HasPrefix(r.URL.Path, "/v2/") || strings.HasPrefix(r.URL.Path, "/upload/") {
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
	a = s.play(r.Context(), fault, rq)
	s.note(rq, fault, a)
	return a
}

// execute runs a request as of a time: checks it, changes the state, makes the change durable, tells the subscriptions.
func (s *Server) execute(ctx context.Context, rq *request, at time.Time) reply {
	rq.at = at
	if f := s.admit(rq); f != nil {
		return f.reply()
	}
	out, events, err := s.commit(rq)
	if err != nil {
		return failureOf(err).reply()
	}
	s.publish(ctx, events, at)
	return render(rq, out)
}

func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return fail("UNAVAILABLE", "The service is currently unavailable.")
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
	if err := tx.journal.append(tx.change); err != nil {
		return err
	}
	tx.state.apply(tx.change, tx.at.Add(-tx.searchLag()))
	return nil
}

// admit checks who calls and what, before anything is looked up.
func (s *Server) admit(rq *request) *failure {
	if f := s.authenticate(rq); f != nil {
		return f
	}
	if rq.refused != nil {
		return rq.refused
	}
	if f := checkQuery(rq.route, rq.query).failure(); f != nil {
		return f
	}
	return rq.parse()
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
